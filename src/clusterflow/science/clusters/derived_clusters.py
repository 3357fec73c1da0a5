"""Starting geometries made from those of another cluster: states, substitutions."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.errors import StructureError
from clusterflow.science.clusters.equivalent_atoms import (
    distinct_subsets,
    hull_places,
    isometries,
    most_spread,
)
from clusterflow.science.clusters.ligands import ligands_of
from clusterflow.science.geometry.bonds import bond_graph, hill_formula

if TYPE_CHECKING:
    from collections.abc import Sequence

    import networkx as nx

    from clusterflow.library.clusters import (
        ClusterSpec,
        StartingStructure,
        Substitution,
    )
    from clusterflow.library.find import Library
    from clusterflow.records.structure import Structure


def derive_cluster_states(
    spec: ClusterSpec, parents: list[Structure], library: Library
) -> list[Structure]:
    """The parent's geometries with atoms or ligands taken away in all distinct ways.

    Mirror images count as one, and so do ligands that differ by how they are turned.

    Raises
    ------
    StructureError
        If there are too few of them, or the formula is not what is left.
    """
    assert spec.parent is not None and spec.removed is not None
    if parents and parents[0].charge and "charge" not in spec.model_fields_set:
        raise StructureError(
            f"{spec.name}: its parent {spec.parent} has charge {parents[0].charge:+d}; "
            "state the `charge` of what is left: the same where a radical leaves, one "
            "more where an anion does"
        )
    states = []
    for whole in parents:
        units = _list_units(whole, spec, library)
        try:
            chosen = distinct_subsets(
                range(len(units)),
                spec.removed.count,
                _find_unit_permutations(whole, units),
            )
        except ValueError as error:
            raise StructureError(
                f"{spec.name}: cannot remove {spec.removed.count} {spec.removed.what} "
                f"from {spec.parent}: {error}"
            ) from None
        names = numbered(whole.name, len(chosen))
        for name, subset in zip(names, chosen, strict=True):
            states.append(_remove_units(whole, [units[k] for k in subset], spec, name))
    return states


def find_leaving_atoms(
    spec: ClusterSpec, whole: Structure, state: Structure, library: Library
) -> list[int]:
    """The atoms of a parent that one of its states lacks.

    Of several ways to take them away it is the one whose rest, atom by atom, lies
    nearest to the state: W. Kabsch, doi:10.1107/S0567739476001873.

    Parameters
    ----------
    spec
        The state.
    whole, state
        Both relaxed, with their atoms in the order in which they were built.

    Raises
    ------
    StructureError
        If no way leaves the atoms of the state.
    """
    assert spec.removed is not None
    best: tuple[float, list[int]] | None = None
    for units in combinations(_list_units(whole, spec, library), spec.removed.count):
        gone, _ = _split_units(whole, units, spec)
        kept = [i for i in range(len(whole.symbols)) if i not in gone]
        if tuple(whole.symbols[i] for i in kept) != state.symbols:
            continue
        gap = _measure_gap(whole.xyz[kept], state.xyz)
        if best is None or gap < best[0]:
            best = gap, sorted(gone)
    if best is None:
        raise StructureError(
            f"{spec.name}: {spec.parent} less {spec.removed.count} "
            f"{spec.removed.what} has not its atoms in their order"
        )
    return best[1]


def _measure_gap(first: np.ndarray, second: np.ndarray) -> float:
    """Sum of squared distances, Å², once the one is turned upon the other."""
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    left, sizes, right = np.linalg.svd(first.T @ second)
    sizes[-1] *= np.sign(np.linalg.det(left @ right))
    return float((first**2).sum() + (second**2).sum() - 2 * sizes.sum())


def _split_units(
    whole: Structure, units: Sequence[list[int]], spec: ClusterSpec
) -> tuple[set[int], set[int]]:
    """Atoms of some units that go, and the binding atoms that stay in the core."""
    assert spec.removed is not None
    bound = {
        _find_binding_atom(whole, unit)
        for unit in units
        if spec.removed.keep_binding_atom
    }
    return {atom for unit in units for atom in unit} - bound, bound


def _remove_units(
    whole: Structure, units: list[list[int]], spec: ClusterSpec, name: str
) -> Structure:
    """A structure less some units, of which binding atoms may stay in the core."""
    gone, bound = _split_units(whole, units, spec)
    kept = [i for i in range(len(whole.symbols)) if i not in gone]
    symbols = tuple(whole.symbols[i] for i in kept)
    _check_formula(symbols, spec, f"{spec.parent} without what is removed")
    return whole.model_copy(
        update={
            "name": name,
            "symbols": symbols,
            "positions": tuple(whole.positions[i] for i in kept),
            "roles": tuple("core" if i in bound else whole.roles[i] for i in kept),
            "charge": spec.charge,
            "multiplicity": spec.multiplicity,
        }
    )


def substitute(
    spec: ClusterSpec, start: StartingStructure, parents: list[Structure]
) -> list[Structure]:
    """The parent's geometries with atoms replaced in all distinct ways.

    Ligands that differ by how they are turned count as one.

    Raises
    ------
    StructureError
        If there are too few such atoms, or the formula is not what comes out.
    """
    wanted = start.substitution
    assert wanted is not None
    if wanted.isomer is not None:
        names = [whole.name for whole in parents]
        parents = [whole for whole in parents if whole.name == wanted.isomer]
        if not parents:
            raise StructureError(
                f"{spec.name}: {wanted.parent} has no isomer {wanted.isomer!r}; "
                f"choose from {', '.join(names)}"
            )
    found = []
    for whole in parents:
        own = start.name if len(parents) == 1 else f"{start.name}-{whole.name}"
        chosen = _choose_subsets(whole, wanted, spec.name)
        for name, subset in zip(numbered(own, len(chosen)), chosen, strict=True):
            symbols = tuple(
                wanted.element if i in subset else symbol
                for i, symbol in enumerate(whole.symbols)
            )
            _check_formula(symbols, spec, f"{start.name}: {wanted.parent} substituted")
            found.append(
                whole.model_copy(
                    update={
                        "name": name,
                        "symbols": symbols,
                        "charge": spec.charge,
                        "multiplicity": spec.multiplicity,
                    }
                )
            )
    return found


def _choose_subsets(
    whole: Structure, wanted: Substitution, who: str
) -> list[tuple[int, ...]]:
    """The sets of atoms to be replaced: all distinct ones, or the most spread."""
    found = _find_subsets(whole, wanted, who)
    if wanted.choices is None:
        return found
    return most_spread(found, whole.xyz)[: wanted.choices]


def _find_subsets(
    whole: Structure, wanted: Substitution, who: str
) -> list[tuple[int, ...]]:
    """The distinct sets of atoms to be replaced, or of too many the most spread."""
    positions = whole.xyz
    core = [i for i, role in enumerate(whole.roles) if role == "core"]
    bare = [i for i, role in enumerate(whole.roles) if role != "ligand"]
    replaced = wanted.replaces or _find_replaced_element(whole, core, wanted, who)
    candidates = [i for i in core if whole.symbols[i] == replaced]
    where = " or ".join(wanted.sites)
    what = f"{replaced} at {where}" if where else replaced
    try:
        if wanted.sites:
            lies = dict(zip(core, hull_places(positions[core]), strict=True))
            candidates = [i for i in candidates if _is_at(lies[i], wanted.sites)]
        chosen = distinct_subsets(
            [bare.index(i) for i in candidates],
            wanted.count,
            _find_unit_permutations(
                whole,
                [[i] for i in bare],
                improper=wanted.mirror_images == "merged",
            ),
            None if wanted.choices is None else positions[bare],
        )
        return [tuple(bare[k] for k in subset) for subset in chosen]
    except ValueError as error:
        raise StructureError(
            f"{who}: cannot replace {wanted.count} {what} of {wanted.parent} "
            f"({whole.name}): {error}"
        ) from None


def _find_replaced_element(
    whole: Structure, core: list[int], wanted: Substitution, who: str
) -> str:
    elements = sorted({whole.symbols[i] for i in core} - {wanted.element})
    if len(elements) != 1:
        raise StructureError(
            f"{who}: {wanted.parent} holds {', '.join(elements) or 'nothing else'}; "
            "say which element is replaced by `replaces`"
        )
    return elements[0]


def _is_at(place: str, sites: Sequence[str]) -> bool:
    return place in sites or ("shell" in sites and place != "core")


def _list_units(
    whole: Structure, spec: ClusterSpec, library: Library
) -> list[list[int]]:
    """What may be removed, one by one, the last in the parent's geometry first."""
    assert spec.removed is not None
    if spec.removed.element is not None:
        return [
            [i]
            for i, symbol in reversed([*enumerate(whole.symbols)])
            if symbol == spec.removed.element and whole.roles[i] != "ligand"
        ]
    counts = library.ligand(spec.removed.what).counts
    return [
        piece
        for piece in reversed(_find_ligands(whole))
        if Counter(whole.symbols[i] for i in piece) == counts
    ]


