"""The command ``clusterflow``: each verb parses, calls one task and maps errors.

Nothing heavy is imported before a verb needs it, so that help comes at once.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from clusterflow import cli_results
from clusterflow.errors import ClusterflowError, ConfigError

if TYPE_CHECKING:
    from clusterflow.config import CheSettings
    from clusterflow.models import Model
    from clusterflow.records import CheRecord, Record
    from clusterflow.tasks.subjects import ClusterRecords

app = typer.Typer(
    name="clusterflow",
    help="Free-energy profiles of CO2 reduction on nanoclusters, with GFN-xTB.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Output = Annotated[
    Path | None,
    typer.Option("--output", help="File for the record; by default it is printed."),
]
Settings = Annotated[
    str,
    typer.Option("--settings", help="Settings as JSON, by section; rules pass them."),
]
LevelName = Annotated[
    str, typer.Option("--level", help="A level by name, or a record of stage level.")
]
Charge = Annotated[int, typer.Option(help="Charge, for a structure file.")]
Multiplicity = Annotated[
    int | None, typer.Option(help="Multiplicity, for a structure file.")
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
    typer.Option("--selection", help="Which records, as JSON; all by default."),
]
AsJson = cli_results.AsJson
M = TypeVar("M", bound="Model")


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


def _version(show: bool) -> None:
    if show:
        import clusterflow

        print(f"clusterflow {clusterflow.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command(epilog="clusterflow build Cu4")
def build(
    subject: Annotated[str, typer.Argument(help="Cluster by name, YAML or structure.")],
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Build the starting geometries of a cluster."""
    from clusterflow.tasks.subjects import build_record

    _sections(settings)
    _emit(build_record(subject, charge, multiplicity), output)


