"""Records with wavenumbers: molecules, adsorbates on clusters, what leaves them."""

from __future__ import annotations

from itertools import zip_longest
from typing import Literal

from pydantic import Field

from clusterflow.library.gases import ElectronicDegeneracy
from clusterflow.library.levels import LevelSpec
from clusterflow.model import Model
from clusterflow.records.provenance import Record
from clusterflow.records.structure import Structure, Vector

# What the imaginary modes that are left make of a geometry, the worst of them counted:
# none; below 10 cm⁻¹; below 50 cm⁻¹; above.
StationaryPoint = Literal["minimum", "noise", "soft", "saddle"]


class GasRecord(Record):
    """A molecule at a level: energy, geometry and vibrations."""

    stage: Literal["gas"] = "gas"
    gas: str
    level: LevelSpec
    structure: Structure | None
    energy_ev: float | None
    symmetry_number: int
    electronic_degeneracy: ElectronicDegeneracy = Field(
        default=(), description="Without it the multiplicity alone"
    )
    linear: bool = False
    mass_amu: float | None = None
    moments_amu_a2: Vector | None = None
    frequencies_cm1: tuple[float, ...] = ()
    imaginary_cm1: tuple[float, ...] = ()
    fmax_ev_per_a: float | None = None
    hessian_asymmetry_ev_per_a2: float | None = None
    force_error_ev_per_a: float | None = Field(
        default=None,
        description="Force less slope of the energy along one random direction",
    )


class VibrateRecord(Record):
    """Vibrations of the best minimum of an adsorbate, cluster atoms frozen."""

    stage: Literal["vibrate"] = "vibrate"
    cluster: str
    adsorbate: str
    level: LevelSpec | None
    minimum: int | None = Field(description="Index into the adsorb record's minima")
    not_minima: tuple[int, ...] = Field(
        default=(),
        description="Those before it that an imaginary mode led to something else",
    )
    not_minima_reasons: tuple[str, ...] = Field(
        default=(), description="What each of them was led to"
    )
    structure: Structure | None = Field(
        default=None, description="Relaxed again where a mode was imaginary"
    )
    energy_ev: float | None = None
    frequencies_cm1: tuple[float, ...] = ()
    imaginary_cm1: tuple[float, ...] = ()
    hessian_asymmetry_ev_per_a2: float | None = None
    fmax_ev_per_a: float | None = None
    n_repairs: int = Field(default=0, description="Imaginary modes that were followed")
    moving: tuple[int, ...] = Field(default=(), description="Atoms that vibrate")
    stationary_point: StationaryPoint | None = Field(
        default=None, description="By the worst imaginary mode that is left"
    )
    force_error_ev_per_a: float | None = Field(
        default=None,
        description="Force less slope of the energy along one random direction",
    )

    @property
    def set_aside(self) -> tuple[str, ...]:
        """Each minimum that does not stand for the adsorbate, and why, in words."""
        pairs = zip_longest(self.not_minima, self.not_minima_reasons)
        return tuple(
            f"minimum {index} set aside: {reason or 'no reason recorded'}"
            for index, reason in pairs
        )


class LeavingGroup(Model):
    """The atoms of a cluster that one of its states lacks, and how they vibrate."""

    state: str
    atoms: tuple[int, ...] = Field(
        default=(), description="Of the cluster's lowest isomer, counted from 0"
    )
    frequencies_cm1: tuple[float, ...] = ()
    imaginary_cm1: tuple[float, ...] = ()
    hessian_asymmetry_ev_per_a2: float | None = None
    fmax_ev_per_a: float | None = None
    force_error_ev_per_a: float | None = Field(
        default=None,
        description="Force less slope of the energy along one random direction",
    )
    reason: str = Field(default="", description="Why there are no vibrations")


class LeavingRecord(Record):
    """Vibrations of what leaves a cluster for its states, all other atoms frozen."""

    stage: Literal["leaving"] = "leaving"
    cluster: str
    level: LevelSpec | None
    isomer: str | None = Field(default=None, description="Of the cluster, by name")
    groups: tuple[LeavingGroup, ...] = ()
