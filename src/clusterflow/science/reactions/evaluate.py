"""Reactions on surfaces: networks with what the library knows of their species."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError
from clusterflow.science.reactions.che import (
    equilibrium_potential,
    evaluate_network,
    pressure_shift,
    with_hydrogen,
)
from clusterflow.science.reactions.network import build_network, surface_composition
from clusterflow.science.thermochemistry.formation import experimental_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.reactions import Pcet, ReactionSpec
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.science.reactions.che import Electrode, FreeEnergies
    from clusterflow.science.reactions.network import Composition, Equation, Network


def build_networks(
    reactions: Sequence[ReactionSpec], library: Library, pcet: Pcet = "combined"
) -> list[Network]:
    """The networks of some reactions, with every pathway."""
    return [build_network(r, composition_of(library), pcet) for r in reactions]


def evaluate_reactions(
    reactions: Sequence[ReactionSpec],
    surfaces: dict[str, FreeEnergies],
    electrode: Electrode,
    library: Library,
    pressure_pa: Mapping[str, float],
    *,
    pcet: Pcet = "combined",
) -> list[ReactionResult]:
    """Every reaction on every surface, with hydrogen evolution beside each."""
    networks = build_networks(reactions, library, pcet)
    return evaluate_networks(networks, surfaces, electrode, library, pressure_pa)


def evaluate_networks(
    networks: Sequence[Network],
    surfaces: dict[str, FreeEnergies],
    electrode: Electrode,
    library: Library,
    pressure_pa: Mapping[str, float],
) -> list[ReactionResult]:
    """Every network on every surface, with hydrogen evolution beside each.

    `pressure_pa` are the partial pressures that the free energies are at, by gas; the
    others are at 1 bar.
    """
    equilibria = {
        n.spec.name: _find_equilibrium_potential(
            n, electrode.temperature_k, library, pressure_pa
        )
        for n in networks
    }
    found: list[ReactionResult] = []
    for surface, energies in surfaces.items():
        results = [
            evaluate_network(
                network,
                energies,
                electrode,
                surface=surface,
                equilibrium_potential_v_rhe=equilibria[network.spec.name],
            )
            for network in networks
        ]
        found += with_hydrogen(results)
    return found


def composition_of(library: Library) -> Callable[[str], Composition]:
    """A function from a term of an equation to its element counts and charge."""

    def adsorbed(name: str) -> Composition:
        spec = library.adsorbate(name)
        return spec.counts, spec.charge

    def composition(term: str) -> Composition:
        fixed = {
            "*": (Counter({"*": 1}), 0),
            "H+": (Counter({"H": 1}), 1),
            "e-": (Counter[str](), -1),
        }
        if term in fixed:
            return fixed[term]
        if term.startswith("*"):
            return surface_composition(term, adsorbed)
        gas = library.gas(term.partition("(")[0])
        return gas.counts, gas.charge

    return composition


def _find_equilibrium_potential(
    network: Network,
    temperature_k: float,
    library: Library,
    pressure_pa: Mapping[str, float],
) -> float | None:
    """The measured potential at these pressures, V against RHE; None without data."""
    if network.overall.n_e == 0 or network.overall.n_e != network.overall.n_h:
        return None
    # Nobody measured what a cluster gains or loses.
    if any(term.startswith("*") and term != "*" for term in network.overall.species):
        return None
    try:
        standard = standard_potential(network.overall, temperature_k, library)
    except ClusterflowError:
        return None
    return standard + pressure_shift(network.overall, pressure_pa, temperature_k)


def standard_potential(
    overall: Equation, temperature_k: float, library: Library
) -> float:
    """Potential of a reaction at pH 0 from measured formation data, V against SHE.

    Raises
    ------
    LibraryError
        If the library has no data for a species in its phase.
    """
    names = [s.partition("(")[0] for s in overall.species if not s.startswith("*")]
    table = experimental_table(names, library)

    def formation(term: str) -> float:
        if term == "*":
            return 0.0
        name, _, phase = term.partition("(")
        return table.formation_ev(name, phase[0], temperature_k)

    return equilibrium_potential(overall, formation)