@app.command(epilog="clusterflow level Cd6Se6 --levels gfn2-xtb,gfn1-xtb")
def level(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    settings: Settings = "{}",
    levels: Annotated[
        str | None, typer.Option(help="Levels in order of preference, by commas.")
    ] = None,
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Choose the first level at which a cluster and its probes converge."""
    from clusterflow.config import LevelSettings, ThermoSettings
    from clusterflow.library import Library
    from clusterflow.tasks.job import Job, settings_of
    from clusterflow.tasks.level import level as choose
    from clusterflow.tasks.subjects import build_record

    chosen = _section(settings, "level", LevelSettings)
    names = levels.split(",") if levels else chosen.preferred
    library = Library.default()
    job = Job(
        "level", settings=settings_of(chosen), inputs=_record_inputs(subject, output)
    )
    record = choose(
        build_record(subject, charge, multiplicity),
        [library.level(name) for name in names],
        [library.adsorbate(name) for name in chosen.probes],
        [library.gas(name) for name in ThermoSettings().anchors],
        library.domain(),
        chosen.probe_steps,
        job,
        try_all=levels is None,
    )
    if output is None and not json_:
        for attempt in record.attempts:
            verdict = "accepted" if attempt.accepted else "refused"
            print(f"{attempt.level}: {verdict}, {attempt.reason}")
        return
    _emit(record, output)


@app.command(epilog="clusterflow relax mine.xyz --charge 1 --output relax.json")
def relax(
    subject: Annotated[str, typer.Argument(help="Build record, cluster or structure.")],
    peers: Annotated[
        list[str] | None,
        typer.Argument(help="Level records of clusters that share its level."),
    ] = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Relax a cluster's starting geometries and rank the isomers."""
    from clusterflow.config import RelaxSettings
    from clusterflow.core.level_choice import shared_level
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.relax import relax as run
    from clusterflow.tasks.scratch import Scratch
    from clusterflow.tasks.subjects import build_record, level_record

    peers = peers or []
    scratch = Scratch.beside(output) if output else None
    inputs = _record_inputs(subject, output, level, *peers)
    job = Job("relax", inputs=inputs, scratch=scratch)
    built = build_record(subject, charge, multiplicity)
    record = run(
        built,
        shared_level(
            level_record(level, built.cluster),
            [level_record(peer, built.cluster) for peer in peers],
        ),
        _section(settings, "relax", RelaxSettings),
        job,
    )
    _emit(record, output)
    Scratch(scratch).clear()


@app.command(epilog="clusterflow edges Cd6Se6 --ph 7")
def edges(
    subject: Annotated[
        str,
        typer.Argument(
            help="Relax record, cluster (is relaxed), or structure file (as it is)."
        ),
    ],
    level: LevelName = "gfn1-xtb",
    ip_ea_level: Annotated[
        str | None, typer.Option(help="Level of IP and EA, by name.")
    ] = None,
    absolute_she_v: Annotated[
        float | None, typer.Option(help="Absolute potential of SHE, V.")
    ] = None,
    ph: Annotated[float | None, typer.Option(help="pH, for the couples.")] = None,
    temperature_k: Annotated[float, typer.Option(help="Temperature, K.")] = 298.15,
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Compute the gas-phase band edges of a cluster's lowest isomer."""
    from clusterflow.config import CheSettings, EdgesSettings, RelaxSettings
    from clusterflow.library import Library
    from clusterflow.tasks.edges import band_edges, describe
    from clusterflow.tasks.edges import edges as run
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.subjects import relaxed_or_as_given
    from clusterflow.units import check_temperature

    check_temperature(temperature_k, "--temperature-k")
    given = {"level": ip_ea_level, "absolute_she_v": absolute_she_v}
    chosen = _section(settings, "edges", EdgesSettings, given)
    ph = _section(settings, "che", CheSettings, {"ph": ph}).ph
    library = Library.default()
    method = library.level(chosen.level)
    relaxed = relaxed_or_as_given(
        subject,
        level,
        _section(settings, "relax", RelaxSettings),
        charge,
        multiplicity,
    )
    job = Job("edges", inputs=_record_inputs(subject, output))
    record = run(relaxed, method, library.domain(), job)
    if output is not None:
        _emit(record, output)
        return
    view = band_edges(
        record,
        library,
        absolute_she_v=chosen.absolute_she_v,
        ph=ph,
        temperature_k=temperature_k,
    )
    if json_:
        answer = record.model_dump(mode="json") | view.model_dump(mode="json")
        print(json.dumps(answer, indent=1))
        return
    print(describe(record, view))


@app.command(epilog="clusterflow gas CO --level gfn1-xtb --temperature-k 350")
def gas(
    subject: Annotated[str, typer.Argument(help="Gas by name or YAML.")],
    level: LevelName = "gfn1-xtb",
    temperature_k: Annotated[float, typer.Option(help="Temperature, K.")] = 298.15,
    pressure_pa: Annotated[float, typer.Option(help="Pressure, Pa.")] = 1e5,
    settings: Settings = "{}",
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Compute a molecule: energy, vibrations and ideal-gas free energy."""
    from clusterflow.config import GasSettings
    from clusterflow.library import Library
    from clusterflow.tasks.gas import gas as run
    from clusterflow.tasks.gas import summary
    from clusterflow.tasks.job import Job
    from clusterflow.units import check_pressure, check_temperature

    check_temperature(temperature_k, "--temperature-k")
    check_pressure(pressure_pa, "--pressure-pa")
    library = Library.default()
    record = run(
        library.gas(Path(subject).stem),
        library.level(level),
        _section(settings, "gas", GasSettings),
        Job("gas"),
    )
    if output is not None:
        _emit(record, output)
        return
    values = summary(record, temperature_k, pressure_pa)
    if json_:
        print(json.dumps(values, indent=1))
        return
    for key, value in values.items():
        print(f"{key:28} {value}")


@app.command(epilog="clusterflow sites Cu4")
def sites(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    settings: Settings = "{}",
    html: Annotated[
        Path | None, typer.Option(help="Draw the cluster with its sites as a page.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(help="Draw the cluster with its sites.")
    ] = None,
    json_: AsJson = False,
    output: Output = None,
) -> None:
    """Find the distinct adsorption sites of a cluster."""
    from clusterflow.config import SitesSettings
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.sites import draw, site_rows, site_summary, sites_of
    from clusterflow.tasks.sites import sites as run
    from clusterflow.tasks.subjects import bare_structure, relax_record, stage_of

    chosen = _section(settings, "sites", SitesSettings)
    job = Job("sites", inputs=_record_inputs(subject, output))
    if output is not None and stage_of(Path(subject)) is not None:
        _emit(run(relax_record(subject), chosen, job), output)
        return
    structure = bare_structure(subject)
    record = sites_of(structure, Path(subject).stem, chosen, job)
    for picture in filter(None, (html, png)):
        draw(record, structure, picture)
    if output is not None:
        _emit(record, output)
    elif json_:
        print(json.dumps([s.model_dump(mode="json") for s in record.sites], indent=1))
    else:
        print(site_summary(record))
        if record.sites:
            cli_results.print_table(site_rows(record))


@app.command(epilog="clusterflow adsorb Cu4 COOH --output adsorb.json")
def adsorb(
    subject: Annotated[
        str, typer.Argument(help="Relax record, cluster or structure file.")
    ],
    adsorbate: Annotated[str, typer.Argument(help="Adsorbate by name.")],
    before: Annotated[
        list[Path] | None,
        typer.Argument(help="Adsorb and pool record of the round before, if any."),
    ] = None,
    sites: Annotated[
        Path | None, typer.Option(help="Sites record; found anew without it.")
    ] = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Find the minima of an adsorbate on a cluster."""
    from clusterflow.config import AdsorbSettings, RelaxSettings, SitesSettings
    from clusterflow.io import read_record
    from clusterflow.library import Library
    from clusterflow.records import SitesRecord
    from clusterflow.tasks.adsorb import adsorb as run
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.scratch import Scratch
    from clusterflow.tasks.subjects import relaxed_and_sites, round_before

    library = Library.default()
    scratch = Scratch.beside(output) if output else None
    inputs = [*_record_inputs(subject, output), *([sites] if sites else [])]
    inputs += before or []
    job = Job("adsorb", inputs=inputs, scratch=scratch)
    relax_settings = _section(settings, "relax", RelaxSettings)
    found = read_record(sites, SitesRecord) if sites else None
    relaxed, known = relaxed_and_sites(
        subject, found, level, relax_settings, charge, multiplicity
    )
    record = run(
        relaxed,
        known,
        library.adsorbate(adsorbate),
        library.adsorbates(),
        _section(settings, "adsorb", AdsorbSettings),
        relax_settings,
        job,
        round_before(before or [], _section(settings, "sites", SitesSettings)),
    )
    _emit(record, output)
    Scratch(scratch).clear()


@app.command(epilog="clusterflow pool Cu4 --adsorbate H --adsorbate CO")
def pool(
    subjects: Subjects,
    adsorbate: Adsorbates = None,
    level: LevelName = "gfn1-xtb",
    settings: Settings = "{}",
    charge: Charge = 0,
    multiplicity: Multiplicity = None,
    output: Output = None,
) -> None:
    """Strip and relax what adsorbates have changed, and list a cluster's isomers."""
    from clusterflow.config import PoolSettings, RelaxSettings
    from clusterflow.tasks.job import Job
    from clusterflow.tasks.pool import pool as run
    from clusterflow.tasks.scratch import Scratch

    scratch = Scratch.beside(output) if output else None
    job = Job("pool", inputs=_files(subjects), scratch=scratch)
    found = _cluster_records(
        "pool", subjects, adsorbate, settings, level, charge, multiplicity
    )
    record = run(
        found.relaxed,
        found.adsorptions,
        _section(settings, "pool", PoolSettings),
        _section(settings, "relax", RelaxSettings),
        job,
        found.pool,
    )
    _emit(record, output)
    Scratch(scratch).clear()


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
        found = _cluster_records(
            "vibrate", [subject], [adsorbate], settings, level, charge, multiplicity
        )
        _emit(found.vibrations[0], output)
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
        _section(settings, "vibrate", VibrateSettings),
        _section(settings, "relax", RelaxSettings),
        Job("vibrate", inputs=inputs, scratch=scratch),
        isomers=_section(settings, "thermo", ThermoSettings).isomers,
        pool=read_record(pool, PoolRecord) if pool else None,
    )
    _emit(record, output)
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

    job = Job("thermo", inputs=_files(subjects))
    found = _cluster_records(
        "thermo", subjects, adsorbate, settings, level, charge, multiplicity
    )
    record = run(
        found.relaxed,
        found.adsorptions,
        found.vibrations,
        found.gases,
        _section(settings, "thermo", ThermoSettings),
        Library.default(),
        job,
        found.pool,
    )
    _emit(record, output)


def _cluster_records(
    verb: Literal["pool", "vibrate", "thermo"],
    subjects: list[str],
    adsorbates: list[str] | None,
    settings: str,
    level: str,
    charge: int,
    multiplicity: int | None,
) -> ClusterRecords:
    """Records as given, or computed for a cluster given by name or file."""
    from clusterflow.config import load_study
    from clusterflow.tasks.by_hand import records_by_hand
    from clusterflow.tasks.subjects import sort_records, stage_of

    from_records = not adsorbates and stage_of(Path(subjects[0])) is not None
    if adsorbates and len(subjects) > 1:
        raise ConfigError("--adsorbate is for one cluster; records have theirs")
    if from_records or len(subjects) > 1:
        return sort_records([Path(subject) for subject in subjects])
    sections = {k: v for k, v in _sections(settings).items() if k != "protocol"}
    study = load_study(sections, ["--settings"])
    return records_by_hand(
        subjects[0], adsorbates or [], verb, study, level, charge, multiplicity
    )


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
    chosen = _section(settings, "che", CheSettings, given)
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
        _print_or_write(text, output)
        return
    from clusterflow.config import EdgesSettings

    absolute_she_v = _section(settings, "edges", EdgesSettings).absolute_she_v
    record = _che_record(subjects or [], edges, reaction or [], chosen, absolute_she_v)
    _emit(record, output)


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
        _print_or_write(to_csv(scanned).rstrip("\n"), output)
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
    chosen = _section(settings, "collect", CollectSettings, given)
    records, study = _selected(folder, selection)
    job = Job("collect", settings=settings_of(chosen))
    _emit(run(records, folder, study, Library.default(), chosen, job), output)


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

    _sections(settings)
    records, study = _selected(folder, selection)
    _emit(run(records, folder, study, Library.default(), Job("report")), output)


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


@app.command(epilog="clusterflow check\n\nclusterflow check --config mine.yaml")
def check(
    config: Annotated[
        list[Path] | None, typer.Option(help="Configuration; config.yaml by default.")
    ] = None,
) -> None:
    """Validate configuration, library, charges and parity before a run."""
    from clusterflow.tasks.check import check as run

    default = Path("config.yaml")
    paths = config or ([default] if default.is_file() else [])
    for line in run(paths):
        print(line)


@app.command("list", epilog="clusterflow list clusters")
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            help="clusters, adsorbates, gases, reactions, levels, couples, ligands "
            "or domain."
        ),
    ],
    json_: AsJson = False,
    html: Annotated[
        Path | None, typer.Option(help="Write clusters with pictures to this file.")
    ] = None,
) -> None:
    """List the items of the library."""
    from clusterflow.tasks.listing import listing, shown

    if html is not None:
        _write_gallery(kind, html)
        return
    rows = listing(kind)
    if json_:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    cli_results.print_table(shown(kind, rows))


