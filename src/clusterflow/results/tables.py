"""The tables a person opens: rows from records, one function a table."""

from __future__ import annotations

import csv
import itertools
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.clusters import EdgesRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefinedCheRecord,
    RefinedThermoRecord,
    name_composite,
)
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.results.claims import claims
from clusterflow.results.columns import LAYER_COLUMNS, TABLE_COLUMNS
from clusterflow.results.ranking import composite_key
from clusterflow.science.adsorption.chosen_minimum import choose_minimum, why_no_minimum
from clusterflow.science.reactions.che import Electrode
from clusterflow.science.uncertainty.comparison import contenders, probability_a_beats_b

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import (
        CoupleDrive,
        ReactionDrive,
        ReactionResult,
    )
    from clusterflow.science.uncertainty.comparison import Contender

Cell = str | float | int | bool | None
Row = dict[str, Cell]

# Wide ones too, which spreadsheets of East Asia read as the narrow ones.
_STARTS_OF_FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_REFINED_ENERGY_CELLS = (
    *("refined_level", "refined_energy_ev", "refined_formation_ev"),
    *("refined_flags", "refined_reason"),
)


def energies(records: StudyRecords) -> Iterator[Row]:
    """One row a species and cluster: every term of its free energy, and its status."""
    refined = {one.cluster: one for one in records.of(RefinedThermoRecord)}
    for thermo in records.of(ThermoRecord):
        for s in thermo.species:
            terms = s.terms.model_dump() if s.terms else {}
            yield {
                "cluster": thermo.cluster,
                "level": thermo.level.name if thermo.level else None,
                "level_hash": thermo.level.hash if thermo.level else None,
                "species": s.name,
                "status": s.status,
                "temperature_k": thermo.temperature_k,
                "energy_ev": terms.get("energy_ev"),
                "zpe_ev": terms.get("zpe_ev"),
                "thermal_ev": terms.get("thermal_ev"),
                "minus_ts_ev": terms.get("minus_ts_ev"),
                "minus_ts_undamped_ev": terms.get("minus_ts_undamped_ev"),
                "zpe_undamped_ev": terms.get("zpe_undamped_ev"),
                "thermal_undamped_ev": terms.get("thermal_undamped_ev"),
                "model": terms.get("model"),
                "fallback_reason": terms.get("fallback_reason"),
                **{column: s.layers.get(n) for column, n in LAYER_COLUMNS.items()},
                "gibbs_ev": s.gibbs_ev,
                "formation_ev": s.formation_ev,
                "formation_uncorrected_ev": s.formation_uncorrected_ev,
                "de_placed_ev": s.de_placed_ev,
                "de_host_ev": s.de_host_ev,
                "de_pool_ev": s.de_pool_ev,
                **_make_refined_energy_cells(refined.get(thermo.cluster), s.name),
                "flags": " ".join(s.flags),
                "reason": s.reason,
            }


def _make_refined_energy_cells(
    refined: RefinedThermoRecord | None, species: str
) -> Row:
    """The free energy of the composite level; empty in a study that refines nothing."""
    found = refined.energies.species if refined else ()
    own = next((s for s in found if s.name == species), None)
    if refined is None or own is None:
        return dict.fromkeys(_REFINED_ENERGY_CELLS)
    energy = own.terms.energy_ev if own.terms else None
    flags, level = " ".join(own.flags), name_composite(refined.level, refined.dft_level)
    cells = (level, energy, own.formation_ev, flags, own.reason)
    return dict(zip(_REFINED_ENERGY_CELLS, cells, strict=True))


def minima(records: StudyRecords) -> Iterator[Row]:
    """One row a minimum: its electronic energies against three bare clusters."""
    for thermo in records.of(ThermoRecord):
        for m in thermo.minima:
            yield {
                "cluster": thermo.cluster,
                "level": thermo.level.name if thermo.level else None,
                "level_hash": thermo.level.hash if thermo.level else None,
                **m.model_dump(exclude={"adsorbate"}),
                "species": f"*{m.adsorbate}",
            }


