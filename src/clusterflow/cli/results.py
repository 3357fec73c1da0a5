"""The verbs by which a person gets at results: thin, like those of ``cli``."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from clusterflow.cli.options import AsJson, check_output_option, print_table

if TYPE_CHECKING:
    from clusterflow.figures.sheet import Sheet
    from clusterflow.results.plots.common import Conditions, Plot
    from clusterflow.study.status import StageProgress, StudyProgress

app = typer.Typer()
plot_app = typer.Typer(no_args_is_help=True)
app.add_typer(
    plot_app,
    name="plot",
    help="Draw a figure of finished results, with its numbers as CSV beside it.",
)

Folders = Annotated[list[Path], typer.Argument(help="Results of one or more studies.")]
Figure = Annotated[
    Path,
    typer.Option(
        "--output",
        help="File of the figure: .svg, .pdf or .png.",
        callback=check_output_option,
    ),
]
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", help="Cluster; may be repeated.")
]
Reaction = Annotated[str, typer.Option("--reaction", help="Reaction by name.")]
Level = Annotated[
    Literal["study", "refined"],
    typer.Option(
        "--level", help="The study's level, or the composite one of `refine`."
    ),
]
Scale = Annotated[
    str | None,
    typer.Option("--scale", help="rhe, she, ag-agcl or sce; as recorded by default."),
]
Ph = Annotated[float | None, typer.Option("--ph", help="pH; as recorded by default.")]
Dpi = Annotated[int, typer.Option(min=50, max=2400, help="Dots an inch of a PNG.")]
Font = Annotated[
    str, typer.Option(help="Family of the letters, such as Arial; DejaVu Sans without.")
]
Width = Annotated[
    str | None,
    typer.Option(
        help="Width on paper, with its unit: 3.3in, 84mm. Letters are 7 pt below "
        "4.5in, else 8 pt; without it 9 pt on as wide a figure as it needs."
    ),
]
Words = Annotated[
    Literal["all", "few"] | None,
    typer.Option(
        "--labels",
        help="few: without title, conditions and notes, which a caption has; the "
        "default where a width is given.",
    ),
]


@plot_app.command(
    epilog="clusterflow plot diagram results/default --reaction CO2-to-CO "
    "--cluster Cu4 --cluster Cu8 --output co.svg"
)
def diagram(
    folders: Folders,
    reaction: Reaction,
    output: Figure,
    cluster: Clusters = None,
    level: Annotated[
        Literal["study", "refined", "both"],
        typer.Option(
            help="The study's level, the composite one of `refine`, or one cluster "
            "at both."
        ),
    ] = "study",
    potential_v: Annotated[
        float | None, typer.Option(help="Potential, V; as recorded by default.")
    ] = None,
    scale: Scale = None,
    ph: Ph = None,
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
) -> None:
    """Draw a reaction on one cluster, or its best pathway on up to five."""
    from clusterflow.results.plots.common import read_both_levels, read_study_clusters
    from clusterflow.results.plots.diagram import plot_diagram

    sheet = _make_sheet(width, labels, font)
    conditions = _make_conditions(potential_v, scale, ph)
    if level == "both":
        surfaces = read_both_levels(folders, cluster or [])
    else:
        surfaces = read_study_clusters(folders, cluster or [], level=level)
    plot = plot_diagram(surfaces, reaction, conditions, sheet)
    _save_plot(plot, output, dpi=dpi, font=font)


@plot_app.command(
    epilog="clusterflow plot volcano results/default --reaction CO2-to-CO "
    "--descriptor COOH --output volcano.pdf"
)
def volcano(
    folders: Folders,
    reaction: Reaction,
    descriptor: Annotated[
        str, typer.Option(help="Adsorbate whose ΔG is the abscissa.")
    ],
    output: Figure,
    cluster: Clusters = None,
    level: Level = "study",
    scale: Scale = None,
    ph: Ph = None,
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
) -> None:
    """Draw limiting potentials against the ΔG of an adsorbate."""
    from clusterflow.results.plots.volcano import plot_volcano, read_volcano_clusters

    sheet = _make_sheet(width, labels, font)
    conditions = _make_conditions(None, scale, ph)
    surfaces = read_volcano_clusters(folders, cluster or [], conditions, level=level)
    plot = plot_volcano(surfaces, reaction, descriptor, conditions, sheet)
    _save_plot(plot, output, dpi=dpi, font=font)


@plot_app.command(epilog="clusterflow plot bands results/default --output bands.svg")
def bands(
    folders: Folders,
    output: Figure,
    cluster: Clusters = None,
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
) -> None:
    """Draw band edges beside redox couples, V against SHE."""
    from clusterflow.results.plots.bands import plot_bands
    from clusterflow.results.plots.common import read_study_clusters

    sheet = _make_sheet(width, labels, font)
    surfaces = read_study_clusters(folders, cluster or [], in_outline=True)
    _save_plot(plot_bands(surfaces, sheet), output, dpi=dpi, font=font)


@plot_app.command(
    epilog="clusterflow plot scaling results/default --x CO --y CHO --output co-cho.svg"
)
def scaling(
    folders: Folders,
    x: Annotated[str, typer.Option("--x", help="Adsorbate of the abscissa.")],
    y: Annotated[str, typer.Option("--y", help="Adsorbate of the ordinate.")],
    output: Figure,
    cluster: Clusters = None,
    level: Level = "study",
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
    json_: AsJson = False,
) -> None:
    """Draw the ΔG of two adsorbates against each other, with a linear fit."""
    from clusterflow.results.plots.common import read_study_clusters
    from clusterflow.results.plots.scaling import plot_scaling

    sheet = _make_sheet(width, labels, font)
    surfaces = read_study_clusters(folders, cluster or [], level=level, in_outline=True)
    plot = plot_scaling(surfaces, x, y, sheet)
    _save_plot(plot, output, quiet=json_, dpi=dpi, font=font)
    if json_:
        line = asdict(plot.line) if plot.line else None
        print(
            json.dumps(
                {"line": line, "note": "; ".join(plot.notes)}, ensure_ascii=False
            )
        )


Study = Annotated[Path, typer.Argument(help="Results of a study.")]
OneCluster = Annotated[str, typer.Option("--cluster", help="Cluster by name.")]


@plot_app.command(
    epilog="clusterflow plot structure results/default --cluster Cd6Se6 "
    "--adsorbate COOH --adsorbate CO --output minima.pdf"
)
def structure(
    folder: Study,
    cluster: OneCluster,
    output: Figure,
    adsorbate: Annotated[
        list[str] | None,
        typer.Option(help="Adsorbate; may be repeated. Without it the bare cluster."),
    ] = None,
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
) -> None:
    """Draw a cluster, or adsorbates on it, on one scale."""
    from clusterflow.results.plots.structures import plot_structure

    sheet = _make_sheet(width, labels, font)
    plot = plot_structure(folder, cluster, adsorbate or [], sheet)
    _save_plot(plot, output, dpi=dpi, font=font)


@plot_app.command(
    epilog="clusterflow plot sites results/default --cluster Cu4 --output sites.pdf"
)
def sites(
    folder: Study,
    cluster: OneCluster,
    output: Figure,
    width: Width = None,
    labels: Words = None,
    dpi: Dpi = 150,
    font: Font = "",
) -> None:
    """Draw a cluster from both sides with its distinct sites, numbered."""
    from clusterflow.results.plots.structures import plot_sites

    plot = plot_sites(folder, cluster, _make_sheet(width, labels, font))
    _save_plot(plot, output, dpi=dpi, font=font)


def _make_conditions(
    potential_v: float | None, scale: str | None, ph: float | None
) -> Conditions:
    from clusterflow.results.plots.common import Conditions

    return Conditions(potential_v=potential_v, scale=scale, ph=ph)


def _make_sheet(
    width: str | None, words: Literal["all", "few"] | None, font: str
) -> Sheet:
    from clusterflow.figures.saving import check_font
    from clusterflow.figures.sheet import Sheet, read_width

    if font:
        check_font(font)
    width_in = None if width is None else read_width(width)
    return Sheet(width_in=width_in, font=font, words=words)


def _save_plot(
    plot: Plot, output: Path, *, quiet: bool = False, **style: object
) -> None:
    from clusterflow.results.plots.common import save

    table = save(plot, output, **style)
    for name, reason in plot.missing:
        print(f"not shown: {name}: {reason}", file=sys.stderr)
    if not quiet:
        for note in plot.notes:
            print(note)
        print(f"wrote {output} and {table}")


@app.command(
    epilog="clusterflow query results/default best --reaction CO2-to-CO\n\n"
    "clusterflow query results/default energies --where cluster=Cd6Se6 "
    "--where 'formation_ev<0.5' --columns species,formation_ev --sort formation_ev"
)
def query(
    folder: Annotated[Path, typer.Argument(help="Results of a study.")],
    table: Annotated[
        str,
        typer.Argument(
            help="best, species, flags, energies, steps, potentials, edges, rankings, "
            "claims, minima, isomers, gas_corrections, failures or records; or a stage."
        ),
    ],
    where: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=VALUE; also !=, <, <=, > and >=. May be repeated."),
    ] = None,
    reaction: Annotated[
        str | None, typer.Option(help="Short for --where reaction=NAME.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Short for --where cluster=NAME.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns by commas, or `all`.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="Column to sort by; -COLUMN for largest first.")
    ] = None,
    json_: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Answer questions from the tables of finished results."""
    from clusterflow.library.find import Library
    from clusterflow.results.query import SHORT
    from clusterflow.results.query import query as run
    from clusterflow.results.tables import to_csv

    short = {"reaction": reaction, "cluster": cluster}
    conditions = [f"{key}={value}" for key, value in short.items() if value is not None]
    chosen = [] if columns in (None, "all") else str(columns).split(",")
    if columns is None and not (json_ or csv):
        chosen = list(SHORT.get(table, ()))
    rows = run(
        folder,
        table,
        Library.default(),
        where=[*conditions, *(where or [])],
        columns=chosen,
        sort=sort,
    )
    if json_:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
    elif csv:
        print(to_csv(table, rows), end="")
    else:
        print_table(rows)


