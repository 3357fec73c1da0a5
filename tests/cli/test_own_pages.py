"""What the pages on energies of one's own show is what the commands do."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from clusterflow.cli.app import main

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("oxidations.md", "ase-databases.md", "vasp-folders.md")
# A command, a blank line, and what it prints.
BLOCK = re.compile(
    r"^    (clusterflow che --energies examples/.*)\n\n((?:    .*\n)+)", re.MULTILINE
)
SHOWN = [
    (command, re.sub(r"^    ", "", output, flags=re.MULTILINE))
    for page in PAGES
    for command, output in BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
]
OXIDATIONS = (DOCS / "oxidations.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[c for c, _ in SHOWN])
def test_a_command_prints_what_its_page_shows(command, output, monkeypatch, capsys):
    monkeypatch.chdir(DOCS)
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out == output


def test_every_command_is_found():
    assert len(SHOWN) == 8


@pytest.mark.parametrize("name", ["oer-scaling.csv", "nrr.csv"])
def test_the_table_on_the_page_is_the_file(name):
    content = (DOCS / "examples" / name).read_text(encoding="utf-8")
    assert "".join(f"    {line}\n" for line in content.splitlines()) in OXIDATIONS


def test_a_folder_of_outputs_becomes_results(tmp_path, monkeypatch, capsys):
    shutil.copytree(DOCS / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "vasp-folders.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^    (clusterflow .* --output .*)$", page, re.MULTILINE)
    assert main(shlex.split(command)[1:]) == 0
    assert {p.stem for p in (tmp_path / "results/mine/che").glob("*.json")} >= {
        "Cu111",
        "Ag111",
    }
    assert main(["verify", "results/mine"]) == 0


def test_the_reaction_on_the_page_runs(tmp_path, monkeypatch, capsys):
    lines = re.search(r"((?:    .*\n)*    name: ORR-2e\n(?:    .*\n)+)", OXIDATIONS)
    assert lines is not None
    path = tmp_path / "structures" / "reactions" / "ORR-2e.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(re.sub(r"^    ", "", lines[0], flags=re.MULTILINE))
    monkeypatch.chdir(tmp_path)
    table = str(DOCS / "examples/oer-scaling.csv")
    assert main(["che", "--energies", table, "--reaction", "ORR-2e", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    best = next(r for r in answer["surfaces"] if r["surface"] == "best")
    # E° of O2 to dissolved H2O2 is 0.695 V (Bard and Faulkner, 2001).
    assert best["equilibrium_potential_v_rhe"] == pytest.approx(0.695, abs=0.001)
    # 4.92 eV of O2 less 4.20 of *OOH.
    assert best["steps"][0]["dg0_ev"] == pytest.approx(-0.72)