def isomers(records: StudyRecords) -> Iterator[Row]:
    """One row an isomer of a bare cluster, with its Boltzmann weight."""
    for thermo in records.of(ThermoRecord):
        for isomer in thermo.isomer_weights:
            yield {
                "cluster": thermo.cluster,
                "level": thermo.level.name if thermo.level else None,
                "level_hash": thermo.level.hash if thermo.level else None,
                "temperature_k": thermo.temperature_k,
                **isomer.model_dump(),
            }


def steps(records: StudyRecords) -> Iterator[Row]:
    """One row an elementary step, for every pathway; rank 1 is the best."""
    for che in records.of(CheRecord):
        for result in che.results:
            for rank, pathway in enumerate(result.pathways, start=1):
                for number, step in enumerate(pathway.steps, start=1):
                    yield {
                        "cluster": che.cluster,
                        "level": che.level.name if che.level else None,
                        "reaction": result.reaction,
                        "pathway_rank": rank,
                        "pathway": pathway.name,
                        "step_number": number,
                        "step": step.name,
                        "n_e": step.n_e,
                        "n_h": step.n_h,
                        "dg_0v_rhe_ev": step.dg0_ev,
                        "dg_ev": step.dg_ev,
                        "potential_v": result.potential_v,
                        "scale": result.scale,
                        "ph": result.ph if result.scale != "rhe" else None,
                        "turning_potential_v_rhe": step.turning_potential_v_rhe,
                        "turning_potential_v_she": _convert_to_she(
                            step.turning_potential_v_rhe, result
                        ),
                        "determining": step.name == pathway.determining_step,
                        "combined_with": "; ".join(step.combined_with),
                        "flags": "; ".join(step.flags),
                        "reason": step.reason,
                    }


def potentials(records: StudyRecords) -> Iterator[Row]:
    """One row a reaction and cluster: limiting potential and what goes with it."""
    refined = {one.cluster: one for one in records.of(RefinedCheRecord)}
    for che in records.of(CheRecord):
        for r in che.results:
            yield {
                "cluster": che.cluster,
                "level": che.level.name if che.level else None,
                "reaction": r.reaction,
                "product": r.product,
                "status": r.status,
                "isomers": che.isomers,
                "temperature_k": r.temperature_k,
                "ph": r.ph,
                **_make_potential_cells(r),
                "other_isomers": che.other_isomers,
                "other_isomers_limiting_potential_v_rhe": (
                    r.other_isomers_potential_v_rhe
                ),
                "determining_step": r.determining_step,
                "determining_with": "; ".join(r.determining_with),
                "chemical_bottleneck_ev": r.chemical_bottleneck_ev,
                **_make_raw_cells(r),
                **_make_selectivity_cells(r),
                "best_pathway": r.best_pathway,
                "n_tied_pathways": len(r.tied_pathways),
                **_make_runner_up_cells(r),
                **_make_refined_cells(refined.get(che.cluster), r.reaction),
                "flags": "; ".join(r.flags),
                "reason": r.reason,
            }


def _make_refined_cells(refined: RefinedCheRecord | None, reaction: str) -> Row:
    """What the composite level says; empty in a study that refines nothing."""
    found = refined.profiles.results if refined else ()
    own = next((r for r in found if r.reaction == reaction), None)
    level = name_composite(refined.level, refined.dft_level) if refined else None
    interval = own.uncertainty if own else None
    return {
        "refined_level": level,
        "refined_limiting_potential_median_v_rhe": (
            interval.median_v_rhe if interval else None
        ),
        "refined_limiting_potential_p05_v_rhe": (
            interval.lower_v_rhe if interval else None
        ),
        "refined_limiting_potential_p95_v_rhe": (
            interval.upper_v_rhe if interval else None
        ),
        "refined_limiting_potential_best_estimate_v_rhe": (
            own.limiting_potential_v_rhe if own else None
        ),
        "refined_uncertainty_basis": interval.basis if interval else None,
        "refined_determining_step": own.determining_step if own else None,
        "refined_flags": "; ".join(own.flags) if own else None,
        "refined_reason": own.reason if own else None,
    }


