"""What gates look at, and the verdicts they give."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from clusterflow.formula import parse_formula

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clusterflow.library.common import AtomLine
    from clusterflow.records.adsorption import AdsorbRecord, Minimum, PoolRecord
    from clusterflow.records.clusters import BuildRecord, Isomer, RelaxRecord
    from clusterflow.records.energies import ThermoRecord
    from clusterflow.records.profiles import CheRecord
    from clusterflow.records.provenance import Provenance
    from clusterflow.records.refinements import (
        RefineBareRecord,
        RefinedThermoRecord,
        RefineGasRecord,
        RefineRecord,
    )
    from clusterflow.records.vibrations import GasRecord, VibrateRecord

Verdict = Literal["PASS", "FAIL", "WARN", "SKIP", "UNVERIFIABLE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One verdict, with the number behind it.

    A numeric `limit` is the largest allowed |value|; other limits are words. `culprit`
    is the step to blame, if there is one.
    """

    name: str
    verdict: Verdict
    subject: str
    value: float | str | None = None
    limit: float | str | None = None
    detail: str = ""
    culprit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Enthalpy of formation (kJ/mol) and entropy (J/mol/K) at 298.15 K, 1 bar."""

    enthalpy_kj_per_mol: float
    entropy_j_per_mol_k: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Substance:
    """What a file of the library says; an adsorbate has a geometry a form.

    `formula` counts where there is no geometry: of solutes, and of adsorbates that only
    a person's own energies use.
    """

    forms: tuple[tuple[AtomLine, ...], ...] = ()
    formula: str = ""
    charge: int = 0
    gas: Measured | None = None
    liquid: Measured | None = None

    @property
    def counts(self) -> Counter[str]:
        """Atoms by element: of the geometry where there is one, not the formula."""
        if not self.forms:
            return parse_formula(self.formula)
        return Counter(line[0] for line in self.forms[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a record was made from.

    `inputs` says of each file whether it is what it was then; None: it is not there.
    """

    record: str
    inputs: Mapping[str, bool | None]
    edited: tuple[str, ...]
    protocol: int
    protocol_now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The records of a study, and what the library says of their substances."""

    origins: tuple[Origin, ...] = ()
    n_unchecked: int = 0
    builds: tuple[BuildRecord, ...] = ()
    relaxations: tuple[RelaxRecord, ...] = ()
    gases: tuple[GasRecord, ...] = ()
    adsorptions: tuple[AdsorbRecord, ...] = ()
    pools: tuple[PoolRecord, ...] = ()
    vibrations: tuple[VibrateRecord, ...] = ()
    thermo: tuple[ThermoRecord, ...] = ()
    che: tuple[CheRecord, ...] = ()
    refined_bare: tuple[RefineBareRecord, ...] = ()
    refined_gases: tuple[RefineGasRecord, ...] = ()
    refined_adsorbates: tuple[RefineRecord, ...] = ()
    refined_thermo: tuple[RefinedThermoRecord, ...] = ()
    molecules: Mapping[str, Substance] = field(default_factory=dict)
    adsorbates: Mapping[str, Substance] = field(default_factory=dict)
    element_entropies_j_per_mol_k: Mapping[str, float] = field(default_factory=dict)


def list_minima(evidence: Evidence) -> Iterator[tuple[str, AdsorbRecord, Minimum]]:
    """Each minimum with its record and its name on verdicts."""
    for record in evidence.adsorptions:
        for number, minimum in enumerate(record.minima, start=1):
            subject = f"{record.cluster}/{record.adsorbate}, minimum {number}"
            yield subject, record, minimum


def list_found_isomers(evidence: Evidence) -> Iterator[tuple[PoolRecord, Isomer]]:
    """Isomers that adsorbates pushed a cluster into; the others are relax records'."""
    for pool in evidence.pools:
        for pooled in (*pool.isomers, *pool.left_out):
            if pooled.found_by is not None:
                yield pool, pooled.isomer


def list_mode_records(
    evidence: Evidence,
) -> Iterator[tuple[str, GasRecord | VibrateRecord]]:
    """Records of vibrations with their names on verdicts."""
    yield from ((name_gas(gas), gas) for gas in evidence.gases)
    yield from ((name_vibrated(v), v) for v in evidence.vibrations)


def name_gas(gas: GasRecord) -> str:
    """The name of a molecule on verdicts."""
    return f"{gas.gas}(g) at {gas.level.name}"


def name_vibrated(vibrated: VibrateRecord) -> str:
    """The name of a vibrating complex on verdicts."""
    return f"{vibrated.cluster}/{vibrated.adsorbate}, vibrating"


def read_setting(provenance: Provenance, key: str) -> float | None:
    """A number of the record's settings; None if it is missing."""
    value = provenance.settings.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return None


def judge_value(
    name: str, subject: str, value: float, limit: float, detail: str
) -> Gate:
    """PASS where |value| is at most the limit, else FAIL."""
    # A value that is no number is not within anything.
    fits, number = abs(value) <= limit, float(value)
    return judge_fit(name, subject, fits, value=number, limit=limit, detail=detail)


def judge_fit(
    name: str,
    subject: str,
    fits: bool,
    *,
    value: float | str | None,
    limit: float | str,
    detail: str = "",
) -> Gate:
    """PASS or FAIL."""
    return Gate(
        name=name,
        verdict="PASS" if fits else "FAIL",
        subject=subject,
        value=value,
        limit=limit,
        detail=detail,
    )


def warn_above(
    name: str, subject: str, value: float, limit: float, detail: str
) -> Gate:
    """PASS where |value| is at most the limit, else WARN: right, but easily misread."""
    gate = judge_value(name, subject, value, limit, detail)
    return gate if gate.verdict == "PASS" else replace(gate, verdict="WARN")


def skip_gate(name: str, subject: str, why: str) -> Gate:
    """SKIP: the gate does not apply."""
    return Gate(name=name, verdict="SKIP", subject=subject, detail=why)


def leave_open(name: str, subject: str, why: str) -> Gate:
    """UNVERIFIABLE: something that the gate needs is missing."""
    return Gate(name=name, verdict="UNVERIFIABLE", subject=subject, detail=why)
