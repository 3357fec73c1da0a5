"""Records of what was chosen to be computed by DFT, round by round, and why."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clusterflow.library.levels import LevelSpec
from clusterflow.model import Model
from clusterflow.records.provenance import Record


class PlannedSpecies(Model):
    """An adsorbate on a cluster: chosen in this round or one before, or not."""

    cluster: str
    adsorbate: str
    chosen_in: int | None = Field(description="Round; null: not chosen so far")
    reason: str = Field(description="Why it was chosen, or was not")
    n_points: int = Field(description="Ways of binding, each a point")
    n_basis: int | None = Field(description="Basis functions of one of them")
    expected_h: float = Field(description="For all of them, of one core")
    spent_h: float = Field(default=0.0, description="What they have taken so far")
    gain_v2: float | None = Field(
        default=None,
        description="What it is expected to take off the variance of the limiting "
        "potentials, weighted by the probability of the cluster to be the best, V²",
    )


class PlannedPotential(Model):
    """A limiting potential as it stands before a round, and as it is expected after.

    The interval is the central 90 % of what DFT may still move: the errors of the level
    in adsorbates without a DFT energy. Those of DFT, gases and vibrations are left out.
    """

    cluster: str
    reaction: str
    median_v_rhe: float
    lower_v_rhe: float
    upper_v_rhe: float
    expected_width_v: float = Field(description="After what this round has chosen")
    determining_step_probability: dict[str, float]
    best_probability: float = Field(
        description="That no other cluster of the study is better in this reaction"
    )

    @property
    def width_v(self) -> float:
        """Of the interval."""
        return self.upper_v_rhe - self.lower_v_rhe


class RefinePlanRecord(Record):
    """What one round chooses, from all that was computed by DFT before."""

    stage: Literal["refine_plan"] = "refine_plan"
    round: int = Field(ge=1)
    dft_level: LevelSpec
    budget_h: float
    spent_h: float = Field(description="By what is finished, of one core")
    until_v: float
    time_factor: float = Field(
        description="By which finished points took longer than the model of time says"
    )
    ends: str = Field(
        default="", description="Why nothing more is chosen; empty: something is"
    )
    species: tuple[PlannedSpecies, ...] = ()
    potentials: tuple[PlannedPotential, ...] = ()

    def planned(self, cluster: str, adsorbate: str) -> PlannedSpecies | None:
        """What it says of one adsorbate on a cluster."""
        return next(
            (
                one
                for one in self.species
                if (one.cluster, one.adsorbate) == (cluster, adsorbate)
            ),
            None,
        )
