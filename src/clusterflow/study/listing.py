"""What is in the library, for people and for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from clusterflow.errors import LibraryError, name_near
from clusterflow.formula import n_electrons, valence_electrons
from clusterflow.library.clusters import LigandSpec
from clusterflow.library.common import Composed
from clusterflow.library.find import Library
from clusterflow.library.ions import IonSpec
from clusterflow.library.levels import DomainSpec, LevelSpec
from clusterflow.library.reactions import ReactionSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.clusters import ClusterSpec

_LISTED = (
    *("clusters", "adsorbates", "gases", "reactions", "levels", "couples"),
    *("solutes", "ligands", "ions", "domain"),
)


# What a terminal shows of a row, and of a text in it; JSON has all.
_LONGEST = 28
_SHOWN = {
    "clusters": {
        "name": "name",
        "formula": "formula",
        "atoms": "atoms",
        "valence_electrons": "val. e",
        "superatom_electrons": "sup. e",
        "charge": "charge",
        "multiplicity": "mult.",
        "status": "status",
        "made_by": "made by",
        "source": "source",
    }
}


def shown(kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The columns of a listing that people look at, under short headings."""
    if kind not in _SHOWN:
        return rows
    columns = _SHOWN[kind].items()
    return [{head: _shorten_value(row[key]) for key, head in columns} for row in rows]


def _shorten_value(value: object) -> object:
    if isinstance(value, str):
        return textwrap.shorten(value, _LONGEST, placeholder=" …")
    return value


def listing(kind: str) -> list[dict[str, Any]]:
    """One row for each item of a kind: its name, properties and source.

    Raises
    ------
    LibraryError
        If there is no such kind.
    """
    if kind not in _LISTED:
        raise LibraryError(f"list {kind!r}: {name_near(kind, _LISTED)}")
    library = Library.default()
    if kind == "ligands":
        return [_make_item_row(spec) for spec in library.ligands()]
    if kind == "ions":
        return [_make_item_row(spec) for spec in library.ions()]
    if kind == "domain":
        return [_make_item_row(spec) for spec in library.domain()]
    if kind == "clusters":
        specs = {name: library.cluster(name) for name in library.paths(kind)}
        ligands = {ligand.name: ligand for ligand in library.ligands()}
        return [_make_cluster_row(spec, specs, ligands) for spec in specs.values()]
    load = {
        "adsorbates": library.adsorbate,
        "gases": library.gas,
        "reactions": library.reaction,
        "levels": library.level,
        "solutes": library.solute,
        "couples": library.couple,
    }[kind]
    return [_make_item_row(load(name)) for name in library.paths(kind)]


def search_rows(rows: Sequence[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Rows in one of whose values a text stands, capital letters or small.

    >>> search_rows([{"name": "Au25SH18"}, {"name": "Cu4"}], "au25")
    [{'name': 'Au25SH18'}]
    """
    wanted = text.lower()
    return [row for row in rows if any(wanted in str(v).lower() for v in row.values())]


def _make_cluster_row(
    spec: ClusterSpec,
    specs: Mapping[str, ClusterSpec],
    ligands: Mapping[str, LigandSpec],
) -> dict[str, Any]:
    """What a cluster is made of, how, and how many electrons that makes."""
    row = _make_item_row(spec)
    source = row.pop("source")
    if spec.auto_multiplicity:
        row["multiplicity"] = "auto"
    valence = sum(valence_electrons(e) * n for e, n in spec.counts.items())
    row["valence_electrons"] = valence - spec.charge
    row["superatom_electrons"] = _count_superatom_electrons(spec, ligands)
    row |= {"material": spec.material, "protected": _is_protected(spec, specs)}
    row |= {"supported": _is_supported(spec), "status": spec.status}
    row |= {"made_by": made_by(spec)}
    return row | {"parent": ", ".join(spec.parents) or None, "source": source}


def made_by(spec: ClusterSpec) -> str:
    """Builders, files and parents of a cluster, each once."""
    if spec.parent is not None and spec.removed is not None:
        rest = " (its binding atom stays)" if spec.removed.keep_binding_atom else ""
        return f"{spec.parent} less {spec.removed.count} {spec.removed.what}{rest}"
    ways = []
    for start in spec.structures:
        way = start.builder or "file"
        if start.substitution is not None:
            way += f" in {start.substitution.parent}"
        way = " + ".join([way, *start.ligands])
        if start.host is not None:
            way += f" on {start.host.builder or start.host.cluster}"
        ways.append(way)
    if spec.search is not None:
        ways.append("search")
    return ", ".join(dict.fromkeys(ways))


def _is_protected(spec: ClusterSpec, specs: Mapping[str, ClusterSpec]) -> bool:
    """Whether it has ligands, of its own or of what it is made from."""
    parents = (specs[name] for name in spec.parents if name in specs)
    return bool(spec.ligands) or any(_is_protected(one, specs) for one in parents)


def _is_supported(spec: ClusterSpec) -> bool:
    return any(start.host is not None for start in spec.structures)


def _count_superatom_electrons(
    spec: ClusterSpec, ligands: Mapping[str, LigandSpec]
) -> int | None:
    """Electrons of the metal sphere; none for II-VI pairs and on supports."""
    from clusterflow.science.clusters.cluster_formula import read_cluster_formula
    from clusterflow.science.clusters.electrons import count_electrons

    if spec.material != "metal" or _is_supported(spec):
        return None
    try:
        formula = read_cluster_formula(spec.formula, ligands.values())
    except LibraryError:
        return None
    return count_electrons(formula, ligands, charge=spec.charge).n_superatom


def _make_item_row(spec: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"name": spec.name}
    if isinstance(spec, Composed):
        row |= {"formula": spec.formula, "atoms": spec.n_atoms}
        electrons = n_electrons(spec.counts, spec.charge)
        row |= {"electrons": electrons, "charge": spec.charge}
        row |= {"multiplicity": spec.multiplicity}
    if isinstance(spec, ReactionSpec):
        row |= {"product": spec.product, "steps": len(spec.steps)}
    if isinstance(spec, LevelSpec):
        row |= {"engine": spec.engine_name, "method": spec.method, "hash": spec.hash}
        row |= {"electronic_temperature_k": spec.electronic_temperature_k}
    if isinstance(spec, LigandSpec):
        row |= {"formula": spec.formula, "kind": spec.kind}
        row |= {"electrons_withdrawn": spec.electrons_withdrawn}
        row |= {"aliases": " ".join(spec.aliases)}
    if isinstance(spec, IonSpec):
        row |= {"formula": spec.formula, "charge": spec.charge}
    if isinstance(spec, DomainSpec):
        row |= {"methods": " ".join(spec.methods), "refuses": spec.refuses}
        row |= {"reason": spec.description, "way_out": spec.way_out}
    return row | {"source": spec.source}
