"""Adsorption sites of finite clusters, and which of them are alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.adsorption import Site
from clusterflow.science.geometry.bonds import (
    CHALCOGENS,
    NONMETALS,
    bond_graph,
    distances,
    radii,
    squares,
    triangles,
)
from clusterflow.science.geometry.symmetry import find_symmetry, symmetrised
from clusterflow.science.sites.coordination import generalized_coordination_number
from clusterflow.science.sites.rolling_ball import RollingBall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import networkx as nx

    from clusterflow.library.adsorbates import SiteKind
    from clusterflow.science.geometry.bonds import FloatArray
    from clusterflow.science.geometry.symmetry import Symmetry
    from clusterflow.science.sites.rolling_ball import BallRest

# Metal atoms of a II-VI cluster that share an anion and are closer than this, in sums
# of covalent radii, can be bridged though they are not bonded.
_BRIDGE_ACROSS_ANION = 1.6
# A chalcogen of a ligand has a lone pair left up to this many bonds.
_MOST_BONDS_OF_DONOR = 3
# Atoms farther than this are not in the environment of a site, Å: beyond the second
# shell of neighbours.
ENVIRONMENT_A = 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A rest of the ball, its kind, how many are like it; without symmetry, which."""

    kind: SiteKind
    rest: BallRest
    multiplicity: int
    alike: tuple[BallRest, ...] = ()


def find_sites(
    symbols: Sequence[str],
    positions: FloatArray,
    *,
    roles: Sequence[str] | None = None,
    kinds: Sequence[SiteKind] = ("top", "bridge", "hollow3", "hollow4", "pair"),
    probe_radius_a: float = 1.0,
    tolerance_a: float = 0.1,
) -> tuple[str, list[Site]]:
    """The point group of a cluster and its distinct sites.

    Sites are alike if an operation of the group turns one into the other. Without
    symmetry they are alike if they have the same elements and their distances to other
    atoms, up to :data:`ENVIRONMENT_A`, differ by less than half the tolerance (root
    mean square).

    Parameters
    ----------
    symbols
        Element of each atom.
    positions : Å, shape (n_atoms, 3)
    roles
        Role of each atom. ``core`` and ``hydride`` atoms carry sites; of ligands the
        metal atoms, and chalcogens bonded to a metal have a top site. The others cast
        shadows. All atoms are core by default.
    kinds
        Kinds looked for.
    probe_radius_a
        Radius of the rolling ball, Å.
    tolerance_a
        Tolerance of symmetry and of environments, Å.

    Examples
    --------
    >>> square = np.array([[0, 0, 0], [2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 0]], float)
    >>> group, sites = find_sites(["Cu"] * 4, square)
    >>> group, [(s.kind, s.multiplicity) for s in sites]
    ('D4h', [('top', 4), ('bridge', 4), ('hollow4', 2)])
    """
    positions = np.asarray(positions, dtype=float)
    roles = roles or ["core"] * len(symbols)
    symmetry = find_symmetry(symbols, positions, tolerance_a)
    # Images of one bond must not differ by noise, so noise is averaged away first.
    ideal = symmetrised(positions, symmetry)
    graph = bond_graph(symbols, ideal)
    ball = RollingBall(positions=positions, reach_a=radii(symbols) + probe_radius_a)
    places = [
        place
        for kind, atoms, images in _merge_images(
            _propose_site_atoms(graph, symbols, roles, ideal), symmetry.permutations
        )
        if kind in kinds
        for place in _find_distinct_places(kind, ball.rests_on(atoms), images, symmetry)
    ]
    if symmetry.point_group == "C1":
        places = _merge_like_places(places, symbols, positions, tolerance_a)
    lattice = graph.subgraph(i for i, role in enumerate(roles) if role == "core")
    return symmetry.point_group, [
        _make_site(place, symbols, positions, graph, lattice) for place in places
    ]


def _propose_site_atoms(
    graph: nx.Graph, symbols: Sequence[str], roles: Sequence[str], positions: FloatArray
) -> Iterator[tuple[SiteKind, tuple[int, ...]]]:
    """Atoms that may carry a site together, whether or not there is room."""
    carriers = graph.subgraph(
        i
        for i, role in enumerate(roles)
        if role in ("core", "hydride")
        or (role == "ligand" and symbols[i] not in NONMETALS)
    )
    for i in graph:
        if i in carriers or _is_donor(i, graph, symbols, roles):
            yield ("hydride" if roles[i] == "hydride" else "top"), (i,)
    for i, j in sorted(map(sorted, carriers.edges)):
        mixed = (symbols[i] in NONMETALS) != (symbols[j] in NONMETALS)
        yield ("pair" if mixed else "bridge"), (i, j)
    for pair in _find_pairs_across_anion(carriers, symbols, positions):
        yield "bridge", pair
    for triple in triangles(carriers):
        yield "hollow3", triple
    for four in squares(carriers):
        yield "hollow4", four


def _is_donor(
    atom: int, graph: nx.Graph, symbols: Sequence[str], roles: Sequence[str]
) -> bool:
    """Whether a ligand's atom binds the metal and has a lone pair to spare."""
    return (
        roles[atom] == "ligand"
        and symbols[atom] in CHALCOGENS
        and graph.degree[atom] <= _MOST_BONDS_OF_DONOR
        and any(symbols[j] not in NONMETALS for j in graph[atom])
    )