def _find_ligands(whole: Structure) -> list[list[int]]:
    bound = [i for i, role in enumerate(whole.roles) if role == "ligand"]
    return ligands_of(whole.symbols, whole.xyz, bound)


def _find_binding_atom(whole: Structure, piece: list[int]) -> int:
    """The atom of a ligand that is nearest to what is no ligand."""
    positions = whole.xyz
    bare = [i for i, role in enumerate(whole.roles) if role != "ligand"]
    gaps = np.linalg.norm(positions[piece][:, None] - positions[bare], axis=-1)
    return piece[int(gaps.min(axis=1).argmin())]


def _find_unit_permutations(
    whole: Structure, units: list[list[int]], *, improper: bool = True
) -> np.ndarray:
    """How symmetry sends what may be removed or replaced onto each other.

    A ligand counts as the atoms by which it binds, wherever the rest of it points.
    """
    bare = [i for i, role in enumerate(whole.roles) if role != "ligand"]
    others = [ligand for ligand in _find_ligands(whole) if ligand not in units]
    others += [[i] for i in bare if [i] not in units]
    graph = bond_graph(whole.symbols, whole.xyz)
    heads, labels, owners = [], [], []
    for k, piece in enumerate((*units, *others)):
        bound = _find_binding_atoms(whole, piece, graph)
        formula = hill_formula([whole.symbols[i] for i in piece])
        heads += bound
        labels += [f"{whole.symbols[i]} of {formula}" for i in bound]
        owners += [k] * len(bound)
    owner = np.array(owners)
    found = isometries(labels, whole.xyz[heads], improper=improper)
    # What sends the two ends of a ligand to two ligands is no symmetry of the whole.
    first_of = np.array([owners.index(k) for k in owners])
    keeps = [(owner[row] == owner[row[first_of]]).all() for row in found]
    firsts = [owners.index(k) for k in range(len(units))]
    return np.unique(owner[found[keeps][:, firsts]], axis=0)


def _find_binding_atoms(
    whole: Structure, piece: list[int], graph: nx.Graph
) -> list[int]:
    """The atoms of a ligand that are bonded to what is no ligand; else the nearest."""
    bound = [i for i in piece if any(whole.roles[j] != "ligand" for j in graph[i])]
    return bound or [_find_binding_atom(whole, piece)]


def numbered(name: str, n: int) -> list[str]:
    """A name for each of `n` ways: the plain one if there is but one."""
    return [name] if n == 1 else [f"{name}-{k}" for k in range(1, n + 1)]


def _check_formula(symbols: tuple[str, ...], spec: ClusterSpec, what: str) -> None:
    if Counter(symbols) != spec.counts:
        raise StructureError(
            f"{spec.name}: {what} is {dict(Counter(symbols))}, "
            f"but the formula says {spec.formula}"
        )
