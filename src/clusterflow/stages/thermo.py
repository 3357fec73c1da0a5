"""Stage thermo: free energies of everything on one cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.library.own_tables import read_shifts
from clusterflow.records.adsorption import AdsorbRecord, PoolRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import MinimumEnergies, ThermoRecord
from clusterflow.records.provenance import EDITED_FLAG
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.science.adsorption.bare_isomers import (
    bare_energies,
    isomer_weights,
    isomers_of_minimum,
    relaxed_of_mode,
    why_not_pooled,
)
from clusterflow.science.adsorption.chosen_minimum import (
    by_other_isomers,
    choose_minimum,
)
from clusterflow.science.thermochemistry.adsorbate_models import AdsorbateModel
from clusterflow.science.thermochemistry.formation import experimental_table
from clusterflow.science.thermochemistry.partition_functions import Barriers
from clusterflow.science.thermochemistry.species import (
    Surroundings,
    adsorbed_species,
    clean_surface,
    gas_species,
    hole,
    refuse_mixed_levels,
)
from clusterflow.science.thermochemistry.validity import (
    Situation,
    broken_limits,
    situation_of,
)
from clusterflow.settings import ThermoSettings
from clusterflow.stages.parts.job import settings_of
from clusterflow.stages.parts.verdicts import (
    judge_complex_records,
    mark_species,
    why_no_gas,
    why_no_host,
    why_no_minimum_energy,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.find import Library
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.energies import SpeciesFreeEnergy
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def thermo(
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    vibrations: Sequence[VibrateRecord],
    gases: Sequence[GasRecord],
    settings: ThermoSettings,
    library: Library,
    job: Job,
    pool: PoolRecord | None = None,
) -> ThermoRecord:
    """Free energies of formation of all species on a cluster, or why there is none.

    Without a pool there are no energies against other isomers than the cluster's own.

    Raises
    ------
    RecordError
        If records of different levels would be mixed.
    ConfigError
        If a table of shifts is wrong, or water would count twice.
    """
    job.settings = settings_of(settings)
    level = relaxed.level
    tables = {
        layer: read_shifts(Path(file), relaxed.cluster, library)
        for layer, file in settings.tables.items()
    }
    job.inputs = [*job.inputs, *map(Path, settings.tables.values())]
    if level is None:
        names = ["*", *(f"*{a.adsorbate}" for a in adsorptions)]
        return ThermoRecord(
            cluster=relaxed.cluster,
            level=None,
            temperature_k=settings.temperature_k,
            isomers=settings.isomers,
            species=tuple(hole(n, relaxed.reason, "failed") for n in names),
            status="failed",
            reason=relaxed.reason,
            provenance=job.provenance(),
        )
    settings.check_solvent(level)
    refuse_mixed_levels(level, [*adsorptions, *vibrations], relaxed.cluster)
    around = surroundings_of(level, gases, settings, library)
    corrections = around.corrections()
    by_gas = {c.gas: c.correction_ev for c in corrections}
    inherited = by_gas if "gas" in settings.correct else None
    hydrogen = around.anchor_energy_ev({"H": 2})
    h2 = around.gas_terms("H2")
    reference = relaxed_of_mode(relaxed, pool, settings.isomers)
    not_minima = {v.adsorbate: v.not_minima for v in vibrations}
    chosen = {
        a.adsorbate: choose_minimum(
            a, settings.isomers, pool, not_minima.get(a.adsorbate, ())
        )
        for a in adsorptions
    }
    species = [
        clean_surface(reference, pool),
        *_compute_gas_species(around, inherited),
        *_compute_adsorbed_species(
            *(relaxed, adsorptions, vibrations, around, inherited, tables, library),
            *(settings, pool, chosen),
        ),
    ]
    if settings.isomers == "pool" and (why_not := why_not_pooled(pool, adsorptions)):
        species = [
            hole(s.name, f"isomers 'pool' are not offered: {why_not}")
            if s.name.startswith("*")
            else s
            for s in species
        ]
    if why_not := why_no_host(reference):
        species = [
            hole(s.name, f"bare cluster {why_not}", "gate")
            if s.name.startswith("*")
            else s
            for s in species
        ]
    hosts = reference.isomers
    whole = _index_structures(reference, adsorptions, around.gases, chosen)
    species = [
        _flag_species(
            s, whole, hosts[0].structure if hosts else None, level, settings, library
        )
        for s in species
    ]
    species = list(
        _flag_edited_species(species, relaxed, pool, adsorptions, vibrations, around)
    )
    missing = [s for s in species if s.formation_ev is None]
    found = ThermoRecord(
        cluster=relaxed.cluster,
        level=level,
        temperature_k=settings.temperature_k,
        isomers=settings.isomers,
        half_hydrogen_ev=(
            None
            if h2 is None or hydrogen is None
            else (h2.gibbs_ev - hydrogen + (inherited or {}).get("H2", 0.0)) / 2
        ),
        species=tuple(species),
        minima=tuple(
            _compute_minimum_energies(relaxed, adsorptions, pool, around, library)
        ),
        isomer_weights=tuple(isomer_weights(relaxed, pool, settings.temperature_k)),
        other_isomers=by_other_isomers(
            species, relaxed, adsorptions, pool, settings.isomers, not_minima
        ),
        gas_corrections=tuple(corrections),
        status="ok" if relaxed.isomers else "failed",
        reason=relaxed.reason or _name_missing_species(missing),
        provenance=job.provenance(level),
    )
    return mark_species(found, library)


def surroundings_of(
    level: LevelSpec,
    gases: Iterable[GasRecord],
    settings: ThermoSettings,
    library: Library,
) -> Surroundings:
    """What the free energies at a level refer to: gases, which never feel a solvent."""
    surface = level.model_copy(update={"solvent": None}).hash
    at_level = {g.gas: _take_out_failed(g) for g in gases if g.level.hash == surface}
    return Surroundings(
        gases=at_level,
        table=experimental_table([*at_level, *settings.anchors], library),
        anchors=settings.anchors,
        temperature_k=settings.temperature_k,
        pressure_pa=settings.pressure_pa,
        isomers=settings.isomers,
        model=AdsorbateModel(
            name=settings.adsorbate_model,
            low_mode_cutoff_cm1=settings.low_mode_cutoff_cm1,
            barriers={
                name: Barriers(**given.model_dump())
                for name, given in settings.hindered.items()
            },
        ),
    )


def _take_out_failed(gas: GasRecord) -> GasRecord:
    """The molecule, without an energy where a gate says that it has none."""
    reason = why_no_gas(gas) if gas.status == "ok" else ""
    if not reason:
        return gas
    return gas.model_copy(update={"energy_ev": None, "reason": reason})


def _compute_gas_species(
    around: Surroundings, inherited: dict[str, float] | None
) -> Iterator[SpeciesFreeEnergy]:
    for name in around.gases:
        layers = {}
        if inherited is not None and name in inherited:
            layers["gas"] = inherited[name]
        yield from gas_species(name, around, layers)


def _compute_adsorbed_species(
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    vibrations: Sequence[VibrateRecord],
    around: Surroundings,
    inherited: dict[str, float] | None,
    tables: Mapping[str, Mapping[str, float]],
    library: Library,
    settings: ThermoSettings,
    pool: PoolRecord | None,
    chosen: Mapping[str, int | None],
) -> Iterator[SpeciesFreeEnergy]:
    vibrated = {v.adsorbate: v for v in vibrations}
    for adsorbed in adsorptions:
        if not relaxed.isomers:
            yield hole(f"*{adsorbed.adsorbate}", relaxed.reason, "failed")
            continue
        spec = library.adsorbate(adsorbed.adsorbate)
        index = chosen[adsorbed.adsorbate]
        best = None if index is None else adsorbed.minima[index]
        own = vibrated.get(adsorbed.adsorbate)
        found = adsorbed_species(
            adsorbed,
            own,
            relaxed_of_mode(relaxed, pool, settings.isomers).isomers[0].energy_ev,
            spec,
            around,
            inherited,
            _find_layer_shifts(spec, settings, tables),
            index,
            None if best is None else bare_energies(relaxed, pool, spec.name, best),
        )
        if found.formation_ev is not None and own is not None and index is not None:
            reason, flags = judge_complex_records(adsorbed, index, own, relaxed, spec)
            if reason:
                found = hole(found.name, reason, "gate")
            elif flags:
                found = found.model_copy(update={"flags": (*found.flags, *flags)})
        yield found


def _compute_minimum_energies(
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    pool: PoolRecord | None,
    around: Surroundings,
    library: Library,
) -> Iterator[MinimumEnergies]:
    """Electronic energies of every minimum, against three bare clusters."""
    for adsorbed in adsorptions:
        spec = library.adsorbate(adsorbed.adsorbate)
        anchors_ev = around.anchor_energy_ev(spec.counts, electronic=True)
        for index, minimum in enumerate(adsorbed.minima):
            bare = bare_energies(relaxed, pool, spec.name, minimum)
            host = isomers_of_minimum(pool, spec.name, minimum) if pool else None
            known = bare.differences(minimum.energy_ev - (anchors_ev or 0.0))
            reason = host.reason if host else "no pool record"
            why_not = why_no_minimum_energy(adsorbed, index)
            if anchors_ev is None:
                why_not = around.why_no_anchors(spec.counts)
            if why_not:
                known, reason = dict.fromkeys(known), why_not
            yield MinimumEnergies(
                adsorbate=spec.name,
                minimum=index,
                fate=minimum.fate,
                placed_on=minimum.isomer,
                host=host.host if host else None,
                reason=reason,
                **known,
            )


def _find_layer_shifts(
    spec: AdsorbateSpec,
    settings: ThermoSettings,
    tables: Mapping[str, Mapping[str, float]],
) -> dict[str, float | None]:
    """The layers beside `gas` of one adsorbate, eV, in the order they are named.

    A shift of a person's own that is not in the table is meant to be none.
    """
    found: dict[str, float | None] = {}
    for layer in settings.correct:
        if layer == "solvation":
            found[layer] = spec.solvation_ev.value if spec.solvation_ev else None
        elif layer == "dft":
            found[layer] = tables[layer].get(spec.name)
        elif layer == "user" and spec.name in tables[layer]:
            found[layer] = tables[layer][spec.name]
    return found


def _index_structures(
    relaxed: RelaxRecord,
    adsorptions: Sequence[AdsorbRecord],
    gases: Mapping[str, GasRecord],
    chosen: Mapping[str, int | None],
) -> dict[str, Structure]:
    """The structure behind each species' number, by its name in equations."""
    found: dict[str, Structure] = {}
    if relaxed.isomers:
        found["*"] = relaxed.isomers[0].structure
    for adsorbed in adsorptions:
        index = chosen[adsorbed.adsorbate]
        if index is not None:
            found[f"*{adsorbed.adsorbate}"] = adsorbed.minima[index].structure
    for name, gas in gases.items():
        if gas.structure is not None:
            found |= {f"{name}(g)": gas.structure, f"{name}(l)": gas.structure}
    return found


