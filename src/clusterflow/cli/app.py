"""The command ``clusterflow``: each verb parses, calls one task and maps errors.

Nothing heavy is imported before a verb needs it, so that help comes at once.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Annotated, Any

import typer

from clusterflow.cli import energies, results, stages, study
from clusterflow.errors import ClusterflowError

app = typer.Typer(
    name="clusterflow",
    help="Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code is 2 for wrong input, 1 for a bug."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        # Named here, so that shell completion is of `clusterflow` also where it was
        # started as a module.
        command()(args=arguments, prog_name="clusterflow")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except ClusterflowError as error:
        if os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): nothing is wrong.
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    return 0


@functools.cache
def command() -> Any:
    """All verbs as one command, built when it is first wanted."""
    return typer.main.get_command(app)


def _print_version(show: bool) -> None:
    if show:
        import clusterflow

        print(f"clusterflow {clusterflow.__version__}")
        raise typer.Exit


@app.callback()
def _declare_common_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True)
    ] = False,
    accept_edited: Annotated[
        bool,
        typer.Option(
            "--accept-edited",
            help="Read records that were changed by hand, and mark what they lead to.",
        ),
    ] = False,
) -> None:
    if accept_edited:
        from clusterflow.records.files import ACCEPT_EDITED

        # Jobs that this command starts see it too.
        os.environ[ACCEPT_EDITED] = "1"


for part in (stages, energies, study, results):
    app.add_typer(part.app)
