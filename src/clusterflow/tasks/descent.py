"""A complex on its way down: some steps, its minimum, and its lowest spin state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clusterflow.core.fate import judge
from clusterflow.core.spin import by_energy
from clusterflow.io import from_atoms, to_atoms
from clusterflow.models import Model
from clusterflow.protocol import PROTOCOL
from clusterflow.records import SpinState, Structure
from clusterflow.tasks.relaxation import Relaxation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.config import AdsorbSettings, RelaxSettings
    from clusterflow.core.fate import Verdict
    from clusterflow.records import Isomer
    from clusterflow.specs import AdsorbateSpec, LevelSpec
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.scratch import Scratch

# Fewest minima of another kind that a search may come across before it gives up.
_SPARE_MINIMA = 2
# A spin state this close above another one at its geometry is relaxed as well: what a
# spin state gains by its own geometry is less.
_SPIN_WINDOW_EV = 0.3


class Outcome(Model):
    """What one start came to, in a form that can wait in the scratch folder."""

    outcome: str
    reason: str = ""
    structure: Structure
    energy_ev: float | None = None
    fmax_ev_per_a: float | None = None
    n_gradients: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Everything the search for one pair needs."""

    host: Isomer
    level: LevelSpec
    adsorbate: AdsorbateSpec
    others: Mapping[str, AdsorbateSpec]
    multiplicities: tuple[int, ...]
    settings: AdsorbSettings
    relax: RelaxSettings
    scratch: Scratch
    job: Job

    @property
    def n_host(self) -> int:
        """Atoms of the bare cluster."""
        return len(self.host.structure.symbols)

    @property
    def spare(self) -> int:
        """Minima that no longer are what was meant which are worth a look."""
        return max(_SPARE_MINIMA, self.settings.max_relaxed // 2)

    def verdict(self, structure: Structure) -> Verdict:
        """What a geometry is."""
        return judge(structure, self.host.structure, self.adsorbate, self.others)


def advance(search: Search, structure: Structure, kind: str, steps: int) -> Outcome:
    """A geometry after some steps, or brought to rest if `kind` is ``finish``."""
    fmax = search.relax.fmax_ev_per_a
    key = (structure, search.level.hash, kind, fmax, steps, PROTOCOL["adsorb"])
    known = search.scratch.load(Outcome, *key)
    if known is not None:
        return known
    calculator = search.job.calculator(
        search.level, structure.charge, structure.multiplicity
    )
    relaxation = Relaxation(to_atoms(structure), calculator)
    go_on = relaxation.run if kind == "screen" else relaxation.finish
    outcome = go_on(fmax, steps)
    failed = outcome == "scf-failed"
    result = Outcome(
        outcome=outcome,
        reason=relaxation.reason,
        structure=from_atoms(
            relaxation.atoms,
            charge=structure.charge,
            multiplicity=structure.multiplicity,
            name=structure.name,
        ),
        energy_ev=None if failed else relaxation.energy_ev,
        fmax_ev_per_a=None if failed else relaxation.fmax_ev_per_a,
        n_gradients=relaxation.n_gradients,
    )
    search.scratch.save(result, *key)
    return result


def single_point(search: Search, structure: Structure, multiplicity: int) -> Outcome:
    """The energy of a geometry with another multiplicity."""
    changed = structure.model_copy(update={"multiplicity": multiplicity})
    return advance(search, changed, "screen", 0)


def _finish(search: Search, coarse: Outcome) -> Outcome:
    """A screened geometry brought to its minimum."""
    return advance(search, coarse.structure, "finish", search.relax.max_steps)


def finish_lowest(
    search: Search, coarse: Outcome
) -> tuple[Outcome, tuple[SpinState, ...]]:
    """A geometry's minimum in its lowest spin state, and the states that were tried."""
    best = _finish(search, coarse)
    own = coarse.structure.multiplicity
    rest = [m for m in search.multiplicities if m != own]
    if not rest:
        return best, ()
    states = {own: _spin_state(best, own, relaxed=True)}
    for multiplicity in rest:
        geometry = best if best.outcome == "converged" else coarse
        point = single_point(search, geometry.structure, multiplicity)
        states[multiplicity] = _spin_state(point, multiplicity, relaxed=False)
        if point.energy_ev is None:
            continue
        limit = (best.energy_ev or 0.0) + _SPIN_WINDOW_EV
        if best.outcome == "converged" and point.energy_ev > limit:
            continue
        done = _finish(search, point)
        states[multiplicity] = _spin_state(done, multiplicity, relaxed=True)
        if done.outcome == "converged" and (
            best.outcome != "converged"
            or (done.energy_ev or 0.0) < (best.energy_ev or 0.0)
        ):
            best = done
    return best, tuple(sorted(states.values(), key=by_energy))


def _spin_state(outcome: Outcome, multiplicity: int, *, relaxed: bool) -> SpinState:
    failed = relaxed and outcome.outcome != "converged"
    return SpinState(
        multiplicity=multiplicity,
        energy_ev=None if failed else outcome.energy_ev,
        relaxed=relaxed,
        reason=f"{outcome.outcome}: {outcome.reason}" if outcome.reason else "",
    )
