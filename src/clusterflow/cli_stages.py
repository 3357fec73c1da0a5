"""The verbs that compute a cluster, one for each stage: thin, like those of ``cli``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clusterflow.cli_common import (
    Adsorbates,
    AsJson,
    Charge,
    LevelName,
    Multiplicity,
    Output,
    Settings,
    Subjects,
    cluster_records,
    emit,
    files,
    print_table,
    record_inputs,
    section,
    sections,
)

app = typer.Typer()


@app.command(epilog="clusterflow build Cu4")
def build(
    subject: Annotated[str, typer.Argument(help="Cluster by name, YAML or structure.")],
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Build the starting geometries of a cluster."""
    from clusterflow.tasks.subjects import build_record

    sections(settings)
    emit(build_record(subject, charge, multiplicity), output)


@app.command(epilog="clusterflow level Cd6Se6 --levels gfn2-xtb,gfn1-xtb")
def level(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    settings: Settings = "{}",
    levels: Annotated[
        str | None, typer.Option(help="Levels in order of preference, by commas.")
    ] = None,
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Choose the first level at which a cluster and its probes converge."""
    from clusterflow.config import LevelSettings, ThermoSettings
    from clusterflow.library import Library
    from clusterflow.tasks.job import Job, settings_of
    from clusterflow.tasks.level import level as choose
    from clusterflow.tasks.subjects import build_record

    chosen = section(settings, "level", LevelSettings)
    names = levels.split(",") if levels else chosen.preferred
    library = Library.default()
    job = Job(
        "level", settings=settings_of(chosen), inputs=record_inputs(subject, output)
    )
    record = choose(
        build_record(subject, charge, multiplicity),
        [library.level(name) for name in names],
        [library.adsorbate(name) for name in chosen.probes],
        [library.gas(name) for name in ThermoSettings().anchors],
        library.domain(),
        chosen.probe_steps,
        job,
        try_all=levels is None,
    )
    if output is None and not json_:
        for attempt in record.attempts:
            verdict = "accepted" if attempt.accepted else "refused"
            print(f"{attempt.level}: {verdict}, {attempt.reason}")
        return
    emit(record, output)


@app.command(epilog="clusterflow relax mine.xyz --charge 1 --output relax.json")
def relax(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    peers: Annotated[
        list[str] | None,
        typer.Argument(help="Level records of clusters that share its level."),
    ] = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Relax a cluster's starting geometries and rank the isomers."""
    from clusterflow.config import RelaxSettings
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.relax import relax as run
    from clusterflow.tasks.scratch import Scratch
    from clusterflow.tasks.subjects import build_record, level_record

    peers = peers or []
    scratch = Scratch.beside(output) if output else None
    inputs = record_inputs(subject, output, level, *peers)
    job = Job("relax", inputs=inputs, scratch=scratch)
    built = build_record(subject, charge, multiplicity)
    record = run(
        built,
        level_record(level, built.cluster),
        section(settings, "relax", RelaxSettings),
        job,
        [level_record(peer, built.cluster) for peer in peers],
    )
    emit(record, output)
    Scratch(scratch).clear()


@app.command(epilog="clusterflow edges Cd6Se6 --ph 7")
def edges(
    subject: Annotated[
        str,
        typer.Argument(
            help="Relax record, cluster (is relaxed), or structure file (as it is)."
        ),
    ],
    level: LevelName = "gfn1-xtb",
    ip_ea_level: Annotated[
        str | None, typer.Option(help="Level of IP and EA, by name.")
    ] = None,
    absolute_she_v: Annotated[
        float | None, typer.Option(help="Absolute potential of SHE, V.")
    ] = None,
    ph: Annotated[float | None, typer.Option(help="pH, for the couples.")] = None,
    temperature_k: Annotated[float, typer.Option(help="Temperature, K.")] = 298.15,
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Compute the gas-phase band edges of a cluster's lowest isomer."""
    from clusterflow.config import CheSettings, EdgesSettings, RelaxSettings
    from clusterflow.library import Library
    from clusterflow.tasks.edges import band_edges, describe
    from clusterflow.tasks.edges import edges as run
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.subjects import relaxed_or_as_given
    from clusterflow.units import check_temperature

    check_temperature(temperature_k, "--temperature-k")
    given = {"level": ip_ea_level, "absolute_she_v": absolute_she_v}
    chosen = section(settings, "edges", EdgesSettings, given)
    ph = section(settings, "che", CheSettings, {"ph": ph}).ph
    library = Library.default()
    method = library.level(chosen.level)
    relaxed = relaxed_or_as_given(
        subject,
        level,
        section(settings, "relax", RelaxSettings),
        charge,
        multiplicity,
    )
    job = Job("edges", inputs=record_inputs(subject, output))
    record = run(relaxed, method, library.domain(), job)
    if output is not None:
        emit(record, output)
        return
    view = band_edges(
        record,
        library,
        absolute_she_v=chosen.absolute_she_v,
        ph=ph,
        temperature_k=temperature_k,
    )
    if json_:
        answer = record.model_dump(mode="json") | view.model_dump(mode="json")
        print(json.dumps(answer, indent=1))
        return
    print(describe(record, view))


@app.command(epilog="clusterflow gas CO --level gfn1-xtb --temperature-k 350")
def gas(
    subject: Annotated[str, typer.Argument(help="Gas by name or YAML.")],
    level: LevelName = "gfn1-xtb",
    temperature_k: Annotated[float, typer.Option(help="Temperature, K.")] = 298.15,
    pressure_pa: Annotated[float, typer.Option(help="Pressure, Pa.")] = 1e5,
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Compute a molecule: energy, vibrations and ideal-gas free energy."""
    from clusterflow.config import GasSettings
    from clusterflow.library import Library
    from clusterflow.tasks.gas import gas as run
    from clusterflow.tasks.gas import summary
    from clusterflow.tasks.job import Job
    from clusterflow.units import check_pressure, check_temperature

    check_temperature(temperature_k, "--temperature-k")
    check_pressure(pressure_pa, "--pressure-pa")
    library = Library.default()
    record = run(
        library.gas(Path(subject).stem),
        library.level(level),
        section(settings, "gas", GasSettings),
        Job("gas"),
    )
    if output is not None:
        emit(record, output)
        return
    values = summary(record, temperature_k, pressure_pa)
    if json_:
        print(json.dumps(values, indent=1))
        return
    for key, value in values.items():
        print(f"{key:28} {value}")


@app.command(epilog="clusterflow sites Cu4")
def sites(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    settings: Settings = "{}",
    html: Annotated[
        Path | None, typer.Option(help="Draw the cluster with its sites as a page.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="Draw the cluster with its sites.")
    ] = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Find the distinct adsorption sites of a cluster."""
    from clusterflow.config import SitesSettings
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.sites import draw, site_rows, site_summary, sites_of
    from clusterflow.tasks.sites import sites as run
    from clusterflow.tasks.subjects import bare_structure, relax_record, stage_of

    chosen = section(settings, "sites", SitesSettings)
    job = Job("sites", inputs=record_inputs(subject, output))
    if output is not None and stage_of(Path(subject)) is not None:
        emit(run(relax_record(subject), chosen, job), output)
        return
    structure = bare_structure(subject)
    record = sites_of(structure, Path(subject).stem, chosen, job)
    for picture in filter(None, (html, png)):
        draw(record, structure, picture)
    if output is not None:
        emit(record, output)
    elif json_:
        print(json.dumps([s.model_dump(mode="json") for s in record.sites], indent=1))
        if not record.sites:
            typer.echo(site_summary(record), err=True)
    else:
        print(site_summary(record))
        if record.sites:
            print_table(site_rows(record))


@app.command(epilog="clusterflow adsorb Cu4 COOH --output adsorb.json")
def adsorb(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    adsorbate: Annotated[str, typer.Argument(help="Adsorbate by name.")],
    before: Annotated[
        list[Path] | None,
        typer.Argument(help="Adsorb and pool record of the round before, if any."),
    ] = None,
    sites: Annotated[
        Path | None, typer.Option(help="Sites record; found anew without it.")
    ] = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Find the minima of an adsorbate on a cluster."""
    from clusterflow.config import AdsorbSettings, RelaxSettings, SitesSettings
    from clusterflow.io import read_record
    from clusterflow.library import Library
    from clusterflow.records import SitesRecord
    from clusterflow.tasks.adsorb import adsorb as run
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.scratch import Scratch
    from clusterflow.tasks.subjects import relaxed_and_sites, round_before

    library = Library.default()
    scratch = Scratch.beside(output) if output else None
    inputs = [*record_inputs(subject, output), *([sites] if sites else [])]
    inputs += before or []
    job = Job("adsorb", inputs=inputs, scratch=scratch)
    relax_settings = section(settings, "relax", RelaxSettings)
    found = read_record(sites, SitesRecord) if sites else None
    relaxed, known = relaxed_and_sites(
        subject, found, level, relax_settings, charge, multiplicity
    )
    record = run(
        relaxed,
        known,
        library.adsorbate(adsorbate),
        library.adsorbates(),
        section(settings, "adsorb", AdsorbSettings),
        relax_settings,
        job,
        round_before(before or [], section(settings, "sites", SitesSettings)),
    )
    emit(record, output)
    Scratch(scratch).clear()


@app.command(epilog="clusterflow pool Cu4 --adsorbate H --adsorbate CO")
def pool(
    subjects: Subjects,
    adsorbate: Adsorbates = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Strip and relax what adsorbates have changed, and list a cluster's isomers."""
    from clusterflow.config import PoolSettings, RelaxSettings
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.pool import pool as run
    from clusterflow.tasks.scratch import Scratch

    scratch = Scratch.beside(output) if output else None
    job = Job("pool", inputs=files(subjects), scratch=scratch)
    found = cluster_records(
        "pool", subjects, adsorbate, settings, level, charge, multiplicity
    )
    record = run(
        found.relaxed,
        found.adsorptions,
        section(settings, "pool", PoolSettings),
        section(settings, "relax", RelaxSettings),
        job,
        found.pool,
    )
    emit(record, output)
    Scratch(scratch).clear()
