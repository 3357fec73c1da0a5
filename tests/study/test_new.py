"""A new study folder: what is in it, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clusterflow.errors import ConfigError
from clusterflow.settings import Study, load_study
from clusterflow.study.check import check
from clusterflow.study.new import new
from clusterflow.study.plan import Plan


def test_a_new_folder_is_a_study_in_order(tmp_path, monkeypatch):
    lines = new(tmp_path / "copper")
    assert lines[-1].startswith("next: cd ")
    monkeypatch.chdir(tmp_path / "copper")
    assert Path("README.md").is_file()
    assert check([Path("config.yaml")])[-1] == "everything is in order"
    study = load_study(yaml.safe_load(Path("config.yaml").read_text()))
    assert study.study == "copper"
    assert Path(f"structures/clusters/{study.clusters[0]}.yaml").is_file()


@pytest.mark.parametrize("full", [False, True])
def test_only_the_name_clusters_and_reactions_differ_from_the_default(tmp_path, full):
    new(tmp_path / "s", full=full)
    text = (tmp_path / "s/config.yaml").read_text()
    content = yaml.safe_load(text)
    study = load_study(content)
    own = {n: getattr(study, n) for n in ("study", "clusters", "reactions")}
    assert study == Study(**own)
    assert (content.keys() == Study.model_fields.keys()) is full
    assert ("low_mode_cutoff_cm1" in content["thermo"]) is full
    assert max(map(len, text.splitlines())) <= 88


def test_the_tour_has_every_small_cluster_and_no_adsorbates(
    tmp_path, monkeypatch, library
):
    new(tmp_path / "around", tour=True)
    monkeypatch.chdir(tmp_path / "around")
    plan = Plan.from_config(yaml.safe_load(Path("config.yaml").read_text()))
    assert plan.study.study == "around"
    assert plan.adsorbates == ()
    sizes = {n: library.cluster(n).n_atoms for n in library.paths("clusters")}
    assert set(plan.clusters) == {name for name, n in sizes.items() if n < 70}
    with pytest.raises(ConfigError, match="choose one"):
        new(tmp_path / "other", full=True, tour=True)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("name", "study"), [("my study!", "my-study"), ("...", "first")]
)
def test_a_folder_with_any_name_gives_a_legal_study(tmp_path, name, study):
    new(tmp_path / name)
    content = yaml.safe_load((tmp_path / name / "config.yaml").read_text())
    assert content["study"] == study


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ConfigError, match="not empty"):
        new(tmp_path)
    with pytest.raises(ConfigError, match="is a file"):
        new(tmp_path / "mine.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(tmp_path):
    new(tmp_path)
    assert (tmp_path / "config.yaml").is_file()
