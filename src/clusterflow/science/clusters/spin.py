"""Which multiplicities a cluster or a complex may have, and what they are worth."""

from __future__ import annotations

from collections import Counter
from math import log
from typing import TYPE_CHECKING

from clusterflow.formula import check_parity, lowest_multiplicity, valence_electrons
from clusterflow.units import BOLTZMANN_EV_PER_K

if TYPE_CHECKING:
    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.clusters import SpinState
    from clusterflow.records.structure import Structure

# A cluster whose YAML says `auto` is tried with none, two and four more unpaired
# electrons than it must have; with further ones only while they bring it down.
ALWAYS_TRIED = 3
_MOST_MORE_UNPAIRED = 10
# A half-filled d shell has five.
_MAGNETIC = {"Cr", "Mn", "Fe", "Co", "Ni"}
_MOST_UNPAIRED_OF_ATOM = 5


def cluster_multiplicities(structure: Structure) -> tuple[int, ...]:
    """The lowest multiplicity that parity allows and the next ones, if they fit.

    Up to ten more unpaired electrons, or five for each atom of a magnetic 3d metal.
    No more electrons can be unpaired than there are valence electrons.
    """
    counts = Counter(structure.symbols)
    lowest = lowest_multiplicity(counts, structure.charge)
    magnetic = sum(counts[element] for element in _MAGNETIC)
    most = max(_MOST_MORE_UNPAIRED, _MOST_UNPAIRED_OF_ATOM * magnetic)
    tried = [lowest + n for n in range(0, most + 1, 2)]
    return _limit_multiplicities(counts, structure.charge, tried)


def complex_multiplicities(
    host: Structure, adsorbate: AdsorbateSpec, level: LevelSpec, cluster: str
) -> tuple[int, ...]:
    """Multiplicities to try for a complex; geometries start with the first.

    Without spin polarisation only the lowest that parity allows: higher ones would
    always lose. With it all that the spins of both parts can couple to,
    |S_host − S_ads| to S_host + S_ads, one more, and one less where there is one:
    ligands such as CO quench moments. What the adsorbate's YAML states for a cluster
    stands at every level.

    Raises
    ------
    LibraryError
        If the stated one does not fit the number of electrons.
    """
    counts: Counter[str] = adsorbate.counts.copy()
    counts.update(host.symbols)
    charge = host.charge + adsorbate.charge
    stated = adsorbate.multiplicity_on.get(cluster)
    if stated is not None:
        who = f"adsorbate {adsorbate.name}: multiplicity_on.{cluster}"
        check_parity(counts, charge, stated, who)
        return (stated,)
    if not level.spin_polarised:
        return (lowest_multiplicity(counts, charge),)
    low = abs(host.multiplicity - adsorbate.multiplicity) + 1
    high = host.multiplicity + adsorbate.multiplicity - 1
    fewer = [low - 2] if low > 2 else []
    return _limit_multiplicities(counts, charge, [*range(low, high + 3, 2), *fewer])


def spin_free_energy(multiplicity: int, temperature_k: float) -> float:
    """−kT ln(2S + 1) of unpaired electrons without orbital degeneracy, eV.

    >>> round(spin_free_energy(2, 298.15), 4)
    -0.0178
    """
    return -BOLTZMANN_EV_PER_K * temperature_k * log(multiplicity)


def by_energy(state: SpinState) -> tuple[bool, float]:
    """Sort key of states: lowest energy first, those without one last."""
    return state.energy_ev is None, state.energy_ev or 0.0


def _limit_multiplicities(
    counts: Counter[str], charge: int, multiplicities: list[int]
) -> tuple[int, ...]:
    electrons = sum(valence_electrons(e) * n for e, n in counts.items()) - charge
    first = multiplicities[0]
    return (first, *(m for m in multiplicities[1:] if m - 1 <= electrons))
