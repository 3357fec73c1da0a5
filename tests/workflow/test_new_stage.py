"""A stage added as CONTRIBUTING says, in a copy of the tree: it runs and is seen."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from .conftest import EMT, Folder

RECORD = '''"""How far the atoms of a cluster reach."""

from __future__ import annotations

from typing import Literal

from clusterflow.library.levels import LevelSpec
from clusterflow.records.provenance import Record


class ExtentRecord(Record):
    """Radius of gyration of a cluster's lowest isomer."""

    stage: Literal["extent"] = "extent"
    cluster: str
    level: LevelSpec | None
    radius_of_gyration_a: float
'''
MODULE = '''"""Stage extent: how far the atoms of a cluster reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.extent import ExtentRecord

if TYPE_CHECKING:
    from clusterflow.stages.inputs import Inputs
    from clusterflow.stages.parts.job import Job


def run(inputs: Inputs, job: Job) -> ExtentRecord:
    """Radius of gyration of the lowest isomer."""
    relaxed = inputs.one(RelaxRecord)
    xyz = relaxed.isomers[0].structure.xyz
    spread = xyz - xyz.mean(axis=0)
    return ExtentRecord(
        cluster=relaxed.cluster,
        level=relaxed.level,
        radius_of_gyration_a=float(np.sqrt((spread**2).sum(axis=1).mean())),
        provenance=job.provenance(relaxed.level),
    )
'''
ROW = """    Stage(
        name="extent",
        summary="Compute how far the atoms of a cluster reach.",
        record="extent.ExtentRecord",
        protocol=1,
        of=_CLUSTER,
        reads=("relax",),
    ),
"""
RULE = '''rule extent:
    """Compute how far the atoms of a cluster reach."""
    input:
        "results/{study}/relax/{cluster}.json",
    output:
        "results/{study}/extent/{cluster}.json",
    localrule: True
    log:
        "results/{study}/logs/extent/{cluster}.log",
    params:
        settings=settings("extent"),
    shell:
        r"""
        clusterflow extent {input:q} \\
            --settings {params.settings:q} \\
            --output {output:q} \\
            2>{log:q}
        """
'''
NEW = {
    "src/clusterflow/records/extent.py": RECORD,
    "src/clusterflow/stages/extent.py": MODULE,
    "workflow/rules/extent.smk": RULE,
}
TABLE = "src/clusterflow/stage_table.py"


class Tree(Folder):
    """A folder with a study, and a copy of the project that runs in it."""

    def __init__(self, path: Path, root: Path) -> None:
        super().__init__(path)
        self.project = path / "project"
        for name in ("src", "workflow", "structures"):
            shutil.copytree(root / name, self.project / name)
        for name in ("Snakefile", "config.yaml"):
            shutil.copy(root / name, self.project / name)
        table = self.project / TABLE
        text = table.read_text()
        before = '    Stage(\n        name="collect"'
        assert text.count(before) == 1
        table.write_text(text.replace(before, ROW + before))
        self.configure(EMT)

    def call(self, module: str, *arguments: str, env: dict | None = None):
        source = str(self.project / "src")
        known = os.environ.get("PYTHONPATH")
        paths = os.pathsep.join([source, *([known] if known else [])])
        return super().call(
            module, *arguments, env={"PYTHONPATH": paths, **(env or {})}
        )

    def snakemake(self, *arguments: str, env: dict | None = None):
        file = str(self.project / "Snakefile")
        return self.call("snakemake", "-s", file, "--cores", "2", *arguments, env=env)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path, Path(__file__).parents[2])


def test_a_new_stage_runs_at_once_and_is_seen_everywhere(tree):
    for name, content in NEW.items():
        (tree.project / name).write_text(content)
    assert "extent" in tree.rules_to_run()
    done = tree.run()
    assert done.returncode == 0, done.stderr

    results = tree.path / "results/tiny"
    relaxed = json.loads((results / "relax/Cu2.json").read_text())
    one, other = map(np.array, relaxed["isomers"][0]["structure"]["positions"])
    radius = np.linalg.norm(one - other) / 2

    status = json.loads(tree.call("clusterflow", "status", "--json").stdout)
    (stage,) = (s for s in status["stages"] if s["stage"] == "extent")
    assert (stage["done"], stage["failed"], stage["waiting"]) == (1, 0, 0)

    with (results / "records.csv").open() as stream:
        (row,) = (row for row in csv.DictReader(stream) if row["stage"] == "extent")
    assert (row["cluster"], row["level"], row["status"]) == ("Cu2", "emt", "ok")

    query = ("query", "results/tiny", "extent", "--where", "cluster=Cu2", "--json")
    (found,) = json.loads(tree.call("clusterflow", *query).stdout)
    assert found["radius_of_gyration_a"] == pytest.approx(radius, abs=1e-6)

    by_hand = tree.call("clusterflow", "extent", "Cu2", "--level", "emt")
    assert json.loads(by_hand.stdout)["radius_of_gyration_a"] > 0
    assert "extent" in (results / "report.html").read_text()


@pytest.mark.parametrize(
    ("lacking", "says"),
    [
        ("workflow/rules/extent.smk", "stage 'extent' has no rule: write"),
        ("src/clusterflow/stages/extent.py", "no module clusterflow.stages.extent"),
        ("src/clusterflow/records/extent.py", "no module clusterflow.records.extent"),
    ],
)
def test_a_stage_that_lacks_a_part_says_so_before_anything_runs(tree, lacking, says):
    for name, content in NEW.items():
        if name != lacking:
            (tree.project / name).write_text(content)
    done = tree.snakemake("--dry-run")
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert "KeyError" not in done.stderr
