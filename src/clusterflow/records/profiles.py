"""The record of stage che: pathways, limiting potentials, band edges."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from clusterflow.library.clusters import IsomerMode
from clusterflow.library.levels import LevelSpec
from clusterflow.library.reactions import BandEdge, Pcet, ReactionSpec
from clusterflow.model import Model
from clusterflow.records.provenance import Record, Status
from clusterflow.units import Scale


class Step(Model):
    """One elementary step of a pathway, as written and as a free energy."""

    name: str
    n_e: int
    n_h: int
    dg_ev: float | None = Field(description="At the stated potential")
    dg0_ev: float | None = Field(
        description="At 0 V and pH 0, where RHE and SHE are one"
    )
    turning_potential_v: float | None = Field(
        default=None,
        description=(
            "Where an electrochemical step is in balance, on the stated scale: a "
            "reduction is downhill below it"
        ),
    )
    turning_potential_v_rhe: float | None = None
    combined_with: tuple[str, ...] = Field(
        default=(),
        description=(
            "Adsorptions before a transfer of proton and electron, whose climb counts "
            "in it where the limiting potential is judged"
        ),
    )
    reason: str = ""
    flags: tuple[str, ...] = Field(
        default=(), description="Flags of its species, as `name: flag`"
    )


class Pathway(Model):
    """A way through the network, with its limiting potential.

    Potentials are V on the scale that the result states; `_rhe` is always RHE.
    """

    name: str
    steps: tuple[Step, ...]
    levels_ev: tuple[float | None, ...] = Field(
        description="Cumulative free energy at the stated potential, first state 0"
    )
    states: tuple[str, ...]
    complete: bool
    reason: str = ""
    limiting_potential_v: float | None = None
    limiting_potential_v_rhe: float | None = None
    determining_step: str | None = None
    determining_with: tuple[str, ...] = Field(
        default=(), description="Adsorptions whose climb counts in the determining step"
    )
    chemical_bottleneck_ev: float | None = None
    chemical_bottleneck_step: str | None = None

    def climbs_before(self, step: Step) -> tuple[Step, ...]:
        """The adsorptions combined with one of its steps that go uphill."""
        by_name = {s.name: s for s in self.steps}
        combined = (by_name[name] for name in step.combined_with)
        return tuple(s for s in combined if s.dg0_ev is not None and s.dg0_ev > 0)

    def judged_ev(self, step: Step) -> float | None:
        """ΔG at 0 V by which one of its steps is judged, eV: with those climbs."""
        if step.dg0_ev is None:
            return None
        return step.dg0_ev + sum(s.dg0_ev or 0.0 for s in self.climbs_before(step))


class Uncertainty(Model):
    """Distribution of a limiting potential, from sampled errors; V against RHE.

    `basis` is ``calibrated`` where the error of every adsorbate's bond to the cluster
    was measured and taken off, ``dft`` where every adsorbate that may determine it has
    an energy by DFT, and ``screening`` where the error of one is an assumption.
    """

    basis: Literal["screening", "calibrated", "dft"] = "screening"
    median_v_rhe: float
    lower_v_rhe: float = Field(description="5th percentile")
    upper_v_rhe: float = Field(description="95th percentile")
    deviation_v: float
    determining_step_probability: dict[str, float]
    best_pathway_probability: float
    n_samples: int
    not_included: tuple[str, ...] = Field(
        default=(), description="Named deviations that nothing computed could give"
    )


class Selectivity(Model):
    """Distribution of U_L(product) − U_L(HER) on one surface, V.

    Both potentials are of the same samples, so that what they share cancels.
    """

    median_v: float
    lower_v: float = Field(description="5th percentile")
    upper_v: float = Field(description="95th percentile")
    probability: float = Field(
        description="That the product has the higher U_L; a tie counts half"
    )


# How the errors of the gases are dealt with: as the study does, or not at all.
GasReferenceName = Literal["study", "raw"]


class GasReferenceResult(Model):
    """A reaction's best pathway with one way to correct the gases; V against RHE."""

    name: GasReferenceName
    anchors: tuple[str, ...] = Field(description="Gases taken as right")
    limiting_potential_v_rhe: float | None = None
    determining_step: str | None = None
    chemical_bottleneck_ev: float | None = None
    best_pathway: str | None = None
    reason: str = ""


