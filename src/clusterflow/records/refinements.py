"""Records of DFT energies on geometries of a cheaper level, and what is made of them.

`level` is that of the geometries and of the thermal parts, `dft_level` that of the
electronic energies. Numbers of both together have a composite level, which is written
``pbe-d3-tzvp//gfn1-xtb``.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from clusterflow.library.levels import DeviationSource, LevelSpec
from clusterflow.model import Model
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.provenance import Record
from clusterflow.records.scf import ScfReport
from clusterflow.records.structure import Structure


class SinglePoint(Model):
    """The DFT energy of one geometry, or the reason why there is none."""

    structure: Structure
    energy_ev: float | None = Field(
        description="With the counterpoise correction, where the level asks for it"
    )
    counterpoise_ev: float | None = Field(
        default=None, description="What that correction has added; null: not asked for"
    )
    scf: ScfReport | None = Field(
        default=None, description="How it converged, where the engine says so"
    )
    wall_s: float = Field(default=0.0, description="Counterpoise included")
    reason: str = ""


class RefinedGeometry(Model):
    """A geometry of the level, refined: its lowest state, and others if tried."""

    point: SinglePoint
    other_states: tuple[SinglePoint, ...] = Field(
        default=(), description="At other multiplicities, higher or without an energy"
    )

    @property
    def states(self) -> tuple[SinglePoint, ...]:
        """All of them."""
        return (self.point, *self.other_states)


class RefinedMinimum(RefinedGeometry):
    """The lowest minimum of one way of binding, refined."""

    minimum: int = Field(description="Index into the adsorb record's minima")
    bonds: tuple[str, ...] = Field(description="To the cluster, by kind and element")
    vibrated: bool = Field(
        description="The geometry is that whose vibrations were computed"
    )


class RefinedIsomer(RefinedGeometry):
    """An isomer of the bare cluster, refined."""

    isomer: str


class RefineGasRecord(Record):
    """The DFT energy of a molecule, at the geometry of a level."""

    stage: Literal["refine_gas"] = "refine_gas"
    gas: str
    level: LevelSpec
    dft_level: LevelSpec
    point: SinglePoint | None
    relaxed: SinglePoint | None = Field(
        default=None, description="Relaxed at that level too, where it is asked for"
    )
    second: SinglePoint | None = Field(
        default=None, description="At refine.second_level, where there is one"
    )


class RefineBareRecord(Record):
    """DFT energies of a bare cluster's isomers, in the order of the relax record."""

    stage: Literal["refine_bare"] = "refine_bare"
    cluster: str
    level: LevelSpec | None
    dft_level: LevelSpec
    isomers: tuple[RefinedIsomer, ...] = ()


class RefineRecord(Record):
    """DFT energies of an adsorbate's minima, one of each way of binding."""

    stage: Literal["refine"] = "refine"
    cluster: str
    adsorbate: str
    level: LevelSpec | None
    dft_level: LevelSpec
    minima: tuple[RefinedMinimum, ...] = ()


class RecomputedMinimum(Model):
    """The energy of an adsorbate's lowest minimum, computed once more."""

    adsorbate: str
    minimum: int = Field(description="Index into the adsorb record's minima")
    point: SinglePoint


class Recomputation(Record):
    """What decides computed once more, to see what the first way was off by.

    Of a cluster and the bare one; gases have records of their own.
    """

    cluster: str
    level: LevelSpec | None
    dft_level: LevelSpec
    bare: SinglePoint | None = None
    minima: tuple[RecomputedMinimum, ...] = ()


class RefineRelaxRecord(Recomputation):
    """DFT energies at geometries that were relaxed at the DFT level too."""

    stage: Literal["refine_relax"] = "refine_relax"


class RefineSecondRecord(Recomputation):
    """Energies at a second level, on the same geometries."""

    stage: Literal["refine_second"] = "refine_second"


class CalibrationPoint(Model):
    """The error of the level in the energy of one refined minimum."""

    adsorbate: str
    minimum: int
    bonds: tuple[str, ...]
    error_ev: float = Field(description="Level less composite level")


class BindingDifference(Model):
    """What a second way of computing changes of an adsorbate's binding."""

    adsorbate: str
    source: DeviationSource
    level: str = Field(description="Of the second way")
    binding_ev: float = Field(description="The first way, gases corrected")
    difference_ev: float = Field(
        description="Second less first, each with its own gas corrections"
    )


class RefinedThermoRecord(Record):
    """Free energies of the composite level on one cluster.

    Those of what has no DFT energy are calibrated, and flagged, or holes.
    """

    stage: Literal["refined_thermo"] = "refined_thermo"
    cluster: str
    level: LevelSpec | None
    dft_level: LevelSpec | None
    energies: ThermoRecord
    calibration: tuple[CalibrationPoint, ...] = ()
    differences: tuple[BindingDifference, ...] = Field(
        default=(), description="From second ways of computing what decides"
    )

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each free energy."""
        return self.model_copy(update={"energies": self.energies.flagged(flag)})


class RefinedCheRecord(Record):
    """Reaction profiles of the composite level on one cluster."""

    stage: Literal["refined_che"] = "refined_che"
    cluster: str
    level: LevelSpec | None
    dft_level: LevelSpec | None
    profiles: CheRecord

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each reaction and each of its steps."""
        return self.model_copy(update={"profiles": self.profiles.flagged(flag)})


def name_composite(level: LevelSpec | None, dft_level: LevelSpec | None) -> str:
    """The name of a composite level: electronic energies, then geometries.

    >>> name_composite(None, None)
    'none'
    """
    if level is None or dft_level is None:
        return "none"
    return f"{dft_level.name}//{level.name}"
