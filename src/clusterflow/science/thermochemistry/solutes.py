"""Free energies of dissolved molecules and ions: never computed, always measured.

A computed energy of an ion in water is off by more than any step of a network, so a
solute is what experiment says, seen from computed gases:

.. math:: G(X) = Δ_f G(X) + Σ_i n_i [G(i) - Δ_f G(i)]

over the gases i that hold its atoms. Electrons carry no energy at 0 V against SHE,
where ΔfG(H⁺) = 0 holds as well, so the charge needs no term.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from clusterflow.errors import LibraryError
from clusterflow.science.thermochemistry.formation import (
    anchor_coefficients,
    experimental_table,
)
from clusterflow.units import (
    STANDARD_TEMPERATURE_K,
    ev_from_kj_per_mol,
    ev_per_k_from_j_per_mol_k,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clusterflow.library.find import Library

# Gases that methods describe well come first; each of the others only where it must.
_PREFERRED = ("H2", "H2O", "CO2", "N2", "NH3", "CO", "CH4")


def solute_formation_ev(
    name: str, library: Library, temperature_k: float = STANDARD_TEMPERATURE_K
) -> float:
    """ΔfG of a solute at 1 mol/kg from the elements and H⁺, eV.

    The entropy of formation is taken as constant. By convention S(H⁺) = 0, so an
    electron has the entropy of half a hydrogen molecule.

    Raises
    ------
    LibraryError
        If the library lacks the solute or one of its elements.
    """
    spec = library.solute(name)
    entropy = spec.entropy_j_per_mol_k - sum(
        n * library.element(element).entropy_j_per_mol_k
        for element, n in spec.counts.items()
    )
    entropy += spec.charge * library.element("H").entropy_j_per_mol_k
    warmer_k = temperature_k - STANDARD_TEMPERATURE_K
    return ev_from_kj_per_mol(
        spec.gibbs_kj_per_mol
    ) - warmer_k * ev_per_k_from_j_per_mol_k(entropy)


def solute_gibbs_ev(
    name: str,
    gases_ev: Mapping[str, float],
    library: Library,
    temperature_k: float = STANDARD_TEMPERATURE_K,
) -> float:
    """Free energy of a solute on the scale of computed gases, eV.

    Parameters
    ----------
    name
        As in the library, such as ``HCOO-``.
    gases_ev
        Free energies of gases at 1 bar and this temperature, eV.

    Raises
    ------
    LibraryError
        If the gases cannot make it, or the library lacks it.
    """
    parts = _choose_gases(name, gases_ev, library)
    table = experimental_table(list(parts), library)
    return solute_formation_ev(name, library, temperature_k) + sum(
        n * (gases_ev[gas] - table.formation_ev(gas, "g", temperature_k))
        for gas, n in parts.items()
    )


def _choose_gases(
    name: str, gases_ev: Mapping[str, float], library: Library
) -> dict[str, float]:
    """The fewest gases that make a solute, the best described first."""
    counts = library.solute(name).counts
    order = [gas for gas in _PREFERRED if gas in gases_ev]
    order += sorted(gas for gas in gases_ev if gas not in _PREFERRED)
    within = [g for g in order if library.gas(g).counts.keys() <= counts.keys() | {"H"}]
    within.sort(key=lambda gas: gas not in _PREFERRED)
    for size in range(1, len(counts) + 2):
        for chosen in combinations(within, size):
            compositions = {gas: library.gas(gas).counts for gas in chosen}
            if parts := anchor_coefficients(counts, compositions):
                return parts
    elements = ", ".join(sorted(counts))
    raise LibraryError(
        f"its measured free energy needs gases that hold {elements}; there are "
        f"{', '.join(order) or 'none'}"
    )