class ReactionResult(Model):
    """All pathways of one reaction on one surface, best first."""

    reaction: str
    equation: str
    product: str
    surface: str
    status: Status
    reason: str = ""
    potential_v: float
    scale: Scale
    ph: float
    temperature_k: float
    pcet: Pcet = Field(
        default="combined",
        description="Whether a transfer is judged with the adsorption before it",
    )
    equilibrium_potential_v_rhe: float | None = None
    limiting_potential_v: float | None = None
    limiting_potential_v_rhe: float | None = Field(
        default=None,
        description="Best estimate: of the mean free energies; see `headline_v_rhe`",
    )
    overpotential_v: float | None = None
    determining_step: str | None = None
    determining_with: tuple[str, ...] = Field(
        default=(), description="Adsorptions whose climb counts in the determining step"
    )
    chemical_bottleneck_ev: float | None = None
    her_limiting_potential_v_rhe: float | None = None
    her_median_v_rhe: float | None = None
    selectivity_v: float | None = Field(
        default=None, description="U_L(product) − U_L(HER), V, of the best estimates"
    )
    selectivity: Selectivity | None = None
    uncertainty: Uncertainty | None = None
    references: tuple[GasReferenceResult, ...] = Field(
        default=(), description="As the study has it, and without gas corrections"
    )
    other_isomers_potential_v_rhe: float | None = Field(
        default=None,
        description="The limiting potential by the other choice of isomers",
    )
    best_pathway: str | None = None
    tied_pathways: tuple[str, ...] = Field(
        default=(),
        description=(
            "Others whose limiting potential is not told from the best one's: within "
            "one standard deviation of the difference, or equal where no error is known"
        ),
    )
    steps: tuple[Step, ...] = Field(default=(), description="Of the best pathway")
    pathways: tuple[Pathway, ...]
    flags: tuple[str, ...] = ()

    @property
    def headline_v_rhe(self) -> float | None:
        """The U_L to read, V against RHE: the median, or without errors the estimate.

        The largest of several uncertain steps is on average larger than the largest of
        their means, so the best estimate may lie beyond the good end of its interval.
        """
        if self.uncertainty is not None:
            return self.uncertainty.median_v_rhe
        return self.limiting_potential_v_rhe

    @property
    def headline_overpotential_v(self) -> float | None:
        """Equilibrium potential less the U_L to read, V; the reverse if oxidized."""
        potential, equilibrium = self.headline_v_rhe, self.equilibrium_potential_v_rhe
        if potential is None or equilibrium is None:
            return None
        oxidizes = sum(step.n_e for step in self.steps) < 0
        return potential - equilibrium if oxidizes else equilibrium - potential

    def flagged(self, flag: str) -> Self:
        """The result with a flag, which each of its steps has too."""
        pathways = (
            way.model_copy(update={"steps": _flag_steps(way.steps, flag)})
            for way in self.pathways
        )
        return self.model_copy(
            update={
                "flags": _add_flag(self.flags, flag),
                "steps": _flag_steps(self.steps, flag),
                "pathways": tuple(pathways),
            }
        )


def _add_flag(flags: tuple[str, ...], flag: str) -> tuple[str, ...]:
    return flags if flag in flags else (*flags, flag)


def _flag_steps(steps: tuple[Step, ...], flag: str) -> tuple[Step, ...]:
    return tuple(
        step.model_copy(update={"flags": _add_flag(step.flags, flag)}) for step in steps
    )


class CoupleDrive(Model):
    """A redox couple beside the band edge that is to drive it.

    The margin is how far the edge lies beyond the couple, V; negative: not driven.
    """

    couple: str
    edge: BandEdge
    potential_v_she: float | None
    driven: bool | None
    margin_v: float | None
    reason: str = ""


class ReactionDrive(Model):
    """The best pathway of a reaction at the potential of the conduction edge.

    `driven` says whether every electrochemical step is downhill there. Chemical steps
    do not move with the potential; the largest stands beside.
    """

    reaction: str
    driven: bool | None
    reason: str = ""
    steps: tuple[Step, ...] = Field(default=(), description="`dg_ev` is at the edge")
    highest_step: str | None = Field(
        default=None,
        description="Electrochemical step with the largest ΔG there, as it is judged",
    )
    highest_step_ev: float | None = None
    chemical_bottleneck_ev: float | None = None


class BandEdges(Model):
    """Gas-phase vertical band edges as electrode potentials, and what they can drive.

    On the SHE scale an edge does not move with the pH; couples do.
    """

    absolute_she_v: float
    ph: float
    temperature_k: float
    conduction_v_she: float | None = Field(description="EA/e less the absolute SHE")
    conduction_v_rhe: float | None
    valence_v_she: float | None = Field(description="IP/e less the absolute SHE")
    valence_v_rhe: float | None
    couples: tuple[CoupleDrive, ...]
    reactions: tuple[ReactionDrive, ...] = ()


class CheRecord(Record):
    """Reaction profiles on one cluster, and what its band edges can drive of them."""

    stage: Literal["che"] = "che"
    cluster: str
    level: LevelSpec | None
    isomers: IsomerMode = "fixed_core_first"
    other_isomers: IsomerMode | None = None
    other_isomers_reason: str = Field(
        default="", description="Why there are no numbers by the other choice"
    )
    networks: tuple[ReactionSpec, ...]
    results: tuple[ReactionResult, ...]
    states: dict[str, str] = Field(
        default_factory=dict,
        description="Clusters that stand for changes of this one: -H, and its name",
    )
    solutes_ev: dict[str, float] = Field(
        default_factory=dict,
        description="Free energies of dissolved species, as of those of thermo, eV",
    )
    edges: BandEdges | None = None

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each reaction and each of its steps."""
        results = tuple(result.flagged(flag) for result in self.results)
        return self.model_copy(update={"results": results})
