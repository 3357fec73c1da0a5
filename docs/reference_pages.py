"""Pages of the reference, as Markdown, from the code that they describe.

A Sphinx extension: it puts them in the place of a marker when the site is built.

The page of the commands is made by sphinxcontrib-typer. That of the settings is made
here, after trials of what there is for pydantic: autodoc-pydantic 2.2 has lost its
maintainer and shows values as Python writes them, not as a person types them into
``config.yaml``; sphinxcontrib-pydantic 0.4 shows no defaults; sphinx-jsonschema 1.20
spreads a setting over several rows of nested tables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from clusterflow.formula import n_electrons
from clusterflow.library.find import Library, package_data
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.results.database import KEYS, SCHEMA
from clusterflow.results.tables import TABLES
from clusterflow.settings import Study
from clusterflow.study.listing import made_by
from clusterflow.study.template import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sphinx.application import Sphinx

MARKER = "<!-- made from the code -->"


def configuration_page() -> str:
    """Every key of a study: type, range, default, and why one would change it."""
    simple = {
        name: field
        for name, field in Study.model_fields.items()
        if not isinstance(field.default, BaseModel)
    }
    lines = ["## The study", "", *_tabulate_settings(simple)]
    for name, field in Study.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += [f"## {name}", "", field.description or "", ""]
            lines += _tabulate_settings(type(field.default).model_fields, f"{name}.")
    return "\n".join(lines)


def _tabulate_settings(fields: Any, prefix: str = "") -> list[str]:
    rows = []
    for name, field in fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default is PydanticUndefined else f"`{scalar(default)}`"
        about = " ".join([field.description or "", _say_range(field)]).strip()
        rows.append((f"`{prefix}{name}`", about, shown))
    return _write_table(("key", "what it is", "default"), rows)


def _say_range(field: Any) -> str:
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
        lines += _write_table(("column", "kind", "meaning"), rows)
    return "\n".join(lines)


def database_page() -> str:
    """Every key of the database."""
    rows = [(f"`{key}`", long, unit or "") for key, (_, long, unit) in KEYS.items()]
    return "\n".join(
        [f"Schema {SCHEMA}.", "", *_write_table(("key", "what", "unit"), rows)]
    )


def rules_page() -> str:
    """Every rule of the workflow with its sentence."""
    rows = []
    for path in sorted((package_data() / "workflow/rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        rows += re.findall(r'^rule (\w+):\n    """(.+)"""$', text, re.MULTILINE)
    return "\n".join(
        _write_table(("rule", "what it does"), [(f"`{n}`", d) for n, d in rows])
    )


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
    return "\n".join(_write_table(heading, rows))


def level_table() -> str:
    """The levels of the library, with what each is for."""
    library = _packaged()
    levels = (library.level(name) for name in library.paths("levels"))
    rows = [(f"`{lv.name}`", lv.engine_name, lv.description) for lv in levels]
    return "\n".join(_write_table(("level", "engine", "what it is for"), rows))


def domain_table() -> str:
    """Where methods are not to be trusted."""
    rows = []
    for entry in _packaged().domain():
        name = f"`{entry.name}`" + (" (refused)" if entry.refuses else "")
        # A star is a free site.
        why = entry.description.replace("*", r"\*")
        methods = ", ".join(entry.methods) or "potentials"
        rows.append((name, methods, why, entry.way_out, entry.source))
    return "\n".join(
        _write_table(("flag", "methods", "why", "way out", "source"), rows)
    )


def _packaged() -> Library:
    return Library((package_data() / "structures",))


def _write_table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heading)} |", "|" + "---|" * len(heading)]
    for row in rows:
        cells = (cell.replace("|", r"\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


# By the name of the page below docs/.
PAGES: dict[str, Callable[[], str]] = {
    "reference/configuration": configuration_page,
    "reference/tables": tables_page,
    "reference/database": database_page,
    "reference/rules": rules_page,
}
# By the folder of structures/ whose items they list.
LIBRARY_TABLES: dict[str, Callable[[], str]] = {
    "clusters": cluster_table,
    "levels": level_table,
    "domain": domain_table,
}


def fill_in(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what is made from the code in the place of its marker."""
    if page in PAGES:
        source[0] = source[0].replace(MARKER, PAGES[page]())
    source[0] = re.sub(
        r"<!-- made from structures/(\w+) -->",
        lambda marker: LIBRARY_TABLES[marker[1]](),
        source[0],
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", fill_in)
    return {"parallel_read_safe": True}
