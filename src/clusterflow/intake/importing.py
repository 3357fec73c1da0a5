"""From a structure file to one cluster: which molecule, ligands, support."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from clusterflow.errors import LibraryError, StructureError
from clusterflow.intake.counter_ions import imply_charge
from clusterflow.library.find import Library
from clusterflow.records.disorder import describe_uncertain, few, uncertain
from clusterflow.records.own_word import NOTHING_SAID, OwnWord
from clusterflow.records.structure_files import read_content, split_frame
from clusterflow.science.clusters.ligand_truncation import (
    MODELS,
    LigandModel,
    truncate_ligands,
)
from clusterflow.science.clusters.supports import cut_out
from clusterflow.science.geometry.molecules import (
    Molecule,
    broken_bonds,
    find_molecules,
    matching,
)
from clusterflow.stages.parts.relaxation import same_geometry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How to read a structure file: its molecule, disorder, ligands and support.

    molecule
        Formula, or number in the list, of the molecule to take.
    disorder
        ``major``, or the name of a disorder group.
    truncate
        Models that ligands are cut down to.
    host_radius_a
        Also take the framework this near to the molecule, as a frozen support.
    host_centre
        Label of a site, or three fractional coordinates, about which to cut a
        framework without a molecule.
    frame
        ``last`` or a number, where a file holds several structures.
    """

    molecule: str = ""
    disorder: str = ""
    truncate: tuple[str, ...] = ()
    host_radius_a: float | None = None
    host_centre: str = ""
    frame: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One cluster without cell, which of its atoms are support, what was done to it."""

    atoms: Atoms
    support: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    said: OwnWord = NOTHING_SAID


def import_cluster(file: Path, choices: Choices) -> Imported:
    """The cluster in a file, whole, with the ligands that were chosen.

    Raises
    ------
    StructureError
        If there is more than one kind of molecule and none was chosen, the chosen one
        is disordered or lacks atoms, or a ligand cannot be cut.
    LibraryError
        If a choice cannot be read.
    """
    _check_choices(choices)
    file, frame = split_frame(str(file), choices.frame)
    content = read_content(file, choices.disorder, frame)
    notes = [f"{file.name}: {choices.disorder} sites of disorder"] * bool(
        choices.disorder
    )
    notes += content.notes
    implied = NOTHING_SAID
    if choices.host_centre:
        return _import_framework(content.atoms, choices, file, notes)
    if not content.atoms.pbc.any() and not choices.molecule:
        _refuse_disorder(content.atoms, range(len(content.atoms)), file)
        taken, guest = content.atoms.copy(), tuple(range(len(content.atoms)))
    else:
        molecules = find_molecules(content.atoms)
        molecule, note = _choose_molecule(molecules, choices, file)
        shares = content.atoms.arrays["occupancies"]
        amounts = [(one, float(shares[list(one.indices)].mean())) for one in molecules]
        implied, ions = imply_charge(molecule, amounts, Library.default().ions())
        if implied is NOTHING_SAID:
            implied = _find_stated_charge(molecule, content.moieties)
        _refuse_disorder(content.atoms, molecule.indices, file)
        taken, guest = molecule.to_atoms(), molecule.indices
        taken.set_array("labels", content.atoms.arrays["labels"][list(guest)])
        notes += [*note, *ions]
    taken, cut = _cut_ligands(taken, choices, file)
    _refuse_missing_atoms(taken, file)
    notes += cut
    # A file speaks of all its atoms.
    is_all = len(taken) == len(content.atoms) and not content.moieties
    said = content.said if is_all else implied
    imported = Imported(atoms=taken, notes=tuple(notes), said=said)
    if choices.host_radius_a is None:
        return imported
    return _add_framework(imported, content.atoms, guest, choices, file)


def _check_choices(choices: Choices) -> None:
    unknown = [model for model in choices.truncate if model not in MODELS]
    if unknown:
        raise LibraryError(
            f"--truncate-ligands {unknown[0]}: use one of {', '.join(MODELS)}"
        )
    if choices.host_centre and choices.host_radius_a is None:
        raise LibraryError("--host-centre needs --host-radius-a, in Å")
    if choices.host_radius_a is not None and not 0 < choices.host_radius_a < np.inf:
        raise LibraryError(
            f"--host-radius-a {choices.host_radius_a:g}: must be more than 0 Å "
            "and finite"
        )
    if choices.host_centre and (choices.molecule or choices.truncate):
        raise LibraryError(
            "--host-centre cuts a host without a cluster; it goes with neither "
            "--molecule nor --truncate-ligands"
        )


def _choose_molecule(
    molecules: Sequence[Molecule], choices: Choices, file: Path
) -> tuple[Molecule, list[str]]:
    """The molecule to take, and a note of what is left out."""
    kinds = _group_molecules(molecules)
    if choices.molecule:
        found = matching(choices.molecule, kinds)
    else:
        found = list(range(len(kinds)))
    listed = ", ".join(
        f"{k}: {_describe_kind(kind)}" for k, kind in enumerate(kinds, start=1)
    )
    if not found:
        raise StructureError(
            f"{file}: --molecule {choices.molecule}: there is none; there are {listed}"
        )
    if len(found) > 1:
        raise StructureError(
            f"{file}: holds more than one molecule {choices.molecule}".rstrip()
            + f": {listed}; choose one with --molecule, by number or formula, and the "
            "others are left out"
        )
    chosen = kinds[found[0]]
    if chosen[0].is_endless:
        raise StructureError(
            f"{file}: the structure is bonded to its periodic image; give an isolated "
            "cluster, or cut a host with --host-centre and --host-radius-a"
        )
    others = [_describe_kind(kind) for kind in kinds if kind is not chosen]
    notes = [f"left out of {file.name}: {', '.join(others)}"] if others else []
    if len(chosen) > 1:
        notes.append(f"one of {len(chosen)} copies in the cell of {file.name}")
    return chosen[0], notes


def _find_stated_charge(
    molecule: Molecule, moieties: Sequence[tuple[Counter[str], int]]
) -> OwnWord:
    """The charge that a crystal states of a molecule, whose hydrogen may be missing."""
    heavy = Counter(symbol for symbol in molecule.symbols if symbol != "H")
    for counts, charge in moieties:
        if {e: n for e, n in counts.items() if e != "H"} == heavy:
            return OwnWord(charge=charge, charge_from="its formula by moieties")
    return NOTHING_SAID


def _group_molecules(found: Sequence[Molecule]) -> list[list[Molecule]]:
    """Molecules sorted into kinds of one formula and geometry, largest first."""
    kinds: list[list[Molecule]] = []
    for molecule in found:
        for kind in kinds:
            if _is_same_kind(kind[0], molecule):
                kind.append(molecule)
                break
        else:
            kinds.append([molecule])
    return sorted(kinds, key=lambda kind: -len(kind[0].indices))


def _is_same_kind(first: Molecule, second: Molecule) -> bool:
    return (
        first.is_endless == second.is_endless
        and sorted(first.symbols) == sorted(second.symbols)
        and (first.is_endless or same_geometry(first.to_atoms(), second.to_atoms()))
    )


def _describe_kind(kind: Sequence[Molecule]) -> str:
    endless = " (endless)" if kind[0].is_endless else ""
    return f"{kind[0].formula} × {len(kind)}{endless}"


def _refuse_disorder(atoms: Atoms, indices: Sequence[int], file: Path) -> None:
    sites = uncertain(atoms[list(indices)])
    if sites:
        raise StructureError(
            f"{file}: {describe_uncertain(sites)}; choose with "
            "--disorder major, or name a disorder group of the file"
        )


def _cut_ligands(atoms: Atoms, choices: Choices, file: Path) -> tuple[Atoms, list[str]]:
    if not choices.truncate:
        return atoms, []
    models: list[LigandModel] = [m for m in MODELS if m in choices.truncate]
    try:
        cut = truncate_ligands(atoms.get_chemical_symbols(), atoms.positions, models)
    except ValueError as error:
        raise StructureError(f"{file}: --truncate-ligands: {error}") from None
    small = Atoms(list(cut.symbols), positions=cut.positions)
    labels = [str(atoms.arrays["labels"][i]) for i in cut.kept]
    small.set_array("labels", np.array([*labels, *cut.symbols[len(labels) :]]))
    notes = [f"ligands: {one}" for one in cut.cuts]
    formulas = atoms.get_chemical_formula(), small.get_chemical_formula()
    return small, [*notes, f"formula: {formulas[0]} -> {formulas[1]}"]


def _refuse_missing_atoms(atoms: Atoms, file: Path) -> None:
    labels = [str(label) for label in atoms.arrays["labels"]]
    signs = broken_bonds(atoms.get_chemical_symbols(), atoms.positions, labels)
    if signs:
        raise StructureError(
            f"{file}: atoms are missing: {few(signs)}; add them in a viewer, or cut "
            "the ligands with --truncate-ligands"
        )


def _add_framework(
    cluster: Imported, cell: Atoms, guest: Sequence[int], choices: Choices, file: Path
) -> Imported:
    """A cluster with the framework around it."""
    atoms = cluster.atoms
    radius = float(choices.host_radius_a or 0.0)
    loose = sorted({*guest, *_find_loose_atoms(cell)})
    framework, note = _cut_framework(cell, atoms.positions, radius, loose, file)
    return Imported(
        atoms=atoms + framework,
        support=tuple(range(len(atoms), len(atoms) + len(framework))),
        notes=(*cluster.notes, note),
    )


def _import_framework(
    cell: Atoms, choices: Choices, file: Path, notes: Sequence[str]
) -> Imported:
    """A framework about a place, all of it support."""
    centre = _find_centre(cell, choices.host_centre, file)
    radius = float(choices.host_radius_a or 0.0)
    framework, note = _cut_framework(
        cell, centre, radius, _find_loose_atoms(cell), file
    )
    return Imported(
        atoms=framework, support=tuple(range(len(framework))), notes=(*notes, note)
    )


def _find_loose_atoms(cell: Atoms) -> list[int]:
    """Atoms that are no part of the framework, such as solvent."""
    free = [m for m in find_molecules(cell) if not m.is_endless]
    return [i for molecule in free for i in molecule.indices]


def _cut_framework(
    cell: Atoms,
    centres: np.ndarray,
    radius_a: float,
    keep_out: Sequence[int],
    file: Path,
) -> tuple[Atoms, str]:
    if not cell.pbc.all():
        raise StructureError(
            f"{file}: a host is cut out of a crystal, and this file has no cell"
        )
    try:
        fragment = cut_out(cell, centres, radius_a, keep_out)
    except ValueError as error:
        raise StructureError(f"{file}: --host-radius-a {radius_a:g}: {error}") from None
    _refuse_disorder(cell, sorted(set(fragment.origins)), file)
    formula = fragment.atoms.get_chemical_formula()
    note = (
        f"host: {formula}, cut out of {file.name} at {radius_a:g} Å with "
        f"{fragment.n_caps} bonds capped by hydrogen, frozen as support"
    )
    return fragment.atoms, note


def _find_centre(cell: Atoms, text: str, file: Path) -> np.ndarray:
    """The place, Å, that a label or three fractional coordinates name."""
    try:
        fractional = [float(part) for part in text.split(",")]
    except ValueError:
        labels = list(cell.arrays["labels"])
        if text not in labels:
            raise StructureError(
                f"{file}: --host-centre {text}: no site has that label; "
                "give one, or three fractional coordinates such as 0.5,0.5,0"
            ) from None
        return np.asarray(cell.positions[labels.index(text)])
    if len(fractional) != 3 or not np.isfinite(fractional).all():
        raise StructureError(
            f"{file}: --host-centre {text}: give three fractional coordinates such as "
            "0.5,0.5,0"
        )
    return np.asarray(np.array(fractional) @ np.array(cell.cell))
