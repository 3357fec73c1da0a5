"""Columns of a diagram: by protons and electrons transferred, as papers draw it.

Chemical steps stand side by side within one number of electrons, and a state that
several pathways share has one place.
"""

from __future__ import annotations

from collections import Counter
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from clusterflow.science.reactions.network import (
    ELECTRON,
    PROTON,
    SITE,
    parse_equation,
)
from clusterflow.science.reactions.transfers import direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from clusterflow.records.profiles import Pathway

# All there is in a state but protons and electrons: molecules and sites, with numbers.
_Contents = frozenset[tuple[str, int]]


class Place(NamedTuple):
    """Where a state stands: electrons transferred, and chemical steps since then.

    Those of an oxidation are given off.
    """

    electrons: int
    chemical: int


def find_places(
    equation: str, pathways: Sequence[Pathway]
) -> tuple[tuple[Place, ...], ...]:
    """The place of each state of each pathway of one reaction.

    Parameters
    ----------
    equation
        The overall reaction.
    pathways
        All of them, since a shared state stands behind the longest chain of chemical
        steps that leads to it within its number of electrons.
    """
    tracks = [
        list(zip(_count_electrons(p), _follow_contents(equation, p), strict=True))
        for p in pathways
    ]
    sorter: TopologicalSorter[tuple[int, _Contents]] = TopologicalSorter()
    before: dict[tuple[int, _Contents], set[tuple[int, _Contents]]] = {}
    for track in tracks:
        for node in track:
            sorter.add(node)
        for one, other in pairwise(track):
            if one[0] == other[0]:
                sorter.add(other, one)
                before.setdefault(other, set()).add(one)
    depth: dict[tuple[int, _Contents], int] = {}
    for node in sorter.static_order():  # networks have no cycle of chemical steps
        depth[node] = max((depth[one] + 1 for one in before.get(node, ())), default=0)
    return tuple(
        tuple(Place(electrons=node[0], chemical=depth[node]) for node in track)
        for track in tracks
    )


def list_columns(places: Iterable[Sequence[Place]]) -> tuple[Place, ...]:
    """Each place that some pathway takes once, from left to right."""
    return tuple(sorted({place for track in places for place in track}))


def name_states(equation: str, pathway: Pathway) -> tuple[str, ...]:
    """The states of a pathway by name, the first and the last with their molecules.

    The last is whole only where the pathway ends at the products.
    """
    contents = _follow_contents(equation, pathway)
    names = list(pathway.states)
    names[0] = _write_contents(contents[0])
    if len(names) == len(contents) > 1:
        names[-1] = _write_contents(contents[-1])
    return tuple(names)


def takes_pairs(pathways: Iterable[Pathway]) -> bool:
    """Whether protons and electrons come together in every step."""
    return all(step.n_e == step.n_h for p in pathways for step in p.steps)


def name_axis(pathways: Iterable[Pathway]) -> str:
    """What the abscissa counts."""
    unit = "(H⁺ + e⁻)" if takes_pairs(pathways) else "e⁻"
    return f"number of {unit} transferred"


def _count_electrons(pathway: Pathway) -> list[int]:
    """Electrons transferred before the first step and after each."""
    sign = direction(pathway.steps)
    counts = [0]
    for step in pathway.steps:
        counts.append(counts[-1] + sign * step.n_e)
    return counts


def _follow_contents(equation: str, pathway: Pathway) -> list[_Contents]:
    """What there is before the first step and after each."""
    state = Counter(parse_equation(equation).reactants)
    if not any(term.startswith(SITE) for term in state):
        state[SITE] += 1
    contents = [_freeze_contents(state)]
    for step in pathway.steps:
        read = parse_equation(step.name)
        state = state - read.reactants + read.products
        contents.append(_freeze_contents(state))
    return contents


def _freeze_contents(state: Counter[str]) -> _Contents:
    return frozenset(
        (term, n) for term, n in state.items() if n and term not in (PROTON, ELECTRON)
    )


def _write_contents(contents: _Contents) -> str:
    """A state in words, what is on the surface first: ``* + CO2(g)``."""
    terms = sorted(contents, key=lambda item: (not item[0].startswith(SITE), item[0]))
    return " + ".join(term if n == 1 else f"{n} {term}" for term, n in terms)