def _find_pairs_across_anion(
    graph: nx.Graph, symbols: Sequence[str], positions: FloatArray
) -> list[tuple[int, int]]:
    """Metal atoms that share an anion and are near, though not bonded."""
    radius, gaps = radii(symbols), distances(positions)
    return sorted(
        {
            (i, j)
            for anion in graph
            if symbols[anion] in NONMETALS
            for i, j in combinations(sorted(graph[anion]), 2)
            if not {symbols[i], symbols[j]} & NONMETALS
            and not graph.has_edge(i, j)
            and gaps[i, j] < _BRIDGE_ACROSS_ANION * (radius[i] + radius[j])
        }
    )


def _merge_images(
    candidates: Iterable[tuple[SiteKind, tuple[int, ...]]], permutations: np.ndarray
) -> Iterator[tuple[SiteKind, tuple[int, ...], int]]:
    """One of each set of symmetry images, and the size of the set."""
    seen: set[tuple[SiteKind, frozenset[int]]] = set()
    for kind, atoms in candidates:
        if (kind, frozenset(atoms)) in seen:
            continue
        images = {(kind, frozenset(row)) for row in permutations[:, atoms].tolist()}
        seen |= images
        yield kind, atoms, len(images)


def _find_distinct_places(
    kind: SiteKind, found: Iterable[BallRest], images: int, symmetry: Symmetry
) -> Iterator[_Place]:
    """The distinct ways to rest on some atoms: an operation may swap two sides."""
    rests = list(found)
    if not rests:
        return
    atoms = list(rests[0].atoms)
    normals = np.array([rest.normal for rest in rests])
    leader = np.arange(len(rests))
    for permutation, rotation in zip(
        symmetry.permutations, symmetry.rotations, strict=True
    ):
        if set(permutation[atoms].tolist()) == set(atoms):
            partners = (normals @ rotation.T @ normals.T).argmax(axis=1)
            for k, partner in enumerate(leader[partners]):
                low, high = sorted((leader[k], partner))
                leader[leader == high] = low
    for k, count in sorted(Counter(leader.tolist()).items()):
        yield _Place(kind=kind, rest=rests[k], multiplicity=count * images)


def _merge_like_places(
    places: Sequence[_Place],
    symbols: Sequence[str],
    positions: FloatArray,
    tolerance_a: float,
) -> list[_Place]:
    """One place for each environment."""
    from scipy.sparse.csgraph import connected_components

    if not places:
        return []
    kinds = [(p.kind, *sorted(symbols[i] for i in p.rest.atoms)) for p in places]
    prints = np.array(
        [_describe_environment(p.rest, symbols, positions) for p in places]
    )
    alike = np.array(
        [
            [kind == other for other in kinds]
            & _compare_environments(prints, own, tolerance_a)
            for kind, own in zip(kinds, prints, strict=True)
        ]
    )
    _, labels = connected_components(alike, directed=False)
    groups: dict[int, list[_Place]] = {}
    for label, place in zip(labels.tolist(), places, strict=True):
        groups.setdefault(label, []).append(place)
    return [
        _Place(
            kind=group[0].kind,
            rest=group[0].rest,
            multiplicity=sum(place.multiplicity for place in group),
            alike=tuple(place.rest for place in group[1:]),
        )
        for group in groups.values()
    ]


def _compare_environments(
    prints: FloatArray, own: FloatArray, tolerance_a: float
) -> np.ndarray:
    """Which environments are like one of them, shape (n,).

    The root mean square is what noise hardly moves; a distance that is off by far
    more than the rest is a difference all the same.
    """
    off = np.abs(prints - own)
    near = (np.minimum(prints, own) < ENVIRONMENT_A).sum(axis=1)
    rms = np.sqrt((off**2).sum(axis=1) / near)
    return np.asarray((rms < tolerance_a / 2) & (off.max(axis=1) < 3 * tolerance_a))


def _describe_environment(
    rest: BallRest, symbols: Sequence[str], positions: FloatArray
) -> FloatArray:
    """Sorted distances to each element from the site and from the ball above it, Å.

    Atoms beyond the cut-off count as at the cut-off, so that none drops in or out.
    """
    element = np.array(symbols)
    columns = []
    for point in (rest.position, rest.centre):
        gaps = np.linalg.norm(positions - point, axis=1).clip(max=ENVIRONMENT_A)
        columns += [np.sort(gaps[element == e]) for e in sorted(set(symbols))]
    return np.concatenate(columns)


def _make_site(
    place: _Place,
    symbols: Sequence[str],
    positions: FloatArray,
    graph: nx.Graph,
    lattice: nx.Graph,
) -> Site:
    atoms = place.rest.atoms
    return Site(
        kind=place.kind,
        atoms=atoms,
        elements=tuple(symbols[i] for i in atoms),
        multiplicity=place.multiplicity,
        position=_round_vector(positions[list(atoms)].mean(axis=0)),
        normal=_round_vector(place.rest.normal),
        coordination_numbers=tuple(graph.degree[i] for i in atoms),
        generalized_coordination_number=generalized_coordination_number(
            place.kind, atoms, lattice
        ),
        accessible_solid_angle_sr=place.rest.solid_angle_sr,
        alike=tuple((rest.atoms, _round_vector(rest.normal)) for rest in place.alike),
    )


def _round_vector(values: FloatArray) -> tuple[float, float, float]:
    x, y, z = (round(float(v), 6) for v in values)
    return (x, y, z)
