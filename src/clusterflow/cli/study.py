"""The verbs around a study and its library: thin, like those of ``cli``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from clusterflow.cli.options import (
    AsJson,
    Charge,
    Frame,
    Multiplicity,
    TemperatureK,
    Trust,
    check_output_option,
    print_table,
    section,
)
from clusterflow.errors import ConfigError

app = typer.Typer()


@app.command(epilog="clusterflow check\n\nclusterflow check --config mine.yaml")
def check(
    config: Annotated[
        list[Path] | None, typer.Option(help="Configuration; config.yaml by default.")
    ] = None,
) -> None:
    """Validate configuration, library, charges and parity before a run."""
    from clusterflow.run.command import study_configs
    from clusterflow.study.check import check as run

    paths = config or study_configs([])
    lines = run(paths)
    _try_database(_read_database_url(paths))
    for line in lines:
        print(line)


def _read_database_url(paths: list[Path]) -> str | None:
    from clusterflow.settings import load_study, read_config

    return load_study(read_config(paths), paths).collect.database


def _try_database(url: str | None) -> None:
    """Refuse a study whose database lets nobody in, before it computes for a night."""
    if url is not None:
        from clusterflow.results.database import try_server

        try_server(url)


@app.command(
    "list", epilog="clusterflow list clusters\n\nclusterflow list clusters Au25"
)
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            help="clusters, adsorbates, gases, reactions, levels, couples, ligands "
            "or domain."
        ),
    ],
    search: Annotated[
        str, typer.Argument(help="Only items that have this text somewhere.")
    ] = "",
    json_: AsJson = False,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write clusters with pictures to this file.",
            callback=check_output_option,
        ),
    ] = None,
) -> None:
    """List the items of the library."""
    from clusterflow.study.listing import listing, search_rows, shown

    if html is not None:
        _write_gallery(kind, html)
        return
    rows = search_rows(listing(kind), search)
    if json_:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    print_table(shown(kind, rows))


def _write_gallery(kind: str, path: Path) -> None:
    from clusterflow.errors import LibraryError
    from clusterflow.library.find import Library
    from clusterflow.records.files import write_atomic
    from clusterflow.study.gallery import gallery

    if kind != "clusters":
        raise LibraryError(f"list {kind} --html: only clusters have pictures")
    write_atomic(path, gallery(Library.default()))
    print(path)


@app.command(epilog="clusterflow electrons 'Au25(SCH3)18' --charge=-1")
def electrons(
    subject: Annotated[
        str, typer.Argument(help="Formula, such as [Au25(SCH3)18]-, cluster or file.")
    ],
    charge: Annotated[
        int | None, typer.Option(help="Charge, where the subject states none.")
    ] = None,
    frame: Frame = "",
    trust: Trust = "",
    json_: AsJson = False,
) -> None:
    """Count the valence and superatom electrons of a cluster."""
    from dataclasses import asdict

    from clusterflow.library.find import Library
    from clusterflow.study.electrons import electrons as run

    values = asdict(run(subject, charge, Library.default(), frame=frame, trust=trust))
    if json_:
        print(json.dumps(values, indent=1, ensure_ascii=False))
        return
    for key, value in values.items():
        if value not in (None, "", {}):
            print(f"{key:20} {value}")


@app.command(epilog="clusterflow couples --ph 0")
def couples(
    ph: Annotated[float, typer.Option(help="pH of the electrolyte.")] = 7.0,
    temperature_k: TemperatureK = None,
    json_: AsJson = False,
) -> None:
    """Print the potentials of redox couples at a pH, against SHE."""
    from clusterflow.library.find import Library
    from clusterflow.science.reactions.couples import couples as run
    from clusterflow.settings import CheSettings, ThermoSettings

    given = {"temperature_k": temperature_k}
    at = section("{}", "thermo", ThermoSettings, given).temperature_k
    checked = section("{}", "che", CheSettings, {"ph": ph})
    found = run(Library.default(), ph=checked.ph, temperature_k=at)
    if json_:
        print(json.dumps([c.model_dump(mode="json") for c in found], indent=1))
        return
    for couple in found:
        equation = couple.equation or f"{couple.n_e} e-, {couple.n_h} H+"
        if couple.potential_v_she is None:
            print(f"none              {couple.name:12} {couple.reason}")
            continue
        print(f"{couple.potential_v_she:+.3f} V vs SHE  {couple.name:12} {equation}")


def _read_multiplicity(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise ConfigError(f"--multiplicity {text}: give a whole number, or auto")
    return int(text)


@app.command(
    epilog="clusterflow add mine.xyz --name Cu3-mine --charge 0 --multiplicity 2 "
    "--source 'unpublished: A. Person'"
)
def add(
    file: Annotated[
        Path, typer.Argument(help="XYZ, extxyz, CIF, PDB, GRO, MOL2 or POSCAR.")
    ],
    name: Annotated[str, typer.Option(help="Name of the new cluster.")],
    charge: Annotated[int, typer.Option(help="Total charge.")],
    multiplicity: Annotated[
        str, typer.Option(help="2S + 1, or auto: the lowest, and higher are tried.")
    ],
    source: Annotated[str, typer.Option(help="A DOI, or `unpublished: NAME`.")],
    material: Annotated[str, typer.Option(help="metal, ii-vi or other.")] = "",
    molecule: Annotated[
        str, typer.Option(help="Formula or number of the molecule to take.")
    ] = "",
    disorder: Annotated[
        str, typer.Option(help="major, or the disorder group to keep.")
    ] = "",
    truncate_ligands: Annotated[
        list[str] | None,
        typer.Option(help="SH, SCH3, SeH or PH3; may be repeated."),
    ] = None,
    host_radius_a: Annotated[
        float | None, typer.Option(help="Cut out the host this near, Å; it is frozen.")
    ] = None,
    host_centre: Annotated[
        str, typer.Option(help="A site's label or x,y,z in fractions of the cell.")
    ] = "",
    frame: Frame = "",
    trust: Trust = "",
) -> None:
    """Add a cluster of your own to structures/ here."""
    from clusterflow.intake.add import Claims
    from clusterflow.intake.add import add as run
    from clusterflow.intake.importing import Choices

    claims = Claims(
        name=name,
        charge=charge,
        multiplicity=_read_multiplicity(multiplicity),
        source=source,
        material=material,
        trust=trust,
    )
    choices = Choices(
        molecule=molecule,
        disorder=disorder,
        truncate=tuple(truncate_ligands or ()),
        host_radius_a=host_radius_a,
        host_centre=host_centre,
        frame=frame,
    )
    for line in run(file, claims, choices):
        print(line)


@app.command(
    "add-adsorbate", epilog="clusterflow add-adsorbate methylamine.xyz --binding N"
)
def add_adsorbate(
    file: Annotated[Path, typer.Argument(help="A molecule, in a file as `add` reads.")],
    binding: Annotated[
        str, typer.Option(help="Element, or one or two atoms from 0: N, 3 or 0,2.")
    ],
    name: Annotated[str, typer.Option(help="Name; that of the file by default.")] = "",
    formula: Annotated[str, typer.Option(help="What the file must hold.")] = "",
    sites: Annotated[
        str,
        typer.Option(help="Kinds of site, such as top,bridge; else the usual ones."),
    ] = "",
    charge: Charge = None,
    multiplicity: Multiplicity = None,
    source: Annotated[str, typer.Option(help="A DOI, or `unpublished: NAME`.")] = "",
    frame: Frame = "",
    trust: Trust = "",
) -> None:
    """Draw an adsorbate of your own from a file into structures/ here."""
    from clusterflow.intake.add_adsorbate import AdsorbateClaims
    from clusterflow.intake.add_adsorbate import add_adsorbate as run
    from clusterflow.stages.build import make_name

    claims = AdsorbateClaims(
        name=name or make_name(file),
        binding=binding,
        formula=formula,
        sites=tuple(dict.fromkeys(filter(None, map(str.strip, sites.split(","))))),
        charge=charge,
        multiplicity=multiplicity,
        source=source,
        frame=frame,
        trust=trust,
    )
    for line in run(file, claims):
        print(line)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="clusterflow run --cores 4\n\nclusterflow run -n\n\n"
    "clusterflow run --configfile mine.yaml --until relax",
)
def run(
    context: typer.Context,
    configfile: Annotated[
        list[Path] | None, typer.Option(help="Overlays on config.yaml.")
    ] = None,
    cores: Annotated[
        int | None, typer.Option(min=1, help="Cores; all by default.")
    ] = None,
    bundle: Annotated[
        str, typer.Option(help="2/12: only that part, as `submit` makes them.")
    ] = "",
) -> None:
    """Run a study; further options go to Snakemake."""
    from clusterflow.run.command import (
        asks_for_all,
        choose_cores,
        computes,
        plans_only,
        read_given_settings,
        study_configs,
    )
    from clusterflow.run.start import run_study
    from clusterflow.settings import merge, read_config
    from clusterflow.study.bundles import bundle_records, parts_in_turn
    from clusterflow.study.copied import refuse_copied_records
    from clusterflow.study.cost import describe_study_costs
    from clusterflow.study.plan import Plan

    overlays = configfile or []
    paths = study_configs(overlays)
    if not paths:
        note = "no config.yaml here: this is the default study, in results/default; "
        typer.echo(f"note: {note}`clusterflow new FOLDER` makes your own", err=True)
    given = read_given_settings(context.args)
    plan = Plan.from_config(merge(read_config(paths), given), paths, given)
    bundle_records(plan, bundle)
    refuse_copied_records(plan)
    parts: tuple[str, ...] = ()
    if asks_for_all(context.args) and not bundle:
        parts = parts_in_turn(plan)
    if computes(context.args) and not bundle:
        _try_database(plan.study.collect.database)
    # A part of a study does not take the time of the whole.
    if not bundle:
        folder = Path("results") / plan.study.study
        on = choose_cores(cores, context.args)
        for line in describe_study_costs(plan, folder, on):
            typer.echo(f"note: {line}", err=True)
    code = run_study(
        configfiles=overlays,
        cores=cores,
        snakemake_args=context.args,
        bundle=bundle,
        parts=parts,
    )
    if plans_only(context.args):
        from clusterflow.study.refinement import measure_refinement

        ahead = measure_refinement(plan, Path("results") / plan.study.study)
        if ahead is not None:
            print(ahead)
    raise typer.Exit(code)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="clusterflow submit --bundles 12 --cores 16 --time=1-0 --account=MINE\n\n"
    "clusterflow submit --bundles 12 -n",
)
def submit(
    context: typer.Context,
    bundles: Annotated[
        int, typer.Option(min=1, help="Batch jobs among which the clusters are dealt.")
    ],
    cores: Annotated[int, typer.Option(min=1, help="Cores of each batch job.")] = 1,
    configfile: Annotated[
        list[Path] | None, typer.Option(help="Overlays on config.yaml.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only print the commands.")
    ] = False,
) -> None:
    """Run a study in a few batch jobs of SLURM; further options go to sbatch."""
    from clusterflow.run.command import study_configs
    from clusterflow.study.submit import Batch, submit_study

    overlays = configfile or []
    _try_database(_read_database_url(study_configs(overlays)))
    batch = Batch(bundles=bundles, cores=cores, options=tuple(context.args))
    for line in submit_study(overlays, batch, dry_run=dry_run):
        print(line)
