"""The package as `pip install .` leaves it: in an empty folder, and in a checkout."""

from __future__ import annotations

import json
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

from .conftest import EMT, Folder


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the package in it, a copy of the tree."""
    root = package_data()
    if not (root / "pyproject.toml").is_file():
        pytest.skip("the package under test is itself an installed wheel")
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(site), str(root)], check=True
    )
    return site


class Installed(Folder):
    """A working folder in which that copy is the package."""

    def __init__(self, path, site):
        super().__init__(path)
        self._site = site

    def call(self, module, *arguments, env=None):
        here = {"PYTHONPATH": str(self._site), **(env or {})}
        return super().call(module, *arguments, env=here)

    def output_of(self, module, *arguments):
        done = self.call(module, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def planned(said):
    """Rules with jobs to run, from the table of a dry run."""
    found = set(re.findall(r"^(\w+) +\d+$", said, re.MULTILINE))
    return found - {"all", "total"}


def test_the_package_carries_the_workflow(site, tmp_path):
    folder = Installed(tmp_path, site)
    where = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from clusterflow.library.find import package_data; print(package_data())",
        ],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert Path(where).is_relative_to(site)
    folder.configure(EMT, "tiny.yaml")
    folder.output_of("clusterflow", "run", "--configfile", "tiny.yaml")
    assert (tmp_path / "results/tiny/report.html").is_file()
    # The study of whoever built it stays with them.
    assert not (site / "clusterflow/data/config.yaml").exists()
    folder.output_of("clusterflow", "new", "first")
    assert (tmp_path / "first/config.yaml").is_file()


def test_a_checkout_works_with_a_copy_installed(site, tmp_path):
    """Everything of the library is there twice, and what is here counts."""
    root = package_data()
    shutil.copy(root / "Snakefile", tmp_path)
    for name in ("workflow", "structures"):
        shutil.copytree(root / name, tmp_path / name)
    own = tmp_path / "structures/clusters"
    for path in own.iterdir():  # `check` builds each of them: a few are enough
        if not path.name.startswith("Cu2"):
            path.unlink()
    folder = Installed(tmp_path, site)
    folder.configure(EMT)
    listed = json.loads(folder.output_of("clusterflow", "list", "clusters", "--json"))
    names = Counter(row["name"] for row in listed)
    assert names["Cu2"] == names["Cu4"] == 1
    checked = folder.output_of("clusterflow", "check")
    assert "in place of" not in checked and "everything is in order" in checked
    with_package, with_checkout = ("clusterflow", "run", "-n"), ("snakemake", "-n")
    for words in (with_package, with_checkout):
        assert planned(folder.output_of(*words)) >= {"build", "report"}

    # What one Snakefile has done the other does not do again.
    until = ("--until", "build")
    folder.output_of("clusterflow", "run", *until)
    assert planned(folder.output_of(*with_checkout, *until)) == set()
    content = yaml.safe_load((own / "Cu2.yaml").read_text())
    content["description"] = "My own."
    (own / "Cu2.yaml").write_text(yaml.safe_dump(content))
    assert planned(folder.output_of(*with_package, *until)) == {"build"}
    packaged = site / "clusterflow/data/structures/clusters/Cu2.yaml"
    assert (
        f"cluster 'Cu2': structures/clusters/Cu2.yaml is used in place of {packaged}"
        in folder.output_of("clusterflow", "check").splitlines()
    )
