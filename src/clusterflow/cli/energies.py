"""The verbs on finished records: thin, like those of ``cli``."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from clusterflow.cli.options import (
    AsJson,
    Output,
    Results,
    Selection,
    Settings,
    check_output_option,
    emit,
    print_or_write,
    section,
    sections,
    selected,
)

Cores = Annotated[
    int, typer.Option(min=1, help="Cores to work on, where there are many clusters.")
]

app = typer.Typer()


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
    scale: Annotated[str, typer.Option(help="rhe, she, ag-agcl or sce.")] = "rhe",
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
        Path | None,
        typer.Option(
            "--output", help="CSV file, one row a point.", callback=check_output_option
        ),
    ] = None,
) -> None:
    """Scan potential, pH and temperature, without quantum chemistry."""
    from clusterflow.results.scan import describe, read_axis, to_csv, to_json
    from clusterflow.results.scan import scan as run
    from clusterflow.units import STANDARD_TEMPERATURE_K, check_scale

    scanned = run(
        sources,
        potential_v=read_axis(potential_v, "--potential-v"),
        scale=check_scale(scale, STANDARD_TEMPERATURE_K, "--scale"),
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
    cores: Cores = 2,
    settings: Settings = "{}",
    output: Output = None,
) -> None:
    """Collect every record into results.db and tables."""
    from clusterflow.library.find import Library
    from clusterflow.results.collect import collect as run
    from clusterflow.results.table_file import take_fingerprint
    from clusterflow.settings import CollectSettings
    from clusterflow.stages.parts.job import Job, settings_of

    given = {"database": database, "parquet": parquet}
    chosen = section(settings, "collect", CollectSettings, given)
    made_of = take_fingerprint(folder)
    records, study = selected(folder, selection)
    job = Job("collect", settings=settings_of(chosen))
    record = run(
        records,
        folder,
        study,
        Library.default(),
        settings=chosen,
        job=job,
        made_of=made_of,
        n_cores=cores,
    )
    emit(record, output)


@app.command(epilog="clusterflow report results/default")
def report(
    folder: Results,
    selection: Selection = None,
    cores: Cores = 2,
    settings: Settings = "{}",
    output: Output = None,
) -> None:
    """Write report.html and the diagrams."""
    from clusterflow.library.find import Library
    from clusterflow.report.stage import report as run
    from clusterflow.stages.parts.job import Job

    sections(settings)
    records, study = selected(folder, selection)
    record = run(
        records, folder, study, Library.default(), Job("report"), n_cores=cores
    )
    emit(record, output)


@app.command(epilog="clusterflow verify results/default")
def verify(
    folder: Results,
    json_: AsJson = False,
) -> None:
    """Check finished results: a verdict a gate and subject, with the number."""
    from dataclasses import asdict

    from clusterflow.library.find import Library
    from clusterflow.records.files import read_records
    from clusterflow.results.verify import describe, exit_code
    from clusterflow.results.verify import verify as run

    gates = run(read_records(folder), Library.default())
    if json_:
        print(json.dumps([asdict(gate) for gate in gates], indent=1))
    else:
        print(describe(gates))
    raise typer.Exit(exit_code(gates))
