"""Templates of the report with what they may call, and the script of its pages."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from clusterflow.figures import text
from clusterflow.figures.picture import ball_definitions
from clusterflow.report.answers import TOLD_APART
from clusterflow.report.contents import ISOMER_MODES
from clusterflow.report.first_screen import MOST_ROWS
from clusterflow.report.page_data import elements_of, scaling_block, to_json
from clusterflow.report.words import say_fate, say_flag, say_outcome
from clusterflow.results.ranking import level_key
from clusterflow.science.checks.effects import EFFECTS, failure_flag
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import hole_runs, no_potential_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clusterflow.records.profiles import Pathway

_PACKAGE = "clusterflow.report"
# Those that others build on come first.
_SCRIPTS = (
    *("page", "text", "atoms", "electrode", "controls", "diagram", "scaling"),
    *("files", "tables"),
)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


@cache
def load_templates() -> Environment:
    """The environment of all templates."""
    environment = Environment(
        loader=FunctionLoader(_read_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        chem=text.chem,
        clip=text.clip,
        number=text.number,
        signed=text.signed,
        duration=text.duration,
        fate=say_fate,
        outcome=say_outcome,
        flag=say_flag,
        json=to_json,
    )
    environment.globals.update(
        hole_runs=_name_hole_runs,
        scaling_block=scaling_block,
        group_flags=group_flags,
        level_key=level_key,
        isomer_mode=ISOMER_MODES.__getitem__,
        potential_label=text.potential_label,
        hole_reason=no_potential_reason,
        hole_mark=text.HOLE,
        closed_ev=THERMALLY_CLOSED_EV,
        gate_flags={failure_flag(gate) for gate in EFFECTS},
        told_apart=TOLD_APART,
        most_rows=MOST_ROWS,
    )
    return environment


def assemble_script(
    symbols: Iterable[str], blocks: Mapping[str, object], *more: str
) -> dict[str, object]:
    """The script, the hash by which a page allows it, and the data of the page.

    Parameters
    ----------
    symbols
        Elements that are drawn.
    blocks
        What the script reads, by the id that it asks for.
    *more
        Scripts that the other pages do without.
    """
    script, digest = _read_script(*_SCRIPTS, *more)
    drawn = set(symbols)
    every = {**blocks, "elements": elements_of(drawn)}
    return {
        "balls": Markup(ball_definitions(drawn)),
        "script": Markup(script),
        "script_hash": digest,
        "blocks": {name: to_json(content) for name, content in every.items()},
    }


@cache
def _read_script(*names: str) -> tuple[str, str]:
    """Scripts as one, and its SHA-256 as a security policy names it."""
    script = "\n".join(_read_resource(f"scripts/{name}.js") for name in names)
    digest = hashlib.sha256(script.encode()).digest()
    return script, base64.b64encode(digest).decode()


def _read_template(name: str) -> str:
    # Indentation is for whoever reads the template; a large page has megabytes of it.
    return _INDENTATION.sub("", _read_resource(f"templates/{name}"))


def _read_resource(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _name_hole_runs(pathway: Pathway) -> list[tuple[list[str], str]]:
    """Neighbouring states without a value, by name, and their reason."""
    return [
        ([pathway.states[column] for column in columns], reason)
        for columns, reason in hole_runs(pathway)
    ]
