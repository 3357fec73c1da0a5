"""Tables of docs/ that are made from the library: `make generate` writes them.

They stand in the tree, so that a code host shows them too. A test fails when one of
them is not what this module would write.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.formula import n_electrons
from clusterflow.generated import made_by
from clusterflow.library import Library

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLE_BEGINS = "<!-- made from structures/{kind} by `make generate` -->"
_TABLE_ENDS = "<!-- end of the table -->"


def generated_files(root: Path) -> dict[Path, str]:
    """Path and content of every page with such a table."""
    return {
        root / "docs/levels.md": _replace_table(root, "levels", "domain", domain_table),
        root / "docs/catalogue.md": _replace_table(
            root, "catalogue", "clusters", cluster_table
        ),
    }


def domain_table(root: Path) -> str:
    """The domain table as Markdown."""
    lines = [
        "\n",
        "| flag | methods | why | way out | source |",
        "|---|---|---|---|---|",
    ]
    for entry in Library((root / "structures",)).domain():
        name = f"`{entry.name}`" + (" (refused)" if entry.refuses else "")
        cells = (name, ", ".join(entry.methods), entry.description, entry.way_out)
        lines.append(f"| {' | '.join((*cells, entry.source))} |")
    return "\n".join([*lines, "", ""]).replace("*", r"\*")


def cluster_table(root: Path) -> str:
    """The clusters of the library as Markdown."""
    library = Library((root / "structures",))
    lines = [
        "\n",
        "| name | formula | atoms | electrons | charge | multiplicity | status "
        "| made by | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
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
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, "", ""])


def _replace_table(
    root: Path, page: str, kind: str, table: Callable[[Path], str]
) -> str:
    """A page with the table of one kind of the library in its place."""
    begins = _TABLE_BEGINS.format(kind=kind)
    text = (root / f"docs/{page}.md").read_text(encoding="utf-8")
    before, rest = text.split(begins)
    after = rest.split(_TABLE_ENDS)[1]
    return before + begins + table(root) + _TABLE_ENDS + after


if __name__ == "__main__":
    for path, content in generated_files(Path.cwd()).items():
        path.write_text(content, encoding="utf-8")
