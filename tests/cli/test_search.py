"""What a newcomer asks is found by the search of the site, where `make docs` built it.

Sphinx's own scripts search its own index here, in V8 without a browser.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

SITE = Path(__file__).resolve().parents[2] / "build/docs"
# What the scripts expect of a page.
PAGE = """
var window = globalThis;
var SPHINX_HIGHLIGHT_ENABLED = false;
var document = { getElementById: () => null };
var _ready = () => {};
var _ = (text) => text;
"""
FIND = """
const find = (query) =>
  Search._performSearch(...Search._parseQuery(query)).reverse().map((hit) => hit[0]);
"""
QUESTIONS = {
    "faq": (
        *("what is U_L", "my VASP energies", "why is a cell empty", "how sure is it"),
        *("how do I cite", "SLURM", "new adsorbate", "other metals", "other levels"),
        *("how long", "limiting potential", "missing number", "citation", "cost"),
    ),
    "vasp-folders": ("OUTCAR",),
    "cluster": ("SLURM", "sbatch"),
    "dft": ("DFT",),
    "adding": ("add an adsorbate", "own cluster"),
    "gallery": ("volcano plot", "figures"),
    "glossary": ("volcano",),
    "catalyst": ("tutorial", "Cd6Se6"),
}


@pytest.fixture(scope="module")
def search():
    """Pages that the site finds for some words, best first."""
    index = SITE / "searchindex.js"
    if not index.is_file():
        pytest.skip("needs `make docs`")
    engine = MiniRacer()
    engine.eval(PAGE)
    for script in ("_static/language_data.js", "_static/searchtools.js", index.name):
        engine.eval((SITE / script).read_text(encoding="utf-8"))
    engine.eval(FIND)
    return lambda words: list(engine.call("find", words))


@pytest.mark.parametrize(
    ("page", "words"),
    [(page, words) for page, asked in QUESTIONS.items() for words in asked],
)
def test_a_question_is_found_in_the_first_three_hits(page, words, search):
    assert page in search(words)[:3]
