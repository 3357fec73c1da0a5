"""What is in the library, for people and for programs."""

from __future__ import annotations

from typing import Any

from clusterflow.errors import LibraryError
from clusterflow.formula import n_electrons
from clusterflow.library import Library
from clusterflow.specs import (
    ClusterSpec,
    Composed,
    DomainSpec,
    LevelSpec,
    LigandSpec,
    ReactionSpec,
)

_LISTED = (
    *("clusters", "adsorbates", "gases", "reactions", "levels", "couples"),
    *("ligands", "domain"),
)


def listing(kind: str) -> list[dict[str, Any]]:
    """One row an item, with what sets it apart.

    Raises
    ------
    LibraryError
        If there is no such kind.
    """
    if kind not in _LISTED:
        raise LibraryError(f"list {kind!r}: choose from {', '.join(_LISTED)}")
    library = Library.default()
    if kind == "ligands":
        return [_row(spec) for spec in library.ligands()]
    if kind == "domain":
        return [_row(spec) for spec in library.domain()]
    load = {
        "clusters": library.cluster,
        "adsorbates": library.adsorbate,
        "gases": library.gas,
        "reactions": library.reaction,
        "levels": library.level,
        "couples": library.couple,
    }[kind]
    return [_row(load(name)) for name in library.paths(kind)]


def _row(spec: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"name": spec.name}
    if isinstance(spec, Composed):
        row |= {"formula": spec.formula, "atoms": spec.n_atoms}
        auto = isinstance(spec, ClusterSpec) and spec.auto_multiplicity
        electrons = n_electrons(spec.counts, spec.charge)
        row |= {"electrons": electrons, "charge": spec.charge}
        row |= {"multiplicity": "auto" if auto else spec.multiplicity}
    if isinstance(spec, ClusterSpec):
        row |= {"material": spec.material, "parent": ", ".join(spec.parents) or None}
    if isinstance(spec, ReactionSpec):
        row |= {"product": spec.product, "steps": len(spec.steps)}
    if isinstance(spec, LevelSpec):
        row |= {"engine": spec.engine_name, "method": spec.method, "hash": spec.hash}
        row |= {"electronic_temperature_k": spec.electronic_temperature_k}
    if isinstance(spec, LigandSpec):
        row |= {"formula": spec.formula, "kind": spec.kind}
        row |= {"electrons_withdrawn": spec.electrons_withdrawn}
        row |= {"aliases": " ".join(spec.aliases)}
    if isinstance(spec, DomainSpec):
        row |= {"methods": " ".join(spec.methods), "refuses": spec.refuses}
        row |= {"reason": spec.description, "way_out": spec.way_out}
    return row | {"source": spec.source}
