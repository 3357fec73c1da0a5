"""Energies by DFT: on geometries of a cheaper level, or relaxed from there."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import check_elements
from clusterflow.engines.base import ScfOptions
from clusterflow.engines.calculator import Memory
from clusterflow.errors import EngineError
from clusterflow.formula import list_multiplicities, lowest_multiplicity
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.refinements import SinglePoint
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.relaxation import Relaxation
from clusterflow.stages.parts.scratch import Scratch, digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.scf import ScfReport
    from clusterflow.records.structure import Structure
    from clusterflow.stages.parts.job import Job

# Largest force that is left, eV/Å: of a bond of 5 eV/Å² a tenth of a meV.
_FMAX_EV_PER_A: Final = 0.03
# Minima of a cheaper level are near: most need 10 to 20 gradients.
_MAX_STEPS: Final = 100


def compute_single_point(
    structure: Structure,
    level: LevelSpec,
    job: Job,
    *,
    neighbours: Sequence[Path] = (),
    host_charge: int | None = None,
    keep: Path | None = None,
) -> SinglePoint:
    """The energy of a geometry, or why the SCF gives none.

    What is finished waits in the job's scratch folder, and so does the density of each
    cycle: a job that was cut off goes on from there. Energies stay in its folder of
    points, if it has one, and are not computed again for another choice.

    Parameters
    ----------
    neighbours
        Densities to start from, of systems that share the first atoms.
    host_charge
        Charge of the cluster without its adsorbate, whose atoms have that role, where
        a counterpoise correction may be asked for.
    keep
        Where the density is left for others, if the engine has one.

    Raises
    ------
    EngineError
        If the level cannot treat an element, or its engine is not installed.
    """
    check_elements(level, structure.symbols, structure.name)
    scratch, store = Scratch(job.scratch), Scratch(job.points)
    key = (structure, level.hash, host_charge, STAGES[job.stage].protocol)
    known = scratch.load(SinglePoint, *key) or store.load(SinglePoint, *key)
    if known is not None and (keep is None or keep.exists()):
        return known
    start = time.perf_counter()
    counterpoise, scf = None, None
    try:
        checkpoint = keep or _name_checkpoint(job.scratch, key)
        energy, scf = _compute_energy(
            structure, level, job, checkpoint=checkpoint, neighbours=neighbours
        )
        if level.dft is not None and level.dft.counterpoise and host_charge is not None:
            counterpoise = _compute_counterpoise(
                structure, level, host_charge, job, neighbours
            )
            energy += counterpoise
        reason = ""
    except (CalculationFailed, EngineError) as error:
        energy, reason = None, f"{level.name}: {error}"
    point = SinglePoint(
        structure=structure,
        energy_ev=energy,
        counterpoise_ev=counterpoise,
        scf=scf,
        wall_s=round(time.perf_counter() - start, 3),
        reason=reason,
    )
    scratch.save(point, *key)
    if energy is not None:
        store.save(point, *key)
    return point


def compute_states(
    structure: Structure,
    level: LevelSpec,
    job: Job,
    *,
    others: bool,
    neighbours: Sequence[Path] = (),
    host_charge: int | None = None,
    keep: Path | None = None,
) -> tuple[SinglePoint, tuple[SinglePoint, ...]]:
    """The lowest state of a geometry, and the others that were computed.

    Parameters
    ----------
    others
        Whether two unpaired electrons less, and more, are tried.
    neighbours, host_charge, keep
        As for `compute_single_point`; what is kept is of the given multiplicity.
    """
    own = structure.multiplicity
    states = [
        compute_single_point(
            *(structure.model_copy(update={"multiplicity": multiplicity}), level, job),
            neighbours=neighbours,
            host_charge=host_charge,
            keep=keep if multiplicity == own else None,
        )
        for multiplicity in list_multiplicities(own, others=others)
    ]
    known = [state for state in states if state.energy_ev is not None]
    lowest = min(known, key=lambda state: state.energy_ev or 0.0, default=states[0])
    return lowest, tuple(state for state in states if state is not lowest)


def relax_point(
    start: SinglePoint, level: LevelSpec, job: Job, *, host_charge: int | None = None
) -> SinglePoint:
    """The energy where a relaxation at the level ends, or why there is none.

    Each gradient waits in the job's scratch folder, and so does the last density: a job
    that was cut off goes on from its last geometry. Forces are without a counterpoise
    correction; the energy has it. Instabilities are looked for at both ends of the way.

    Parameters
    ----------
    start
        The energy of the geometry to start from, at the level.
    host_charge
        As for `compute_single_point`.
    """
    if start.energy_ev is None:
        return start
    began = time.perf_counter()
    structure, scratch = start.structure, Scratch(job.scratch)
    key = (structure, level.hash, "relaxed", STAGES[job.stage].protocol)
    checkpoint = _name_checkpoint(job.scratch, key)
    options = None if level.dft is None else ScfOptions(checkpoint=checkpoint)
    relaxation = Relaxation(
        to_atoms(structure),
        job.calculator(
            level,
            structure.charge,
            structure.multiplicity,
            memory=Memory(scratch, key),
            options=options,
        ),
    )
    outcome = relaxation.run(_FMAX_EV_PER_A, _MAX_STEPS)
    if outcome != "converged":
        why = relaxation.reason or f"not relaxed after {_MAX_STEPS} steps"
        reason = f"{level.name}: {why}"
        return SinglePoint(structure=structure, energy_ev=None, reason=reason)
    relaxed = from_atoms(
        relaxation.atoms,
        charge=structure.charge,
        multiplicity=structure.multiplicity,
        name=structure.name,
    )
    point = compute_single_point(
        relaxed,
        level,
        job,
        neighbours=() if checkpoint is None else (checkpoint,),
        host_charge=host_charge,
    )
    update: dict[str, object] = {"wall_s": round(time.perf_counter() - began, 3)}
    if point.scf is not None and point.scf.n_instabilities:
        reason = f"{level.name}: the field is unstable where the relaxation ends"
        update |= {"energy_ev": None, "reason": reason}
    return point.model_copy(update=update)


def _name_checkpoint(scratch: Path | None, key: tuple[object, ...]) -> Path | None:
    return None if scratch is None else scratch / f"{digest(key)}.npz"


def _compute_energy(
    structure: Structure,
    level: LevelSpec,
    job: Job,
    *,
    ghosts: tuple[int, ...] = (),
    checkpoint: Path | None = None,
    neighbours: Sequence[Path] = (),
) -> tuple[float, ScfReport | None]:
    options = None
    # Engines without basis functions know neither ghosts nor densities.
    if level.dft is not None:
        options = ScfOptions(
            ghosts=ghosts, checkpoint=checkpoint, neighbours=tuple(neighbours)
        )
    atoms = to_atoms(structure)
    atoms.calc = job.calculator(
        level, structure.charge, structure.multiplicity, options=options
    )
    energy = float(atoms.get_potential_energy())
    return energy, atoms.calc.scf_report()


def _compute_counterpoise(
    complex_: Structure,
    level: LevelSpec,
    host_charge: int,
    job: Job,
    neighbours: Sequence[Path],
) -> float:
    r"""What the two parts of a complex gain by each other's basis, eV.

    .. math:: \delta = \sum_{X \in \{A, B\}} E_X^{X} - E_X^{AB}

    each at its geometry in the complex (S. F. Boys and F. Bernardi, Mol. Phys. 1970,
    19, 553, doi:10.1080/00268977000101561). It is added to the energy of the complex.
    Parts have the lowest multiplicity that there is. The cluster starts from its
    neighbours, and each part in the basis of the whole from its own density.
    """
    own = [i for i, role in enumerate(complex_.roles) if role == "adsorbate"]
    host = [i for i, role in enumerate(complex_.roles) if role != "adsorbate"]
    total = 0.0
    for part, rest, charge, guesses in (
        (host, own, host_charge, neighbours),
        (own, host, complex_.charge - host_charge, ()),
    ):
        alone, whole = _take_part(complex_, part, rest, charge)
        ghosts = tuple(range(len(part), len(part) + len(rest)))
        of_part = _name_checkpoint(job.scratch, (alone, level.hash))
        total += _compute_energy(
            alone, level, job, checkpoint=of_part, neighbours=guesses
        )[0]
        total -= _compute_energy(
            whole,
            level,
            job,
            ghosts=ghosts,
            checkpoint=_name_checkpoint(job.scratch, (whole, level.hash, ghosts)),
            neighbours=() if of_part is None else (of_part,),
        )[0]
    return total


def _take_part(
    complex_: Structure, part: list[int], rest: list[int], charge: int
) -> tuple[Structure, Structure]:
    """A part alone, and with the rest behind it: densities fit the first atoms."""
    symbols = [complex_.symbols[i] for i in part]
    spin = {
        "multiplicity": lowest_multiplicity(Counter(symbols), charge),
        "charge": charge,
    }
    alone, whole = (
        complex_.model_copy(
            update={
                "symbols": tuple(complex_.symbols[i] for i in atoms),
                "positions": tuple(complex_.positions[i] for i in atoms),
                "roles": tuple(complex_.roles[i] for i in atoms),
                **spin,
            }
        )
        for atoms in (part, part + rest)
    )
    return alone, whole
