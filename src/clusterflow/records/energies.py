"""The record of stage thermo: free energies, term by term."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_serializer

from clusterflow.library.clusters import IsomerMode
from clusterflow.library.energy_rows import OwnEnergyRow
from clusterflow.library.levels import LevelSpec
from clusterflow.model import Model
from clusterflow.records.adsorption import Fate
from clusterflow.records.provenance import Record

# `given`: a free energy that a person brought; `given-terms`: its terms beside E.
ThermoModel = Literal[
    "electronic",
    "ideal-gas",
    "harmonic",
    "quasi-rrho",
    "hindered",
    "given",
    "given-terms",
]


class FreeEnergyTerms(Model):
    """The sum G = E + ZPE + ∫Cp dT − TS, term by term, in eV."""

    energy_ev: float
    zpe_ev: float
    thermal_ev: float
    minus_ts_ev: float
    gibbs_ev: float
    minus_ts_undamped_ev: float = Field(
        description="−TS with the low modes as computed, without the cut-off"
    )
    zpe_undamped_ev: float | None = Field(
        default=None, description="ZPE of all modes as harmonic oscillators"
    )
    thermal_undamped_ev: float | None = Field(
        default=None, description="∫Cp dT of all modes as harmonic oscillators"
    )
    model: ThermoModel | None = None
    fallback_reason: str = Field(
        default="", description="Why it is not the model the study asks for"
    )


class SpeciesFreeEnergy(Model):
    """Free energy of one species, or the reason why there is none.

    Names are those of reaction equations: ``*``, ``*COOH``, ``CO(g)``, ``H2O(l)``.
    `formation_ev` is relative to the clean cluster and the anchors, all gases.
    """

    name: str
    status: str
    reason: str = ""
    terms: FreeEnergyTerms | None = None
    layers: dict[str, float] = Field(
        default_factory=dict, description="Correction layers, eV, by name"
    )
    gibbs_ev: float | None = None
    formation_ev: float | None = None
    formation_uncorrected_ev: float | None = None
    de_placed_ev: float | None = Field(
        default=None,
        description="Electronic formation energy against the isomer placed on, eV",
    )
    de_host_ev: float | None = Field(
        default=None,
        description="The same against its own host, stripped and relaxed again, eV",
    )
    de_pool_ev: float | None = Field(
        default=None,
        description="The same against the lowest isomer of the pool, eV",
    )
    deviations: dict[str, float] = Field(
        default_factory=dict,
        description="Standard deviations, eV, by where they come from",
    )
    bonds: tuple[str, ...] = Field(
        default=(),
        description="Those to the cluster, by kind and element; of a row of a table "
        "the element by which the adsorbate is drawn to bind",
    )
    inherits: dict[str, float] = Field(
        default_factory=dict,
        description="Molecules it still is, whose error it carries: count",
    )
    groups: dict[str, float] = Field(
        default_factory=dict,
        description="Its other bonds, whose errors it carries: count",
    )
    flags: tuple[str, ...] = ()


class MinimumEnergies(Model):
    """Electronic formation energies of one minimum, from anchors and a bare isomer.

    At the accuracy of the search; those of the species are at that of the vibrations.
    """

    adsorbate: str
    minimum: int
    fate: Fate
    placed_on: str
    host: str | None
    de_placed_ev: float | None
    de_host_ev: float | None
    de_pool_ev: float | None
    reason: str = ""


class IsomerWeight(Model):
    """An isomer of the bare cluster, and its share in equilibrium with the others.

    The share is that of electronic energies and spin multiplicities at the record's
    temperature; vibrations and rotations are left out.
    """

    isomer: str
    multiplicity: int
    energy_ev: float
    above_lowest_ev: float
    weight: float
    round: int = Field(default=0, description="0: relaxed from a starting geometry")
    found_by: str | None = Field(
        default=None, description="Adsorbate that pulled the cluster into it"
    )


class GasCorrection(Model):
    """A molecule's formation from the anchors: computed, measured, and the gap."""

    gas: str
    anchors: dict[str, float]
    computed_ev: float
    experiment_ev: float
    correction_ev: float
    is_anchor: bool
    source: str


