"""Planning a thousand clusters costs a thousand times one: counted, not timed."""

import json
from collections import Counter
from pathlib import Path

import pytest

from clusterflow.library import find
from clusterflow.stage_table import STAGES
from clusterflow.study.plan import Plan


@pytest.fixture
def counted(tmp_path, monkeypatch, root):
    """How often a plan of so many clusters lists a folder and reads an item."""
    cu4 = (root / "structures/clusters/Cu4.yaml").read_text()
    iterdir, load_spec = Path.iterdir, find.load_spec

    def plan(n_clusters):
        folder = tmp_path / str(n_clusters)
        names = [f"Cu4-{number}" for number in range(n_clusters)]
        (folder / "structures/clusters").mkdir(parents=True)
        for name in names:
            path = folder / f"structures/clusters/{name}.yaml"
            path.write_text(cu4.replace("name: Cu4\n", f"name: {name}\n"))
        monkeypatch.chdir(folder)
        listed, read = Counter(), Counter()

        def count_listing(path):
            listed[path] += 1
            return iterdir(path)

        def count_load(path, model):
            read[path] += 1
            return load_spec(path, model)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "iterdir", count_listing)
            patched.setattr(find, "load_spec", count_load)
            patched.setattr(find, "_LOADED", {})
            ask_for_all_jobs(Plan.from_config({"clusters": names, "study": "many"}))
        return listed, read

    return plan


def ask_for_all_jobs(plan):
    """Ask a plan what the rules ask, for each job of theirs."""
    plan.level_files()
    for stage in STAGES:
        plan.settings(stage)
    for stage in ("edges", "thermo", "che"):
        plan.data_files(stage)
    for cluster in plan.clusters:
        plan.structure_files(cluster)
        plan.level_peers(cluster)
        plan.cluster_states_of(cluster)
        for adsorbate in plan.adsorbates_of(cluster):
            plan.library.path("clusters", cluster)
            plan.library.path("adsorbates", adsorbate)
    plan.records("results/many")


def test_each_folder_is_listed_and_each_item_read_once(counted):
    listed, read = counted(5)
    assert set(listed.values()) == {1}
    assert set(read.values()) == {1}


def test_a_cluster_more_is_an_item_more_to_read_and_no_folder(counted):
    (few_listed, few_read), (many_listed, many_read) = counted(2), counted(40)
    assert many_listed.total() == few_listed.total()
    assert many_read.total() - few_read.total() == 40 - 2


def test_a_stage_sees_all_keys_that_its_row_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = {
        "species": "all",
        "level": "pbe-d3-svp-cp",
        "other_multiplicities": True,
        "relax": ["H"],
        "second_level": "r2scan-d4-tzvp",
        "second_species": ["H"],
    }
    config = {"study": "x", "clusters": ["Cu2"], "reactions": ["HER"], "refine": asked}
    plan = Plan.from_config(config)
    for stage in STAGES.values():
        seen = json.loads(plan.settings(stage.name))
        for name in stage.sees:
            section, _, key = name.partition(".")
            if section == "refine" and key:
                assert seen["refine"][key] == asked[key], stage.name
