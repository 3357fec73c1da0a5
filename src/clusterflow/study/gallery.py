"""The clusters of the library with their pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import ClusterflowError
from clusterflow.figures.gallery_page import Card, render_gallery
from clusterflow.figures.text import MINUS
from clusterflow.stages.build import build_structures
from clusterflow.study.listing import listing

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.records.structure import Structure


def gallery(library: Library) -> str:
    """A page with a picture of each cluster; one that cannot be built has a reason."""
    return render_gallery([_make_card(row, library) for row in listing("clusters")])


def _make_card(row: dict[str, Any], library: Library) -> Card:
    name = row["name"]
    structures: list[Structure] = []
    reason = ""
    try:
        folder = library.path("clusters", name).parent
        structures = build_structures(library.cluster(name), folder, library)
    except ClusterflowError as error:
        reason = str(error)
    return Card(
        name=name,
        formula=row["formula"],
        structure=structures[0] if structures else None,
        reason=reason,
        n_isomers=len(structures),
        facts=_list_facts(row),
        source=row["source"],
    )


def _list_facts(row: dict[str, Any]) -> tuple[str, ...]:
    """Atoms, electrons and what is around them, in words."""
    facts = [
        "1 atom" if row["atoms"] == 1 else f"{row['atoms']} atoms",
        f"valence electrons {row['valence_electrons']}",
    ]
    if row["superatom_electrons"] is not None:
        facts.append(f"superatom electrons {row['superatom_electrons']}")
    if row["charge"]:
        facts.append(f"charge {row['charge']:+d}".replace("-", MINUS))
    facts.append(f"multiplicity {row['multiplicity']}")
    facts += ["ligands"] if row["protected"] else []
    return (*facts, f"by {row['made_by']}")