class GroupErrors(Model):
    """Errors of the level by groups of bonds, from CO2, H2 and H2O at 298.15 K."""

    groups: tuple[str, ...] = ()
    correction_ev: tuple[float, ...] = Field(
        default=(), description="Measured less computed, a bond"
    )
    covariance_ev2: tuple[tuple[float, ...], ...] = ()
    scatter_ev: float = Field(
        description="Standard deviation of a molecule about the sum over its groups"
    )
    unknown_ev: float = Field(
        description="Standard deviation of a bond of no group: root mean square of all"
    )
    residual_ev: dict[str, float] = Field(
        default_factory=dict, description="Measured less fitted, by gas"
    )
    held_out_ev: dict[str, float] = Field(
        default_factory=dict,
        description="Measured less predicted by a fit without the gas",
    )


class OtherIsomers(Model):
    """Formation energies by the other choice of isomers, without further vibrations.

    Each minimum that the other choice takes has its own electronic energy and the
    vibrations of the one it stands beside.
    """

    isomers: IsomerMode
    formation_ev: dict[str, float] = Field(default_factory=dict)
    reason: str = Field(default="", description="Why it is not offered")


class LostVibrations(Model):
    """Free energy of the vibrations that a cluster has and one of its states lacks.

    Its energy is zero: that of the atoms is in the two clusters.
    """

    state: str
    terms: FreeEnergyTerms | None = None
    reason: str = Field(default="", description="Why there is none")


class LevelShares(Model):
    """How the variance of the level's error splits, where it was measured.

    What all bonds of a cluster have in common, and what bonds of one kind on it have
    beyond that; the rest is each adsorbate's own.
    """

    cluster: float = Field(ge=0, le=1)
    bond: float = Field(ge=0, le=1)


class ThermoRecord(Record):
    """Free energies of everything on one cluster, at one level."""

    stage: Literal["thermo"] = "thermo"
    cluster: str
    level: LevelSpec | None
    temperature_k: float
    pressure_pa: dict[str, float] = Field(
        default_factory=dict,
        description="Partial pressures by gas, Pa; the others at 1 bar",
    )
    isomers: IsomerMode = "fixed_core_first"
    half_hydrogen_ev: float | None = Field(
        default=None,
        description="½ G°(H2) at 1 bar on the formation scale: the H⁺ + e⁻ pair at 0 V",
    )
    species: tuple[SpeciesFreeEnergy, ...]
    minima: tuple[MinimumEnergies, ...] = ()
    isomer_weights: tuple[IsomerWeight, ...] = Field(
        default=(), description="Of all isomers known, lowest first"
    )
    other_isomers: OtherIsomers | None = None
    gas_corrections: tuple[GasCorrection, ...] = ()
    group_errors: GroupErrors | None = None
    level_shares: LevelShares | None = Field(
        default=None, description="None where the error of the level is an assumption"
    )
    lost_vibrations: tuple[LostVibrations, ...] = Field(
        default=(), description="Of what leaves for each state, where that is known"
    )
    own: tuple[OwnEnergyRow, ...] = Field(
        default=(),
        description="Rows of a person's own energies, where it was made from these",
    )
    notes: tuple[str, ...] = Field(
        default=(), description="What is odd about these rows, a line each"
    )

    @field_serializer("own")
    def _leave_out_defaults(
        self, rows: tuple[OwnEnergyRow, ...]
    ) -> list[dict[str, Any]]:
        return [row.model_dump(mode="json", exclude_defaults=True) for row in rows]

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each free energy."""
        species = (
            one
            if one.formation_ev is None or flag in one.flags
            else one.model_copy(update={"flags": (*one.flags, flag)})
            for one in self.species
        )
        return self.model_copy(update={"species": tuple(species)})
