"""A node, the controller or the login node is lost: a study ends as if undisturbed.

Asks for the one-machine SLURM of docs/cluster.md; its folder is named by
``CLUSTERFLOW_SLURM``. Only in the long form: a lease must run out.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.conftest import IS_LONG, Study
from tests.faults.test_kills import age_leftovers, start, strike

SANDBOX = os.environ.get("CLUSTERFLOW_SLURM", "")
pytestmark = pytest.mark.skipif(
    not (IS_LONG and SANDBOX), reason="long, and needs a SLURM whose nodes may be lost"
)
CLUSTERS = ["Cu2", "Cu3", "Cu4", "Cu5", "Cu6", "Cu7"]
PROFILE = (
    *("--profile", "slurm", "--default-resources", "mem_mb=500", "runtime=10"),
    *("slurm_account=test", "slurm_partition=main"),
)


def call(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_for(condition, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.5)


def read_number(name: str) -> int:
    return int(Path(SANDBOX, "run", f"{name}.pid").read_text())


def start_node(name: str) -> None:
    process = subprocess.Popen(
        [
            *("unshare", "--pid", "--fork", "--kill-child", "--mount-proc"),
            *("bash", "-c", f"slurmd -D -N {name}; :"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    Path(SANDBOX, "run", f"node.{name}.pid").write_text(f"{process.pid}\n")


def lose_node() -> str:
    """Cut the power of a node that has a job; its name."""
    node = call("squeue", "-h", "-t", "R", "-o", "%N").split()[0]
    os.kill(read_number(f"node.{node}"), signal.SIGKILL)
    return node


def return_node(name: str) -> None:
    """Start a node again, once SLURM knows that it was lost."""
    wait_for(lambda: "down" in call("sinfo", "-h", "-n", name, "-o", "%T"), 120)
    start_node(name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    study = make_study(tmp_path_factory.mktemp("whole"))
    assert study.run().returncode == 0
    return study


def make_study(path: Path) -> Study:
    study = Study(path)
    config = (path / "config.yaml").read_text()
    listed = "".join(f"- {name}\n" for name in CLUSTERS)
    (path / "config.yaml").write_text(config.replace("- Cu2\n- Cu4\n", listed))
    return study


@pytest.mark.parametrize("lost", ["node", "controller"])
def test_a_study_in_bundles_outlives_it(whole, tmp_path, lost):
    study = make_study(tmp_path)
    sent = study.call("clusterflow", "submit", "--bundles", "3", "--time=20")
    assert sent.returncode == 0, sent.stderr
    # Bundles are at work, and far from done.
    wait_for(lambda: len(study.stamp_records()) > 8, 300)
    before = study.stamp_records()
    if lost == "node":
        return_node(lose_node())
    else:
        os.kill(read_number("slurmctld"), signal.SIGKILL)
        time.sleep(10)
        call("slurmctld")
        # What had begun since the last saved state is held, and its node drained.
        time.sleep(20)
        for node in call("sinfo", "-h", "-N", "-t", "drain", "-o", "%N").split():
            call("scontrol", "update", f"nodename={node}", "state=resume")
        for job in call("squeue", "-h", "-o", "%i %r").splitlines():
            if "held" in job:
                call("scontrol", "release", job.split()[0])
    wait_for(lambda: not call("squeue", "-h"), 1200)
    logs = [p.read_text() for p in study.results.glob("logs/**/*.log")]
    assert not any("Traceback" in log for log in logs), logs
    after = study.stamp_records()
    again = [path for path in before if after[path] != before[path]]
    assert len(again) <= 1, again
    assert study.read_numbers() == whole.read_numbers(), logs
    left = [one for one in study.list_left_behind() if "clusterflow-run" in one]
    assert left == [] and study.list_processes() == []


@pytest.mark.parametrize("lost", ["node", "login node"])
def test_a_study_with_a_job_for_each_record_outlives_it(undisturbed, tmp_path, lost):
    study = Study(tmp_path)
    run = start(study, *PROFILE)
    # The first records are there, and the next are being made on a node.
    wait_for(
        lambda: len(study.stamp_records()) > 6 and call("squeue", "-h", "-t", "R"), 900
    )
    before = study.stamp_records()
    under_way = call("squeue", "-h", "-o", "%i").split()
    if lost == "node":
        return_node(lose_node())
    else:
        strike(run, "all", signal.SIGKILL, random.Random())
        run.communicate()
        # Its jobs go on without it, and are cancelled as docs/cluster.md says.
        call("scancel", *under_way)
        wait_for(lambda: not call("squeue", "-h"), 120)
        age_leftovers(study)
        run = start(study, *PROFILE)
    said = run.communicate(timeout=1800)[0]
    assert run.returncode == 0 and "Traceback" not in said, said
    after = study.stamp_records()
    again = [path for path in before if after.get(path) != before[path]]
    # A record may have been written and Snakemake not have heard of it.
    assert len(again) <= len(under_way), again
    assert study.read_numbers() == undisturbed.read_numbers(), said
    # Nothing is left to be made, and nothing lies about.
    age_leftovers(study)
    assert study.run().returncode == 0
    assert study.stamp_records() == after
    assert study.list_left_behind() == []
