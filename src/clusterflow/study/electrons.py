"""Electrons of a cluster: by its formula, from the library, or from a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError, StructureError
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import load_spec
from clusterflow.records.own_word import choose_claim
from clusterflow.records.structure_files import read_whole, split_frame
from clusterflow.science.clusters.cluster_formula import read_cluster_formula
from clusterflow.science.clusters.electrons import count_electrons, find_ligands
from clusterflow.stages.build import refuse_overlap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ase import Atoms

    from clusterflow.library.clusters import LigandSpec
    from clusterflow.library.find import Library
    from clusterflow.records.file_content import Content
    from clusterflow.science.clusters.electrons import ElectronCount

_STRUCTURE_FILES = {
    *(".xyz", ".extxyz", ".cif", ".pdb", ".ent", ".gro", ".mol", ".sdf", ".mol2"),
    *(".vasp", ".traj", ".cube", ".json", ".yaml", ".yml"),
}


def electrons(
    subject: str,
    charge: int | None,
    library: Library,
    *,
    frame: str = "",
    trust: str = "",
) -> ElectronCount:
    """Electrons of what `subject` names; `charge` overrules that of a cluster's YAML.

    Parameters
    ----------
    frame, trust
        Of a structure file, as `Request` has them.

    Raises
    ------
    LibraryError
        If a formula cannot be read, names an unknown ligand, or states another charge.
    StructureError
        If a file is missing, is no structure, or says another charge.
    """
    spec = _find_cluster_spec(subject, library)
    content = None if spec else _read_file(subject, frame)
    if content is None and (frame or trust):
        option = f"--frame {frame}" if frame else f"--trust {trust}"
        raise LibraryError(f"{option}: is for a structure file, which {subject} is not")
    atoms = content.atoms if content else None
    if content:
        file, _ = split_frame(subject)
        charge = choose_claim("charge", charge, content.said, file, trust)
    text = spec.formula if spec else _write_formula(atoms) if atoms else subject
    ligands = {ligand.name: ligand for ligand in library.ligands()}
    formula = read_cluster_formula(text, ligands.values(), library.ions())
    if charge is not None and formula.charge not in (None, charge):
        raise LibraryError(
            f"--charge {charge:+d}: the formula {text!r} says {formula.charge:+d}; "
            "give one of them"
        )
    stated = spec.charge if spec else formula.charge or 0
    total = stated if charge is None else charge
    count = count_electrons(
        formula,
        ligands,
        charge=total,
        multiplicity=spec.multiplicity if spec and charge is None else None,
    )
    return _count_with_ligands(count, atoms, ligands) if atoms else count


def _count_with_ligands(
    count: ElectronCount, atoms: Atoms, ligands: Mapping[str, LigandSpec]
) -> ElectronCount:
    """The count of a structure with the superatom electrons that its ligands leave."""
    if atoms.pbc.any():
        reason = "a crystal may hold more than one cluster; bring one in by `add`"
        return replace(count, n_superatom=None, n_superatom_reason=reason)
    found = find_ligands(
        atoms.get_chemical_symbols(), atoms.positions, ligands.values()
    )
    if isinstance(found, str):
        return replace(count, n_superatom=None, n_superatom_reason=found)
    own = count_electrons(found, ligands, charge=count.charge)
    return replace(
        count,
        n_superatom=own.n_superatom,
        n_superatom_reason=own.n_superatom_reason,
        ligands={_name_alike(name, ligands): n for name, n in own.ligands.items()},
    )


def _name_alike(name: str, ligands: Mapping[str, LigandSpec]) -> str:
    """A ligand with those of the same formula, which a count cannot tell apart."""
    counts = ligands[name].counts
    return " or ".join(one for one in ligands if ligands[one].counts == counts)


def _find_cluster_spec(subject: str, library: Library) -> ClusterSpec | None:
    path = Path(subject)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return load_spec(path, ClusterSpec)
    known = subject in library.paths("clusters")
    return library.cluster(subject) if known else None


def _read_file(subject: str, frame: str) -> Content | None:
    path, frame = split_frame(subject, frame)
    if path.is_file():
        content = read_whole(path, frame)
        if not content.atoms.pbc.any():
            refuse_overlap(content.atoms, str(path))
        return content
    if path.suffix.lower() in _STRUCTURE_FILES:
        raise StructureError(f"{path}: no such file")
    return None


def _write_formula(atoms: Atoms) -> str:
    counts = Counter(atoms.get_chemical_symbols())
    return "".join(f"{element}{n}" for element, n in sorted(counts.items()))