def _make_raw_cells(result: ReactionResult) -> Row:
    """The limiting potential without gas corrections; a hole where there is none."""
    raw = next((r for r in result.references if r.name == "raw"), None)
    return {
        "raw_limiting_potential_v_rhe": raw.limiting_potential_v_rhe if raw else None,
        "raw_determining_step": raw.determining_step if raw else None,
    }


def _make_potential_cells(result: ReactionResult) -> Row:
    """The limiting potential: what the samples say, beside the best estimate."""
    found, estimate = result.uncertainty, result.limiting_potential_v_rhe
    median = found.median_v_rhe if found else None
    return {
        "limiting_potential_median_v_rhe": median,
        "limiting_potential_p05_v_rhe": found.lower_v_rhe if found else None,
        "limiting_potential_p95_v_rhe": found.upper_v_rhe if found else None,
        "limiting_potential_best_estimate_v_rhe": estimate,
        "limiting_potential_median_v_she": _convert_to_she(median, result),
        "limiting_potential_best_estimate_v_she": _convert_to_she(estimate, result),
        "uncertainty_basis": found.basis if found else None,
        "uncertainty_without": " ".join(found.not_included) if found else None,
        "overpotential_median_v": result.headline_overpotential_v if found else None,
        "overpotential_best_estimate_v": result.overpotential_v,
        "equilibrium_potential_v_rhe": result.equilibrium_potential_v_rhe,
    }


def _make_selectivity_cells(result: ReactionResult) -> Row:
    """How far the product is ahead of hydrogen."""
    found = result.selectivity
    return {
        "her_limiting_potential_median_v_rhe": result.her_median_v_rhe,
        "her_limiting_potential_best_estimate_v_rhe": (
            result.her_limiting_potential_v_rhe
        ),
        "selectivity_median_v": found.median_v if found else None,
        "selectivity_p05_v": found.lower_v if found else None,
        "selectivity_p95_v": found.upper_v if found else None,
        "probability_ahead_of_her": found.probability if found else None,
        "selectivity_best_estimate_v": result.selectivity_v,
    }


def edges(records: StudyRecords) -> Iterator[Row]:
    """One row a cluster: its gas-phase vertical edges, and what they drive."""
    views = {che.cluster: che.edges for che in records.of(CheRecord)}
    for e in records.of(EdgesRecord):
        view = views.get(e.cluster)
        yield {
            "cluster": e.cluster,
            "level": e.level.name if e.level else None,
            "ip_ea_level": e.ip_ea_level.name,
            "charge": e.charge,
            "ip_ev": e.ip_ev,
            "ea_ev": e.ea_ev,
            "fundamental_gap_ev": e.fundamental_gap_ev,
            "homo_ev": e.homo_ev,
            "lumo_ev": e.lumo_ev,
            "orbital_gap_ev": e.orbital_gap_ev,
            "conduction_v_she": view.conduction_v_she if view else None,
            "valence_v_she": view.valence_v_she if view else None,
            "conduction_v_rhe": view.conduction_v_rhe if view else None,
            "valence_v_rhe": view.valence_v_rhe if view else None,
            "absolute_she_v": view.absolute_she_v if view else None,
            "ph": view.ph if view else None,
            "couples_driven": _join_driven(view.couples, "couple") if view else None,
            "reactions_driven": _join_driven(view.reactions, "reaction")
            if view
            else None,
            "flags": " ".join(e.flags),
            "status": e.status,
            "reason": "; ".join(dict.fromkeys(e.reasons.values())),
        }


def _join_driven(drives: Sequence[CoupleDrive | ReactionDrive], name: str) -> str:
    return " ".join(getattr(drive, name) for drive in drives if drive.driven)


