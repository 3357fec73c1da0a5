"""Real runs of the workflow in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from clusterflow.library.find import package_data

EMT = {
    "study": "tiny",
    "clusters": ["Cu2"],
    "reactions": ["HER"],
    "level": {"preferred": ["emt"], "probes": ["H"]},
    "edges": {"level": "emt"},
    "thermo": {"anchors": ["H2"]},
    "adsorb": {"max_screened": 2, "max_relaxed": 1},
}


class Folder:
    """A working folder, and Snakemake in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def configure(self, content: dict, name: str = "config.yaml") -> None:
        (self.path / name).write_text(yaml.safe_dump(content))

    def run(self, *arguments: str):
        """`clusterflow run`: its jobs cost a third of those that Snakemake starts."""
        return self.call("clusterflow", "run", "--cores", "2", *arguments)

    def snakemake(self, *arguments: str, env: dict | None = None):
        return self.call(
            *("snakemake", "-s", str(package_data() / "Snakefile")),
            *("--cores", "2", *arguments),
            env=env,
        )

    def call(self, module: str, *arguments: str, env: dict | None = None):
        scripts = str(Path(sys.executable).parent)
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PATH": scripts + os.pathsep + os.environ["PATH"],
                **(env or {}),
            },
        )

    def jobs_to_run(self, *arguments: str) -> Counter[str]:
        """How many jobs of each rule a dry run would start."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stderr
        jobs = re.findall(r"^(?:local)?rule (\w+):", done.stdout + done.stderr, re.M)
        return Counter(name for name in jobs if name != "all")

    def rules_to_run(self, *arguments: str) -> set[str]:
        """Names of the rules a dry run would start."""
        return set(self.jobs_to_run(*arguments))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of the tiny study, by effective medium theory: to be read."""
    folder = Folder(tmp_path_factory.mktemp("emt"))
    folder.configure(EMT)
    done = folder.run()
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of it that may be changed and run on."""
    shutil.copytree(finished.path, tmp_path, dirs_exist_ok=True)
    return Folder(tmp_path)
