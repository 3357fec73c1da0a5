"""What docs/che.md shows is what the command prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from clusterflow.cli import main

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