@app.command(
    epilog="clusterflow explain results/default Cd6Se6/COOH/dG\n\n"
    "clusterflow explain results/default Cd6Se6/CO2-to-CO/U_L\n\n"
    "clusterflow explain results/default 'CO(g)'\n\n"
    "clusterflow explain results/default refined/Cd6Se6/COOH/dG\n\n"
    "clusterflow explain results/default claim/NAME"
)
def explain(
    folder: Annotated[Path, typer.Argument(help="Results of a study.")],
    name: Annotated[
        str,
        typer.Argument(
            help="[refined/]CLUSTER/SPECIES/dG, CLUSTER/REACTION/U_L, GAS(g), "
            "claim/NAME."
        ),
    ],
    json_: AsJson = False,
) -> None:
    """Show what a number is made of, down to records and versions."""
    from clusterflow.library.find import Library
    from clusterflow.records.files import read_records
    from clusterflow.results import explain_claim
    from clusterflow.results.explain import explain as run
    from clusterflow.results.explain_refined import PREFIX, explain_refined
    from clusterflow.results.explanation import to_json

    run = explain_refined if name.startswith(PREFIX) else run
    if name.startswith(explain_claim.PREFIX):
        run = explain_claim.explain_claim
    found = run(read_records(folder), name, Library.default())
    if json_:
        print(json.dumps(to_json(found), indent=1, ensure_ascii=False))
    else:
        print(found)


