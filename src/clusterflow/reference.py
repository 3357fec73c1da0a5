"""Pages of the reference, as Markdown, from the code that they describe.

``docs/conf.py`` puts them in their places when the site is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from clusterflow.cli import command
from clusterflow.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.config import Study
from clusterflow.formula import n_electrons
from clusterflow.library import Library, package_data
from clusterflow.tables import TABLES
from clusterflow.tasks.database import KEYS, SCHEMA
from clusterflow.tasks.listing import made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# Modules whose functions a person may call; the rest may change without notice.
API = (
    *("core.che", "core.network", "core.thermochemistry", "core.references"),
    *("core.sites", "core.placement", "core.symmetry", "core.vibrations"),
    *("core.uncertainty", "core.edges", "core.electrons", "core.builders.binary"),
    *("core.builders.metal", "engines.base", "io", "library", "units"),
)


def cli_page() -> str:
    """Every verb with its arguments, options and examples."""
    top = command()
    return "\n".join(line for verb in _verbs(top) for line in verb)


def _verbs(group: Any, prefix: str = "clusterflow") -> Iterator[list[str]]:
    for name, verb in group.commands.items():
        path = f"{prefix} {name}"
        yield _verb(path, verb)
        if hasattr(verb, "commands"):
            yield from _verbs(verb, path)


def _verb(path: str, verb: Any) -> list[str]:
    lines = [f"## {path.removeprefix('clusterflow ')}", "", verb.help or "", ""]
    rows = [_parameter(p) for p in verb.params if p.name != "help"]
    if rows:
        lines += _table(("", "what it is", "default"), rows)
    for example in examples(verb):
        lines += [f"    {example}", ""]
    return lines


def examples(verb: Any) -> list[str]:
    """The commands at the end of a verb's help."""
    return [e for e in re.split(r"\n\s*\n", verb.epilog or "") if e]


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = parameter.name.upper()
    else:
        name = ", ".join(sorted(parameter.opts, key=len))
    if parameter.required:
        default = "must be given"
    elif parameter.default in (None, False, (), [], ""):
        default = ""
    else:
        default = f"`{parameter.default}`"
    return f"`{name}`", parameter.help or "", default


def configuration_page() -> str:
    """Every key of a study: type, range, default, and why one would change it."""
    simple = {
        name: field
        for name, field in Study.model_fields.items()
        if not isinstance(field.default, BaseModel)
    }
    lines = ["## The study", "", *_settings(simple)]
    for name, field in Study.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += [f"## {name}", "", field.description or "", ""]
            lines += _settings(type(field.default).model_fields, f"{name}.")
    return "\n".join(lines)


def _settings(fields: Any, prefix: str = "") -> list[str]:
    rows = []
    for name, field in fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default is PydanticUndefined else f"`{_plain(default)}`"
        about = " ".join([field.description or "", _range(field)]).strip()
        rows.append((f"`{prefix}{name}`", about, shown))
    return _table(("key", "what it is", "default"), rows)


def _plain(value: object) -> str:
    from clusterflow.generated import scalar

    return scalar(value)


def _range(field: Any) -> str:
    """The limits of a number, as a sentence."""
    words = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    limits = [
        f"{word} {getattr(limit, key):g}"
        for limit in field.metadata
        for key, word in words.items()
        if getattr(limit, key, None) is not None
    ]
    return f"({', '.join(limits)})" if limits else ""


def tables_page() -> str:
    """Every table with its columns."""
    lines = []
    for name, columns in TABLE_COLUMNS.items():
        about = (TABLES[name].__doc__ or "").strip()
        rows = [(f"`{c}`", COLUMNS[c].kind, COLUMNS[c].meaning) for c in columns]
        lines += [f"## {name}.csv", "", about, ""]
        lines += _table(("column", "kind", "meaning"), rows)
    return "\n".join(lines)


def database_page() -> str:
    """Every key of the database."""
    rows = [(f"`{key}`", long, unit or "") for key, (_, long, unit) in KEYS.items()]
    return "\n".join([f"Schema {SCHEMA}.", "", *_table(("key", "what", "unit"), rows)])


def api_page() -> str:
    """Directives by which Sphinx takes in the docstrings of the public modules."""
    block = (
        "## clusterflow.{}\n\n```{{eval-rst}}\n.. automodule:: clusterflow.{}\n```\n"
    )
    return "\n".join(block.format(name, name) for name in API)


def rules_page() -> str:
    """Every rule of the workflow with its sentence."""
    rows = []
    for path in sorted((package_data() / "workflow/rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        rows += re.findall(r'^rule (\w+):\n    """(.+)"""$', text, re.MULTILINE)
    return "\n".join(_table(("rule", "what it does"), [(f"`{n}`", d) for n, d in rows]))


def cluster_table() -> str:
    """The clusters of the library."""
    library = _packaged()
    rows = []
    for name in library.paths("clusters"):
        spec = library.cluster(name)
        cells = (
            f"`{name}`",
            spec.formula,
            spec.n_atoms,
            n_electrons(spec.counts, spec.charge),
            f"{spec.charge:+d}" if spec.charge else 0,
            "auto" if spec.auto_multiplicity else spec.multiplicity,
            spec.status,
            made_by(spec),
            spec.source,
        )
        rows.append(tuple(map(str, cells)))
    counts = ("atoms", "electrons", "charge", "multiplicity")
    heading = ("name", "formula", *counts, "status", "made by", "source")
    return "\n".join(_table(heading, rows))


def level_table() -> str:
    """The levels of the library, with what each is for."""
    library = _packaged()
    levels = (library.level(name) for name in library.paths("levels"))
    rows = [(f"`{one.name}`", one.engine_name, one.description) for one in levels]
    return "\n".join(_table(("level", "engine", "what it is for"), rows))


def domain_table() -> str:
    """Where methods are not to be trusted."""
    rows = []
    for entry in _packaged().domain():
        name = f"`{entry.name}`" + (" (refused)" if entry.refuses else "")
        # A star is a free site.
        why = entry.description.replace("*", r"\*")
        rows.append((name, ", ".join(entry.methods), why, entry.way_out, entry.source))
    return "\n".join(_table(("flag", "methods", "why", "way out", "source"), rows))


def _packaged() -> Library:
    return Library((package_data() / "structures",))


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heading)} |", "|" + "---|" * len(heading)]
    for row in rows:
        cells = (cell.replace("|", r"\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


# By the name of the page below docs/.
PAGES: dict[str, Callable[[], str]] = {
    "reference/cli": cli_page,
    "reference/configuration": configuration_page,
    "reference/tables": tables_page,
    "reference/database": database_page,
    "reference/rules": rules_page,
    "reference/api": api_page,
}
# By the folder of structures/ whose items they list.
LIBRARY_TABLES: dict[str, Callable[[], str]] = {
    "clusters": cluster_table,
    "levels": level_table,
    "domain": domain_table,
}
