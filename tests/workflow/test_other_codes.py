"""What the page on other codes shows is what its studies give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/other-codes.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.+?)^```", PAGE, re.M | re.S)
pytestmark = [pytest.mark.slow, pytest.mark.xtb]


def take_block(start: str) -> str:
    [found] = [block for block in YAML if block.startswith(f"{start}\n")]
    return found


def ask_potential(folder, study: str, column: str) -> float:
    done = folder.call(
        *("clusterflow", "query", f"results/{study}", "potentials"),
        *("--columns", f"reaction,{column}", "--json"),
    )
    assert done.returncode == 0, done.stderr
    [value] = re.findall(rf'"{column}": (-[\d.]+)', done.stdout)
    return float(value)


def test_gpaw_gives_what_the_page_shows(folder):
    pytest.importorskip("gpaw", reason="needs GPAW: docs/other-codes.md")
    levels = folder.path / "structures/levels"
    levels.mkdir(parents=True)
    (levels / "pbe-gpaw.yaml").write_text(take_block("name: pbe-gpaw"))
    (folder.path / "config.yaml").write_text(take_block("study: gpaw"))
    done = folder.call("clusterflow", "run", "--cores", "2")
    assert done.returncode == 0, done.stderr
    [shown] = re.findall(r"^      HER +\S+ +(\S+)$", PAGE, re.MULTILINE)
    column = "refined_limiting_potential_best_estimate_v_rhe"
    found = ask_potential(folder, "gpaw", column)
    assert found == pytest.approx(float(shown), abs=5e-3)


def test_a_table_of_these_energies_gives_the_same(folder):
    [table] = re.findall(r"((?:    .*\n)+)\nand `config.yaml`", PAGE)
    (folder.path / "dft.csv").write_text(re.sub(r"^    ", "", table, flags=re.M))
    (folder.path / "config.yaml").write_text(take_block("study: table"))
    done = folder.call("clusterflow", "run", "--cores", "2")
    assert done.returncode == 0, done.stderr
    [shown] = re.findall(r"U_L is −([\d.]+) V, what `refine` gives", PAGE)
    found = ask_potential(folder, "table", "limiting_potential_best_estimate_v_rhe")
    assert found == pytest.approx(-float(shown), abs=5e-3)
