"""Options and helpers that several verbs share."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from clusterflow.errors import ConfigError, name_near

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clusterflow.model import Model
    from clusterflow.records.provenance import Record
    from clusterflow.stages.inputs import Inputs

TemperatureK = Annotated[
    float | None, typer.Option(help="Temperature, K; by default that of a study.")
]


def check_output_option(path: Path | None) -> Path | None:
    """A file that is to be written, refused before anything is computed for it.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if path is not None:
        from clusterflow.records.files import check_output

        check_output(path)
    return path


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        help="File for the record; by default it is printed.",
        callback=check_output_option,
    ),
]
Settings = Annotated[
    str,
    typer.Option("--settings", help="Settings as JSON, by section; rules pass them."),
]
LevelName = Annotated[
    str | None,
    typer.Option(
        "--level",
        help="A level by name, or a record of stage level; a study's by default.",
    ),
]
Charge = Annotated[
    int | None, typer.Option(help="Charge of a structure file; its own word, or 0.")
]
Multiplicity = Annotated[
    int | None,
    typer.Option(help="Multiplicity of a structure file; its own word, or the lowest."),
]
Frame = Annotated[
    str,
    typer.Option(help="last, or a number from 0, of several structures in a file."),
]
Trust = Annotated[
    str,
    typer.Option(help="file or call, where they differ in charge or multiplicity."),
]
Subjects = Annotated[
    list[str],
    typer.Argument(help="Records of a cluster, or one cluster by name or file."),
]
Adsorbates = Annotated[
    list[str] | None,
    typer.Option(help="Adsorbate by name, for a cluster; may be repeated."),
]
Results = Annotated[Path, typer.Argument(help="Results of a study.")]
Selection = Annotated[
    str | None,
    typer.Option(
        "--selection",
        help="Which records, as JSON, or - for standard input; all by default.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_WIDEST = 10_000  # characters
M = TypeVar("M", bound="Model")


def sections(settings: str) -> dict[str, Any]:
    """The settings that a rule passes, by section."""
    from clusterflow.settings import Study

    found = _read_object("--settings", settings)
    known = ("protocol", *Study.model_fields)
    for name, content in found.items():
        if name not in known:
            raise ConfigError(
                f"--settings: no section {name!r}; {name_near(name, known)}"
            )
        if name != "protocol" and not isinstance(content, dict):
            raise ConfigError(
                f"--settings: {name} = {content!r}: must be an object of settings"
            )
    return found


def read_selection(selection: str) -> dict[str, Any]:
    """Which records a rule wants, from its option or, as ``-``, standard input."""
    text = sys.stdin.read() if selection == "-" else selection
    return _read_object("--selection", text)


def _read_object(option: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_refuse_doubles)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{option}: not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise ConfigError(f"{option}: must be a JSON object of sections")
    return found


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} stands there twice")
        found[key] = value
    return found


def section(
    settings: str, name: str, model: type[M], given: dict[str, Any] | None = None
) -> M:
    """One section of the settings, with options given by hand on top."""
    from pydantic import ValidationError

    from clusterflow.library.find import describe_error, validate

    content = dict(sections(settings).get(name, {}))
    content |= {k: v for k, v in (given or {}).items() if v is not None}
    try:
        return validate(content, model)
    except ValidationError as error:
        raise ConfigError(f"{name}: {describe_error(error)}") from None


def selected(folder: Path, selection: str | None) -> tuple[Any, str]:
    """Records of a study, all or as selected, and its name."""
    from clusterflow.records.files import read_records
    from clusterflow.stage_table import record_paths

    if selection is None:
        return read_records(folder), folder.name
    chosen = read_selection(selection)
    try:
        study, paths = str(chosen["study"]), record_paths(folder, chosen)
    except (LookupError, TypeError, AttributeError) as error:
        raise ConfigError(f"--selection: not as a rule passes it ({error!r})") from None
    return read_records(folder, paths), study


def read_inputs(
    stage: str,
    subjects: Sequence[str],
    settings: str,
    *,
    of: Mapping[str, str] | None = None,
    adsorbates: Sequence[str] | None = None,
    given: Mapping[str, Mapping[str, Any]] | None = None,
    **request: Any,
) -> Inputs:
    """What a verb of a stage reads.

    Parameters
    ----------
    stage, subjects, of
        As `Inputs.read` takes them.
    adsorbates
        Those named by hand; a stage of one adsorbate is of the first.
    settings
        The settings that a rule passes, as JSON.
    given
        Options given by hand, by section; they win. None stands for one not given.
    request
        The other fields of `Request`.
    """
    from clusterflow.stage_table import STAGES
    from clusterflow.stages.inputs import Inputs, Request

    chosen = sections(settings)
    for name, options in (given or {}).items():
        own = {k: v for k, v in options.items() if v is not None}
        chosen[name] = {**chosen.get(name, {}), **own}
    if adsorbates and "adsorbate" in STAGES[stage].of:
        of = {"adsorbate": adsorbates[0]}
    asked = Request(adsorbates=tuple(adsorbates or ()), **request)
    return Inputs.read(stage, subjects, settings=chosen, request=asked, of=of)


def run_stage(
    inputs: Inputs, output: Path | None, *, points: Path | None = None
) -> None:
    """Run a stage and write its record, or print it; `points` are shared by jobs.

    In a run jobs are watched: one that hangs or crashes leaves a record with a hole.
    """
    from clusterflow.records.files import is_device
    from clusterflow.run import watchdog
    from clusterflow.stages.parts.scratch import Scratch
    from clusterflow.study.cost import describe_stages_cost

    for line in describe_stages_cost(inputs):
        typer.echo(f"note: {line}", err=True)

    is_file = output is not None and not is_device(output)
    scratch = Scratch.beside(output) if output and is_file else None

    def work(note_progress: Callable[[], None] = lambda: None) -> None:
        job = inputs.job(scratch)
        job.points = points
        job.meter.note_progress = note_progress
        emit(inputs.stage.run(inputs, job), output)

    settings = watchdog.read_settings() if is_file and inputs.stage.gradients else None
    give_up = inputs.stage.give_up
    if settings is None or give_up is None:
        work()
    elif reason := watchdog.watch(work, settings):
        emit(give_up(inputs, inputs.job(), reason), output)
    Scratch(scratch).clear()


def emit(record: Record, output: Path | None) -> None:
    """Write a record, or print it."""
    from clusterflow.records.files import record_text, write_record

    if output is None:
        print(record_text(record), end="")
    else:
        write_record(record, output)


def print_or_write(text: str, output: Path | None) -> None:
    """Write a text, or print it."""
    from clusterflow.records.files import write_atomic

    if output is None:
        print(text)
    else:
        write_atomic(output, text + "\n")


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as a table; where nobody looks, as wide as it needs to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("nothing")
        return
    numbers = {
        key for key in rows[0] if any(isinstance(row[key], float) for row in rows)
    }
    table = Table(box=box.SIMPLE_HEAD)
    for key in rows[0]:
        justify: Literal["left", "right"] = "right" if key in numbers else "left"
        # The name, by which a row is found, stays in one piece.
        is_name = key == next(iter(rows[0]))
        table.add_column(key, justify=justify, overflow="fold", no_wrap=is_name)
    for row in rows:
        # Text: brackets in a reason are no markup.
        table.add_row(*(Text(_format_cell(value)) for value in row.values()))
    console = Console()
    if not console.is_terminal:
        wide = console.options.update(width=_WIDEST)
        console.width = console.measure(table, options=wide).maximum
    console.print(table)


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
