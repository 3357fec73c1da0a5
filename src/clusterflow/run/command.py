"""The command line and the environment of a run of Snakemake."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.library.find import package_data
from clusterflow.library.yaml_file import parse_yaml
from clusterflow.settings import load_study, merge, read_config

if TYPE_CHECKING:
    from collections.abc import Sequence

# Which part of the study the Snakefile plans: 2/12; unset or empty for the whole.
BUNDLE: Final = "CLUSTERFLOW_BUNDLE"
# The part that is made of the records of all clusters.
TABLES: Final = "tables"
# Options of Snakemake that say how jobs run, not which: without a value, with one, or
# with any number.
_PLAIN_FLAGS: Final = (
    *(("--dry-run", "--dryrun", "-n"), ("--keep-going", "-k"), ("--verbose",)),
    *(("--printshellcmds", "-p"), ("--rerun-incomplete", "--ri")),
)
_PLAIN_VALUES: Final = (
    *(("--jobs", "-j"), ("--latency-wait", "--output-wait", "-w")),
    ("--retries", "--restart-times", "-T"),
)
_PLAIN_LISTS: Final = (
    *(("--config", "-C"), ("--quiet", "-q"), ("--rerun-triggers",)),
    *(("--resources", "--res"), ("--set-resources",), ("--set-threads",)),
)


def results_folder(configfiles: Sequence[Path], snakemake_args: Sequence[str]) -> Path:
    """``results/<study>`` for these settings.

    Raises
    ------
    ConfigError
        If a setting is wrong, before anything is started.
    """
    paths = study_configs(configfiles)
    given = read_given_settings(snakemake_args)
    named = {key: given[key] for key in given if key == "study"}
    config = merge(read_config(paths), named)
    return Path("results") / load_study(config, paths, named).study


def study_configs(configfiles: Sequence[Path]) -> list[Path]:
    """The configuration files of the study here, later ones over earlier ones."""
    # A folder of that name, or a link to nothing, is not the default study.
    own = [Path("config.yaml")] if os.path.lexists("config.yaml") else []
    return [*own, *configfiles]


def read_given_settings(snakemake_args: Sequence[str]) -> dict[str, Any]:
    """Settings on Snakemake's own command line, as Snakemake reads them.

    Raises
    ------
    ConfigError
        If one is no ``key=value``, is there twice, or would be refused in a file.

    Examples
    --------
    >>> read_given_settings(["-n", "--config", "study=mine", "che={ph: 3}"])
    {'study': 'mine', 'che': {'ph': '3'}}
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config", "-C", nargs="*", action="append", default=[])
    lists = parser.parse_known_args(list(snakemake_args))[0].config
    if len(lists) > 1:  # Snakemake would drop all but the last
        raise ConfigError("--config stands there twice; put all settings after one")
    entries = lists[0] if lists else []
    if not entries:
        return {}
    _refuse_odd_settings(entries)
    from snakemake.cli import parse_config  # a second, which few commands need

    try:
        return dict(parse_config(entries))
    except ValueError as error:
        raise ConfigError(f"--config {' '.join(entries)}: {error}") from None


def _refuse_odd_settings(entries: Sequence[str]) -> None:
    """Raise for what Snakemake reads without a word, and files may not say."""
    names = [entry.partition("=")[0] for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"--config {name}: stands there twice; keep one")
    for entry in entries:
        name, _, text = entry.partition("=")
        try:
            parse_yaml(text, f"--config {name}")
        except LibraryError as error:
            raise ConfigError(str(error)) from None


def snakemake_command(
    configfiles: Sequence[Path], cores: int | None, snakemake_args: Sequence[str]
) -> list[str]:
    """The command line that runs the study."""
    command = make_base_command(configfiles)
    command += _choose_progress_flags(snakemake_args)
    profile = _find_data_folder() / "workflow/profiles/default"
    own_profile = _has_option(snakemake_args, "--profile", "--workflow-profile")
    if profile.is_dir() and not own_profile:
        command += ["--workflow-profile", str(profile)]
    if cores is not None:
        command += ["--cores", str(cores)]
    # Flags without a list of values come last: targets may follow.
    command += ["--scheduler", "greedy", "--keep-going", "--rerun-incomplete"]
    # A refusing database does not take the tables with it: each file is whole.
    command += ["--keep-incomplete"]
    return [*command, *_resolve_profile(snakemake_args)]


