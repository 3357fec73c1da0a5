"""What `che --energies` does: options into settings, records into a results folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from clusterflow.cli.options import check_output_option, print_or_write, sections
from clusterflow.errors import ConfigError
from clusterflow.intake.own_settings import take_own_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clusterflow.intake.own_profiles import OwnStudy
    from clusterflow.model import Model

# A page with more diagrams than this is written only when it is asked for.
_MOST_DIAGRAMS = 200


def run_own_energies(
    energies: Path,
    reactions: list[str],
    *,
    settings: str,
    given: Mapping[str, Mapping[str, Any]],
    by: str | None,
    from_experiment: str | None,
    json_: bool,
    output: Path | None,
    dry_run: bool,
) -> None:
    """Print the profiles of a person's own energies, or write them.

    Parameters
    ----------
    energies
        A table, a database or a folder of outputs.
    reactions
        Names of reactions.
    settings
        As a rule passes them; what does not apply is refused.
    given
        Options given by hand, by section; they win.
    by
        ``site`` for a profile a site.
    from_experiment
        Gases to be made of the others and measured formation, by commas.
    json_
        Print JSON in the place of text.
    output
        A results folder, or a file of JSON.
    dry_run
        Print what is read, and nothing else.
    """
    if dry_run:
        from clusterflow.intake.own_energies import describe_rows, read_energies
        from clusterflow.library.find import Library

        print(describe_rows(read_energies(energies, Library.default())))
        return
    from clusterflow.intake.own_profiles import describe, read_own_study, to_json
    from clusterflow.settings import CheSettings, ThermoSettings

    if by not in (None, "site"):
        raise ConfigError(f"--by {by}: must be site")
    is_file = output is not None and output.suffix == ".json"
    if is_file:
        check_output_option(output)
    chosen = _read_settings(settings, given)
    study = read_own_study(
        energies,
        reactions=reactions,
        settings=_validate_section("che", chosen["che"], CheSettings),
        thermo_settings=_validate_section("thermo", chosen["thermo"], ThermoSettings),
        by_site=by == "site",
        from_experiment=_split_list(from_experiment or ""),
    )
    if is_file or json_:
        text = json.dumps(to_json(study), indent=1)
        print_or_write(text, output if is_file else None)
    else:
        print(describe(study))
    if output is not None and not is_file:
        _write_results(study, output)


def _read_settings(
    settings: str, given: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Settings by section, options by hand on top."""
    passed = {k: v for k, v in sections(settings).items() if k != "protocol"}
    chosen = take_own_settings(passed, "--settings", "--energies")
    for name, options in given.items():
        chosen[name] |= {
            key: _split_list(value) if key in ("correct", "anchors") else value
            for key, value in options.items()
            if value is not None
        }
    return chosen


def _split_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _validate_section(name: str, content: Mapping[str, Any], model: type[Model]) -> Any:
    from pydantic import ValidationError

    from clusterflow.library.find import describe_error, validate

    try:
        return validate(dict(content), model)
    except ValidationError as error:
        raise ConfigError(f"{name}: {describe_error(error)}") from None


def _write_results(study: OwnStudy, folder: Path) -> None:
    """A results folder as a study has it: records, tables, gates, page, diagrams."""
    from clusterflow.intake.own_results import write_records
    from clusterflow.library.find import Library
    from clusterflow.records.files import read_records, write_record
    from clusterflow.report.stage import report
    from clusterflow.results.collect import collect
    from clusterflow.settings import CollectSettings
    from clusterflow.stages.parts.job import Job, settings_of

    write_records(study, folder)
    records, library = read_records(folder), Library.default()
    chosen = CollectSettings()
    job = Job("collect", settings=settings_of(chosen))
    collected = collect(records, folder, folder.name, library, settings=chosen, job=job)
    write_record(collected, folder / "collect.json")
    if len(study.results) > _MOST_DIAGRAMS:
        typer.echo(
            f"{folder}: tables written; `clusterflow report {folder}` draws "
            f"{len(study.results)} diagrams",
            err=True,
        )
        return
    written = report(records, folder, folder.name, library, Job("report"))
    write_record(written, folder / "report.json")
