"""The verbs of the stages: thin, like those of ``cli``.

Most take what every stage takes; those that print for a person, or take more, are
written out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clusterflow.cli.options import (
    Adsorbates,
    AsJson,
    Charge,
    Frame,
    LevelName,
    Multiplicity,
    Output,
    Settings,
    Subjects,
    TemperatureK,
    Trust,
    check_output_option,
    emit,
    print_table,
    read_inputs,
    read_selection,
    run_stage,
    sections,
)
from clusterflow.errors import ConfigError
from clusterflow.stage_table import STAGES
from clusterflow.units import STANDARD_PRESSURE_PA

if TYPE_CHECKING:
    from collections.abc import Callable

    from clusterflow.stage_table import Stage

app = typer.Typer()


def verb(stage: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for the verb of a stage, with the help that its row has."""
    row = STAGES[stage]
    return app.command(stage, help=row.summary, epilog=row.example)


def add_common_verbs() -> None:
    """Give every stage that has no verb of its own the one that suits most."""
    known = {command.name for command in app.registered_commands}
    for row in STAGES.values():
        if row.of and row.name not in known:
            _add_common_verb(row)
    order = list(STAGES)
    app.registered_commands.sort(key=lambda verb: order.index(str(verb.name)))


def _add_common_verb(row: Stage) -> None:
    @verb(row.name)
    def run(
        subjects: Subjects,
        adsorbate: Adsorbates = None,
        level: LevelName = None,
        settings: Settings = "{}",
        charge: Charge = None,
        multiplicity: Multiplicity = None,
        frame: Frame = "",
        trust: Trust = "",
        output: Output = None,
    ) -> None:
        inputs = read_inputs(
            row.name,
            subjects,
            settings,
            adsorbates=adsorbate,
            level=level,
            charge=charge,
            multiplicity=multiplicity,
            frame=frame,
            trust=trust,
        )
        run_stage(inputs, output)