def _resolve_profile(arguments: Sequence[str]) -> list[str]:
    """The arguments with ``--profile slurm`` spelled out as the packaged one."""
    resolved = list(arguments)
    for index, (option, value) in enumerate(pairwise(arguments), start=1):
        packaged = _find_data_folder() / "workflow/profiles" / Path(value).name
        names_profile = option in ("--profile", "--workflow-profile")
        if names_profile and packaged.is_dir() and not Path(value).is_dir():
            resolved[index] = str(packaged)
    return resolved


def make_base_command(configfiles: Sequence[Path]) -> list[str]:
    """The start of every command line of Snakemake."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        str(_find_data_folder() / "Snakefile"),
    ]
    # Snakemake refuses a file in which every line is a comment.
    told = [str(path) for path in configfiles if read_config([path])]
    if told:
        command += ["--configfile", *told]
    return command


def _find_data_folder() -> Path:
    """The folder of the Snakefile: relative in a checkout, as a person would type."""
    data = package_data()
    own = Path("Snakefile")
    packaged = data / "Snakefile"
    same = own.is_file() and packaged.is_file() and own.samefile(packaged)
    return Path() if same else data


def refuse_other_study(snakemake_args: Sequence[str]) -> None:
    """Raise for options that would run another study than the one looked over.

    Raises
    ------
    ConfigError
        If one is given.
    """
    for options, advice in (
        (("--directory", "-d"), "change to that folder first"),
        (("--snakefile", "-s"), "start `snakemake` itself for another workflow"),
        (("--configfiles",), "write --configfile before each file"),
    ):
        if _has_option(snakemake_args, *options):
            raise ConfigError(f"run {options[0]}: not taken here; {advice}")


def choose_cores(cores: int | None, snakemake_args: Sequence[str]) -> int | None:
    """Cores to run on; None where the arguments decide."""
    decided = ("--cores", "-c", "--jobs", "-j", "--profile", "--executor", "-e")
    if cores is not None or _has_option(snakemake_args, *decided):
        return cores
    if hasattr(os, "sched_getaffinity"):  # what a batch system leaves of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _choose_progress_flags(snakemake_args: Sequence[str]) -> list[str]:
    """Bars on a terminal and a line for each rule elsewhere, but plans in full."""
    if _has_option(snakemake_args, "--logger", "--quiet", "-q", "--verbose"):
        return []
    # What computes nothing has its say in Snakemake's own words.
    if not computes(snakemake_args):
        return ["--quiet", "rules", "host", "reason"]
    return ["--logger", "clusterflow"]


def computes(snakemake_args: Sequence[str]) -> bool:
    """Whether jobs run: not where Snakemake only plans, checks, unlocks or reports.

    >>> computes(["--until", "relax"]), computes(["-n"])
    (True, False)
    """
    others = ("--lint", "--unlock", "--report")
    return not (plans_only(snakemake_args) or _has_option(snakemake_args, *others))


def asks_for_all(snakemake_args: Sequence[str]) -> bool:
    """Whether the whole study is run, or planned: not a target, a rule or a report.

    >>> asks_for_all(["-nk", "--quiet", "rules", "--retries", "2"])
    True
    >>> asks_for_all(["--until", "relax"]), asks_for_all(["-k", "results/a/x.json"])
    (False, False)
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    for names in _PLAIN_FLAGS:
        parser.add_argument(*names, action="store_true")
    for names in _PLAIN_VALUES:
        parser.add_argument(*names, nargs="?")
    for names in _PLAIN_LISTS:
        parser.add_argument(*names, nargs="*")
    return not parser.parse_known_args(list(snakemake_args))[1]


def plans_only(snakemake_args: Sequence[str]) -> bool:
    """Whether Snakemake only lists the jobs."""
    return _has_option(snakemake_args, "--dry-run", "--dryrun", "-n")


def _has_option(arguments: Sequence[str], *options: str) -> bool:
    """Whether an option is given, as ``--long``, ``--long=x``, ``-s`` or ``-sx``."""
    long = {argument.split("=")[0] for argument in arguments}
    short = {argument[:2] for argument in arguments}
    return any(option in long or option in short for option in options)


def make_environment() -> dict[str, str]:
    """This environment; rules find `clusterflow` next to this Python."""
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    # Not resolved: in a virtual environment the link's own folder is meant.
    folder = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    return environment
