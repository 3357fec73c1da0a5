"""Many free-energy profiles of one network at once: the rows of an array.

Ranks pathways as `clusterflow.science.reactions.che` does for one profile, so that a
sample of an uncertainty or a pH of a scan chooses what a profile alone would choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from clusterflow.science.reactions.che import (
    THERMALLY_CLOSED_EV,
    TIE_V,
)
from clusterflow.science.reactions.transfers import direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from clusterflow.science.reactions.transfers import Adsorptions

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]


class Elementary(Protocol):
    """A step by its name and what it takes up, read or recorded."""

    @property
    def name(self) -> str:
        """Its equation."""

    @property
    def n_e(self) -> int:
        """Electrons taken up."""

    @property
    def n_h(self) -> int:
        """Protons taken up."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Pathways in each row, each array of shape (n_rows, n_paths).

    `determining` is the index of a step. A pathway without a chemical step has 0 as
    its `chemical_ev`, one without an electron ±inf as its `potential_v_rhe`.
    `direction` is 1 for a reduction, −1 for an oxidation.
    """

    direction: Literal[1, -1]

    potential_v_rhe: Floats
    determining: Indices
    chemical_ev: Floats
    n_closed: Indices

    @property
    def best(self) -> Indices:
        """Index of the best pathway of each row, shape (n_rows,)."""
        finite = np.where(np.isfinite(self.potential_v_rhe), self.potential_v_rhe, 0.0)
        down = -self.direction * np.round(finite / TIE_V)
        order: Indices = np.lexsort((self.chemical_ev, down, self.n_closed), axis=-1)
        return order[:, 0]


def columns_of(
    steps: Sequence[Elementary], paths: Sequence[Sequence[Elementary]]
) -> list[Indices]:
    """Of each pathway, the indices of its steps, by their names."""
    position = {step.name: column for column, step in enumerate(steps)}
    return [np.array([position[step.name] for step in path]) for path in paths]


def find_profiles(
    steps: Sequence[Elementary],
    paths: Sequence[Sequence[Elementary]],
    dg_ev: Floats,
    turning_v_rhe: Floats,
    adsorptions: Sequence[Adsorptions] | None = None,
) -> Profiles:
    """Every pathway in every row.

    Parameters
    ----------
    steps
        The steps of all pathways, each once.
    paths
        The pathways.
    dg_ev
        Free energy of each step at 0 V (RHE), eV, shape (n_rows, n_steps).
    turning_v_rhe
        Where each step is in balance, V against RHE, of the same shape; read only
        where a step moves electrons in the direction of the reaction.
    adsorptions
        Of each pathway, those judged with its transfers; by default none.

    Examples
    --------
    >>> from clusterflow.science.reactions.network import parse_equation
    >>> step = parse_equation("* + H+ + e- -> *H")
    >>> dg = np.array([[0.4], [0.1]])
    >>> find_profiles([step], [[step]], dg, -dg).potential_v_rhe.tolist()
    [[-0.4], [-0.1]]
    """
    n_e = np.array([step.n_e for step in steps])
    n_h = np.array([step.n_h for step in steps])
    sign = direction(paths[0])
    # What limits an oxidation is the highest turning point.
    turning = np.where(sign * n_e > 0, sign * turning_v_rhe, np.inf)
    climb = np.where((n_e == 0) & (n_h == 0), dg_ev, -np.inf)
    closed = (n_e == 0) & (dg_ev > THERMALLY_CLOSED_EV)
    columns = columns_of(steps, paths)
    judged = [
        _add_climbs(turning[:, own], dg_ev[:, own], n_e[own], combined)
        for own, combined in zip(
            columns, adsorptions or ({},) * len(columns), strict=True
        )
    ]
    lowest = [path.argmin(axis=1) for path in judged]
    chemical = np.stack([climb[:, c].max(axis=1) for c in columns], axis=1)
    return Profiles(
        direction=sign,
        potential_v_rhe=sign * np.stack([path.min(axis=1) for path in judged], axis=1),
        determining=np.stack(
            [own[step] for own, step in zip(columns, lowest, strict=True)], axis=1
        ),
        chemical_ev=np.where(np.isneginf(chemical), 0.0, chemical),
        n_closed=np.stack([closed[:, c].sum(axis=1) for c in columns], axis=1),
    )


def _add_climbs(
    turning_v_rhe: Floats, dg_ev: Floats, n_e: Indices, adsorptions: Adsorptions
) -> Floats:
    """Where transfers are in balance with what their adsorptions climb, V.

    Potentials of an oxidation have the opposite sign, so that the lowest limits.
    Of the steps of one pathway, each array of shape (n_rows, n_steps) but `n_e`.
    """
    found = turning_v_rhe.copy()
    for transfer, places in adsorptions.items():
        climb = np.maximum(dg_ev[:, list(places)], 0.0).sum(axis=1)
        found[:, transfer] -= climb / abs(n_e[transfer])
    return found
