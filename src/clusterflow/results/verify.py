"""Checks on the records of a study, and what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from clusterflow.errors import LibraryError
from clusterflow.library.yaml_file import read_yaml
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.clusters import BuildRecord, RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import name_below, sha256
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefinedCheRecord,
    RefinedThermoRecord,
    RefineGasRecord,
    RefineRecord,
)
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.science.checks.evidence import (
    Evidence,
    Gate,
    Measured,
    Origin,
    Substance,
    Verdict,
)
from clusterflow.science.checks.gates import (
    DFT_GATES,
    GATES,
    OWN_GATES,
    REFINED_GATES,
    gate_name,
)
from clusterflow.science.checks.summary import GateSummary, summarise
from clusterflow.stage_table import record_name, stage_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.files import StudyRecords

_MAX_LINES = 20


def verify(records: StudyRecords, library: Library) -> list[Gate]:
    """The verdicts of all gates; one without anything to check is skipped.

    Raises
    ------
    LibraryError
        If an item of the library cannot be read.
    """
    return list(run_gates(records, library))


def run_gates(records: StudyRecords, library: Library) -> Iterator[Gate]:
    """The verdicts of `verify`, one after the other: a large study has many."""
    evidence = evidence_of(records, library)
    refined = replace(
        evidence,
        thermo=tuple(one.energies for one in evidence.refined_thermo),
        che=tuple(one.profiles for one in records.of(RefinedCheRecord)),
    )
    of_own = any(record.own for record in evidence.thermo)
    asked = (
        *GATES,
        *(DFT_GATES if evidence.refined_thermo else ()),
        *(OWN_GATES if of_own else ()),
    )
    for check in asked:
        n_gates = 0
        for gate in check(evidence):
            n_gates += 1
            yield gate
        for gate in check(refined) if check in REFINED_GATES else ():
            n_gates += 1
            yield replace(gate, subject=f"refined/{gate.subject}")
        if not n_gates:
            yield Gate(
                name=gate_name(check),
                verdict="SKIP",
                subject="study",
                detail="no record to check",
            )


def evidence_of(records: StudyRecords, library: Library) -> Evidence:
    """Records, and the library's substances as their files have them.

    The files are read plainly, beside the library's own models, so that a slip there
    does not hide itself.

    Raises
    ------
    LibraryError
        If an item cannot be read.
    """
    return Evidence(
        origins=list_origins(records),
        n_unchecked=records.n_unchecked,
        builds=records.of(BuildRecord),
        relaxations=records.of(RelaxRecord),
        gases=records.of(GasRecord),
        adsorptions=records.of(AdsorbRecord),
        pools=records.of(PoolRecord),
        vibrations=records.of(VibrateRecord),
        thermo=records.of(ThermoRecord),
        che=records.of(CheRecord),
        refined_bare=records.of(RefineBareRecord),
        refined_gases=records.of(RefineGasRecord),
        refined_adsorbates=records.of(RefineRecord),
        refined_thermo=records.of(RefinedThermoRecord),
        molecules={
            name: _read_substance(path) for name, path in library.paths("gases").items()
        }
        | {
            f"{name}(aq)": _read_substance(path)
            for name, path in library.paths("solutes").items()
        },
        adsorbates={
            name: _read_substance(path)
            for name, path in library.paths("adsorbates").items()
        },
        element_entropies_j_per_mol_k={
            name: _read_element_entropy(path)
            for name, path in library.paths("elements").items()
        },
    )


def list_origins(records: StudyRecords) -> tuple[Origin, ...]:
    """What each record was made from, compared with the files that are there."""
    origins = []
    found: dict[str, str | None] = {}
    for record in records.records:
        inputs = record.provenance.inputs
        for name in inputs.keys() - found.keys():
            found[name] = _hash_input(name, records)
        origin = Origin(
            record=record_name(record).with_suffix("").as_posix(),
            inputs={
                name: None if found[name] is None else found[name] == was
                for name, was in inputs.items()
            },
            edited=record.provenance.edited,
            protocol=record.provenance.protocol,
            protocol_now=stage_named(record.stage).protocol,
        )
        origins.append(origin)
    return tuple(origins)


def _hash_input(name: str, records: StudyRecords) -> str | None:
    """The hash of an input as it is now; None if it is not there.

    Records are looked for below the results folder, wherever that was moved to.
    """
    if (below := name_below(name, records.hashes)) is not None:
        return records.hashes[below]
    path = Path(name)
    if path.suffix == ".json":
        if "rounds" not in path.parts:
            return None
        path = records.folder.joinpath(*path.parts[path.parts.index("rounds") :])
    return sha256(path) if path.is_file() else None


def _read_item(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise LibraryError(f"{path}: holds no keys; see structures/README.md")
    return content


def _read_substance(path: Path) -> Substance:
    """A gas (`atoms`), an adsorbate (`forms`), or what has a formula alone."""
    content = _read_item(path)
    try:
        if "atoms" in content:
            geometries = [content["atoms"]]
        else:
            geometries = [form["atoms"] for form in content.get("forms", ())]
        return Substance(
            formula=content["formula"],
            forms=tuple(
                tuple((str(s), float(x), float(y), float(z)) for s, x, y, z in atoms)
                for atoms in geometries
            ),
            charge=int(content.get("charge", 0)),
            gas=_parse_measured_data(content.get("experiment")),
            liquid=_parse_measured_data(content.get("liquid")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LibraryError(
            f"{path}: not a gas or an adsorbate ({error!r}); run `clusterflow check`"
        ) from None


def _parse_measured_data(data: dict[str, Any] | None) -> Measured | None:
    if data is None:
        return None
    return Measured(
        enthalpy_kj_per_mol=float(data["enthalpy_kj_per_mol"]),
        entropy_j_per_mol_k=float(data["entropy_j_per_mol_k"]),
    )


def _read_element_entropy(path: Path) -> float:
    try:
        return float(_read_item(path)["entropy_j_per_mol_k"])
    except (KeyError, TypeError, ValueError) as error:
        raise LibraryError(f"{path}: not an element ({error!r})") from None


def exit_code(gates: Sequence[Gate]) -> int:
    """1 where anything failed, else 0: what cannot be checked is no failure."""
    return int(any(gate.verdict == "FAIL" for gate in gates))


def describe(gates: Sequence[Gate]) -> str:
    """The verdicts as text: one line a gate, then what failed or stays open."""
    return "\n".join(
        line for summary in summarise(gates) for line in _describe_summary(summary)
    )


def _describe_summary(summary: GateSummary) -> Iterator[str]:
    counts = summary.counts
    shown = "  ".join(f"{v} {counts[v]}" for v in get_args(Verdict) if counts.get(v))
    yield f"{summary.name:<17} {shown}{_describe_worst(summary)}"
    for gate in summary.noted[:_MAX_LINES]:
        value = _format_gate_value(gate)
        yield f"  {gate.verdict} {gate.subject}: {value}{gate.detail}"
    if len(summary.noted) > _MAX_LINES:
        yield f"  and {len(summary.noted) - _MAX_LINES} more"
    if summary.skipped:
        yield f"  SKIP {summary.first.subject}: {summary.first.detail}"


def _describe_worst(summary: GateSummary) -> str:
    """The value nearest to its limit or furthest beyond it; an example of words."""
    gate = summary.worst
    if gate is not None:
        return f"  worst {gate.value:.3g}, limit {gate.limit:.3g}: {gate.subject}"
    found = summary.example
    return f"  e.g. {found.value}: {found.subject}" if found else ""


def _format_gate_value(gate: Gate) -> str:
    if gate.value is None:
        return ""
    value, limit = (
        f"{x:.4g}" if isinstance(x, float) else x for x in (gate.value, gate.limit)
    )
    return f"{value} (limit {limit}) "
