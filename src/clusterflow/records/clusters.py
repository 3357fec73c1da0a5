"""Records of bare clusters: built, their level, relaxed, band edges."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field

from clusterflow.library.clusters import IsomerSearch, Material, Role
from clusterflow.library.levels import LevelSpec
from clusterflow.model import Model
from clusterflow.records.provenance import Record
from clusterflow.records.structure import Structure


class BuildRecord(Record):
    """Starting geometries of a cluster, and how to search for more."""

    stage: Literal["build"] = "build"
    cluster: str
    formula: str
    material: Material
    source: str
    sources: dict[str, str] = Field(
        default_factory=dict, description="By structure, where it is another one"
    )
    structures: tuple[Structure, ...]
    auto_multiplicity: bool = Field(
        default=False, description="Higher multiplicities are to be tried too"
    )
    search: IsomerSearch | None = None
    search_level: LevelSpec | None = Field(
        default=None, description="The cheap level that the search names"
    )


class SpinState(Model):
    """One multiplicity that was tried, and its energy where it has one.

    `relaxed` is false for a single point at the geometry of another multiplicity.
    """

    multiplicity: int
    energy_ev: float | None
    relaxed: bool = True
    reason: str = ""


class Probe(Model):
    """One trial of a level: a species after a few steps, and whether it is sane.

    `formation_ev` is its energy on the cluster from CO2, H2 and H2O at the level.
    """

    name: str
    converged: bool
    reason: str = ""
    energy_ev: float | None = None
    formation_ev: float | None = None
    sane: bool = True


class LevelAttempt(Model):
    """One level that was tried on a cluster, and what its probes said."""

    level: str
    accepted: bool
    reason: str
    probes: tuple[Probe, ...]


class LevelRecord(Record):
    """The level chosen for a cluster, and why."""

    stage: Literal["level"] = "level"
    cluster: str
    level: LevelSpec | None
    attempts: tuple[LevelAttempt, ...]
    accepted: tuple[LevelSpec, ...] = Field(
        default=(), description="All levels that passed, in order of preference"
    )


class Isomer(Model):
    """A relaxed geometry of a bare cluster."""

    structure: Structure
    energy_ev: float
    fmax_ev_per_a: float
    n_gradients: int
    homo_ev: float | None = None
    lumo_ev: float | None = None
    charges: tuple[float, ...] | None = None
    homo_by_role: dict[Role, float] | None = Field(
        default=None, description="Mulliken shares, of clusters on a support"
    )
    lumo_by_role: dict[Role, float] | None = None


class FoundIsomer(Model):
    """An isomer that a search has found: a start for relaxation."""

    structure: Structure
    energy_ev: float = Field(description="At the level of the search, loosely relaxed")
    n_found: int = Field(description="Hops that ended in it")


class IsomerSearchResult(Model):
    """What a global search of isomers has come to."""

    level: LevelSpec
    n_hops: int
    failures: dict[str, int] = Field(
        default_factory=dict, description="Hops without a minimum, by reason"
    )
    n_isomers: int = Field(description="Distinct minima")
    candidates: tuple[FoundIsomer, ...] = Field(description="Those kept, lowest first")
    n_gradients: int


class RelaxRecord(Record):
    """Relaxed isomers of a cluster, lowest first; those that failed are counted."""

    stage: Literal["relax"] = "relax"
    cluster: str
    level: LevelSpec | None
    isomers: tuple[Isomer, ...]
    failures: dict[str, str] = Field(default_factory=dict)
    spin_states: tuple[SpinState, ...] = Field(
        default=(), description="Multiplicities tried, lowest energy first"
    )
    search: IsomerSearchResult | None = None


GAS_PHASE_FLAGS: Final = ("gas-phase", "vertical", "no-solvent", "no-exciton")


class EdgesRecord(Record):
    """Vertical ionisation energy and electron affinity of a cluster's lowest isomer.

    `level` is that of the geometry and the orbitals, `ip_ea_level` that of the three
    total energies. A value that is missing has its reason under its name. The
    fundamental gap IP − EA and the gap between orbitals are different quantities.
    """

    stage: Literal["edges"] = "edges"
    cluster: str
    level: LevelSpec | None
    ip_ea_level: LevelSpec
    isomer: str | None = None
    charge: int | None = None
    multiplicity: int | None = None
    energy_ev: float | None = Field(default=None, description="With N electrons")
    cation_energy_ev: float | None = Field(default=None, description="With N − 1")
    anion_energy_ev: float | None = Field(default=None, description="With N + 1")
    ip_ev: float | None = None
    ea_ev: float | None = None
    fundamental_gap_ev: float | None = Field(default=None, description="IP − EA")
    homo_ev: float | None = None
    lumo_ev: float | None = None
    orbital_gap_ev: float | None = Field(default=None, description="LUMO − HOMO")
    reasons: dict[str, str] = Field(
        default_factory=dict, description="Why a value is missing, by its name"
    )
    flags: tuple[str, ...] = GAS_PHASE_FLAGS

    def flagged(self, flag: str) -> Self:
        """The record with one more flag."""
        return self.model_copy(update={"flags": (*self.flags, flag)})
