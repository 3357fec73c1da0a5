"""Electrons of a cluster: by its formula, from the library, or from a file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError, StructureError
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import load_spec
from clusterflow.records.structure_files import read_atoms
from clusterflow.science.clusters.electrons import count_electrons, read_cluster_formula

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.science.clusters.electrons import ElectronCount

_STRUCTURE_FILES = {".xyz", ".extxyz", ".cif", ".vasp", ".json", ".yaml", ".yml"}


def electrons(subject: str, charge: int | None, library: Library) -> ElectronCount:
    """Electrons of what `subject` names; `charge` overrules the one it states.

    Raises
    ------
    LibraryError
        If a formula cannot be read, names an unknown ligand, or states another charge.
    StructureError
        If a file is missing or is no structure.
    """
    spec = _find_cluster_spec(subject, library)
    text = spec.formula if spec else _read_file_formula(subject) or subject
    ligands = {ligand.name: ligand for ligand in library.ligands()}
    formula = read_cluster_formula(text, ligands.values())
    if charge is not None and formula.charge not in (None, charge):
        raise LibraryError(
            f"--charge {charge:+d}: the formula {text!r} says {formula.charge:+d}; "
            "give one of them"
        )
    stated = spec.charge if spec else formula.charge or 0
    return count_electrons(
        formula,
        ligands,
        charge=stated if charge is None else charge,
        multiplicity=spec.multiplicity if spec and charge is None else None,
    )


def _find_cluster_spec(subject: str, library: Library) -> ClusterSpec | None:
    path = Path(subject)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return load_spec(path, ClusterSpec)
    known = subject in library.paths("clusters")
    return library.cluster(subject) if known else None


def _read_file_formula(subject: str) -> str | None:
    path = Path(subject)
    if path.is_file():
        counts = Counter(read_atoms(path).get_chemical_symbols())
        return "".join(f"{element}{n}" for element, n in sorted(counts.items()))
    if path.suffix in _STRUCTURE_FILES:
        raise StructureError(f"{path}: no such file")
    return None
