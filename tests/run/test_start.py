"""Starting a run: locks of the dead and of the living, and what a run took."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.run import command as command_module
from clusterflow.run import start
from clusterflow.run.command import choose_cores, results_folder, snakemake_command
from clusterflow.run.lease import HOLDER, RunHolder, current_run, describe_run
from clusterflow.run.lease import hold_folder as hold_only
from clusterflow.run.lock import LOCKS, clear_lock, runs_workflow
from clusterflow.run.start import run_study
from clusterflow.run.timing import (
    JobTime,
    RunTime,
    job_times,
    run_summary,
    time_summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# `: clusterflow relax` does nothing; it makes the shell look like a job of ours.
SNAKEFILE = """
container: "docker://none"


rule all:
    input:
        "results/toy/report.html",


rule relax:
    output:
        "results/toy/relax/Cu4.json",
    params:
        seconds=config.get("seconds", "0"),
    shell:
        ": clusterflow relax; touch started; sleep {params.seconds}; "
        "cp record.json {output:q}"


rule report:
    input:
        "results/toy/relax/Cu4.json",
    output:
        "results/toy/report.html",
    shell:
        "env > environment; touch {output:q}"
"""

RECORD = {
    "stage": "relax",
    "provenance": {"wall_time_s": 2.0, "engine_time_s": 0.1, "created": "now"},
}

STUDY = """
import signal, sys
from pathlib import Path
from clusterflow.run import command, start
# A shell without job control starts what it puts in the background deaf to it.
signal.signal(signal.SIGINT, signal.default_int_handler)
command.package_data = lambda: Path("package").resolve()
sys.exit(start.run_study(
    configfiles=[], cores=1, snakemake_args=["--config", "seconds=30"]))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a toy study; its Snakefile lies in the package."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "config.yaml").write_text("study: toy\n")
    (tmp_path / "record.json").write_text(json.dumps(RECORD))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_module, "package_data", lambda: package)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return tmp_path


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A living process that is not Snakemake."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def hold(folder: Path, state: RunHolder | None) -> None:
    """Locks as a crash leaves them, with the state file if one is given."""
    locks = folder / LOCKS
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/toy/relax/Cu4.json\n")
    if state is not None:
        (folder / HOLDER).write_text(state.model_dump_json())


def state_of(process: psutil.Process, **changes: object) -> RunHolder:
    return describe_run(process.pid).model_copy(update=changes)


def claim_folder() -> None:
    """What a run does before Snakemake starts."""
    with hold_only() as held:
        clear_lock(held)


def workflow_processes(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cwd", "cmdline"])
        if process.info["cwd"] == str(folder)
        and runs_workflow(process.info["cmdline"] or [])
    ]


def test_lock_left_by_a_kill(folder, capfd) -> None:
    """Refused while a job of the killed run still writes; cleared when it is gone."""
    command = snakemake_command([], 1, ["--config", "seconds=30"])
    snakemake = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for((folder / "started").exists)
        snakemake.kill()
        snakemake.wait()
        assert any((folder / LOCKS).iterdir())

        orphan = workflow_processes(folder)[0]
        with pytest.raises(ClusterflowError, match=rf"still work .* kill {orphan.pid}"):
            run_study(configfiles=[], cores=1, snakemake_args=[])
    finally:
        os.killpg(snakemake.pid, signal.SIGKILL)
    wait_for(lambda: not workflow_processes(folder))

    assert run_study(configfiles=[], cores=1, snakemake_args=[]) == 0
    out, err = capfd.readouterr()
    assert "cleared the lock of a run that is gone" in err
    assert "report: results/toy/report.html" in out
    assert re.search(r"relax +1 +2\.0 +0\.1\n", out)
    assert "this run: 1 records" in out
    assert "\033" not in out + err, "control characters, though not a terminal"
    assert not (folder / HOLDER).exists()
    environment = (folder / "environment").read_text().splitlines()
    assert "OMP_NUM_THREADS=1" in environment
    assert f"PATH={Path(sys.executable).parent}{os.pathsep}" in "\n".join(environment)


def test_interrupt_stops_jobs_and_leaves_no_lock(folder) -> None:
    study = subprocess.Popen(
        [sys.executable, "-c", STUDY], stderr=subprocess.PIPE, text=True
    )
    wait_for((folder / "started").exists)
    state = current_run()
    assert state is not None
    assert state.pid != study.pid, "the holder is Snakemake, which outlives a kill -9"
    with pytest.raises(ClusterflowError, match=f"under way \\(process {state.pid}\\)"):
        claim_folder()

    study.send_signal(signal.SIGINT)
    _, err = study.communicate(timeout=60)
    assert study.returncode != 0
    assert "logs are in results/toy/logs" in err
    assert not workflow_processes(folder)
    assert not (folder / HOLDER).exists()
    claim_folder()


def test_lock_of_a_living_process(folder, sleeper) -> None:
    hold(folder, state_of(psutil.Process(sleeper.pid)))
    with pytest.raises(ClusterflowError, match=f"kill -INT {sleeper.pid}"):
        claim_folder()


def test_process_number_given_out_again(folder, sleeper) -> None:
    process = psutil.Process(sleeper.pid)
    hold(folder, state_of(process, create_time=process.create_time() - 3600))
    claim_folder()
    assert not (folder / LOCKS).exists()


def test_lock_of_another_machine(folder, sleeper) -> None:
    hold(folder, state_of(psutil.Process(sleeper.pid), host="elsewhere"))
    with pytest.raises(ClusterflowError, match=r"on elsewhere .* heard of \d+ s ago"):
        claim_folder()
    assert (folder / LOCKS).exists()


