"""Adsorbates without a DFT energy, calibrated by those of the cluster that have one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.refinements import CalibrationPoint
from clusterflow.science.adsorption.chosen_minimum import minimum_of_mode
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.science.reactions.flags import CALIBRATED_FLAG
from clusterflow.science.thermochemistry.binding import BindingScale
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG, level_layer
from clusterflow.science.thermochemistry.species import hole
from clusterflow.science.uncertainty.calibration import (
    BondPrior,
    Shares,
    predict_error,
    predict_errors,
)
from clusterflow.science.uncertainty.deviations import BOND_SHARE, DIAGRAM_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from clusterflow.library.find import Library
    from clusterflow.library.level_errors import LevelErrorsSpec
    from clusterflow.records.adsorption import AdsorbRecord
    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.refinements import RefinedMinimum
    from clusterflow.records.structure import Structure
    from clusterflow.science.thermochemistry.composite import Refinements
    from clusterflow.science.thermochemistry.group_errors import GroupModel
    from clusterflow.science.thermochemistry.species import Surroundings

    Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The errors of a level on one cluster, where DFT tells them, and what follows.

    `around` and `bonds` are the gases of the level and the corrections that they give
    adsorbates, `refined_around` and `refined_bonds` those of the composite level.
    `table` has what is known of the level's errors from other clusters.
    """

    records: ClusterRecords
    found: Refinements
    around: Surroundings
    refined_around: Surroundings
    bonds: GroupModel
    refined_bonds: GroupModel
    table: LevelErrorsSpec | None
    library: Library

    @cached_property
    def points(self) -> tuple[CalibrationPoint, ...]:
        """The error of every refined minimum, eV."""
        found = []
        for record in self.found.adsorbates:
            for one in record.minima:
                error = self._find_error(record.adsorbate, one)
                if error is not None:
                    found.append(
                        CalibrationPoint(
                            adsorbate=record.adsorbate,
                            minimum=one.minimum,
                            bonds=one.bonds,
                            error_ev=error,
                        )
                    )
        return tuple(found)

    def sample_outcomes(
        self, adsorbates: Sequence[str], n_samples: int, seed: int
    ) -> dict[str, Floats]:
        """What DFT may say of adsorbates without its energy, beside what is expected.

        Of each, samples of its free energy less the calibrated one, eV, shape
        (n_samples,). All errors are drawn together, so what adsorbates share pairs; of
        several ways of binding the lowest by DFT stands. One whose error nobody knows
        is left out.
        """
        ways = [(name, *way) for name in adsorbates for way in self._list_ways(name)]
        if not ways:
            return {}
        mean, covariance = predict_errors(
            [prior for _, prior, _ in ways], self._known, self._shares
        )
        words = hashlib.sha256(self.records.relaxed.cluster.encode()).digest()
        generator = np.random.default_rng([seed, *words])
        errors = generator.multivariate_normal(
            mean, covariance, n_samples, method="eigh"
        )
        binding = np.array([binding_ev for *_, binding_ev in ways])
        found = {}
        for name in {name: None for name, *_ in ways}:
            own = [i for i, way in enumerate(ways) if way[0] == name]
            lowest = (binding[own] - errors[:, own]).min(axis=1)
            found[name] = lowest - (binding[own[0]] - mean[own[0]])
        return found

    def _list_ways(self, adsorbate: str) -> list[tuple[BondPrior, float]]:
        """Each way of binding: what is known of its error, and its energy by the level.

        The first is that whose vibrations were computed; without it there is none.
        """
        adsorbed = next(a for a in self.records.adsorptions if a.adsorbate == adsorbate)
        vibrated = self.records.vibrations_of(adsorbate)
        found = []
        for way in ways_of_binding(adsorbed, vibrated):
            is_vibrated = vibrated is not None and way.minimum == vibrated.minimum
            prior = self._find_prior(way.structure)
            binding = self._bind_by_level(
                adsorbed, way.minimum, way.structure, is_vibrated=is_vibrated
            )
            if prior is not None and binding is not None:
                found.append((prior, binding))
            elif not found:
                break
        return found

    def calibrate(self, species: SpeciesFreeEnergy, why: str) -> SpeciesFreeEnergy:
        """The free energy of the level less the error that is expected of it."""
        name = species.name[1:]
        adsorbed = next(a for a in self.records.adsorptions if a.adsorbate == name)
        index = minimum_of_mode(self.records, adsorbed, self.around.isomers)
        assert index is not None and species.formation_ev is not None
        vibrated = self.records.vibrations_of(name)
        structure = adsorbed.minima[index].structure
        if vibrated is not None and vibrated.structure is not None:
            structure = vibrated.structure
        wanted = self._find_prior(structure)
        if wanted is None:
            reason = "of its bonds to the cluster the error is not known"
            return hole(species.name, f"{why}; {reason}")
        error, deviation = predict_error(wanted, self._known, self._shares)
        layers = {k: v for k, v in species.layers.items() if k not in ("level", "dft")}
        taken_off = sum(species.layers.values()) - sum(layers.values())
        carried = self.refined_bonds.correction_of(structure).deviation_ev
        parts = {k: v for k, v in species.deviations.items() if k != "group"}
        return species.model_copy(
            update={
                "reason": f"{why}; calibrated by {len(self._known)} minima",
                "layers": {**layers, "calibration": -error},
                "formation_ev": species.formation_ev - taken_off - error,
                # These are on the scale of the level.
                **dict.fromkeys(("terms", "gibbs_ev", "formation_uncorrected_ev")),
                **dict.fromkeys(("de_placed_ev", "de_host_ev", "de_pool_ev")),
                "deviations": {
                    **parts,
                    # Less sure than what it is calibrated by.
                    **self.found.dft_level.deviations_ev,
                    "level": deviation,
                    **({"group": carried} if carried else {}),
                },
                "flags": (
                    *(flag for flag in species.flags if flag != UNMEASURED_FLAG),
                    CALIBRATED_FLAG,
                ),
            }
        )

    @cached_property
    def _known(self) -> list[tuple[BondPrior, float]]:
        structures = {
            (record.adsorbate, one.minimum): one.point.structure
            for record in self.found.adsorbates
            for one in record.minima
        }
        priors = (
            (self._find_prior(structures[p.adsorbate, p.minimum]), p.error_ev)
            for p in self.points
        )
        return [(prior, error) for prior, error in priors if prior is not None]

    @property
    def _shares(self) -> Shares:
        if self.table is None:
            return Shares(cluster=DIAGRAM_SHARE, bond=BOND_SHARE)
        return Shares(cluster=self.table.cluster_share, bond=self.table.bond_share)

    def _find_prior(self, structure: Structure) -> BondPrior | None:
        level = self.records.relaxed.level
        held = level_layer(
            structure, self.table, level.uncertainty_ev if level else None
        )
        if held.deviation_ev is None:
            return None
        return BondPrior(
            bonds=held.bonds,
            mean_ev=-held.correction_ev,
            deviation_ev=held.deviation_ev,
        )

    def _find_error(self, adsorbate: str, one: RefinedMinimum) -> float | None:
        """Binding of one minimum by the level less that by DFT, eV, gases corrected."""
        adsorbed = next(a for a in self.records.adsorptions if a.adsorbate == adsorbate)
        structure = one.point.structure
        by_level = self._bind_by_level(
            adsorbed, one.minimum, structure, is_vibrated=one.vibrated
        )
        scale = BindingScale(
            around=self.refined_around,
            groups=self.refined_bonds,
            hosts_ev={i.isomer: i.point.energy_ev for i in self.found.bare.isomers},
        )
        by_dft = scale.binding_ev(
            one.point.energy_ev,
            adsorbed.minima[one.minimum].isomer,
            self.library.adsorbate(adsorbate).counts,
            structure,
        )
        return None if by_level is None or by_dft is None else by_level - by_dft

    def _bind_by_level(
        self,
        adsorbed: AdsorbRecord,
        index: int,
        structure: Structure,
        *,
        is_vibrated: bool,
    ) -> float | None:
        """Binding of one minimum by the level, eV, gases corrected."""
        minimum = adsorbed.minima[index]
        energy: float | None = minimum.energy_ev
        if is_vibrated:
            vibrated = self.records.vibrations_of(adsorbed.adsorbate)
            energy = vibrated.energy_ev if vibrated else None
        scale = BindingScale(
            around=self.around,
            groups=self.bonds,
            hosts_ev={
                i.structure.name: i.energy_ev for i in self.records.relaxed.isomers
            },
        )
        counts = self.library.adsorbate(adsorbed.adsorbate).counts
        return scale.binding_ev(energy, minimum.isomer, counts, structure)
