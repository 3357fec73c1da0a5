"""The decisions of a search for minima: what is one, what goes on, and when to stop.

Many starts take a few steps each. Those that have become one are one from then on; the
better half goes on for twice as many steps, and so forth (successive halving); what is
left is relaxed to the end, lowest first, until that brings nothing new.

References
----------
K. Jamieson, A. Talwalkar, Proc. 19th AISTATS, PMLR 51, 240 (2016): successive halving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence


class Candidate(Protocol):
    """A geometry on its way to a minimum."""

    @property
    def energy_ev(self) -> float:
        """Energy so far, eV."""
        ...

    @property
    def is_intact(self) -> bool:
        """Whether adsorbate and cluster still are what was asked for."""
        ...

    @property
    def ways(self) -> Sequence[Hashable]:
        """What sorts it among ways of binding, such as its bonds to the cluster."""
        ...


C = TypeVar("C", bound=Candidate)


def group_candidates(
    found: Sequence[C], same: Callable[[C, C], bool], energy_ev: float
) -> list[list[C]]:
    """Candidates in groups that are one, the lowest of each first, lowest group first.

    Only candidates within `energy_ev` of a group's lowest are held against it, so that
    the number of comparisons stays near the number of candidates.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> made = [(0, 1), (2, 1), (1, 3)]
    >>> found = [SimpleNamespace(energy_ev=e, at=a) for e, a in made]
    >>> groups = group_candidates(found, lambda a, b: a.at == b.at, 5.0)
    >>> [[c.energy_ev for c in group] for group in groups]
    [[0, 2], [1]]
    """
    groups: list[list[C]] = []
    for candidate in sorted(found, key=lambda c: c.energy_ev):
        for group in reversed(groups):
            if candidate.energy_ev - group[0].energy_ev > energy_ev:
                groups.append([candidate])
                break
            if same(group[0], candidate):
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    return groups


def better_half(
    candidates: Sequence[C], window_ev: float, intact: int = 1, changed: int = 1
) -> list[C]:
    """Those worth more steps: the lower half of each kind, within a window.

    Candidates that changed what they are count apart, so that their often low energies
    do not push out the good ones; nor are these measured against them. Of the good ones
    the lowest of each way of binding stays as well: a way that starts high may end low.

    Parameters
    ----------
    window_ev
        Highest energy above the lowest of the same kind, eV.
    intact, changed
        So many of each kind stay though they are more than half of it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> made = [(0, "top"), (3, "bridge"), (1, "top"), (2, "top"), (9, "hollow")]
    >>> found = [
    ...     SimpleNamespace(energy_ev=e, ways=(w,), is_intact=True) for e, w in made
    ... ]
    >>> [c.energy_ev for c in better_half(found, 5.0)]
    [0, 1, 2, 3]
    """
    kept: list[C] = []
    for kind, least in ((True, intact), (False, changed)):
        same_kind = sorted(
            (c for c in candidates if c.is_intact is kind), key=lambda c: c.energy_ev
        )
        half = max(least, (len(same_kind) + 1) // 2)
        ways: set[Hashable] = set()
        for rank, candidate in enumerate(same_kind):
            is_first = kind and not ways.issuperset(candidate.ways)
            is_near = candidate.energy_ev - same_kind[0].energy_ev <= window_ev
            if is_near and (rank < half or is_first):
                kept.append(candidate)
            ways.update(candidate.ways)
    return kept


def is_exhausted(news: Sequence[bool], patience: int) -> bool:
    """Whether so many trials in a row, the last ones, have brought no news.

    Examples
    --------
    >>> is_exhausted([True, False, False], 2), is_exhausted([False, True, False], 2)
    (True, False)
    """
    return len(news) >= patience and not any(news[-patience:])