@verb("build")
def build(
    subject: Annotated[str, typer.Argument(help="Cluster by name, YAML or structure.")],
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    output: Output = None,
) -> None:
    """Read no record."""
    inputs = read_inputs(
        "build",
        [subject],
        settings,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    run_stage(inputs, output)


@verb("level")
def level(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    settings: Settings = "{}",
    levels: Annotated[
        str | None, typer.Option(help="Levels in order of preference, by commas.")
    ] = None,
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Print the verdicts, and with `--levels` stop at the first that is accepted."""
    from clusterflow.stages.level import run

    inputs = read_inputs(
        "level",
        [subject],
        settings,
        given={"level": {"preferred": levels.split(",") if levels else None}},
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    if output is not None and levels is None:
        run_stage(inputs, output)
        return
    record = run(inputs, inputs.job(), try_all=levels is None)
    if output is not None or json_:
        emit(record, output)
        return
    for attempt in record.attempts:
        verdict = "accepted" if attempt.accepted else "refused"
        print(f"{attempt.level}: {verdict}, {attempt.reason}")


@verb("relax")
def relax(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    peers: Annotated[
        list[str] | None,
        typer.Argument(help="Level records of clusters that share its level."),
    ] = None,
    level: LevelName = None,
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    output: Output = None,
) -> None:
    """Read the levels of other clusters too."""
    inputs = read_inputs(
        "relax",
        [subject, *(peers or [])],
        settings,
        level=level,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    run_stage(inputs, output)


@verb("edges")
def edges(
    subject: Annotated[
        str,
        typer.Argument(
            help="Relax record, cluster (is relaxed), or structure file (as it is)."
        ),
    ],
    level: LevelName = None,
    ip_ea_level: Annotated[
        str | None, typer.Option(help="Level of IP and EA, by name.")
    ] = None,
    absolute_she_v: Annotated[
        float | None, typer.Option(help="Absolute potential of SHE, V.")
    ] = None,
    ph: Annotated[float | None, typer.Option(help="pH, for the couples.")] = None,
    temperature_k: TemperatureK = None,
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Print the edges as electrode potentials, beside redox couples."""
    from clusterflow.settings import CheSettings, EdgesSettings, ThermoSettings
    from clusterflow.stages.edges import band_edges, describe, run
    from clusterflow.stages.inputs import is_structure_file

    inputs = read_inputs(
        "edges",
        [subject],
        settings,
        given={
            "edges": {"level": ip_ea_level, "absolute_she_v": absolute_she_v},
            "che": {"ph": ph},
            "thermo": {"temperature_k": temperature_k},
        },
        level=level,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
        as_given=is_structure_file(subject),
    )
    if output is not None:
        run_stage(inputs, output)
        return
    at = inputs.settings(ThermoSettings).temperature_k
    record = run(inputs, inputs.job())
    view = band_edges(
        record,
        inputs.library,
        absolute_she_v=inputs.settings(EdgesSettings).absolute_she_v,
        ph=inputs.settings(CheSettings).ph,
        temperature_k=at,
    )
    if json_:
        answer = record.model_dump(mode="json") | view.model_dump(mode="json")
        print(json.dumps(answer, indent=1))
        return
    print(describe(record, view))


@verb("gas")
def gas(
    subject: Annotated[str, typer.Argument(help="Gas by name or YAML.")],
    level: LevelName = None,
    temperature_k: TemperatureK = None,
    pressure_pa: Annotated[
        float, typer.Option(help="Pressure, Pa.")
    ] = STANDARD_PRESSURE_PA,
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Print the free energy of the ideal gas."""
    from clusterflow.settings import ThermoSettings
    from clusterflow.stages.gas import run, summary
    from clusterflow.units import check_pressure

    check_pressure(pressure_pa, "--pressure-pa")
    inputs = read_inputs(
        "gas",
        [],
        settings,
        given={"thermo": {"temperature_k": temperature_k}},
        of={"gas": Path(subject).stem},
        level=level,
    )
    if output is not None:
        run_stage(inputs, output)
        return
    at = inputs.settings(ThermoSettings).temperature_k
    record = run(inputs, inputs.job())
    values = summary(record, at, pressure_pa)
    if json_:
        print(json.dumps(values, indent=1))
        return
    for key, value in values.items():
        print(f"{key:28} {value}")


@verb("sites")
def sites(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    settings: Settings = "{}",
    frame: Frame = "",
    trust: Trust = "",
    html: Annotated[
        Path | None,
        typer.Option(
            help="Draw the cluster with its sites as a page.",
            callback=check_output_option,
        ),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(
            help="Draw the cluster with its sites.", callback=check_output_option
        ),
    ] = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Take a cluster or a file as it is, not relaxed, and draw it."""
    from clusterflow.settings import SitesSettings
    from clusterflow.stages.inputs import bare_structure
    from clusterflow.stages.sites import draw, site_rows, site_summary, sites_of

    inputs = read_inputs("sites", [subject], settings, frame=frame, trust=trust)
    if output is not None and not inputs.by_hand:
        run_stage(inputs, output)
        return
    structure = bare_structure(inputs)
    job = inputs.job()
    chosen = inputs.settings(SitesSettings)
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


@verb("adsorb")
def adsorb(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    adsorbate: Annotated[str, typer.Argument(help="Adsorbate by name.")],
    before: Annotated[
        list[str] | None,
        typer.Argument(help="Adsorb and pool record of the round before, if any."),
    ] = None,
    sites: Annotated[
        str | None, typer.Option(help="Sites record; found anew without it.")
    ] = None,
    level: LevelName = None,
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    output: Output = None,
) -> None:
    """Take one adsorbate, which no record names yet."""
    inputs = read_inputs(
        "adsorb",
        [subject, *([sites] if sites else []), *(before or [])],
        settings,
        of={"adsorbate": adsorbate},
        level=level,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    run_stage(inputs, output)


@verb("vibrate")
def vibrate(
    subject: Annotated[
        str, typer.Argument(help="Adsorb record, or cluster by name or file.")
    ],
    pool: Annotated[
        str | None,
        typer.Argument(help="Pool record, where minima on any isomer count."),
    ] = None,
    relaxed: Annotated[
        str | None, typer.Option("--relax", help="Relax record, for a record.")
    ] = None,
    adsorbate: Annotated[
        str | None, typer.Option(help="Adsorbate by name, for a cluster.")
    ] = None,
    level: LevelName = None,
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    output: Output = None,
) -> None:
    """Take one adsorbate of a cluster, or the record that names it."""
    inputs = read_inputs(
        "vibrate",
        [subject, *filter(None, (relaxed, pool))],
        settings,
        adsorbates=[adsorbate] if adsorbate else None,
        level=level,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    if inputs.by_hand and not adsorbate:
        raise ConfigError(f"{subject}: no adsorb record; name an --adsorbate")
    run_stage(inputs, output)


@verb("refine_plan")
def refine_plan(
    folder: Annotated[Path, typer.Argument(help="Results folder of the study.")],
    number: Annotated[
        int, typer.Option("--round", min=1, help="Round, from 1.", show_default=False)
    ],
    selection: Annotated[
        str | None,
        typer.Option(
            help="As the rule passes it, or - for standard input; by default that of "
            "the study here."
        ),
    ] = None,
    settings: Settings = "{}",
    output: Output = None,
) -> None:
    """Read the records of the whole study, as far as it got in the round before."""
    from clusterflow.stage_table import list_plan_inputs

    if selection is None:
        from clusterflow.run.command import study_configs
        from clusterflow.settings import read_config
        from clusterflow.study.plan import Plan

        paths = study_configs([])
        plan = Plan.from_config(read_config(paths), paths)
        selection = plan.selection()
        settings = plan.settings("refine_plan") if settings == "{}" else settings
    files = list_plan_inputs(folder, read_selection(selection), number)
    inputs = read_inputs(
        "refine_plan", [*map(str, files)], settings, of={"round": str(number)}
    )
    run_stage(inputs, output)


@verb("refine")
def refine(
    subjects: Subjects,
    adsorbate: Adsorbates = None,
    level: LevelName = None,
    settings: Settings = "{}",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    frame: Frame = "",
    trust: Trust = "",
    points: Annotated[
        Path | None,
        typer.Option(help="Folder of finished points, used again and added to."),
    ] = None,
    output: Output = None,
) -> None:
    """Find points that another choice has computed before."""
    inputs = read_inputs(
        "refine",
        subjects,
        settings,
        adsorbates=adsorbate,
        level=level,
        charge=charge,
        multiplicity=multiplicity,
        frame=frame,
        trust=trust,
    )
    run_stage(inputs, output, points=points)


@verb("che")
def che(
    subjects: Annotated[
        list[Path] | None,
        typer.Argument(help="Thermo record of a cluster, then those of its states."),
    ] = None,
    energies: Annotated[
        Path | None,
        typer.Option(help="Your own energies: table, ASE database or tree of outputs."),
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
    scale: Annotated[str | None, typer.Option(help="rhe, she, ag-agcl or sce.")] = None,
    ph: Annotated[
        float | None, typer.Option(help="pH, for all scales but rhe.")
    ] = None,
    temperature_k: TemperatureK = None,
    correct: Annotated[
        str | None,
        typer.Option(help="Layers for your own energies, by commas: gas, solvation."),
    ] = None,
    anchors: Annotated[
        str | None,
        typer.Option(help="Gases taken as right, for your own energies, by commas."),
    ] = None,
    from_experiment: Annotated[
        str | None,
        typer.Option(
            help="Gases without an energy of your own, by commas: made of the others "
            "and measured formation, as O2 is of water."
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="site: a profile for each site of your own energies."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is read of your own energies.")
    ] = False,
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File for the record; for your own energies a results folder, or a "
            ".json file.",
        ),
    ] = None,
) -> None:
    """Read free energies of the workflow, or one's own."""
    at = {"potential_v": potential_v, "scale": scale, "ph": ph}
    if not subjects and energies is not None:
        from clusterflow.cli.own import run_own_energies

        if edges is not None:
            raise ConfigError(
                f"--edges {edges}: does not apply to --energies: no orbitals there"
            )
        own = {"temperature_k": temperature_k, "correct": correct, "anchors": anchors}
        run_own_energies(
            energies,
            reaction or [],
            settings=settings,
            given={"che": at, "thermo": own},
            by=by,
            from_experiment=from_experiment,
            json_=json_,
            output=output,
            dry_run=dry_run,
        )
        return
    if not subjects or energies is not None:
        raise ConfigError("che: give either a thermo record or --energies TABLE")
    check_output_option(output)
    inputs = read_inputs(
        "che",
        [*map(str, subjects), *([str(edges)] if edges else [])],
        settings,
        given={"che": at},
        reactions=tuple(reaction or ()),
    )
    if inputs.by_hand:
        raise ConfigError(f"{subjects[0]}: no record of stage thermo")
    run_stage(inputs, output)


@verb("claims")
def claims(
    subjects: Annotated[
        list[str],
        typer.Argument(help="Results of a study, then the claim; or records."),
    ],
    published: Annotated[
        str | None, typer.Option(help="What was published, with its unit.")
    ] = None,
    tolerance: Annotated[
        str | None, typer.Option(help="How far from it still counts, with its unit.")
    ] = None,
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Take a claim beside finished results, and print what they say of it."""
    folder, rest = Path(subjects[0]), subjects[1:]
    if not folder.is_dir() and "claims" not in sections(settings):
        raise ConfigError(
            f"claims {subjects[0]}: no folder of results; write "
            "`clusterflow claims results/default 'CLAIM'`"
        )
    if not folder.is_dir():
        run_stage(read_inputs("claims", subjects, settings), output)
        return
    if len(rest) != 1:
        raise ConfigError(
            f"claims {folder}: write one claim after it, in quotes; "
            "`clusterflow query RESULTS claims` shows those of the study"
        )
    from clusterflow.records.files import read_records
    from clusterflow.results.claims import describe_claim, refuse_unknown_names

    asked = {
        "name": "asked",
        "claim": rest[0],
        "source": "unpublished: asked by hand",
        "published": published,
        "tolerance": tolerance,
    }
    stages = STAGES["claims"].reads_peers
    files = [str(p) for stage in stages for p in sorted(folder.glob(f"{stage}/*.json"))]
    inputs = read_inputs("claims", files, settings, given={"claims": asked})
    records = read_records(folder)
    refuse_unknown_names(rest[0], records, inputs.library)
    if output is not None or json_:
        run_stage(inputs, output)
        return
    record = inputs.stage.run(inputs, inputs.job())
    print(describe_claim(record, records))


add_common_verbs()
