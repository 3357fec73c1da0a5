"""The record of stage claims: what the samples say of a claim, level by level."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field

from clusterflow.library.claims import ClaimSpec
from clusterflow.model import Model
from clusterflow.records.provenance import Record

Verdict = Literal["supported", "contradicted", "undecided", "not computed"]


class DecidingSpecies(Model):
    """A species whose error carries a share of the variance of what is claimed."""

    cluster: str = Field(description="Empty for a molecule, which all clusters share")
    species: str
    share: float = Field(description="Of the variance, by linear regression on all")
    deviation_ev: float
    needed_ev: float | None = Field(
        description="Deviation with which all of them together decide the claim, if "
        "the best estimates stay; null: they do not decide it"
    )


class Judgement(Model):
    """What the joint samples say; without a probability there is a reason.

    Median and 90 % interval are of the quantities, left less right, in the unit of the
    claim; of a product they are its lead on the next one, V. A step has none.
    """

    verdict: Verdict
    probability: float | None = Field(
        default=None, description="That the claim holds; a tie counts half"
    )
    published_probability: float | None = Field(
        default=None, description="Of lying within the tolerance of what is published"
    )
    median: float | None = None
    lower: float | None = Field(default=None, description="5th percentile")
    upper: float | None = Field(default=None, description="95th percentile")
    deciding: tuple[DecidingSpecies, ...] = ()
    not_included: tuple[str, ...] = Field(
        default=(), description="Named deviations that nothing computed could give"
    )
    reason: str = ""


class LevelVerdict(Model):
    """The judgement at one level, or at one composite level."""

    level: str
    is_composite: bool = Field(description="Electronic energies by DFT")
    temperature_k: float | None
    basis: Literal["screening", "calibrated"] | None = Field(
        default=None, description="As that of a limiting potential"
    )
    judgement: Judgement
    flags: tuple[str, ...] = Field(
        default=(), description="Of what it rests on, as `CLUSTER species: flag`"
    )


class ClaimRecord(Record):
    """A claim, and its verdict at each level that the study has."""

    stage: Literal["claims"] = "claims"
    claim: ClaimSpec
    quantities: str = Field(description="What is claimed about, left less right")
    unit: str = Field(description="Of median and interval; empty: they have none")
    verdicts: tuple[LevelVerdict, ...]

    def flagged(self, flag: str) -> Self:
        """The record with a flag at each verdict."""
        verdicts = (
            one
            if flag in one.flags
            else one.model_copy(update={"flags": (*one.flags, flag)})
            for one in self.verdicts
        )
        return self.model_copy(update={"verdicts": tuple(verdicts)})