def _write_gallery(kind: str, path: Path) -> None:
    from clusterflow.errors import LibraryError
    from clusterflow.io import write_atomic
    from clusterflow.library import Library
    from clusterflow.tasks.gallery import gallery

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
    json_: AsJson = False,
) -> None:
    """Count the valence and superatom electrons of a cluster."""
    from dataclasses import asdict

    from clusterflow.library import Library
    from clusterflow.tasks.electrons import electrons as run

    values = asdict(run(subject, charge, Library.default()))
    if json_:
        print(json.dumps(values, indent=1, ensure_ascii=False))
        return
    for key, value in values.items():
        if value not in (None, "", {}):
            print(f"{key:20} {value}")


@app.command(epilog="clusterflow couples --ph 0")
def couples(
    ph: Annotated[float, typer.Option(help="pH of the electrolyte.")] = 7.0,
    temperature_k: Annotated[float, typer.Option(help="Temperature, K.")] = 298.15,
    json_: AsJson = False,
) -> None:
    """Print the potentials of redox couples at a pH, against SHE."""
    from clusterflow.library import Library
    from clusterflow.tasks.couples import couples as run
    from clusterflow.units import check_temperature

    check_temperature(temperature_k, "--temperature-k")
    found = run(Library.default(), ph=ph, temperature_k=temperature_k)
    if json_:
        print(json.dumps([c.model_dump(mode="json") for c in found], indent=1))
        return
    for couple in found:
        equation = couple.equation or f"{couple.n_e} e-, {couple.n_h} H+"
        print(f"{couple.potential_v_she:+.3f} V vs SHE  {couple.name:12} {equation}")


