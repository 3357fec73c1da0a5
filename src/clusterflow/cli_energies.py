"""The verbs from vibrations to the report: thin, like those of ``cli``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clusterflow.cli_common import (
    Adsorbates,
    AsJson,
    Charge,
    LevelName,
    Multiplicity,
    Output,
    Results,
    Selection,
    Settings,
    Subjects,
    cluster_records,
    emit,
    files,
    print_or_write,
    section,
    sections,
    selected,
)
from clusterflow.errors import ConfigError

if TYPE_CHECKING:
    from clusterflow.config import CheSettings
    from clusterflow.records import CheRecord

app = typer.Typer()


@app.command(epilog="clusterflow vibrate mine.xyz --adsorbate CO")
def vibrate(
    subject: Annotated[
        str, typer.Argument(help="Adsorb record, or cluster by name or file.")
    ],
    pool: Annotated[
        Path | None,
        typer.Argument(help="Pool record, where minima on any isomer count."),
    ] = None,
    relaxed: Annotated[
        Path | None, typer.Option("--relax", help="Relax record, for a record.")
    ] = None,
    adsorbate: Annotated[
        str | None, typer.Option(help="Adsorbate by name, for a cluster.")
    ] = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Compute the vibrations of an adsorbate's best minimum."""
    from clusterflow.config import RelaxSettings, ThermoSettings, VibrateSettings
    from clusterflow.io import read_record
    from clusterflow.library import Library
    from clusterflow.records import AdsorbRecord, PoolRecord, RelaxRecord
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.scratch import Scratch
    from clusterflow.tasks.subjects import stage_of
    from clusterflow.tasks.vibrate import vibrate as run

    if stage_of(Path(subject)) != "adsorb":
        if adsorbate is None:
            raise ConfigError(f"{subject}: no adsorb record; name an --adsorbate")
        found = cluster_records(
            "vibrate", [subject], [adsorbate], settings, level, charge, multiplicity
        )
        emit(found.vibrations[0], output)
        return
    if relaxed is None:
        raise ConfigError(f"{subject}: give the cluster's relax record with --relax")
    scratch = Scratch.beside(output) if output else None
    adsorbed = read_record(Path(subject), AdsorbRecord)
    hosts = read_record(relaxed, RelaxRecord).isomers
    inputs = [Path(subject), relaxed, *([pool] if pool else [])]
    record = run(
        adsorbed,
        hosts[0] if hosts else None,
        Library.default().adsorbate(adsorbed.adsorbate),
        section(settings, "vibrate", VibrateSettings),
        section(settings, "relax", RelaxSettings),
        Job("vibrate", inputs=inputs, scratch=scratch),
        isomers=section(settings, "thermo", ThermoSettings).isomers,
        pool=read_record(pool, PoolRecord) if pool else None,
    )
    emit(record, output)
    Scratch(scratch).clear()


