"""The list of many clusters and their pages in a real browser."""

from __future__ import annotations

import re

import pytest

from clusterflow.figures.picture import draw_structure
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import StudyRecords, read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.report.page import render_summary
from clusterflow.report.stage import report
from clusterflow.results.temperatures import StepEnergies
from clusterflow.stages.parts.job import Job
from tests.browser.conftest import SHIFTS
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

ROWS = """
return [...document.querySelectorAll('[data-find="table"] tr')]
  .map((row) => row.cells[1].innerText)
"""
FIND = """
const [name, value] = arguments;
const node = document.querySelector(`[data-find="${name}"]`);
if (node.type === "checkbox") node.checked = value; else node.value = value;
node.dispatchEvent(new Event("input", {bubbles: true}));
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("many") / "results"
    write_results(folder, Study(library, provenance, structure), SHIFTS)
    records = read_records(folder)
    report(records, folder, "many", library, Job("report"), most_on_one_page=2)
    return records


def choose(browser, name, value):
    browser.run(FIND, name, value)


def test_the_list_is_searched_filtered_and_ordered(browser, many):
    browser.open(many.folder / "report.html")
    choose(browser, "reaction", "0")
    (ranked,) = [level.rows for level in rank(many, "CO2-to-CO").levels]
    assert browser.run(ROWS) == [row.cluster for row in ranked]
    choose(browser, "order", "name")
    assert browser.run(ROWS) == ["Cu2", "Cu4", "Cu8"]
    choose(browser, "words", "cu4")
    assert browser.run(ROWS) == ["Cu4"]
    choose(browser, "words", "")
    middle = ranked[1].result.headline_v_rhe
    choose(browser, "least", f"{middle - 1e-3:.4f}")
    assert set(browser.run(ROWS)) == {row.cluster for row in ranked[:2]}
    browser.keep("many-table")
    assert browser.complaints() == []


def rank(records, reaction):
    from clusterflow.results.ranking import rank_reactions

    rankings = rank_reactions(records.of(CheRecord))
    return next(one for one in rankings if one.reaction == reaction)


def test_pictures_are_those_that_python_draws(browser, many):
    browser.open(many.folder / "report.html")
    choose(browser, "look", "pictures")
    browser.keep("many-pictures")
    drawn = browser.run(
        """
        return Object.fromEntries(
          [...document.querySelectorAll("#clusters .gallery figure")].map((figure) => [
            figure.querySelector(".name").innerText, [
            figure.querySelector("svg").getAttribute("viewBox"),
            [...figure.querySelectorAll("use")].map(
              (ball) => ["href", "x", "y"].map((name) => ball.getAttribute(name))),
            figure.querySelectorAll("path").length]]));
        """
    )
    assert len(drawn) == 3
    for relaxed in many.of(RelaxRecord):
        svg = draw_structure(relaxed.isomers[0].structure, alt="")
        name = relaxed.cluster.translate(str.maketrans("248", "₂₄₈"))
        box, balls, n_paths = drawn[name]
        wanted = re.search(r'viewBox="([^"]*)"', svg)[1]
        # Rounding before and after the atoms are turned, in 0.01 Å.
        assert numbers(box) == pytest.approx(numbers(wanted), abs=2)
        found = re.findall(r'<use href="([^"]*)" x="([^"]*)" y="([^"]*)"', svg)
        assert [ball[0] for ball in balls] == [ball[0] for ball in found]
        for ball, other in zip(balls, found, strict=True):
            assert numbers(" ".join(ball[1:])) == pytest.approx(
                numbers(" ".join(other[1:])), abs=1
            )
        assert n_paths == svg.count("<path")


def numbers(text):
    return [float(word) for word in text.split()]


def test_a_page_of_a_cluster_draws_its_diagrams(browser, many):
    browser.open(many.folder / "report.html")
    (link,) = browser.find('[data-find="table"] a[href="pages/Cu4.html"]')
    browser.run("arguments[0].click()", link)
    browser.wait("return document.querySelector('h1')?.innerText === 'Cu4'")
    assert browser.find("svg.live") == []
    browser.run("document.querySelector('details.diagrams').open = true")
    browser.wait("return document.querySelectorAll('svg.live').length === 3")
    browser.keep("many-cluster")
    assert browser.complaints() == []
    (back,) = browser.find("nav a[href='../report.html']")
    browser.run("arguments[0].click()", back)
    browser.wait("return document.querySelector('h1')?.innerText === 'many'")


def test_the_page_of_a_thousand_is_small_and_opens_at_once(browser, many, tmp_path):
    cu4 = many.about("Cu4").records
    names = [f"Cu4-{number:04d}" for number in range(1000)]
    copies = [
        r.model_copy(update={"cluster": name})
        for name in names
        for r in cu4
        if hasattr(r, "cluster")
    ]
    html = render_summary(
        StudyRecords(folder=tmp_path, records=tuple(copies)),
        study="thousand",
        domain=(),
        failures=(),
        pairs=(),
        gates=(),
        find_steps=lambda *_: StepEnergies(),
        hashes={},
        link=lambda name: f"pages/{name}.html",
    )
    page = tmp_path / "report.html"
    page.write_text(html)
    assert page.stat().st_size < 5e6
    browser.open(page)
    painted_ms, loaded_ms = browser.run(
        "return [performance.getEntriesByName('first-contentful-paint')[0].startTime,"
        " performance.getEntriesByType('navigation')[0].loadEventEnd]"
    )
    assert painted_ms < 2000 and loaded_ms < 2000
    assert len(browser.run(ROWS)) == 100
    browser.run("document.querySelector('[data-find=\"more\"]').click()")
    assert len(browser.run(ROWS)) == 200
    choose(browser, "words", "cu4-0777")
    assert browser.run(ROWS) == ["Cu4-0777"]