def test_state_without_locks_of_a_dead_process(folder) -> None:
    hold(folder, state_of(psutil.Process(), pid=2**22 + 1))
    for lock in (folder / LOCKS).iterdir():
        lock.unlink()
    claim_folder()


def test_wrong_setting_starts_nothing(folder) -> None:
    (folder / "config.yaml").write_text("study: toy\nclustres: [Cu4]\n")
    says = r"config\.yaml: line 2, column 1: unknown key 'clustres'"
    with pytest.raises(ConfigError, match=says):
        run_study(configfiles=[], cores=1, snakemake_args=[])
    assert not (folder / ".snakemake").exists()


def test_failure_names_the_logs(folder, capfd, monkeypatch) -> None:
    end = start._End(code=1, stopped=False)
    monkeypatch.setattr(start, "_run_snakemake", lambda *_, **note: end)
    assert run_study(configfiles=[], cores=1, snakemake_args=[]) == 1
    assert "logs are in results/toy/logs" in capfd.readouterr().err


def test_a_dry_run_warms_nothing_and_reads_no_record(folder, capfd, monkeypatch):
    def refuse(*_):
        raise AssertionError("of no use in a dry run")

    monkeypatch.setattr(start, "fork_server", refuse)
    monkeypatch.setattr(start, "job_times", refuse)
    assert run_study(configfiles=[], cores=1, snakemake_args=["-n"]) == 0
    assert "total" in capfd.readouterr().out
    with pytest.raises(AssertionError, match="of no use"):
        run_study(configfiles=[], cores=1, snakemake_args=[])


@pytest.mark.parametrize(
    ("arguments", "cores", "expected"),
    [
        ((), 3, 3),
        (("--profile", "slurm"), None, None),
        (("--profile", "slurm"), 3, 3),
        (("-j4",), None, None),
        (("--cores=2",), None, None),
    ],
)
def test_cores(arguments, cores, expected) -> None:
    assert choose_cores(cores, arguments) == expected


def test_without_a_word_it_takes_the_cores_that_it_may_use(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert choose_cores(None, ["-n"]) == 3
    # As on macOS, which has no such call.
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert choose_cores(None, ["-n"]) == 8


def test_where_nothing_forks_jobs_start_by_themselves(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with start.fork_server({"PATH": "/bin"}) as environment:
        assert environment == {"PATH": "/bin"}


def test_command_in_a_checkout_is_relative(folder) -> None:
    (folder / "Snakefile").symlink_to(folder / "package/Snakefile")
    assert "Snakefile" in snakemake_command([], 1, [])


@pytest.mark.parametrize(
    ("arguments", "ours"), [((), True), (("--profile", "slurm"), False)]
)
def test_a_profile_of_ones_own_replaces_ours(folder, arguments, ours) -> None:
    (folder / "package/workflow/profiles/default").mkdir(parents=True)
    command = snakemake_command([], 1, arguments)
    assert ("--workflow-profile" in command) is ours


def test_targets_are_not_swallowed_by_lists_of_values(folder) -> None:
    Path("mine.yaml").write_text("study: mine\n")
    command = snakemake_command([Path("mine.yaml")], 1, ["some/target"])
    assert command[-2:] == ["--keep-incomplete", "some/target"]


def test_study_name_from_the_command_line(folder) -> None:
    assert results_folder([], ["--config", "study=b"]) == Path("results/b")


@pytest.mark.parametrize(
    ("cmdline", "ours"),
    [
        ("/x/bin/python -m snakemake --cores 2", True),
        ("/x/bin/python3.11 /x/bin/clusterflow relax", True),
        ("snakemake -n", True),
        ("/x/clusterflow/.venv/bin/python -m pytest", False),
        ("python -m mypy src/clusterflow", False),
        ("vim src/clusterflow", False),
        ("", False),
    ],
)
def test_what_counts_as_a_run(cmdline, ours) -> None:
    assert runs_workflow(cmdline.split()) is ours


JOBS = (
    JobTime(stage="relax", wall_s=10.0, engine_s=9.0, written=50.0),
    JobTime(stage="build", wall_s=0.5, engine_s=0.0, written=150.0),
    JobTime(stage="relax", wall_s=20.0, engine_s=18.0, written=150.0),
)


def test_time_summary_counts_each_stage_in_their_order() -> None:
    rows = [line.split() for line in time_summary(JOBS).splitlines()]
    assert [row for row in rows if len(row) > 1] == [
        ["stage", "jobs", "wall", "s", "engine", "s"],
        ["build", "1", "0.5", "0.0"],
        ["relax", "2", "30.0", "27.0"],
        ["total", "3", "30.5", "27.0"],
    ]


@pytest.mark.parametrize(
    ("cpu_s", "cores", "shares"),
    [
        (20.0, 2, "10.0% of CPU time, 25.0% of elapsed time × cores"),
        (20.0, None, "10.0% of CPU time"),
        (10.0, 2, "25.0% of elapsed time × cores"),
        (10.0, 1, "not known"),
    ],
)
def test_run_summary_takes_only_records_of_this_run(cpu_s, cores, shares) -> None:
    run = RunTime(started=100.0, elapsed_s=12.0, cpu_s=cpu_s, cores=cores)
    first, second = run_summary(run, JOBS).splitlines()
    assert first.startswith("this run: 2 records in 12.0 s")
    assert first.endswith("inside the engine 18.0 s")
    assert second == f"outside quantum chemistry: {shares}"


def test_job_times_skip_what_is_no_record(tmp_path) -> None:
    (tmp_path / "relax").mkdir()
    (tmp_path / "relax/Cu4.json").write_text(json.dumps(RECORD))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    (times,) = job_times(tmp_path)
    assert (times.stage, times.wall_s, times.engine_s) == ("relax", 2.0, 0.1)
