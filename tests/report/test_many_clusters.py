"""The report of many clusters: a page each, and one that leads to them."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.report.stage import report
from clusterflow.results.ranking import rank_reactions
from clusterflow.stages.parts.job import Job
from tests.report.test_page import Page, code_of
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

SHIFTS = {"Cu2": {}, "Cu4": {"CO": -0.2, "COOH": 0.1}, "Cu8": {"CO": 0.3}}


@pytest.fixture(scope="module")
def records(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("many") / "results"
    write_results(folder, Study(library, provenance, structure), SHIFTS)
    return read_records(folder)


def write_report(records, library, most=2, n_cores=1):
    job = Job("report")
    return report(
        records,
        records.folder,
        "many",
        library,
        job,
        most_on_one_page=most,
        n_cores=n_cores,
    )


def links_of(page):
    return [value for key, value in page.attributes if key == "href"]


def block_of(html, name):
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</sc', html)
    return json.loads(found[1])


def test_every_cluster_has_a_page_and_every_link_leads_somewhere(records, library):
    written = write_report(records, library)
    pages = [f"pages/{name}.html" for name in SHIFTS]
    assert written.files == ("report.html", *pages)
    for name in written.files:
        page = Page((records.folder / name).read_text())
        assert page.open == [] and code_of(page)
        ids = [value for key, value in page.attributes if key == "id"]
        assert len(ids) == len(set(ids))
        for link in links_of(page):
            file, _, place = link.partition("#")
            if file and not file.startswith("data:"):
                target = (records.folder / name).parent / file
                assert target.is_file(), link
            elif place:
                assert place in ids, link
    links = links_of(Page((records.folder / "report.html").read_text()))
    assert set(pages) <= set(links)


def test_two_cores_write_what_one_writes(records, library):
    def read_pages(n_cores):
        names = write_report(records, library, n_cores=n_cores).files
        return {name: (records.folder / name).read_bytes() for name in names}

    assert read_pages(2) == read_pages(1)


def test_a_page_holds_its_own_cluster_alone(records, library):
    write_report(records, library)
    for name in SHIFTS:
        html = (records.folder / f"pages/{name}.html").read_text()
        sources = block_of(html, "sources")
        assert f"che/{name}.json" in sources
        others = [f"/{other}" for other in SHIFTS.keys() - {name}]
        assert not any(other in source for other in others for source in sources)
        block = block_of(html, "data-0")
        (che,) = [r for r in records.of(CheRecord) if r.cluster == name]
        assert [r["reaction"] for r in block["reactions"]] == [
            result.reaction for result in che.results
        ]
        assert len(block["reactions"][0]["temperatures"]) == 5


def test_the_list_has_every_cluster_in_its_rank(records, library):
    write_report(records, library)
    listed = block_of((records.folder / "report.html").read_text(), "clusters-list")
    names = [one["name"] for one in listed["clusters"]]
    assert names == list(SHIFTS)
    expected = {
        ranking.reaction: [
            (row.cluster, row.result.headline_v_rhe)
            for level in ranking.levels
            for row in level.rows
        ]
        for ranking in rank_reactions(records.of(CheRecord))
    }
    found = {
        ranking["reaction"]: [
            (names[row["cluster"]], row["median"]) for row in ranking["rows"]
        ]
        for ranking in listed["rankings"]
    }
    assert found == {
        name: [(c, pytest.approx(v, abs=5e-4)) for c, v in rows]
        for name, rows in expected.items()
    }


def test_nothing_of_a_cluster_that_is_gone_stays(records, library):
    write_report(records, library)
    fewer = replace(records, records=records.about("Cu2", "Cu4").records)
    write_report(fewer, library, most=1)
    assert sorted(p.stem for p in records.folder.glob("pages/*")) == ["Cu2", "Cu4"]
    write_report(fewer, library, most=2)
    assert list(records.folder.glob("pages/*")) == []
    drawn = {path.parent.name for path in records.folder.glob("diagrams/*/*.svg")}
    assert drawn == {"Cu2", "Cu4"}
    write_report(fewer, library, most=1)
    assert list(records.folder.glob("diagrams/**/*.svg")) == []
