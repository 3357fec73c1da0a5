"""Reaction networks: reading equations, checking their balance, finding the pathways.

A term is ``*`` (a free site), ``*COOH`` (adsorbed), ``CO(g)``, ``H2O(l)``,
``HCOO-(aq)``, ``H+``, ``OH-(aq)`` or ``e-``, with an optional whole number and a space
before it. ``*[-H]`` is a free site of
a cluster that lost H, and ``*[-H]OCHO`` an adsorbate on it; ``+`` stands for a gain.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError
from clusterflow.formula import parse_formula

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import networkx as nx

    from clusterflow.library.reactions import Pcet, ReactionSpec

PROTON, ELECTRON, SITE = "H+", "e-", "*"
# Water less a proton: its activity follows the pH, so it counts as a proton given back.
HYDROXIDE = "OH-(aq)"
# Given a term such as *CO or CO(g): its element counts and its charge.
Composition = tuple["Counter[str]", int]

_TERM = re.compile(
    r"(?:(?P<n>[1-9]\d*) )?"
    r"(?P<species>\*(?:\[[+-][A-Za-z0-9]+\])?[A-Za-z0-9-]*"
    r"|[A-Za-z0-9-]+\((?:g|l)\)|[A-Za-z0-9]+(?:[+-]\d?)?\(aq\)|H\+|e-)$"
)
_SURFACE = re.compile(r"\*(?:\[(?P<change>[+-][A-Za-z0-9]+)\])?(?P<adsorbate>.*)$")
_MAX_STATES = 20_000


@dataclass(frozen=True, eq=False)
class Equation:
    """One elementary step, or an overall reaction."""

    name: str
    reactants: Counter[str]
    products: Counter[str]

    @cached_property
    def n_e(self) -> int:
        """Electrons taken up."""
        return self.reactants[ELECTRON] - self.products[ELECTRON]

    @cached_property
    def n_h(self) -> int:
        """Protons taken up; an ``OH-(aq)`` given off is one that water gave."""
        taken_up = self.reactants[PROTON] - self.products[PROTON]
        return taken_up + self.products[HYDROXIDE] - self.reactants[HYDROXIDE]

    @cached_property
    def species(self) -> frozenset[str]:
        """All terms but protons and electrons."""
        return frozenset((self.reactants + self.products).keys()) - {PROTON, ELECTRON}


@lru_cache(maxsize=4096)
def parse_equation(text: str) -> Equation:
    """An equation from its text.

    Raises
    ------
    LibraryError
        If it cannot be read.

    Examples
    --------
    >>> parse_equation("*COOH + H+ + e- -> *CO + H2O(l)").n_e
    1
    """
    sides = [side.strip() for side in text.split("->")]
    if len(sides) != 2 or not all(sides):
        raise LibraryError(f"step {text!r}: write it as reactants -> products")
    left, right = (_parse_side(side, text) for side in sides)
    return Equation(name=" ".join(text.split()), reactants=left, products=right)


def _parse_side(side: str, text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for term in side.split(" + "):
        match = _TERM.match(term.strip())
        if match is None:
            raise LibraryError(
                f"step {text!r}: cannot read {term.strip()!r}; "
                "terms are *, *CO, CO(g), H2O(l), HCOO-(aq), OH-(aq), H+ and e-, "
                "joined by ' + '"
            )
        found[match["species"]] += int(match["n"] or 1)
    return found


def is_solute(term: str) -> bool:
    """Whether a term is a dissolved molecule or ion that is measured, not computed."""
    return term.endswith("(aq)") and term != HYDROXIDE


def read_surface(term: str) -> tuple[str, str]:
    """The change of the cluster and the adsorbate of a surface term, "" for none.

    Examples
    --------
    >>> read_surface("*[-H]OCHO"), read_surface("*CO")
    (('-H', 'OCHO'), ('', 'CO'))
    """
    match = _SURFACE.match(term)
    if match is None:
        raise LibraryError(f"{term!r} is not a surface term")
    return match["change"] or "", match["adsorbate"]


def surface_composition(
    term: str, adsorbate: Callable[[str], Composition]
) -> Composition:
    """What a surface term is made of beyond the cluster as it came: one site included.

    A change of the cluster is one of neutral atoms: what is lost counts as negative.
    """
    change, name = read_surface(term)
    counts, charge = adsorbate(name) if name else (Counter[str](), 0)
    total = Counter({SITE: 1})
    total.update(counts)
    total.update(read_change(change))
    return total, charge


def read_change(change: str) -> Counter[str]:
    """Atoms that a cluster gains by a change; those it loses are negative.

    Examples
    --------
    >>> read_change("-H2"), read_change("")
    (Counter({'H': -2}), Counter())
    """
    if not change:
        return Counter()
    sign = -1 if change[0] == "-" else 1
    return Counter({e: sign * n for e, n in parse_formula(change[1:]).items()})


def check_balance(
    equation: Equation, composition: Callable[[str], Composition], where: str
) -> None:
    """Refuse an equation that makes or loses atoms, sites or charge.

    Raises
    ------
    LibraryError
        Which names what is off, and by how much, or the species that nobody knows.
    """
    total: Counter[str] = Counter()
    for sign, side in ((-1, equation.reactants), (1, equation.products)):
        for species, n in side.items():
            try:
                counts, charge = composition(species)
            except LibraryError as error:
                raise LibraryError(
                    f"{where}: step {equation.name!r}: {error}"
                ) from None
            for element, number in counts.items():
                total[element] += sign * n * number
            total["charge"] += sign * n * charge
    off = {what: n for what, n in total.items() if n}
    if off:
        detail = ", ".join(f"{what} {n:+d}" for what, n in sorted(off.items()))
        raise LibraryError(
            f"{where}: step {equation.name!r} is not balanced ({detail} on the right)"
        )


def find_pathways(overall: Equation, steps: Iterable[Equation]) -> list[list[Equation]]:
    """All ways from the reactants to the products, each step used at most as needed.

    A state is everything there is: molecules, sites, protons and electrons still to
    be used. So a pathway is balanced by construction, and side products count.

    Raises
    ------
    LibraryError
        If no pathway leads to the products, or the network is too large.
    """
    return _list_paths(
        overall, _make_state_graph(_add_unsaid_site(overall.reactants), list(steps))
    )


def _list_paths(overall: Equation, graph: nx.DiGraph) -> list[list[Equation]]:
    # Late, because planning a study reads equations but needs no pathways.
    import networkx as nx

    source = _freeze_state(_add_unsaid_site(overall.reactants))
    target = _freeze_state(_add_unsaid_site(overall.products))
    if target not in graph:
        raise LibraryError(f"no pathway of the network leads to {overall.name!r}")
    paths = []
    for nodes in nx.all_simple_paths(graph, source, target):
        pairs = itertools.pairwise(nodes)
        paths.append([graph.edges[pair]["step"] for pair in pairs])
    return paths


def _add_unsaid_site(side: Counter[str]) -> Counter[str]:
    """A side of the overall reaction with the one site it may leave unsaid."""
    unsaid = not any(term.startswith(SITE) for term in side)
    return side + Counter({SITE: 1}) if unsaid else side.copy()


def _refuse_chemical_cycle(graph: nx.DiGraph, where: str) -> None:
    """Refuse chemical steps that lead back to where they began.

    Their ΔG sums to zero whatever the potential: one of them is the reverse of the
    others, so its pathways count twice and the largest chemical step means nothing.
    """
    import networkx as nx

    chemical = nx.DiGraph(
        (before, after, {"step": step})
        for before, after, step in graph.edges(data="step")
        if step.n_e == 0 and step.n_h == 0
    )
    try:
        cycle = nx.find_cycle(chemical)
    except nx.NetworkXNoCycle:
        return
    names = "; ".join(chemical.edges[edge]["step"].name for edge in cycle)
    raise LibraryError(
        f"{where}: chemical steps form a cycle ({names}); leave out one of them, "
        "a step is read in one direction only"
    )


def _make_state_graph(start: Counter[str], steps: list[Equation]) -> nx.DiGraph:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_node(_freeze_state(start))
    waiting = [start]
    while waiting:
        state = waiting.pop()
        for step in steps:
            if any(state[s] < n for s, n in step.reactants.items()):
                continue
            after = state - step.reactants + step.products
            new = _freeze_state(after) not in graph
            graph.add_edge(_freeze_state(state), _freeze_state(after), step=step)
            if new:
                waiting.append(after)
        if len(graph) > _MAX_STATES:
            raise LibraryError(f"the network has more than {_MAX_STATES} states")
    return graph


def _freeze_state(state: Counter[str]) -> frozenset[tuple[str, int]]:
    return frozenset((s, n) for s, n in state.items() if n)


def list_intermediates(overall: Equation, path: list[Equation]) -> list[str]:
    """What is on the surface before the first step and after each, such as ``*CO``."""
    state = _add_unsaid_site(overall.reactants)
    labels = [_label_surface(state)]
    for step in path:
        state = state - step.reactants + step.products
        labels.append(_label_surface(state))
    return labels


def _label_surface(state: Mapping[str, int]) -> str:
    adsorbed = [
        s if n == 1 else f"{n} {s}"
        for s, n in sorted(state.items())
        if s.startswith("*") and s != SITE and n > 0
    ]
    return " + ".join(adsorbed) or SITE


@dataclass(frozen=True)
class Network:
    """A reaction, read and ready to be evaluated."""

    spec: ReactionSpec
    overall: Equation
    pathways: tuple[tuple[Equation, ...], ...]
    pcet: Pcet = "combined"

    @property
    def species(self) -> frozenset[str]:
        """All species of the network."""
        steps = {step for path in self.pathways for step in path}
        return frozenset().union(
            self.overall.species, *(step.species for step in steps)
        )


def parse_network(spec: ReactionSpec) -> tuple[Equation, tuple[Equation, ...]]:
    """The overall equation and the steps of a reaction, unchecked.

    Raises
    ------
    LibraryError
        If one of them cannot be read.
    """
    try:
        steps = tuple(parse_equation(step) for step in spec.steps)
        return parse_equation(spec.equation), steps
    except LibraryError as error:
        raise LibraryError(f"reaction {spec.name}: {error}") from None


def build_network(
    spec: ReactionSpec,
    composition: Callable[[str], Composition],
    pcet: Pcet = "combined",
) -> Network:
    """A reaction's network, with every step balanced and every pathway found.

    Raises
    ------
    LibraryError
        If a step is unbalanced, chemical steps form a cycle, or nothing leads to the
        product.
    """
    overall, steps = parse_network(spec)
    for equation in (overall, *steps):
        check_balance(equation, composition, f"reaction {spec.name}")
    graph = _make_state_graph(_add_unsaid_site(overall.reactants), list(steps))
    _refuse_chemical_cycle(graph, f"reaction {spec.name}")
    paths = _list_paths(overall, graph)
    return Network(
        spec=spec, overall=overall, pathways=tuple(map(tuple, paths)), pcet=pcet
    )
