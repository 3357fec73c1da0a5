"""The command ``clusterflow``: each verb parses, calls one function, maps errors.

Nothing heavy is imported before a verb needs it, so that help comes at once.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from clusterflow.cli import energies, export, results, stages, study
from clusterflow.errors import ClusterflowError, InputWarning, hide_passwords

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    name="clusterflow",
    help="Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Boxes around the help would take a third of its time, to import rich.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code is 2 for wrong input, 1 for a bug."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    warnings.showwarning = _show_warning
    print_in_utf8()
    code = _run_command(arguments)
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _end_without_output(error, code)
    return code


def print_in_utf8() -> None:
    """Å and − in any locale, and names of files as the disk has them."""
    wanted = "utf-8", "surrogateescape"
    out = sys.stdout
    # Not again in a fork, whose output may have become a pipe.
    if isinstance(out, io.TextIOWrapper) and (out.encoding, out.errors) != wanted:
        out.reconfigure(encoding=wanted[0], errors=wanted[1])


def _run_command(arguments: list[str] | None) -> int:
    try:
        # Named here, so that shell completion is of `clusterflow` also where it was
        # started as a module.
        command()(args=arguments, prog_name="clusterflow")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except ClusterflowError as error:
        if os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            raise
        _print_error(error)
        return 2
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT):
            return _end_without_output(error, 0)
        if error.filename is None or os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            raise
        # A name too long, no right to read, a server that is away: no bug of ours.
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _print_error(error: ClusterflowError) -> None:
    """One line for each problem, also where a name holds line ends or a password."""
    lines = re.sub(r"\n(?!error: )", r"\\n", hide_passwords(str(error)))
    print(f"error: {lines}", file=sys.stderr)


_SHOW_OTHERS = warnings.showwarning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line of what was not plain in an input; all else as Python shows it."""
    if issubclass(category, InputWarning):
        print(f"note: {message}", file=sys.stderr)
    else:
        _SHOW_OTHERS(message, category, filename, lineno, file, line)


def _end_without_output(error: OSError, code: int) -> int:
    """The exit code where nothing more can be printed."""
    sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    # The reader of a pipe went away (`| head`): nothing is wrong.
    if isinstance(error, BrokenPipeError):
        return code
    where = error.filename or "standard output"
    print(f"error: {where}: cannot be written ({error.strerror})", file=sys.stderr)
    return 2


@functools.cache
def command() -> Any:
    """All verbs as one command, built when it is first wanted."""
    built = typer.main.get_command(app)
    _word_types(built)
    return built


# What help calls the type of a value, for names of Python in typer's own help.
_TYPE_WORDS = {
    "<str>": "<text>",
    "<list[str]>": "<text>",
    "<list[Path]>": "<path>",
    "<int>": "<integer>",
    "<int range>": "<integer>",
    "<float>": "<number>",
}


def _word_types(verb: Any) -> None:
    """Let the help of a verb, and of those below it, name types in plain words."""
    for below in getattr(verb, "commands", {}).values():
        _word_types(below)
    for parameter in verb.params:
        # Older versions of typer have plain words of their own.
        if shown := getattr(parameter, "display_type", None):
            parameter.display_type = functools.partial(_word_type, shown)


def _word_type(shown: Callable[[Any], str], ctx: Any) -> str:
    name = shown(ctx)
    return _TYPE_WORDS.get(name, name)


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


for part in (stages, energies, study, results, export):
    app.add_typer(part.app)
