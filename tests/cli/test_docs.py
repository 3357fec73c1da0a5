"""What the pages show is what the commands do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from clusterflow.cli import main
from unit.results import write_results
from unit.test_species import Study

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "che.md").read_text(encoding="utf-8")
# A command, perhaps over several lines, a blank line, and what it prints.
BLOCK = re.compile(
    r"^    (clusterflow che --energies examples/(?:.*\\\n)*.*)\n\n((?:    .*\n)+)", re.M
)
SHOWN = [
    (re.sub(r"\\\n\s*", " ", command), re.sub(r"^    ", "", output, flags=re.M))
    for command, output in BLOCK.findall(PAGE)
]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[c for c, _ in SHOWN])
def test_an_example_prints_what_the_page_shows(command, output, monkeypatch, capsys):
    monkeypatch.chdir(DOCS)
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out == output


def test_every_example_is_found():
    assert len(SHOWN) == PAGE.count("\n    clusterflow che --energies examples/") == 4


def test_the_tables_on_the_page_are_the_files():
    for name in ("pt-co2.csv", "h-totals.csv"):
        content = (DOCS / "examples" / name).read_text(encoding="utf-8")
        indented = "".join(f"    {line}\n" for line in content.splitlines())
        assert indented in PAGE, name


RESULTS = (DOCS / "results.md").read_text(encoding="utf-8")
VERBS = re.findall(
    r"^    (clusterflow (?:plot|query|explain|new|status) .*)$", RESULTS, re.M
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library, provenance, structure):
    """A folder with results of the names on the page."""
    here = tmp_path_factory.mktemp("study")
    shifts = {"Cd6Se6": {}, "Cu4": {"COOH": 0.2, "CO": 0.1}, "Cu8": {"COOH": 0.3}}
    study = Study(library, provenance, structure)
    write_results(here / "results" / "default", study, shifts)
    return here


@pytest.mark.parametrize("command", VERBS)
def test_a_verb_for_results_does_what_the_page_says(
    command, folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    words = shlex.split(command)[1:]
    assert main(words) == 0
    assert capsys.readouterr().out
    if "--output" in words:
        figure = Path(words[words.index("--output") + 1])
        assert figure.stat().st_size > 1000
        assert figure.with_suffix(".csv").read_text().startswith("cluster,level")


def test_every_verb_for_results_has_an_example():
    shown = {tuple(shlex.split(command)[1:2]) for command in VERBS}
    assert shown == {(v,) for v in ("plot", "query", "explain", "new", "status")}
    kinds = {shlex.split(c)[2] for c in VERBS if c.startswith("clusterflow plot")}
    assert kinds == {"diagram", "volcano", "bands", "scaling"}
