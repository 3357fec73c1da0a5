r"""How sure a free-energy profile is: one standard deviation an intermediate.

Each of its energies is the sum of the steps before it, so the errors of a species that
stands on both sides of it cancel. With the weights w of the standard normal variables
that energies are drawn from (`clusterflow.science.uncertainty.sampling`), Σ n_i G_i has

.. math:: \sigma^2 = \sum_v \left( \sum_i n_i w_{iv} \right)^2

Potential and pH are exact: they move an energy and not its deviation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import sqrt
from typing import TYPE_CHECKING, Final

from clusterflow.science.uncertainty.sampling import draw_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.science.reactions.network import Equation
    from clusterflow.science.uncertainty.deviations import Deviations
    from clusterflow.science.uncertainty.sampling import Draw

# Half the width of the central 90 % of a normal distribution, in deviations.
HALF_WIDTH_90: Final = 1.6448536269514722


def profile_deviations(
    steps: Sequence[Equation],
    deviations: Deviations,
    *,
    surface: str,
) -> tuple[float | None, ...]:
    """Standard deviation of each energy of a pathway, eV, the first one's being 0.

    None from the first species on whose deviations nobody knows.

    Parameters
    ----------
    steps
        Of one pathway, in order.
    deviations
        Of its species.
    surface
        Name of the surface.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> from clusterflow.science.uncertainty.deviations import Deviations
    >>> hydrogen = Deviations(sigma_ev={"*H": {"level": 0.2}}, bond={"*H": "hydride"})
    >>> on = parse_equation("* + H+ + e- -> *H")
    >>> off = parse_equation("*H + H+ + e- -> * + H2(g)")
    >>> [round(s, 9) for s in profile_deviations([on], hydrogen, surface="Cu4")]
    [0.0, 0.2]
    >>> profile_deviations([on, off], hydrogen, surface="Cu4")[-1] is None
    True
    """
    found: list[float | None] = [0.0]
    gained: Counter[str] = Counter()
    for step in steps:
        for term in step.species:
            gained[term] += step.products[term] - step.reactants[term]
        known = all(map(deviations.has, gained))
        found.append(_compute_deviation(gained, deviations, surface) if known else None)
    return tuple(found)


def profile_half_widths(
    steps: Sequence[Equation], deviations: Deviations, *, surface: str
) -> tuple[float | None, ...]:
    """Half of the central 90 % interval of each energy of a pathway, eV.

    Parameters are those of `profile_deviations`, and so are the holes.
    """
    sigmas = profile_deviations(steps, deviations, surface=surface)
    return tuple(None if s is None else HALF_WIDTH_90 * s for s in sigmas)


def _compute_deviation(
    gained: Counter[str],
    deviations: Deviations,
    surface: str,
) -> float:
    total: defaultdict[Draw, float] = defaultdict(float)
    for term, n in gained.items():
        if n:
            weights = draw_weights(term, deviations, surface, "study")
            for draw, weight in weights.items():
                total[draw] += n * weight
    return sqrt(sum(weight**2 for weight in total.values()))