def rankings(records: StudyRecords) -> Iterator[Row]:
    """One row a pair of clusters of one reaction and level, the better one first.

    Of each reaction and level those of the best, at most fifty. Composite levels come
    last, under their names.
    """
    found = contenders(records.of(ThermoRecord), records.of(CheRecord))
    yield from _list_pairs(found)
    refined: dict[tuple[str, str], list[RefinedCheRecord]] = {}
    for one in records.of(RefinedCheRecord):
        if one.level is not None and one.dft_level is not None:
            key = composite_key(one.level, one.dft_level)
            refined.setdefault(key, []).append(one)
    energies = [one.energies for one in records.of(RefinedThermoRecord)]
    for (name, digest), of_level in refined.items():
        found = contenders(energies, [one.profiles for one in of_level])
        for row in _list_pairs(found):
            yield row | {"level": name, "level_hash": digest}


def _list_pairs(groups: Iterable[list[Contender]]) -> Iterator[Row]:
    for group in groups:
        ranked = list(enumerate(group, start=1))
        for (rank, one), (other_rank, other) in itertools.combinations(ranked, 2):
            yield {
                "reaction": one.result.reaction,
                "level": one.level.name,
                "level_hash": one.level.hash,
                "temperature_k": one.result.temperature_k,
                "rank": rank,
                "cluster": one.cluster,
                "limiting_potential_median_v_rhe": one.sampled.best.median_v_rhe,
                "limiting_potential_best_estimate_v_rhe": (
                    one.result.limiting_potential_v_rhe
                ),
                "chemical_bottleneck_ev": one.result.chemical_bottleneck_ev,
                "flags": "; ".join(one.result.flags),
                "other_rank": other_rank,
                "other_cluster": other.cluster,
                "other_limiting_potential_median_v_rhe": (
                    other.sampled.best.median_v_rhe
                ),
                "other_limiting_potential_best_estimate_v_rhe": (
                    other.result.limiting_potential_v_rhe
                ),
                "other_chemical_bottleneck_ev": other.result.chemical_bottleneck_ev,
                "other_flags": "; ".join(other.result.flags),
                "probability_better": probability_a_beats_b(one, other),
                "uncertainty_basis": (
                    one.result.uncertainty.basis if one.result.uncertainty else None
                ),
            }


def _convert_to_she(
    potential_v_rhe: float | None, result: ReactionResult
) -> float | None:
    """A potential against SHE at the result's pH and temperature, V."""
    if potential_v_rhe is None:
        return None
    electrode = Electrode(scale="she", ph=result.ph, temperature_k=result.temperature_k)
    return electrode.from_rhe(potential_v_rhe)


def _make_runner_up_cells(result: ReactionResult) -> Row:
    """The second-best pathway with a limiting potential."""
    second = next((p for p in result.pathways[1:] if p.complete), None)
    return {
        "runner_up_pathway": second.name if second else None,
        "runner_up_limiting_potential_v_rhe": (
            second.limiting_potential_v_rhe if second else None
        ),
        "runner_up_chemical_bottleneck_ev": (
            second.chemical_bottleneck_ev if second else None
        ),
    }


def gas_corrections(records: StudyRecords) -> Iterator[Row]:
    """One row a gas and level: formation computed, measured, and the difference."""
    seen = set()
    for thermo in records.of(ThermoRecord):
        for c in thermo.gas_corrections:
            level = thermo.level.name if thermo.level else None
            if (c.gas, level) in seen:
                continue
            seen.add((c.gas, level))
            yield {
                "gas": c.gas,
                "level": level,
                "computed_ev": c.computed_ev,
                "experiment_ev": c.experiment_ev,
                "correction_ev": c.correction_ev,
                "anchor": c.is_anchor,
                "source": c.source,
            }


