"""Where a number comes from: its terms, references, corrections, flags and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import RecordError, name_near
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import sha256
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.explanation import Explanation, SourceRecord
from clusterflow.results.flag_table import flags_of
from clusterflow.results.summands import (
    FREE_ENERGY,
    list_layer_terms,
    list_own_terms,
    list_reference_terms,
    list_step_terms,
    step_energies_ev,
    surroundings_of_record,
)
from clusterflow.science.reactions.che import Electrode, nernst_slope
from clusterflow.science.reactions.flags import group_flags
from clusterflow.science.reactions.pathways import order_pathways
from clusterflow.science.reactions.transfers import direction
from clusterflow.settings import ThermoSettings
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.files import StudyRecords
    from clusterflow.records.profiles import ReactionResult, Step
    from clusterflow.records.provenance import Provenance, Record

POTENTIAL = "U_L"


def explain(records: StudyRecords, name: str, library: Library) -> Explanation:
    """Terms, references, layers, flags and records behind a number of a study.

    Parameters
    ----------
    name
        ``CLUSTER/SPECIES/dG``, ``CLUSTER/REACTION/U_L`` or a molecule such as
        ``CO(g)``; the quantity may be left out, and the star of an adsorbate.

    Raises
    ------
    RecordError
        If there is no such number; the message lists those there are.
    """
    cluster, _, rest = name.partition("/")
    item, _, quantity = rest.partition("/")
    if not rest and name.endswith(("(g)", "(l)")):
        return _explain_species(
            records, _find_thermo_of_gas(records, name), name, library
        )
    thermo = {record.cluster: record for record in records.of(ThermoRecord)}
    che = {record.cluster: record for record in records.of(CheRecord)}
    if cluster not in thermo.keys() | che.keys():
        raise RecordError(
            f"explain {name!r}: no cluster {cluster!r} in these results; "
            f"{name_near(cluster, thermo.keys() | che.keys())}; molecules: "
            f"{_join_names(_list_gases(records))}"
        )
    results = {r.reaction: r for r in che[cluster].results} if cluster in che else {}
    if item in results and quantity in ("", POTENTIAL):
        return _explain_potential(records, che[cluster], results[item], library)
    found = thermo.get(cluster)
    species = {s.name for s in found.species} if found else set()
    for candidate in (f"*{item}", item):
        if found and candidate in species and quantity in ("", FREE_ENERGY):
            return _explain_species(records, found, candidate, library)
    raise RecordError(
        f"explain {name!r}: {cluster} has no such number; write {cluster}/SPECIES/"
        f"{FREE_ENERGY} with {_join_names(species)}, or "
        f"{cluster}/REACTION/{POTENTIAL} with {_join_names(results)}"
    )


def _join_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _list_gases(records: StudyRecords) -> set[str]:
    every = (s.name for record in records.of(ThermoRecord) for s in record.species)
    return {name for name in every if not name.startswith("*")}


def _find_thermo_of_gas(records: StudyRecords, name: str) -> ThermoRecord:
    """The record that holds a molecule, if all that do have one level."""
    holders = [
        t for t in records.of(ThermoRecord) if name in {s.name for s in t.species}
    ]
    if not holders:
        raise RecordError(
            f"explain {name!r}: no such molecule in these results; "
            f"{name_near(name, _list_gases(records))}"
        )
    if len({t.level.hash if t.level else None for t in holders}) > 1:
        raise RecordError(
            f"explain {name!r}: is there at more than one level; write "
            f"CLUSTER/{name} with one of {_join_names(t.cluster for t in holders)}"
        )
    return holders[0]


def _explain_species(
    records: StudyRecords, thermo: ThermoRecord, name: str, library: Library
) -> Explanation:
    species = next(s for s in thermo.species if s.name == name)
    where = f"on {thermo.cluster} " if name.startswith("*") else ""
    settings = ThermoSettings.model_validate(thermo.provenance.settings)
    zero = f"{', '.join(settings.anchors)} as gases at 1 bar"
    zero += " and the bare cluster" if name.startswith("*") else ""
    shown = f"{thermo.cluster}/{name}" if where else name
    common: dict[str, Any] = {
        "name": f"{shown}/{FREE_ENERGY}",
        "what": (
            f"Free energy of formation of {name} {where}at {thermo.temperature_k:g} K, "
            f"from {zero}"
        ),
        "value": species.formation_ev,
        "unit": "eV",
        "reason": species.reason,
        "level": thermo.level,
    }
    parts = _find_species_records(records, thermo, name)
    if species.terms is None or species.formation_ev is None or thermo.level is None:
        sources = tuple(list_sources(records, thermo, parts, thermo.provenance))
        return Explanation(**common, sources=sources)
    around = surroundings_of_record(thermo, records, library)
    if thermo.own:
        zero_of = ", ".join(around.anchors)
        common["what"] = common["what"].replace(", ".join(settings.anchors), zero_of, 1)
    references, anchors = list_reference_terms(thermo, name, around, library)
    fitted = thermo.group_errors.residual_ev if thermo.group_errors else {}
    molecules = [*anchors, *species.inherits, *(fitted if species.groups else ())]
    parts += [r for n in dict.fromkeys(molecules) if (r := around.gases.get(n))]
    flags = flags_of(records, library.domain())
    return Explanation(
        **common,
        terms=(
            *list_own_terms(species.terms),
            *list_layer_terms(species, thermo, settings, library),
            *references,
        ),
        sum_of="ΔG = G + layers − references",
        stored_ev=species.formation_ev,
        facts=_gather_species_facts(records, thermo, species, settings),
        flags=tuple(flag for flag in flags if flag.name in species.flags),
        carriers=dict.fromkeys(species.flags, (name,)),
        sources=tuple(list_sources(records, thermo, parts, thermo.provenance)),
    )


def _gather_species_facts(
    records: StudyRecords,
    thermo: ThermoRecord,
    species: SpeciesFreeEnergy,
    settings: ThermoSettings,
) -> dict[str, Any]:
    assert species.terms is not None
    facts: dict[str, Any] = {"status": species.status}
    molecule = species.name.partition("(")[0]
    adsorbate = species.name[1:] if species.name.startswith("*") else ""
    vibrated = _find_adsorbate_record(
        records.of(VibrateRecord), thermo.cluster, adsorbate
    )
    adsorbed = _find_adsorbate_record(
        records.of(AdsorbRecord), thermo.cluster, adsorbate
    )
    index = vibrated.minimum if vibrated else None
    if adsorbed and index is not None and index < len(adsorbed.minima):
        minimum = adsorbed.minima[index]
        facts["geometry"] = (
            f"minimum {index + 1} of {len(adsorbed.minima)}, form {minimum.form} on a "
            f"{minimum.site_kind} site of isomer {minimum.isomer}, from "
            f"{minimum.n_starts} of {adsorbed.n_starts} starts"
        )
    model = species.terms.model
    facts["model"] = f"{model}" + (
        f", low modes damped at {settings.low_mode_cutoff_cm1:g} cm⁻¹"
        if model in ("harmonic", "quasi-rrho")
        else ""
    )
    if species.terms.fallback_reason:
        facts["fallback"] = species.terms.fallback_reason
    if molecule in settings.pressure_pa and species.name.endswith("(g)"):
        facts["pressure"] = f"{settings.pressure_pa[molecule]:g} Pa"
    if species.formation_uncorrected_ev is not None:
        facts["without correction layers"] = species.formation_uncorrected_ev
    if species.deviations:
        facts["standard deviations / eV"] = dict(species.deviations)
    return facts


def _explain_potential(
    records: StudyRecords, che: CheRecord, result: ReactionResult, library: Library
) -> Explanation:
    thermo = next(
        (t for t in records.of(ThermoRecord) if t.cluster == che.cluster), None
    )
    parts: list[Record] = [thermo] if thermo else []
    flags = dict(group_flags(result.flags))
    known = {f.name: f for f in flags_of(records, library.domain())}
    end = "highest" if direction(result.steps) == 1 else "lowest"
    common: dict[str, Any] = {
        "name": f"{che.cluster}/{result.reaction}/{POTENTIAL}",
        "what": f"{'Median' if result.uncertainty else 'Best estimate'} of the "
        f"limiting potential of {result.equation} on {che.cluster} at "
        f"{result.temperature_k:g} K: the {end} at which every electrochemical step "
        "of the best pathway is downhill",
        "value": result.headline_v_rhe,
        "unit": "V vs RHE",
        "reason": result.reason,
        "level": che.level,
        "flags": tuple(known[name] for name in flags if name in known),
        "carriers": flags,
        "sources": tuple(list_sources(records, che, parts, che.provenance)),
    }
    step = next((s for s in result.steps if s.name == result.determining_step), None)
    if step is None or thermo is None or result.limiting_potential_v_rhe is None:
        pathway = result.pathways[0] if result.pathways else None
        steps = [_describe_step(s) for s in pathway.steps] if pathway else []
        return Explanation(**common, facts={"steps": steps})
    best = order_pathways(result)[0]
    named = " after ".join((step.name, *result.determining_with))
    return Explanation(
        **common,
        terms=tuple(
            list_step_terms(
                (step.name, *result.determining_with),
                che.cluster,
                step_energies_ev(che, thermo, records, library),
            )
        ),
        sum_of=f"ΔG(0 V, pH 0) of the determining step  {named}",
        stored_ev=best.judged_ev(step),
        facts=_gather_potential_facts(result, step),
    )


def _gather_potential_facts(result: ReactionResult, step: Step) -> dict[str, Any]:
    judged = order_pathways(result)[0].judged_ev(step)
    assert judged is not None
    electrode = Electrode(ph=result.ph, temperature_k=result.temperature_k)
    turning = electrode.turning_point_rhe_v(judged, step.n_e, step.n_h)
    formula = f"−ΔG / {step.n_e} e"
    if step.n_e != step.n_h:
        slope = nernst_slope(result.temperature_k)
        formula = (
            f"−(ΔG + ({step.n_h} − {step.n_e}) · {slope:.5f} eV · pH {result.ph:g}) "
            f"/ {step.n_e} e"
        )
    facts: dict[str, Any] = {}
    if (found := result.uncertainty) is not None:
        facts["90 % interval"] = (
            f"{found.lower_v_rhe:+.3f} to {found.upper_v_rhe:+.3f} V vs RHE, "
            f"{found.basis}, {found.n_samples} samples"
        )
    facts |= {
        "best estimate": f"{formula} = {turning:+.6f} V vs RHE",
        "best pathway": result.best_pathway,
        "its steps": [_describe_step(s) for s in result.steps],
    }
    if result.tied_pathways:
        facts["not told from it"] = list(result.tied_pathways)
    if result.chemical_bottleneck_ev is not None:
        facts["largest chemical step / eV"] = result.chemical_bottleneck_ev
    if found is not None:
        facts["probability of determining"] = {
            f"[{name}]": f"{p:.0%}"
            for name, p in found.determining_step_probability.items()
        }
    if result.equilibrium_potential_v_rhe is not None:
        facts["equilibrium potential / V vs RHE"] = result.equilibrium_potential_v_rhe
    if (lead := result.selectivity) is not None:
        facts["U_L less that of hydrogen evolution"] = (
            f"{lead.median_v:+.3f} V, 90 % interval {lead.lower_v:+.3f} to "
            f"{lead.upper_v:+.3f} V, above zero with probability {lead.probability:.2f}"
        )
    if result.selectivity_v is not None:
        facts["the same, best estimate / V"] = result.selectivity_v
    return facts


def _describe_step(step: Step) -> str:
    if step.dg0_ev is None:
        return f"[{step.name}] no value: {step.reason}"
    return f"[{step.name}] {step.dg0_ev:+.4f} eV"


def _find_adsorbate_record(records: Sequence[Any], cluster: str, adsorbate: str) -> Any:
    """The record of an adsorbate on a cluster, if there is one."""
    same = (r for r in records if (r.cluster, r.adsorbate) == (cluster, adsorbate))
    return next(same, None)


def _find_species_records(
    records: StudyRecords, thermo: ThermoRecord, name: str
) -> list[Record]:
    """The records of the species itself: a molecule's, or the cluster's and its."""
    found: list[Record] = []
    if not name.startswith("*"):
        gas = name.partition("(")[0]
        level = thermo.level.name if thermo.level else ""
        found += [
            g for g in records.of(GasRecord) if (g.gas, g.level.name) == (gas, level)
        ]
        return found
    found += [r for r in records.of(RelaxRecord) if r.cluster == thermo.cluster]
    for group in (records.of(AdsorbRecord), records.of(VibrateRecord)):
        record = _find_adsorbate_record(group, thermo.cluster, name[1:])
        found += [record] if record else []
    return found


def list_sources(
    records: StudyRecords,
    last: Record,
    others: Iterable[Record],
    used: Provenance,
) -> Iterator[SourceRecord]:
    """The records, the one with the number first, and the hashes it was given."""
    for name, record in {record_name(r): r for r in (last, *others)}.items():
        path = records.folder / name
        if not path.is_file():
            continue
        given = (d for key, d in used.inputs.items() if key.endswith(f"/{name}"))
        yield SourceRecord(
            path=str(path),
            stage=record.stage,
            protocol=record.provenance.protocol,
            created=record.provenance.created,
            sha256=sha256(path),
            used_sha256=next(given, None),
            versions=record.provenance.versions,
        )
