"""What ``clusterflow new`` writes of a study, and the schema of its settings.

``python -m clusterflow.study.template`` writes the schema to its place in a checkout; a
test fails when that is not what the model says.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel

from clusterflow.settings import Study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.library.find import Library

SCHEMA = Path("workflow/schemas/config.schema.json")
_WIDTH = 86
# What people change first, for `clusterflow new`.
_FIRST_KEYS = (
    *("study", "clusters", "reactions", "adsorb.max_screened", "adsorb.max_relaxed"),
    *("thermo.temperature_k", "thermo.correct"),
    *("che.potential_v", "che.scale", "che.ph"),
)
_FIRST_HEADING = """\
What people change first. Every key may be left out, and there are more: `clusterflow
new --full DIR` writes them all, with defaults and reasons.
"""
_HEADING = """\
All settings. Every key may be left out; but for the first three, what stands here is
the default. To change a few for one run, write them to a file of their own and run
    clusterflow run --configfile my.yaml
(or snakemake --configfile my.yaml): sections merge, lists replace.
"""
# A night of relaxations on a laptop; the cost of one grows with the cube of its atoms.
_TOUR_BELOW_ATOMS = 70
_TOUR = """\
# Every cluster of the library with fewer than {below} atoms: built and relaxed, with
# its band edges, and no adsorbates. A night on a laptop; started again, it goes on.
study: {study}
clusters:
{clusters}
reactions: []
level:
  # The second is for clusters whose SCF needs smearing, the last for magnetic ones.
  preferred: [gfn1-xtb, gfn1-xtb-1000k, spgfn1-xtb-1000k]
  # Nothing is adsorbed, so only the bare cluster decides.
  probes: []
  # One magnetic cluster must not bring all metals to a spin-polarised level.
  scope: cluster
"""


def study_yaml(study: Study, *, full: bool = False) -> str:
    """A study with the keys that people change first, or with all, and its reasons."""
    heading = _HEADING if full else _FIRST_HEADING
    lines = _format_settings(study, 0, None if full else _FIRST_KEYS)
    return textwrap.indent(heading, "# ") + "\n" + "\n".join(lines).lstrip() + "\n"


def json_schema() -> str:
    """The JSON schema of a configuration file."""
    return json.dumps(Study.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def tour_yaml(study: str, library: Library) -> str:
    """The study that builds and relaxes every small cluster of a library."""
    names = [
        name
        for name in library.paths("clusters")
        if library.cluster(name).n_atoms < _TOUR_BELOW_ATOMS
    ]
    rows = "\n".join(f"  - {name}" for name in names)
    return _TOUR.format(below=_TOUR_BELOW_ATOMS, study=study, clusters=rows)


def _format_settings(
    model: BaseModel, depth: int, only: Sequence[str] | None = None
) -> list[str]:
    """Comment and value of every key, or of those in `only`, as ``section.key``."""
    indent = "  " * depth
    lines = []
    for key, field in type(model).model_fields.items():
        below = None
        if only is not None and key not in only:
            below = [n.partition(".")[2] for n in only if n.startswith(f"{key}.")]
            if not below:
                continue
        value = getattr(model, key)
        if depth == 0:
            lines.append("")
        lines += textwrap.wrap(
            field.description or "",
            _WIDTH,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
        )
        if isinstance(value, BaseModel):
            lines.append(f"{indent}{key}:")
            lines += _format_settings(value, depth + 1, below)
        else:
            lines.append(f"{indent}{key}: {scalar(value)}")
    return lines


def scalar(value: object) -> str:
    """A value as YAML on one line."""
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


if __name__ == "__main__":
    SCHEMA.write_text(json_schema(), encoding="utf-8")
