"""A complex on its way down: some steps, its minimum, and its lowest spin state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.engines.calculator import Memory
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import SpinState
from clusterflow.science.adsorption.outcome import judge_complex
from clusterflow.science.clusters.spin import by_energy
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.relaxation import Relaxation
from clusterflow.stages.parts.scratch import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clusterflow.engines.calculator import EngineCalculator
    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.clusters import Isomer
    from clusterflow.records.structure import Structure
    from clusterflow.science.adsorption.outcome import FateVerdict
    from clusterflow.settings import AdsorbSettings, RelaxSettings
    from clusterflow.stages.parts.job import Job
    from clusterflow.stages.parts.scratch import Scratch

# Fewest minima of another kind that a search may come across before it gives up.
_SPARE_MINIMA = 2
# A spin state this close above another one at its geometry is relaxed as well: what a
# spin state gains by its own geometry is less.
_SPIN_WINDOW_EV = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class DescentResult:
    """Result of a descent so far: geometry, energy and largest force."""

    descent: Descent
    outcome: str
    reason: str
    structure: Structure
    energy_ev: float | None
    fmax_ev_per_a: float | None
    n_gradients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumSearch:
    """Inputs of the minimum search of one adsorbate on one isomer."""

    host: Isomer
    level: LevelSpec
    adsorbate: AdsorbateSpec
    others: Mapping[str, AdsorbateSpec]
    multiplicities: tuple[int, ...]
    settings: AdsorbSettings
    relax: RelaxSettings
    scratch: Scratch
    job: Job
    frozen: tuple[int, ...] = ()

    @property
    def n_host(self) -> int:
        """Atoms of the bare cluster."""
        return len(self.host.structure.symbols)

    @property
    def spare(self) -> int:
        """Number of minima without an intact adsorbate that are still relaxed."""
        return max(_SPARE_MINIMA, self.settings.max_relaxed // 2)

    def tries(self, wanted: int) -> int:
        """Number of random tries; a quarter for an atom, which cannot turn."""
        is_atom = all(len(form.atoms) == 1 for form in self.adsorbate.forms)
        return -(-wanted // 4) if is_atom else wanted

    def verdict(self, structure: Structure) -> FateVerdict:
        """Fate of the adsorbate in a geometry, and whether the core is intact."""
        return judge_complex(
            structure, self.host.structure, self.adsorbate, self.others
        )


class Descent:
    """A geometry on its way to its minimum, which can rest and then go on.

    What its steps have learnt of the surface stays with it. Whenever it comes to a stop
    its gradients go to the job's scratch folder; a job that was killed repeats those
    since then.
    """

    def __init__(self, search: MinimumSearch, structure: Structure) -> None:
        self._search = search
        self._start = structure
        self._relaxation = Relaxation(to_atoms(structure), None, search.frozen)
        self._key = (search.level.hash, STAGES["adsorb"].protocol)
        self._gradients = Bundle(search.scratch, structure, *self._key)

    def run(self, steps: int) -> DescentResult:
        """Outcome after at most `steps` more steps; 0 computes the energy alone."""
        return self._continue_descent(self._relaxation.run, steps)

    def finish(self) -> DescentResult:
        """Outcome of relaxing to a minimum, converged or not."""
        return self._continue_descent(
            self._relaxation.finish, self._search.relax.max_steps
        )

    def rest(self) -> None:
        """Wait without a calculator, which may hold much memory.

        The next gradient then costs about one and a half.
        """
        self._relaxation.atoms.calc = None

    def _continue_descent(
        self, go: Callable[[float, int], str], steps: int
    ) -> DescentResult:
        start, relaxation = self._start, self._relaxation
        if relaxation.atoms.calc is None:
            relaxation.atoms.calc = self._make_calculator()
        outcome = go(self._search.relax.fmax_ev_per_a, steps)
        self._gradients.keep()
        failed = outcome == "scf-failed"
        return DescentResult(
            descent=self,
            outcome=outcome,
            reason=relaxation.reason,
            structure=from_atoms(
                relaxation.atoms,
                charge=start.charge,
                multiplicity=start.multiplicity,
                name=start.name,
            ),
            energy_ev=None if failed else relaxation.energy_ev,
            fmax_ev_per_a=None if failed else relaxation.fmax_ev_per_a,
            n_gradients=relaxation.n_gradients,
        )

    def _make_calculator(self) -> EngineCalculator:
        charge, multiplicity = self._start.charge, self._start.multiplicity
        memory = None
        if self._search.job.scratch is not None:
            memory = Memory(self._gradients, (*self._key, charge, multiplicity))
        return self._search.job.calculator(
            self._search.level, charge, multiplicity, memory=memory
        )


def single_point(
    search: MinimumSearch, structure: Structure, multiplicity: int
) -> DescentResult:
    """The energy of a geometry with another multiplicity."""
    changed = structure.model_copy(update={"multiplicity": multiplicity})
    point = Descent(search, changed).run(0)
    point.descent.rest()
    return point


def finish_lowest(
    search: MinimumSearch, coarse: DescentResult
) -> tuple[DescentResult, tuple[SpinState, ...]]:
    """A geometry's minimum in its lowest spin state, and the states that were tried."""
    best = coarse.descent.finish()
    own = coarse.structure.multiplicity
    rest = [m for m in search.multiplicities if m != own]
    if not rest:
        return best, ()
    states = {own: _make_spin_state(best, own, relaxed=True)}
    for multiplicity in rest:
        geometry = best if best.outcome == "converged" else coarse
        point = single_point(search, geometry.structure, multiplicity)
        states[multiplicity] = _make_spin_state(point, multiplicity, relaxed=False)
        if point.energy_ev is None:
            continue
        limit = (best.energy_ev or 0.0) + _SPIN_WINDOW_EV
        if best.outcome == "converged" and point.energy_ev > limit:
            continue
        done = point.descent.finish()
        states[multiplicity] = _make_spin_state(done, multiplicity, relaxed=True)
        if done.outcome == "converged" and (
            best.outcome != "converged"
            or (done.energy_ev or 0.0) < (best.energy_ev or 0.0)
        ):
            best = done
    return best, tuple(sorted(states.values(), key=by_energy))


def _make_spin_state(
    outcome: DescentResult, multiplicity: int, *, relaxed: bool
) -> SpinState:
    failed = relaxed and outcome.outcome != "converged"
    return SpinState(
        multiplicity=multiplicity,
        energy_ev=None if failed else outcome.energy_ev,
        relaxed=relaxed,
        reason=f"{outcome.outcome}: {outcome.reason}" if outcome.reason else "",
    )
