"""Stage edges: vertical IP and EA of a cluster, and later what they can drive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import check_elements
from clusterflow.errors import EngineError, RecordError
from clusterflow.formula import lowest_multiplicity
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import GAS_PHASE_FLAGS, EdgesRecord, RelaxRecord
from clusterflow.records.profiles import BandEdges
from clusterflow.records.provenance import EDITED_FLAG
from clusterflow.science.reactions.band_edges import (
    band_edge_potential,
    drive_couple,
    drive_reaction,
    electron_affinity,
    ionisation_energy,
)
from clusterflow.science.reactions.che import Electrode
from clusterflow.science.reactions.couples import couples
from clusterflow.science.reactions.transfers import direction
from clusterflow.science.thermochemistry.validity import broken_limits, situation_of
from clusterflow.settings import EdgesSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.levels import DomainSpec, LevelSpec
    from clusterflow.library.reactions import BandEdge
    from clusterflow.records.clusters import Isomer
    from clusterflow.records.profiles import CheRecord, ReactionResult
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job

# A number, or the reason why there is none.
Value = float | str


def edges(
    relaxed: RelaxRecord,
    ip_ea_level: LevelSpec,
    domain: Sequence[DomainSpec],
    job: Job,
) -> EdgesRecord:
    """Vertical IP and EA of the lowest isomer, and its orbitals from the relaxation.

    The record has failed where there is neither IP nor EA. Limits of the domain table
    that are broken stand among its flags.
    """
    job.settings = {"level": ip_ea_level.name}
    isomer = relaxed.isomers[0] if relaxed.isomers else None
    limits = (
        _find_broken_limits(isomer.structure, ip_ea_level, domain) if isomer else []
    )
    values: dict[str, Value]
    if isomer is None:
        values = dict.fromkeys(_VALUES, f"no relaxed isomer: {relaxed.reason}")
    else:
        values = _compute_ip_ea(isomer.structure, ip_ea_level, limits, job)
        values |= _read_orbitals(isomer, relaxed.level)
    reasons = {k: v for k, v in values.items() if isinstance(v, str)}
    failed = "ip_ev" in reasons and "ea_ev" in reasons
    why = dict.fromkeys(reasons[k] for k in ("ip_ev", "ea_ev") if k in reasons)
    return EdgesRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        ip_ea_level=ip_ea_level,
        isomer=isomer.structure.name if isomer else None,
        charge=isomer.structure.charge if isomer else None,
        multiplicity=isomer.structure.multiplicity if isomer else None,
        **{k: v for k, v in values.items() if isinstance(v, float)},
        reasons=reasons,
        flags=(*GAS_PHASE_FLAGS, *(limit.name for limit in limits)),
        status="failed" if failed else "ok",
        reason="; ".join(why) if failed else "",
        provenance=job.provenance(ip_ea_level),
    )


_TOTALS = ("energy_ev", "cation_energy_ev", "anion_energy_ev")
_VALUES = (
    *_TOTALS,
    *("ip_ev", "ea_ev", "fundamental_gap_ev"),
    *("homo_ev", "lumo_ev", "orbital_gap_ev"),
)


def _find_broken_limits(
    structure: Structure, level: LevelSpec, domain: Sequence[DomainSpec]
) -> list[DomainSpec]:
    here = situation_of(level, "edges", structure, host=structure)
    return broken_limits(here, domain)


def _compute_ip_ea(
    structure: Structure, level: LevelSpec, limits: Sequence[DomainSpec], job: Job
) -> dict[str, Value]:
    """Total energies of N, N − 1 and N + 1 electrons, and what follows from them."""
    offset = level.ip_ea_offset_ev
    why_not = _why_no_ip_ea(structure, level, limits)
    if why_not is not None or offset is None:
        keys = (*_TOTALS, "ip_ev", "ea_ev", "fundamental_gap_ev")
        return dict.fromkeys(keys, why_not or "")
    energy, cation, anion = (
        _compute_total_energy(structure, more, level, job) for more in (0, 1, -1)
    )
    ip = _combine_values(energy, cation, lambda n, p: ionisation_energy(n, p, offset))
    ea = _combine_values(energy, anion, lambda n, m: electron_affinity(n, m, offset))
    if isinstance(ip, float) and isinstance(ea, float) and ip < ea:
        # IPEA1-xTB converges to energies hundreds of eV too low where its diffuse
        # functions overlap too much or the charge is high.
        ip = ea = (
            f"the SCF converged, but IP {ip:.2f} eV lies below EA {ea:.2f} eV, which "
            "no stable cluster does"
        )
    return {
        **dict(zip(_TOTALS, (energy, cation, anion), strict=True)),
        "ip_ev": ip,
        "ea_ev": ea,
        "fundamental_gap_ev": _combine_values(ea, ip, lambda low, high: high - low),
    }


def _why_no_ip_ea(
    structure: Structure, level: LevelSpec, limits: Sequence[DomainSpec]
) -> str | None:
    """Why a level gives no IP and EA of a structure."""
    if structure.cell is not None:
        return "a periodic cell with a charge has no total energy"
    if level.ip_ea_offset_ev is None:
        return (
            f"level {level.name} has no ip_ea_offset_ev: the self-interaction offset "
            "of its IP and EA is not known"
        )
    if level.solvent is not None:
        return f"level {level.name} has a solvent; band edges are of the gas phase"
    lowest = _find_lowest_multiplicity(structure.symbols, structure.charge)
    if structure.multiplicity > lowest and not level.spin_polarised:
        return (
            f"multiplicity {structure.multiplicity} beside ions of lowest spin: level "
            f"{level.name} has no spin polarisation to compare them"
        )
    refused = next((limit for limit in limits if limit.refuses), None)
    if refused is not None:
        return f"{refused.name}: {refused.description}; {refused.way_out}"
    try:
        check_elements(level, structure.symbols, structure.name)
    except EngineError as error:
        return str(error)
    return None


def _compute_total_energy(
    structure: Structure, more: int, level: LevelSpec, job: Job
) -> Value:
    """Energy with the charge raised by `more`, in the lowest spin parity allows."""
    charge = structure.charge + more
    multiplicity = (
        _find_lowest_multiplicity(structure.symbols, charge)
        if more
        else structure.multiplicity
    )
    atoms = to_atoms(structure)
    atoms.calc = job.calculator(level, charge, multiplicity)
    try:
        return float(atoms.get_potential_energy())
    except CalculationFailed as error:
        why = " ".join(str(error).split()) or "the SCF did not converge"
        return f"scf-failed at charge {charge:+d}: {why}"


def _find_lowest_multiplicity(symbols: Sequence[str], charge: int) -> int:
    return lowest_multiplicity(Counter(symbols), charge)


def _read_orbitals(isomer: Isomer, level: LevelSpec | None) -> dict[str, Value]:
    """HOMO, LUMO and the gap between them, at the level of the relaxation."""
    none = (
        f"engine {level.engine} of level {level.name} gives no orbital energies"
        if level
        else "no level"
    )
    homo: Value = none if isomer.homo_ev is None else isomer.homo_ev
    lumo: Value = none if isomer.lumo_ev is None else isomer.lumo_ev
    gap = _combine_values(homo, lumo, lambda low, high: high - low)
    return {"homo_ev": homo, "lumo_ev": lumo, "orbital_gap_ev": gap}


def _combine_values(
    first: Value, second: Value, combine: Callable[[float, float], float]
) -> Value:
    """What follows from two values, or the reason of the one that is missing."""
    if isinstance(first, str):
        return first
    return second if isinstance(second, str) else combine(first, second)


def add_band_edges(
    che: CheRecord,
    record: EdgesRecord,
    library: Library,
    *,
    absolute_she_v: float,
    ph: float,
    temperature_k: float,
) -> CheRecord:
    """The profiles of a cluster, with what its band edges can drive of them.

    Raises
    ------
    RecordError
        If the edges are those of another cluster.
    """
    if record.cluster != che.cluster:
        raise RecordError(
            f"edges record of {record.cluster} beside the profiles of {che.cluster}; "
            "give records of one cluster"
        )
    found = band_edges(
        record,
        library,
        che.results,
        absolute_she_v=absolute_she_v,
        ph=ph,
        temperature_k=temperature_k,
    )
    return che.model_copy(update={"edges": found})


def band_edges(
    record: EdgesRecord,
    library: Library,
    results: Sequence[ReactionResult] = (),
    *,
    absolute_she_v: float,
    ph: float,
    temperature_k: float,
) -> BandEdges:
    """A cluster's edges as electrode potentials, and what they can drive.

    Parameters
    ----------
    record
        Vertical IP and EA.
    library
        Has the redox couples.
    results
        Reactions on the cluster; their steps are moved to the conduction edge, those of
        an oxidation to the valence edge.
    absolute_she_v
        Absolute potential of the standard hydrogen electrode, V.
    ph, temperature_k
        Of the electrolyte, K.
    """

    def electrode(energy_ev: float | None) -> Electrode | None:
        if energy_ev is None:
            return None
        return Electrode(
            potential_v=band_edge_potential(energy_ev, absolute_she_v),
            scale="she",
            ph=ph,
            temperature_k=temperature_k,
        )

    edge: dict[BandEdge, Electrode | None] = {
        "conduction": electrode(record.ea_ev),
        "valence": electrode(record.ip_ev),
    }
    why: dict[BandEdge, str] = {
        "conduction": record.reasons.get("ea_ev", ""),
        "valence": record.reasons.get("ip_ev", ""),
    }
    on_she = {name: e.potential_she_v if e else None for name, e in edge.items()}
    on_rhe = {name: e.potential_rhe_v if e else None for name, e in edge.items()}
    return BandEdges(
        absolute_she_v=absolute_she_v,
        ph=ph,
        temperature_k=temperature_k,
        conduction_v_she=on_she["conduction"],
        conduction_v_rhe=on_rhe["conduction"],
        valence_v_she=on_she["valence"],
        valence_v_rhe=on_rhe["valence"],
        couples=tuple(
            drive_couple(
                couple.name,
                couple.edge,
                couple.potential_v_she,
                on_she[couple.edge],
                reason=why[couple.edge] or couple.reason,
            )
            for couple in couples(library, ph=ph, temperature_k=temperature_k)
        ),
        reactions=tuple(
            drive_reaction(result, edge[of], reason=why[of])
            for result in results
            for of in (_choose_edge(result),)
        ),
    )


def _choose_edge(result: ReactionResult) -> BandEdge:
    """The edge whose carriers drive a reaction: holes an oxidation, else electrons."""
    return "valence" if direction(result.steps) < 0 else "conduction"


def describe(record: EdgesRecord, view: BandEdges) -> str:
    """The edges and the couples as text for a terminal."""
    level = record.level.name if record.level else "no level"
    lines = [
        f"{record.cluster}: IP and EA by {record.ip_ea_level.name}, "
        f"orbitals by {level} ({', '.join(record.flags)})",
        _format_edge_line("IP", record, "ip_ev", "valence", view),
        _format_edge_line("EA", record, "ea_ev", "conduction", view),
        _format_value_line("IP - EA", record, "fundamental_gap_ev"),
        _format_value_line("HOMO", record, "homo_ev"),
        _format_value_line("LUMO", record, "lumo_ev"),
        _format_value_line("LUMO - HOMO", record, "orbital_gap_ev"),
        f"  couples at pH {view.ph:g}, V vs SHE",
    ]
    for couple in view.couples:
        if couple.potential_v_she is None:
            lines.append(f"  none    {couple.couple:12} {couple.reason}")
            continue
        verdict = {True: "driven", False: "not driven", None: "no value"}[couple.driven]
        margin = "" if couple.margin_v is None else f" ({couple.margin_v:+.2f} V)"
        lines.append(
            f"  {couple.potential_v_she:+.3f}  {couple.couple:12} "
            f"{verdict} by the {couple.edge} edge{margin}"
        )
    return "\n".join(lines)


def _format_value_line(label: str, record: EdgesRecord, key: str) -> str:
    value = getattr(record, key)
    shown = f"{value:8.3f} eV" if value is not None else f"none: {record.reasons[key]}"
    return f"  {label:12}{shown}"


def _format_edge_line(
    label: str, record: EdgesRecord, key: str, edge: str, view: BandEdges
) -> str:
    line = _format_value_line(label, record, key)
    she = getattr(view, f"{edge}_v_she")
    if she is None:
        return line
    rhe = getattr(view, f"{edge}_v_rhe")
    return f"{line}   {edge} edge {she:+.3f} V vs SHE, {rhe:+.3f} V vs RHE"


def run(inputs: Inputs, job: Job) -> EdgesRecord:
    """Compute the band edges of a relaxed cluster."""
    level = inputs.library.level(inputs.settings(EdgesSettings).level)
    record = edges(inputs.one(RelaxRecord), level, inputs.library.domain(), job)
    return record.flagged(EDITED_FLAG) if job.edited else record


def give_up(inputs: Inputs, job: Job, reason: str) -> EdgesRecord:
    """No edges, because the job that was to compute them crashed."""
    relaxed = inputs.one(RelaxRecord)
    level = inputs.library.level(inputs.settings(EdgesSettings).level)
    return EdgesRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        ip_ea_level=level,
        reasons=dict.fromkeys(_VALUES, reason),
        status="failed",
        reason=reason,
        provenance=job.provenance(level),
    )