@app.command(
    epilog="clusterflow add mine.xyz --name Cu3-mine --charge 0 --multiplicity 2 "
    "--source 'unpublished: A. Person'"
)
def add(
    file: Annotated[
        Path, typer.Argument(help="XYZ, extxyz, CIF, PDB, GRO, VASP or POSCAR.")
    ],
    name: Annotated[str, typer.Option(help="Name of the new cluster.")],
    charge: Annotated[int, typer.Option(help="Total charge.")],
    multiplicity: Annotated[int, typer.Option(help="2S + 1.")],
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
) -> None:
    """Add a cluster of your own to structures/ here."""
    from clusterflow.tasks.add import Claims
    from clusterflow.tasks.add import add as run
    from clusterflow.tasks.importing import Choices

    claims = Claims(
        name=name,
        charge=charge,
        multiplicity=multiplicity,
        source=source,
        material=material,
    )
    choices = Choices(
        molecule=molecule,
        disorder=disorder,
        truncate=tuple(truncate_ligands or ()),
        host_radius_a=host_radius_a,
        host_centre=host_centre,
    )
    for line in run(file, claims, choices):
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
    cores: Annotated[int | None, typer.Option(help="Cores; all by default.")] = None,
) -> None:
    """Run a study; further options go to Snakemake."""
    from clusterflow.launch import run_study

    code = run_study(
        configfiles=configfile or [], cores=cores, snakemake_args=context.args
    )
    raise typer.Exit(code)


