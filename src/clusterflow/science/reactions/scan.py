"""A reaction over a grid of potentials and pH, from the energies of its steps alone.

Equations and signs are those of `clusterflow.science.reactions.che`, in arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from clusterflow.science.reactions.che import nernst_slope
from clusterflow.science.reactions.profiles import columns_of, find_profiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from clusterflow.records.profiles import Pathway
    from clusterflow.science.reactions.transfers import Adsorptions

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Flags = NDArray[np.bool_]

# A step this little uphill is level: rounding of sums of energies.
_DOWNHILL_TOLERANCE_EV = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """Conditions: potentials on a stated scale, shape (n_u,), and pH, shape (n_ph,)."""

    potential_v: Floats
    scale: Literal["rhe", "she"]
    ph: Floats
    temperature_k: float

    @property
    def shift_ev(self) -> Floats:
        """KT ln10 · pH, eV, shape (n_ph,)."""
        return nernst_slope(self.temperature_k) * self.ph

    def potential_on(self, scale: Literal["rhe", "she"]) -> Floats:
        """The potentials on either scale, V, shape (n_ph, n_u)."""
        sign = {("rhe", "she"): -1.0, ("she", "rhe"): 1.0}.get((self.scale, scale), 0.0)
        grid: Floats = self.potential_v + sign * self.shift_ev[:, None]
        return grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scan:
    """What a reaction does at each point of a grid.

    `pathways` and `steps` are names, to which `pathway`, shape (n_ph,), and
    `highest_step`, shape (n_ph, n_u), point. The pathway is that of the best
    limiting potential, as in a diagram, so it does not depend on the potential;
    `limiting_potential_v_rhe` and `chemical_bottleneck_ev`, nan without such a step,
    have shape (n_ph,). `highest_dg_ev` is the largest ΔG of its steps, chemical ones
    included, shape (n_ph, n_u); it is downhill where that is not above zero, and
    `electrochemical_downhill` leaves out the steps that no potential moves.
    """

    pathways: tuple[str, ...]
    steps: tuple[str, ...]
    pathway: Indices
    limiting_potential_v_rhe: Floats
    chemical_bottleneck_ev: Floats
    highest_step: Indices
    highest_dg_ev: Floats
    downhill: Flags
    electrochemical_downhill: Flags


def scan_pathways(pathways: Sequence[Pathway], grid: Grid) -> Scan | None:
    """A reaction on one surface over a grid; None where no pathway is complete.

    Parameters
    ----------
    pathways
        All pathways, with the free energies of their steps at 0 V and pH 0.
    grid
        The conditions, at the temperature of those energies.

    Examples
    --------
    >>> from clusterflow.records.profiles import Pathway, Step
    >>> up = Step(name="* + H+ + e- -> *H", n_e=1, n_h=1, dg_ev=0.3, dg0_ev=0.3)
    >>> path = Pathway(name="*H", steps=(up,), levels_ev=(0.0, 0.3),
    ...     states=("*", "*H"), complete=True)
    >>> grid = Grid(potential_v=np.array([0.0, -0.5]), scale="rhe",
    ...     ph=np.array([7.0]), temperature_k=298.15)
    >>> scan_pathways([path], grid).highest_dg_ev.round(2).tolist()
    [[0.3, -0.2]]
    """
    complete = [path for path in pathways if path.complete]
    if not complete:
        return None
    used = {step.name: step for path in complete for step in path.steps}
    steps = list(used.values())
    dg0 = np.array([step.dg0_ev for step in steps], dtype=np.float64)
    n_e = np.array([step.n_e for step in steps])
    n_h = np.array([step.n_h for step in steps])
    shift = grid.shift_ev[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        turning = -(dg0 + (n_h - n_e) * shift) / n_e
    found = find_profiles(
        steps,
        [p.steps for p in complete],
        np.broadcast_to(dg0, turning.shape),
        turning,
        [_find_combined(path) for path in complete],
    )
    best = found.best
    u_she = grid.potential_on("she")
    dg = dg0 + u_she[:, :, None] * n_e + shift[:, :, None] * n_h
    highest = np.empty(u_she.shape, dtype=np.intp)
    electrochemical = np.empty(u_she.shape)
    moved = np.where(n_e != 0, dg, -np.inf)
    for path, column in enumerate(columns_of(steps, [p.steps for p in complete])):
        rows = best == path
        highest[rows] = column[dg[rows][:, :, column].argmax(axis=-1)]
        electrochemical[rows] = moved[rows][:, :, column].max(axis=-1)
    at_highest = np.take_along_axis(dg, highest[:, :, None], axis=-1)[:, :, 0]
    rows = np.arange(len(best))
    limiting = found.potential_v_rhe[rows, best]
    has_chemical = np.array([_has_chemical(path) for path in complete])
    return Scan(
        pathways=tuple(path.name for path in complete),
        steps=tuple(used),
        pathway=best,
        limiting_potential_v_rhe=np.where(np.isfinite(limiting), limiting, np.nan),
        chemical_bottleneck_ev=np.where(
            has_chemical[best], found.chemical_ev[rows, best], np.nan
        ),
        highest_step=highest,
        highest_dg_ev=at_highest,
        downhill=at_highest <= _DOWNHILL_TOLERANCE_EV,
        electrochemical_downhill=electrochemical <= _DOWNHILL_TOLERANCE_EV,
    )


def _find_combined(path: Pathway) -> Adsorptions:
    """The adsorptions that its record says are judged with transfers."""
    places = {step.name: place for place, step in enumerate(path.steps)}
    return {
        index: tuple(places[name] for name in step.combined_with)
        for index, step in enumerate(path.steps)
        if step.combined_with
    }


def _has_chemical(path: Pathway) -> bool:
    return any(step.n_e == 0 and step.n_h == 0 for step in path.steps)