@app.command(epilog="clusterflow status\n\nclusterflow status ~/studies/copper --json")
def status(
    folder: Annotated[
        Path, typer.Argument(help="Folder of the study, where `run` is started.")
    ] = Path(),
    configfile: Annotated[
        list[Path] | None,
        typer.Option(help="Overlays on config.yaml, as given to `run`."),
    ] = None,
    json_: AsJson = False,
) -> None:
    """Show how far a study is, while it runs or after."""
    from clusterflow.errors import ConfigError
    from clusterflow.study.status import study_progress, to_json

    if not folder.is_dir():
        raise ConfigError(f"status {folder}: no such folder")
    # A link to nothing is a study too, which says what is wrong with it.
    if not any(os.path.lexists(folder / name) for name in ("config.yaml", "results")):
        raise ConfigError(
            f"status {folder}: no study here, neither config.yaml nor results; "
            "give the folder where `clusterflow run` is started"
        )
    overlays = [path.absolute() for path in configfile or []]
    # The library and the settings of a study are found from its own folder.
    with contextlib.chdir(folder):
        found = study_progress(overlays)
    if json_:
        print(json.dumps(to_json(found), indent=1))
        return
    print_table(
        [asdict(stage) | {"": _format_progress_bar(stage)} for stage in found.stages]
    )
    if found.refinement is not None:
        print(found.refinement)
    print(describe_run(found))


def _format_progress_bar(stage: StageProgress) -> str:
    """What is there of a stage, as a bar and in per cent."""
    there = stage.done + stage.failed
    share = there / ((there + stage.waiting) or 1)
    return f"{'━' * round(20 * share):<20} {share:4.0%}"


def describe_run(found: StudyProgress) -> str:
    """Whether a study runs, since when, and what is left of it, in one line."""
    from clusterflow.figures.text import duration

    waiting = sum(stage.waiting for stage in found.stages)
    line = f"study {found.study}: "
    if found.run is None:
        line += "no run is under way"
    else:
        line += f"process {found.run.pid} on {found.run.host} runs it"
    if found.elapsed_s is not None:
        line += f" since {duration(found.elapsed_s)}"
    if not waiting:
        return f"{line}; every record is there"
    line += f"; {waiting} records to come"
    if found.left_s is None:
        return f"{line}, time not known"
    cores = "one core" if found.cores == 1 else f"{found.cores} cores"
    about = "at least" if found.left_is_partial else "roughly"
    return f"{line}, {about} {duration(found.left_s / found.cores)} on {cores}"


@app.command(epilog="clusterflow new copper && cd copper && clusterflow run")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must be empty.")],
    full: Annotated[
        bool, typer.Option("--full", help="Write every setting to config.yaml.")
    ] = False,
    tour: Annotated[
        bool, typer.Option("--tour", help="Relax every small cluster of the library.")
    ] = False,
) -> None:
    """Start a study in a folder of its own."""
    from clusterflow.study.new import new as run

    for line in run(folder, full=full, tour=tour):
        print(line)
