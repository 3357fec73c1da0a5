"""The tables a person opens: rows from records, one function a table."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from clusterflow.core.adsorption import choose_minimum, why_no_minimum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from clusterflow.io import StudyRecords

Cell = str | float | int | bool | None
Row = dict[str, Cell]


def energies(records: StudyRecords) -> Iterator[Row]:
    """One row a species and cluster: every term of its free energy, and its status."""
    for thermo in records.thermo:
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
                "layer_gas_ev": s.layers.get("gas"),
                "layer_condensation_ev": s.layers.get("condensation"),
                "gibbs_ev": s.gibbs_ev,
                "formation_ev": s.formation_ev,
                "formation_uncorrected_ev": s.formation_uncorrected_ev,
                "de_placed_ev": s.de_placed_ev,
                "flags": " ".join(s.flags),
                "reason": s.reason,
            }


def steps(records: StudyRecords) -> Iterator[Row]:
    """One row an elementary step, for every pathway; rank 1 is the best."""
    for che in records.che:
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
                        "ph": result.ph if result.scale == "she" else None,
                        "determining": step.name == pathway.determining_step,
                        "flags": "; ".join(step.flags),
                        "reason": step.reason,
                    }


def potentials(records: StudyRecords) -> Iterator[Row]:
    """One row a reaction and cluster: limiting potential and what goes with it."""
    for che in records.che:
        for r in che.results:
            yield {
                "cluster": che.cluster,
                "level": che.level.name if che.level else None,
                "reaction": r.reaction,
                "product": r.product,
                "status": r.status,
                "limiting_potential_v_rhe": r.limiting_potential_v_rhe,
                "determining_step": r.determining_step,
                "chemical_bottleneck_ev": r.chemical_bottleneck_ev,
                "overpotential_v": r.overpotential_v,
                "limiting_potential_p05_v_rhe": (
                    r.uncertainty.lower_v_rhe if r.uncertainty else None
                ),
                "limiting_potential_p95_v_rhe": (
                    r.uncertainty.upper_v_rhe if r.uncertainty else None
                ),
                "uncertainty_basis": r.uncertainty.basis if r.uncertainty else None,
                "selectivity_v": r.selectivity_v,
                "best_pathway": r.best_pathway,
                "flags": "; ".join(r.flags),
                "reason": r.reason,
            }


def gas_corrections(records: StudyRecords) -> Iterator[Row]:
    """One row a gas and level: formation computed, measured, and the difference."""
    seen = set()
    for thermo in records.thermo:
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
    """One row for everything that has no number, and why."""
    for record in records.all():
        if record.status == "failed" and record.stage not in ("thermo", "che"):
            yield _failure(record.stage, record, record.reason)
    for adsorbed in records.adsorptions:
        if adsorbed.status == "ok" and choose_minimum(adsorbed) is None:
            yield _failure("adsorb", adsorbed, why_no_minimum(adsorbed))
    for thermo in records.thermo:
        for s in thermo.species:
            if s.status == "imaginary":
                yield {
                    "stage": "thermo",
                    "cluster": thermo.cluster,
                    "species": s.name,
                    "reason": s.reason,
                }


def _failure(stage: str, record: object, reason: str) -> Row:
    return {
        "stage": stage,
        "cluster": getattr(record, "cluster", None),
        "species": getattr(record, "adsorbate", None) or getattr(record, "gas", None),
        "reason": reason,
    }


# What each table holds when it is empty.
_COLUMNS: dict[str, Sequence[str]] = {
    "failures": ("stage", "cluster", "species", "reason"),
}
TABLES: dict[str, Callable[[StudyRecords], Iterator[Row]]] = {
    "energies": energies,
    "steps": steps,
    "potentials": potentials,
    "gas_corrections": gas_corrections,
    "failures": failures,
}


def to_csv(name: str, rows: Sequence[Row]) -> str:
    """A table as CSV; a missing value is an empty cell."""
    columns = list(rows[0]) if rows else list(_COLUMNS.get(name, ()))
    stream = StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()}
        )
    return stream.getvalue()