@app.command(epilog="clusterflow thermo Cu2 --adsorbate H")
def thermo(
    subjects: Subjects,
    adsorbate: Adsorbates = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Compute free energies of everything on a cluster, with corrections."""
    from clusterflow.config import ThermoSettings
    from clusterflow.library import Library
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.thermo import thermo as run

    job = Job("thermo", inputs=files(subjects))
    found = cluster_records(
        "thermo", subjects, adsorbate, settings, level, charge, multiplicity
    )
    record = run(
        found.relaxed,
        found.adsorptions,
        found.vibrations,
        found.gases,
        section(settings, "thermo", ThermoSettings),
        Library.default(),
        job,
        found.pool,
    )
    emit(record, output)


@app.command(
    epilog="clusterflow che --energies mine.csv --reaction CO2-to-CO\n\n"
    "clusterflow che thermo.json --reaction HER --scale she --ph 7"
)
def che(
    subjects: Annotated[
        list[Path] | None,
        typer.Argument(help="Thermo record of a cluster, then those of its states."),
    ] = None,
    energies: Annotated[
        Path | None,
        typer.Option(
            help="Your own energies: CSV, YAML, ASE database, or folder of outputs."
        ),
    ] = None,
    edges: Annotated[
        Path | None, typer.Option(help="Edges record, for what they can drive.")
    ] = None,
    reaction: Annotated[
        list[str] | None, typer.Option(help="Reaction by name; may be repeated.")
    ] = None,
    potential_v: Annotated[
        float | None, typer.Option(help="Potential, V, on the scale below.")
    ] = None,
    scale: Annotated[str | None, typer.Option(help="rhe or she.")] = None,
    ph: Annotated[float | None, typer.Option(help="pH, for the SHE scale.")] = None,
    temperature_k: Annotated[
        float, typer.Option(help="Temperature, K, for your own energies.")
    ] = 298.15,
    correct: Annotated[
        str,
        typer.Option(help="Layers for your own energies, by commas: gas, solvation."),
    ] = "",
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Compute reaction profiles and limiting potentials."""
    from clusterflow.config import CheSettings
    from clusterflow.tasks.che_table import che_of_table, describe

    given = {"potential_v": potential_v, "scale": scale, "ph": ph}
    chosen = section(settings, "che", CheSettings, given)
    if bool(subjects) == (energies is not None):
        raise ConfigError("che: give either a thermo record or --energies TABLE")
    if energies is not None:
        answer = che_of_table(
            energies,
            reactions=reaction or [],
            settings=chosen,
            temperature_k=temperature_k,
            correct=[layer for layer in correct.split(",") if layer],
        )
        text = json.dumps(answer, indent=1) if json_ or output else describe(answer)
        print_or_write(text, output)
        return
    from clusterflow.config import EdgesSettings

    absolute_she_v = section(settings, "edges", EdgesSettings).absolute_she_v
    record = _che_record(subjects or [], edges, reaction or [], chosen, absolute_she_v)
    emit(record, output)


def _che_record(
    subjects: list[Path],
    edges: Path | None,
    reactions: list[str],
    chosen: CheSettings,
    absolute_she_v: float,
) -> CheRecord:
    from clusterflow.io import read_record
    from clusterflow.library import Library
    from clusterflow.records import EdgesRecord, ThermoRecord
    from clusterflow.tasks.che import che as run
    from clusterflow.tasks.edges import with_edges
    from clusterflow.tasks.job import Job

    library = Library.default()
    names = reactions or list(library.paths("reactions"))
    thermo, *states = (read_record(subject, ThermoRecord) for subject in subjects)
    record = run(
        thermo,
        [library.reaction(Path(name).stem) for name in names],
        chosen,
        library,
        Job("che", inputs=[*subjects, *([edges] if edges else [])]),
        states,
    )
    if edges is None:
        return record
    return with_edges(
        record,
        read_record(edges, EdgesRecord),
        library,
        absolute_she_v=absolute_she_v,
        ph=chosen.ph,
        temperature_k=thermo.temperature_k,
    )


@app.command(
    epilog="clusterflow scan results/default --potential-v=-1:0:11 --ph 0:14:3 "
    "--output scan.csv"
)
def scan(
    sources: Annotated[
        list[Path], typer.Argument(help="Results folders, or records of stage che.")
    ],
    potential_v: Annotated[
        str, typer.Option(help="Potentials, V, as A:B:N or by commas.")
    ],
    scale: Annotated[str, typer.Option(help="rhe or she.")] = "rhe",
    ph: Annotated[
        str | None, typer.Option(help="pH as A:B:N; by default the recorded one.")
    ] = None,
    temperature_k: Annotated[
        str | None,
        typer.Option(help="Temperature, K, as A:B:N; another one needs a folder."),
    ] = None,
    reaction: Annotated[
        list[str] | None, typer.Option(help="Reaction by name; may be repeated.")
    ] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(help="Cluster by name; may be repeated.")
    ] = None,
    json_: AsJson = False,
    output: Annotated[
        Path | None, typer.Option("--output", help="CSV file, one row a point.")
    ] = None,
) -> None:
    """Scan potential, pH and temperature, without quantum chemistry."""
    from clusterflow.tasks.scan import describe, read_axis, to_csv, to_json
    from clusterflow.tasks.scan import scan as run

    if scale not in ("rhe", "she"):
        raise ConfigError(f"--scale {scale}: must be rhe or she")
    scanned = run(
        sources,
        potential_v=read_axis(potential_v, "--potential-v"),
        scale="she" if scale == "she" else "rhe",
        ph=None if ph is None else read_axis(ph, "--ph"),
        temperature_k=(
            None
            if temperature_k is None
            else read_axis(temperature_k, "--temperature-k")
        ),
        reactions=reaction or [],
        clusters=cluster or [],
    )
    if output is not None:
        print_or_write(to_csv(scanned).rstrip("\n"), output)
    if json_:
        print(json.dumps(to_json(scanned)))
    elif output is None:
        print(describe(scanned))


@app.command(
    epilog="clusterflow collect results/default --database postgresql://me@host/clusters"
)
def collect(
    folder: Results,
    selection: Selection = None,
    database: Annotated[
        str | None,
        typer.Option(help="PostgreSQL too, as postgresql://USER@HOST/NAME."),
    ] = None,
    parquet: Annotated[
        bool | None, typer.Option("--parquet", help="Write tables as Parquet too.")
    ] = None,
    settings: Settings = "{}",
    output: Output = None,
) -> None:
    """Collect every record into results.db and tables."""
    from clusterflow.config import CollectSettings
    from clusterflow.library import Library
    from clusterflow.tasks.collect import collect as run
    from clusterflow.tasks.job import Job, settings_of

    given = {"database": database, "parquet": parquet}
    chosen = section(settings, "collect", CollectSettings, given)
    records, study = selected(folder, selection)
    job = Job("collect", settings=settings_of(chosen))
    emit(run(records, folder, study, Library.default(), chosen, job), output)


@app.command(epilog="clusterflow report results/default")
def report(
    folder: Results,
    selection: Selection = None,
    settings: Settings = "{}",
    output: Output = None,
) -> None:
    """Write report.html and the diagrams."""
    from clusterflow.library import Library
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.report import report as run

    sections(settings)
    records, study = selected(folder, selection)
    emit(run(records, folder, study, Library.default(), Job("report")), output)


@app.command(epilog="clusterflow verify results/default")
def verify(
    folder: Results,
    json_: AsJson = False,
) -> None:
    """Check finished results: PASS, FAIL, SKIP or UNVERIFIABLE, with the number."""
    from dataclasses import asdict

    from clusterflow.io import read_records
    from clusterflow.library import Library
    from clusterflow.tasks.verify import describe, exit_code
    from clusterflow.tasks.verify import verify as run

    gates = run(read_records(folder), Library.default())
    if json_:
        print(json.dumps([asdict(gate) for gate in gates], indent=1))
    else:
        print(describe(gates))
    raise typer.Exit(exit_code(gates))
