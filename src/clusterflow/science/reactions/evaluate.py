"""Reactions on surfaces: networks with what the library knows of their species."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING

from clusterflow.errors import ClusterflowError, LibraryError
from clusterflow.science.reactions.che import (
    equilibrium_potential,
    evaluate_network,
    pressure_shift,
    with_hydrogen,
)
from clusterflow.science.reactions.network import (
    HYDROXIDE,
    build_network,
    is_solute,
    surface_composition,
)
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.thermochemistry.solutes import (
    solute_formation_ev,
    solute_gibbs_ev,
)
from clusterflow.units import BOLTZMANN_EV_PER_K, STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
        n.spec.name: _find_equilibrium_potential(n, electrode, library, pressure_pa)
        for n in networks
    }
    found: list[ReactionResult] = []
    terms = {term for network in networks for term in network.species}
    for surface, energies in surfaces.items():
        complete = add_solutes(
            energies, terms, library, electrode.temperature_k, pressure_pa
        )
        results = [
            evaluate_network(
                network,
                complete,
                electrode,
                surface=surface,
                equilibrium_potential_v_rhe=equilibria[network.spec.name],
            )
            for network in networks
        ]
        found += with_hydrogen(results)
    return found


def add_solutes(
    energies: FreeEnergies,
    terms: Iterable[str],
    library: Library,
    temperature_k: float,
    pressure_pa: Mapping[str, float],
) -> FreeEnergies:
    """The free energies with those of the dissolved species among the terms.

    Hydroxide is liquid water less a proton, at whatever pH; any other one is at
    1 mol/kg, measured, and seen from the computed gases. `pressure_pa` is what those
    are at.
    """
    wanted = {term for term in terms if is_solute(term) or term == HYDROXIDE}
    if not wanted:
        return energies
    thermal_ev = BOLTZMANN_EV_PER_K * temperature_k
    gases = {
        name: energy
        - thermal_ev
        * log(pressure_pa.get(name, STANDARD_PRESSURE_PA) / STANDARD_PRESSURE_PA)
        for name, energy in (
            (term.removesuffix("(g)"), energy)
            for term, energy in energies.values.items()
            if term.endswith("(g)")
        )
    }
    values, reasons = dict(energies.values), dict(energies.reasons)
    for term in sorted(wanted - values.keys()):
        try:
            values[term] = (
                _compute_hydroxide_ev(energies)
                if term == HYDROXIDE
                else solute_gibbs_ev(
                    term.removesuffix("(aq)"), gases, library, temperature_k
                )
            )
        except LibraryError as error:
            reasons[term] = str(error)
    return replace(energies, values=values, reasons=reasons)


def _compute_hydroxide_ev(energies: FreeEnergies) -> float:
    """Free energy of hydroxide at pH 0 on the scale of the others, eV."""
    if "H2O(l)" not in energies.values:
        raise LibraryError("it is water less a proton, and H2O has no free energy")
    return energies.values["H2O(l)"] - energies.pair_ev


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
            HYDROXIDE: (Counter({"O": 1, "H": 1}), -1),
        }
        if term in fixed:
            return fixed[term]
        if term.startswith("*"):
            return surface_composition(term, adsorbed)
        name = term.partition("(")[0]
        molecule = library.solute(name) if is_solute(term) else library.gas(name)
        return molecule.counts, molecule.charge

    return composition


def _find_equilibrium_potential(
    network: Network,
    electrode: Electrode,
    library: Library,
    pressure_pa: Mapping[str, float],
) -> float | None:
    """The measured potential at these pressures, V against RHE; None without data.

    With other than one proton an electron it moves with the pH on this scale.
    """
    if network.overall.n_e == 0:
        return None
    # Nobody measured what a cluster gains or loses.
    if any(term.startswith("*") and term != "*" for term in network.overall.species):
        return None
    try:
        standard = standard_potential(network.overall, electrode.temperature_k, library)
    except ClusterflowError:
        return None
    overall = network.overall
    at_ph = electrode.turning_point_rhe_v(
        -standard * overall.n_e, overall.n_e, overall.n_h
    )
    return at_ph + pressure_shift(overall, pressure_pa, electrode.temperature_k)


def standard_potential(
    overall: Equation, temperature_k: float, library: Library
) -> float:
    """Potential of a reaction at pH 0 from measured formation data, V against SHE.

    Raises
    ------
    LibraryError
        If the library has no data for a species in its phase.
    """
    molecules = [s for s in overall.species if s.endswith(("(g)", "(l)"))]
    table = experimental_table(
        [*(term.partition("(")[0] for term in molecules), "H2O"], library
    )

    def formation(term: str) -> float:
        if term == "*":
            return 0.0
        if term == HYDROXIDE:  # at pH 0, as its protons count
            return table.formation_ev("H2O", "l", temperature_k)
        name, _, phase = term.partition("(")
        if is_solute(term):
            return solute_formation_ev(name, library, temperature_k)
        return table.formation_ev(name, phase[0], temperature_k)

    return equilibrium_potential(overall, formation)
