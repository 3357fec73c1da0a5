"""A folder held by one of several machines: by hosts that are only said to differ."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusterflow.errors import ClusterflowError
from clusterflow.run import lease
from clusterflow.run.lease import (
    EXPIRES_S,
    HOLDER,
    RunHolder,
    current_run,
    describe_run,
    hold_folder,
)

# A run on a host of another name, until it is told to end.
RUN = """
import platform, subprocess, sys, os
from clusterflow.run import lease
host, renew_s, expires_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
platform.node = lambda: host
lease.RENEW_S, lease.EXPIRES_S, lease._SETTLE_S = renew_s, expires_s, 0.3
try:
    with lease.hold_folder() as held:
        told, alive = os.pipe()
        # In the place of Snakemake.
        work = subprocess.Popen(
            ["sleep", "60"], process_group=0, pass_fds=[alive]
        )
        os.close(alive)
        with held.kept_alive(work.pid, told):
            held.note(work.pid)
            print("holds", work.pid, flush=True)
            print("ended", work.wait(), flush=True)
except Exception as error:
    print(error, flush=True)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lease, "_SETTLE_S", 0.3)
    return tmp_path


@pytest.fixture
def run_on():
    """Start a run on a host and read its first words."""
    started = []

    def start(host, *, renew_s=0.2, expires_s=2.0, interrupts=signal.SIG_DFL):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, host, str(renew_s), str(expires_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, interrupts),
        )
        started.append(process)
        said = process.stdout.readline()
        return process, said

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def end_work(said):
    os.kill(int(said.split()[1]), signal.SIGKILL)


def test_a_second_run_on_another_host_is_refused_with_who_holds_it(run_on):
    first, said = run_on("node1")
    assert said.startswith("holds")
    _, refused = run_on("node2")
    assert "held by a run on node1" in refused and "last heard of 0 s ago" in refused
    assert f"process {said.split()[1]}" in refused
    end_work(said)
    assert first.wait(timeout=20) == 0
    assert not HOLDER.exists()
    _, said = run_on("node2")
    assert said.startswith("holds")
    end_work(said)


def test_the_lease_outlives_the_runner_and_ends_with_its_work(run_on):
    first, said = run_on("node1")
    first.kill()
    first.wait()
    time.sleep(3.0)  # longer than it lasts without renewal
    _, refused = run_on("node2")
    assert "held by a run on node1" in refused
    end_work(said)
    time.sleep(3.0)
    _, said = run_on("node2")
    assert said.startswith("holds"), "taken over when nobody renews it"
    end_work(said)


@pytest.mark.parametrize(
    ("interrupts", "number"),
    [(signal.SIG_DFL, signal.SIGINT), (signal.SIG_IGN, signal.SIGTERM)],
    ids=["by hand", "in the background"],
)
def test_one_who_was_asleep_is_stopped_when_another_has_taken_over(
    run_on, interrupts, number
):
    """Nobody renews for a while, as in a machine that is suspended."""
    first, _ = run_on("node1", renew_s=4.0, interrupts=interrupts)
    time.sleep(2.5)
    _, second = run_on("node2", renew_s=1.0)
    assert second.startswith("holds")
    assert first.stdout.readline().split() == ["ended", str(-number)]
    first.wait(timeout=20)
    assert HOLDER.exists(), "the lease of the second"
    end_work(second)


def test_of_many_who_come_at_once_one_holds_the_folder():
    """The same place with an expired lease, which all of them would take over."""
    HOLDER.parent.mkdir()
    for seen in (None, RunHolder(host="gone", pid=1, create_time=1.0)):
        if seen is not None:
            HOLDER.write_text(seen.model_dump_json())
            os.utime(HOLDER, (1, 1))
        held, refused = [], []

        def claim(_, held=held, refused=refused):
            try:
                held.append(lease._claim_folder(""))
            except ClusterflowError as error:
                refused.append(str(error))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(claim, range(8)))
        assert len(held) == 1 and len(refused) == 7
        held[0].release()
        assert os.listdir(HOLDER.parent) == []  # noqa: PTH208


def test_the_clock_of_this_machine_does_not_count(monkeypatch):
    with hold_folder() as held:
        state = describe_run(os.getpid()).model_copy(update={"host": "elsewhere"})
        held.note(os.getpid())
        HOLDER.write_text(state.model_dump_json())
        monkeypatch.setattr(time, "time", lambda: 1e10)
        assert current_run() == state
        old = HOLDER.stat().st_mtime - EXPIRES_S - 5
        os.utime(HOLDER, (old, old))
        assert current_run() is None


def test_an_unreadable_lease_counts_by_its_age():
    HOLDER.parent.mkdir()
    HOLDER.write_text("{half")
    with (
        pytest.raises(ClusterflowError, match="on an unknown machine"),
        hold_folder(),
    ):
        pass
    os.utime(HOLDER, (1, 1))
    with hold_folder() as held:
        assert held.taken_over
    assert not HOLDER.exists()


def test_without_hard_links_a_file_that_must_not_exist_serves(monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with hold_folder():
        assert current_run().pid == os.getpid()
        with pytest.raises(ClusterflowError, match="under way"), hold_folder():
            pass
    assert not HOLDER.exists()


def test_without_a_name_of_the_boot_the_host_and_the_process_decide(monkeypatch):
    """As on macOS, which has no /proc."""

    def refuse(path):
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "readlink", refuse)
    assert lease.find_place() == ""
    with hold_folder():
        assert current_run().pid == os.getpid() and current_run().place == ""
        with pytest.raises(ClusterflowError, match="under way"), hold_folder():
            pass
    assert not HOLDER.exists()


def test_another_process_table_is_another_machine():
    """As nodes of one container are, which share the name of the host."""
    HOLDER.parent.mkdir()
    state = RunHolder(host=platform.node(), pid=1, create_time=1.0, place="another")
    HOLDER.write_text(state.model_dump_json())
    with pytest.raises(ClusterflowError, match="held by a run on"), hold_folder():
        pass


def test_parts_of_a_study_run_beside_each_other_and_not_beside_the_whole():
    def refused(bundle):
        try:
            with hold_folder(bundle):
                return False
        except ClusterflowError:
            return True

    with hold_folder("1/4"):
        assert [refused(b) for b in ("2/4", "1/4", "0/4", "2/3", "")] == [
            *(False, True, True, True, True)
        ]
    with hold_folder("0/4"):
        assert refused("2/4") and refused("")
    with hold_folder():
        assert refused("2/4")
    assert list(Path(".snakemake").iterdir()) == []


def test_who_waits_gets_the_folder_of_a_run_that_is_gone():
    HOLDER.parent.mkdir()
    gone = RunHolder(host="elsewhere", pid=1, create_time=1.0)
    HOLDER.write_text(gone.model_dump_json())
    old = time.time() - EXPIRES_S + 1.5
    os.utime(HOLDER, (old, old))
    with hold_folder(wait_s=20.0) as held:
        assert held.taken_over
