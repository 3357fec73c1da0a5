"""The chain of every number as one table: the summands of free energies and steps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefinedCheRecord,
    RefinedThermoRecord,
)
from clusterflow.results.explain_refined import PREFIX, compose_view
from clusterflow.results.ranking import composite_key
from clusterflow.results.summands import (
    FREE_ENERGY,
    list_layer_terms,
    list_own_terms,
    list_reference_terms,
    list_step_terms,
    step_energies_ev,
    surroundings_of_record,
)
from clusterflow.settings import ThermoSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from clusterflow.library.find import Library
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import ReactionResult
    from clusterflow.results.explanation import Summand
    from clusterflow.results.tables import Row
    from clusterflow.science.thermochemistry.species import Surroundings

COLUMNS = (
    *("number", "cluster", "level", "level_hash", "species", "reaction"),
    *("pathway_rank", "step_number", "step", "term", "count", "each_ev", "ev"),
    *("deviation_ev", "status", "flags", "note"),
)
SUM = "sum"
# The sign and number before a name: columns of their own.
_COUNT = re.compile(r"^[+−] (?:[\d.]+ )?")


def list_chain(records: StudyRecords, library: Library) -> Iterator[Row]:
    """One row a summand, then a row ``sum``, for each free energy and each step.

    The summands of a free energy are its terms, correction layers and references, as
    `explain` has them; of a step, the free energies of what it makes and uses. The row
    of the sum is the number as the record holds it, with its status and flags, and a
    hole has only this row, with its reason as `note`. Rows with `deviation_ev` are
    standard deviations by where they come from, and add nothing. Numbers of a composite
    level come last, as ``refined/…`` and under its name; what is calibrated has no
    summands but its reason. `records` are those of
    a study or of a person's own energies; energies are eV, ΔG of steps that at 0 V and
    pH 0.
    """
    thermo = {record.cluster: record for record in records.of(ThermoRecord)}
    for record in thermo.values():
        yield from _list_free_energies(record, records, library)
    for che in records.of(CheRecord):
        if che.cluster in thermo:
            yield from _list_steps(che, thermo[che.cluster], records, library)
    for refined in records.of(RefinedThermoRecord):
        yield from _list_refined(refined, records, library)


def _list_refined(
    refined: RefinedThermoRecord, records: StudyRecords, library: Library
) -> Iterator[Row]:
    """The chain of one cluster, of the records that its composite level is made of."""
    level, dft = refined.level, refined.dft_level
    if level is None or dft is None:
        return
    profiles = [
        one for one in records.of(RefinedCheRecord) if one.cluster == refined.cluster
    ]
    view = compose_view(records, refined, profiles)
    names = dict(zip(("level", "level_hash"), composite_key(level, dft), strict=True))
    rows = [*_list_free_energies(refined.energies, view, library)]
    for one in profiles:
        rows += _list_steps(one.profiles, refined.energies, view, library)
    for row in rows:
        yield row | names | {"number": f"{PREFIX}{row['number']}"}


def _list_free_energies(
    thermo: ThermoRecord, records: StudyRecords, library: Library
) -> Iterator[Row]:
    settings = ThermoSettings.model_validate(thermo.provenance.settings)
    around: Surroundings | None = None
    for species in thermo.species:
        common = _name_level(thermo) | {
            "number": f"{thermo.cluster}/{species.name}/{FREE_ENERGY}",
            "species": species.name,
        }
        terms: tuple[Summand, ...] = ()
        if species.terms is not None and species.formation_ev is not None:
            around = around or surroundings_of_record(thermo, records, library)
            references, _ = list_reference_terms(thermo, species.name, around, library)
            terms = (
                *list_own_terms(species.terms),
                *list_layer_terms(species, thermo, settings, library),
                *references,
            )
        yield from _list_rows(common, terms)
        yield from _list_deviations(common, species)
        yield _make_row(
            common,
            term=SUM,
            ev=species.formation_ev,
            status=species.status,
            flags=" ".join(species.flags),
            note=species.reason,
        )


def _list_deviations(common: Row, species: SpeciesFreeEnergy) -> Iterator[Row]:
    for source, deviation in species.deviations.items():
        yield _make_row(common, term=f"deviation {source}", deviation_ev=deviation)


def _list_steps(
    che: CheRecord, thermo: ThermoRecord, records: StudyRecords, library: Library
) -> Iterator[Row]:
    energies = step_energies_ev(che, thermo, records, library)
    for result in che.results:
        for rank, pathway in enumerate(result.pathways, start=1):
            for number, step in enumerate(pathway.steps, start=1):
                common = _name_level(che) | {
                    "number": f"{che.cluster}/{result.reaction}/{rank}/{number}",
                    "reaction": result.reaction,
                    "pathway_rank": rank,
                    "step_number": number,
                    "step": step.name,
                }
                known = step.dg0_ev is not None
                yield from _list_rows(
                    common,
                    list_step_terms([step.name], che.cluster, energies)
                    if known
                    else (),
                )
                yield _make_row(
                    common,
                    term=SUM,
                    ev=step.dg0_ev,
                    status="ok" if known else "missing",
                    flags=" ".join(step.flags),
                    note=_describe_place(result, rank, step.name) or step.reason,
                )


def _describe_place(result: ReactionResult, rank: int, step: str) -> str:
    """Whether a step is the one that sets the limiting potential."""
    sets = rank == 1 and step == result.determining_step
    return "sets the limiting potential" if sets else ""


def _name_level(record: ThermoRecord | CheRecord) -> Row:
    level = record.level
    return {
        "cluster": record.cluster,
        "level": level.name if level else None,
        "level_hash": level.hash if level else None,
    }


def _list_rows(common: Row, terms: Iterable[Summand]) -> Iterator[Row]:
    for term in terms:
        yield _make_row(
            common,
            term=_COUNT.sub("", term.label),
            count=term.count,
            each_ev=term.each_ev,
            ev=term.ev,
            note=term.note,
        )


def _make_row(common: Row, **cells: str | float | None) -> Row:
    return dict.fromkeys(COLUMNS) | common | cells
