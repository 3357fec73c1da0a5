"""Looking a study over: what the level that refines cannot do is said before a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from clusterflow.errors import ClusterflowError
from clusterflow.study.check import check


def check_refining(level, **study):
    content = {"reactions": ["HER"], "refine": {"species": "all", "level": level}}
    Path("config.yaml").write_text(yaml.safe_dump(content | study))
    return check([Path("config.yaml")])


def test_elements_that_the_level_of_dft_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClusterflowError, match=r"refine.level: Cd6Se6: .* for Cd, Se"):
        check_refining("emt", clusters=["Cd6Se6"])


def test_an_engine_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyscf.gto", None)
    with pytest.raises(ClusterflowError, match=r"pip install 'clusterflow\[dft\]'"):
        check_refining("pbe-d3-tzvp", clusters=["Cu2"])


def test_what_is_not_refined_needs_no_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pyscf.gto", None)
    lines = check_refining("pbe-d3-tzvp", clusters=["Cu2"], refine={"species": "none"})
    assert lines[-1] == "everything is in order"
