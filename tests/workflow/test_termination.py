"""A termination that comes at the worst moment."""

from __future__ import annotations

import subprocess
import sys

from clusterflow.library.find import package_data
from clusterflow.run.command import make_environment

from .conftest import EMT

# Snakemake holds its lock while it takes note of a job that has ended.
TERMINATED = """
import os, signal, sys
from snakemake.cli import main
from snakemake.scheduling.job_scheduler import JobScheduler

finish = JobScheduler._finish_jobs

def terminate(self):
    if self._tofinish:
        os.kill(os.getpid(), signal.SIGTERM)
        print("terminated", file=sys.stderr)
    finish(self)

JobScheduler._finish_jobs = terminate
main(sys.argv[1:])
"""


def test_a_termination_in_the_lock_of_the_scheduler_ends_the_run(folder):
    folder.configure(EMT)
    command = [
        sys.executable,
        "-c",
        TERMINATED,
        "-s",
        str(package_data() / "Snakefile"),
    ]
    done = subprocess.run(
        [*command, "--cores", "1", "results/tiny/build/Cu2.json"],
        cwd=folder.path,
        env=make_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "terminated" in done.stderr
    assert (folder.path / "results/tiny/build/Cu2.json").exists()
