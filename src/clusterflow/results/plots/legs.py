"""Legs of a volcano: lines on which one step sets the limiting potential."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from clusterflow.figures.scatter import Leg
from clusterflow.figures.text import chem, number
from clusterflow.science.reactions.che import Electrode
from clusterflow.science.reactions.scaling_line import FEW_POINTS, fit_line
from clusterflow.science.reactions.transfers import direction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.records.profiles import Pathway, ReactionResult, Step
    from clusterflow.science.reactions.scaling_line import Line


def fit_legs(
    results: Sequence[tuple[float, ReactionResult]],
) -> tuple[str, dict[str, Line]]:
    """The line of each transfer of a pathway, and the pathway by name.

    A line is the least-squares fit of the potential at which the step is in balance,
    V on the scale of the results, against the descriptor, eV, over all clusters that
    have the step. The pathway is the one that is best on most clusters.

    Parameters
    ----------
    results
        Descriptor and profiles of each cluster; all at the same conditions.
    """
    names = Counter(r.best_pathway for _, r in results if r.best_pathway)
    if not names:
        return "", {}
    name = names.most_common(1)[0][0]
    found: dict[str, list[tuple[float, float]]] = {}
    for x, result in results:
        for pathway in (p for p in result.pathways if p.name == name):
            for step in (s for s in pathway.steps if s.n_e):
                potential = _find_turning_potential(result, pathway, step)
                if potential is not None:
                    found.setdefault(step.name, []).append((x, potential))
    fits = {step: fit_line(*zip(*at, strict=True))[0] for step, at in found.items()}
    return name, {step: line for step, line in fits.items() if line is not None}


def _find_turning_potential(
    result: ReactionResult, pathway: Pathway, step: Step
) -> float | None:
    """Where a step is in balance, as it is judged, V on the scale of the result."""
    judged = pathway.judged_ev(step)
    if judged is None:
        return None
    electrode = Electrode(
        scale=result.scale, ph=result.ph, temperature_k=result.temperature_k
    )
    at_rhe = electrode.turning_point_rhe_v(judged, step.n_e, step.n_h)
    return electrode.from_rhe(at_rhe)


def find_envelope(
    lines: Mapping[str, Line], low: float, high: float, *, sign: int
) -> list[Leg]:
    """The legs between two descriptors: of a reduction the lowest line everywhere.

    Parameters
    ----------
    low, high
        Ends of the abscissa, eV.
    sign
        1 for a reduction, −1 for an oxidation, where the highest line counts.
    """

    def at(name: str, x: float) -> float:
        return lines[name].slope * x + lines[name].intercept

    turns = {low, high}
    for one, other in combinations(lines.values(), 2):
        if one.slope != other.slope:
            x = (other.intercept - one.intercept) / (one.slope - other.slope)
            turns |= {x} if low < x < high else set()
    stretches: dict[str, list[float]] = {}
    for start, end in pairwise(sorted(turns)):
        middle = (start + end) / 2
        name = min(lines, key=lambda name: sign * at(name, middle))
        stretches.setdefault(name, []).extend((start, end))
    return [
        Leg(
            name=name,
            ends=((xs[0], at(name, xs[0])), (xs[-1], at(name, xs[-1]))),
            few=lines[name].n_points < FEW_POINTS,
        )
        for name, xs in stretches.items()
    ]


def sign_of(results: Sequence[tuple[float, ReactionResult]]) -> int:
    """1 where the reaction is a reduction, −1 where it is an oxidation."""
    return next((direction(r.steps) for _, r in results if r.steps), 1)


def describe_leg(leg: Leg, line: Line) -> str:
    """A leg as its step, and its slope with the interval of that."""
    few = f"; dashed: fewer than {FEW_POINTS} points" if leg.few else ""
    return (
        f"leg {chem(leg.name)}: slope {number(line.slope)} V/eV, 90 % interval "
        f"{number(line.slope_low)} to {number(line.slope_high)}, "
        f"n = {line.n_points}{few}"
    )