def failures(records: StudyRecords) -> Iterator[Row]:
    """One row for everything that has no number or was set aside, and why."""
    for record in records.records:
        if record.status == "failed" and record.stage not in ("thermo", "che"):
            yield _make_failure_row(record.stage, record, record.reason)
    for vibrated in records.of(VibrateRecord):
        for reason in vibrated.set_aside:
            yield _make_failure_row("vibrate", vibrated, reason)
    for e in records.of(EdgesRecord):
        for edge in ("ip_ev", "ea_ev") if e.status == "ok" else ():
            if edge in e.reasons:
                yield _make_failure_row("edges", e, f"{edge}: {e.reasons[edge]}")
    modes = {thermo.cluster: thermo.isomers for thermo in records.of(ThermoRecord)}
    pools = {pool.cluster: pool for pool in records.of(PoolRecord)}
    for adsorbed in records.of(AdsorbRecord):
        mode = modes.get(adsorbed.cluster, "fixed_core_first")
        chosen = choose_minimum(adsorbed, mode, pools.get(adsorbed.cluster))
        if adsorbed.status == "ok" and chosen is None:
            yield _make_failure_row("adsorb", adsorbed, why_no_minimum(adsorbed))
    for thermo in records.of(ThermoRecord):
        for s in thermo.species:
            if s.status in ("imaginary", "gate"):
                yield {
                    "stage": "thermo",
                    "cluster": thermo.cluster,
                    "species": s.name,
                    "reason": s.reason,
                }


def _make_failure_row(stage: str, record: object, reason: str) -> Row:
    return {
        "stage": stage,
        "cluster": getattr(record, "cluster", None),
        "species": _get_species(record),
        "reason": reason,
    }


def every_record(records: StudyRecords) -> Iterator[Row]:
    """One row a record: what it is of, whether it has what it should, what it cost."""
    for record in records.records:
        level = getattr(record, "level", None)
        yield {
            "stage": record.stage,
            "cluster": getattr(record, "cluster", None),
            "species": _get_species(record),
            "level": level.name if level else None,
            "status": record.status,
            "n_gradients": record.provenance.n_gradients,
            "engine_time_s": record.provenance.engine_time_s,
            "wall_time_s": record.provenance.wall_time_s,
            "protocol": record.provenance.protocol,
            "edited": bool(record.provenance.edited),
            "reason": record.reason,
        }


def plain_fields(records: StudyRecords, stage: str) -> Iterator[Row]:
    """One row a record of a stage: its fields that are a number, a text or a truth."""
    for record in records.records:
        if record.stage == stage:
            fields = record.model_dump(exclude={"schema_version", "stage"})
            level = getattr(record, "level", None)
            plain = {
                key: value
                for key, value in fields.items()
                if value is None or isinstance(value, str | int | float)
            }
            yield plain | ({"level": level.name} if level else {})


def _get_species(record: object) -> str | None:
    return getattr(record, "adsorbate", None) or getattr(record, "gas", None)


TABLES: dict[str, Callable[[StudyRecords], Iterator[Row]]] = {
    "energies": energies,
    "minima": minima,
    "isomers": isomers,
    "steps": steps,
    "potentials": potentials,
    "edges": edges,
    "rankings": rankings,
    "claims": claims,
    "gas_corrections": gas_corrections,
    "failures": failures,
    "records": every_record,
}


def to_csv(name: str, rows: Iterable[Row]) -> str:
    """A table as CSV; a missing value is an empty cell, a text never a formula."""
    stream = StringIO()
    write_csv(stream, name, rows)
    return stream.getvalue()


def write_csv(
    stream: TextIO, name: str, rows: Iterable[Row], *, digits: int = 6
) -> int:
    """Write a table as CSV, row by row; how many there were."""
    writer = csv.writer(stream, lineterminator="\n")
    columns: Sequence[str] | None = None
    n_rows = 0
    for row in rows:
        if columns is None:
            columns = list(row)
            writer.writerow(columns)
        writer.writerow([_format_csv_cell(row[key], digits) for key in columns])
        n_rows += 1
    if columns is None:
        writer.writerow(TABLE_COLUMNS.get(name, ()))
    return n_rows


def _format_csv_cell(cell: Cell, digits: int) -> Cell:
    if isinstance(cell, float):
        return round(cell, digits)
    return make_harmless(cell) if isinstance(cell, str) else cell


def make_harmless(text: str) -> str:
    """A text with an apostrophe before it, where a spreadsheet would run it.

    After OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.

    >>> make_harmless("=1+1"), make_harmless("Cu4")
    ("'=1+1", 'Cu4')
    """
    # Python's csv does not quote a carriage return, which would begin a row.
    line = text.replace("\r", " ")
    return f"'{line}" if text.startswith(_STARTS_OF_FORMULAS) else line