app.add_typer(cli_results.app)


def _sections(settings: str) -> dict[str, Any]:
    try:
        sections = json.loads(settings)
    except ValueError as error:
        raise ConfigError(f"--settings: not valid JSON ({error})") from None
    if not isinstance(sections, dict):
        raise ConfigError("--settings: must be a JSON object of sections")
    return sections


def _section(
    settings: str, name: str, model: type[M], given: dict[str, Any] | None = None
) -> M:
    """One section of the settings, with options given by hand on top."""
    from pydantic import ValidationError

    from clusterflow.library import explain

    content = dict(_sections(settings).get(name, {}))
    content |= {k: v for k, v in (given or {}).items() if v is not None}
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{name}: {explain(error)}") from None


def _record_inputs(subject: str, output: Path | None, *more: str) -> list[Path]:
    """Files whose hashes belong into the record; none when run by hand on a name."""
    return [] if output is None else _files([subject, *more])


def _files(subjects: list[str]) -> list[Path]:
    return [Path(name) for name in subjects if Path(name).is_file()]


def _selected(folder: Path, selection: str | None) -> tuple[Any, str]:
    from clusterflow.io import read_records
    from clusterflow.workflow import record_paths

    if selection is None:
        return read_records(folder), folder.name
    chosen = _sections(selection)
    return read_records(folder, record_paths(folder, chosen)), chosen["study"]


def _emit(record: Record, output: Path | None) -> None:
    from clusterflow.io import write_record

    if output is None:
        print(record.model_dump_json(indent=1))
    else:
        write_record(record, output)


def _print_or_write(text: str, output: Path | None) -> None:
    from clusterflow.io import write_atomic

    if output is None:
        print(text)
    else:
        write_atomic(output, text + "\n")