def _flag_species(
    species: SpeciesFreeEnergy,
    computed: Mapping[str, Structure],
    host: Structure | None,
    level: LevelSpec,
    settings: ThermoSettings,
    library: Library,
) -> SpeciesFreeEnergy:
    """A species with the flags of the limits its number is beyond; holes have none."""
    whole = computed.get(species.name)
    if species.formation_ev is None or whole is None:
        return species
    name = species.name
    if name.startswith("*") and host is not None:
        adsorbate = library.adsorbate(name[1:]) if name != "*" else None
        here = situation_of(
            *(level, name, whole),
            host=host,
            adsorbate=adsorbate,
            layers=settings.correct,
        )
    else:
        here = Situation(
            level=level,
            species=name,
            multiplicity=whole.multiplicity,
            layers=settings.correct,
        )
    limits = broken_limits(here, library.domain())
    return species.model_copy(
        update={"flags": (*species.flags, *(entry.name for entry in limits))}
    )


def _flag_edited_species(
    species: Iterable[SpeciesFreeEnergy],
    relaxed: RelaxRecord,
    pool: PoolRecord | None,
    adsorptions: Iterable[AdsorbRecord],
    vibrations: Iterable[VibrateRecord],
    around: Surroundings,
) -> Iterator[SpeciesFreeEnergy]:
    """The species, flagged where a record behind the number was changed by hand."""
    gases = {n for n, gas in around.gases.items() if gas.provenance.edited}
    of_anchors = not gases.isdisjoint(around.anchors)
    of_host = any(r.provenance.edited for r in (relaxed, pool) if r is not None)
    both: Iterable[AdsorbRecord | VibrateRecord] = (*adsorptions, *vibrations)
    complexes = {f"*{r.adsorbate}" for r in both if r.provenance.edited}
    for s in species:
        is_edited = (
            of_anchors
            or s.name in complexes
            or s.name.partition("(")[0] in gases
            or not gases.isdisjoint(s.inherits)
            or (of_host and s.name.startswith("*"))
        )
        if is_edited and s.formation_ev is not None:
            yield s.model_copy(update={"flags": (*s.flags, EDITED_FLAG)})
        else:
            yield s


def _name_missing_species(missing: Sequence[SpeciesFreeEnergy]) -> str:
    names = ", ".join(s.name for s in missing)
    return f"no free energy for {names}" if missing else ""


def run(inputs: Inputs, job: Job) -> ThermoRecord:
    """Sum up everything on a cluster; by hand, with the gases that this needs."""
    relaxed, settings = inputs.one(RelaxRecord), inputs.settings(ThermoSettings)
    motifs = inputs.library.motif_gases(inputs.request.adsorbates)
    names = sorted({*settings.anchors, *motifs})
    level = relaxed.level
    gases = [{"gas": name, "level": level.name} for name in names] if level else []
    return thermo(
        relaxed,
        inputs.every(AdsorbRecord),
        inputs.every(VibrateRecord),
        inputs.every(GasRecord, gases),
        settings,
        inputs.library,
        job,
        inputs.optional(PoolRecord),
    )
