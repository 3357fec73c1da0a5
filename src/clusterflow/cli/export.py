"""The verb that hands results on to other programs."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer

from clusterflow.cli.options import Results  # noqa: TC001 - typer reads annotations

app = typer.Typer()


@app.command(
    epilog="clusterflow export results/default --format chain --output chain.csv\n\n"
    "clusterflow export results/default --format catmap --output catmap\n\n"
    "clusterflow export results/default --format cathub --output cathub\n\n"
    "clusterflow export results/default --format xyz --output structures.xyz\n\n"
    "clusterflow export results/default --format cif --output cif\n\n"
    "clusterflow export results/default --format rocrate --output crate\n\n"
    "clusterflow export results/default --format nomad --output nomad"
)
def export(
    folder: Results,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            help="chain: CSV of what each number is the sum of; catmap: energies.txt "
            "and model.mkm; cathub: a folder for Catalysis-Hub; xyz: all structures as "
            "extended XYZ; cif: as CIF, a file each; rocrate: "
            "the study with its workflow as an RO-Crate; nomad: entries for NOMAD.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="File of chain and xyz, folder of the others."
        ),
    ],
) -> None:
    """Write results for spreadsheets and other programs, structures as XYZ or CIF."""
    from clusterflow.errors import ConfigError
    from clusterflow.library.find import Library
    from clusterflow.records.files import read_records
    from clusterflow.results.export import WRITERS

    if format_ not in WRITERS:
        raise ConfigError(f"--format {format_}: must be one of {', '.join(WRITERS)}")
    for line in WRITERS[format_](read_records(folder), Library.default(), output):
        print(line)
