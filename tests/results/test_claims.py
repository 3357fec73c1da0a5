"""What a person gets to see of claims: table, sentence, explanation, page, verb."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from clusterflow.errors import RecordError
from clusterflow.records.claims import ClaimRecord
from clusterflow.records.files import read_records, write_record
from clusterflow.report.page import render_page
from clusterflow.results.claims import (
    count_dft_points,
    say_probability,
    say_verdict,
)
from clusterflow.results.explain_claim import explain_claim
from clusterflow.results.query import query
from clusterflow.results.tables import TABLES, to_csv
from clusterflow.stage_table import record_name
from tests.commands import call_here
from tests.stages.test_claims import ONE, OTHER, MadeUp
from tests.stages.test_refined_thermo import Refined

CLAIM = "dG(*COOH, Cu2) - dG(*H, Cu2) > 0.1 eV"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library, provenance, structure):
    """A folder of two clusters, with a claim that is undecided and one with a hole."""
    place = tmp_path_factory.mktemp("results") / "made-up"
    study = MadeUp(library, provenance).add("Cu2", ONE).add("Cu8", OTHER)
    study.refine("Cu2", {name: (mean - 1, 0.01) for name, (mean, _) in ONE.items()})
    claims = {
        "open": (CLAIM, {"published": "0.3 eV", "tolerance": "0.1 eV"}),
        "hole": ("U_L(CO2-to-CH4, Cu8) > -1 V", {}),
        "sure": ("dG(*COOH, Cu8) < 9 eV", {}),
    }
    found = [study.judge(place, c, name=n, **more) for n, (c, more) in claims.items()]
    minima = Refined(library, provenance, structure)
    found += [minima.adsorbed(name) for name in ("H", "COOH")]
    for record in found:
        write_record(record, place / record_name(record))
    return place


@pytest.fixture(scope="module")
def records(folder):
    return read_records(folder)


def claim(records, name):
    return next(r for r in records.of(ClaimRecord) if r.claim.name == name)


def test_the_table_has_a_row_for_each_claim_and_level(records):
    rows = list(csv.DictReader(StringIO(to_csv("claims", TABLES["claims"](records)))))
    assert [(r["claim"], r["level"], r["verdict"]) for r in rows] == [
        ("hole", "gfn1-xtb", "not computed"),
        ("open", "gfn1-xtb", "undecided"),
        ("open", "pbe-d3-tzvp//gfn1-xtb", "supported"),
        ("sure", "gfn1-xtb", "supported"),
    ]
    open_row = rows[1]
    assert open_row["quantities"] == "dG(*COOH, Cu2) − dG(*H, Cu2)"
    assert open_row["unit"] == "eV"
    assert float(open_row["probability_published"]) > 0
    assert "*COOH on Cu2" in open_row["decided_by"]
    assert rows[0]["probability"] == ""
    assert rows[0]["reason"] == "no profile of CO2-to-CH4 on Cu8"


def test_the_minima_of_the_species_are_the_points_that_it_takes(records):
    record = claim(records, "open")
    level, composite = record.verdicts
    # Each of the two has one way of binding.
    assert count_dft_points(records, level) == 2
    assert count_dft_points(records, composite) is None


def test_a_sentence_for_each_verdict(records):
    open_, hole, sure = (claim(records, n) for n in ("open", "hole", "sure"))
    said = say_verdict(open_, open_.verdicts[0], records)
    assert said.startswith("Undecided at gfn1-xtb: P = 0.6")
    assert "dG(*COOH, Cu2) − dG(*H, Cu2) is +0.2" in said
    assert "Within 0.1 eV of the published 0.3 eV: P = " in said
    assert "To decide it, if the best estimates stay: *COOH on Cu2 (" in said
    assert said.endswith(": 2 DFT points.")
    assert say_verdict(hole, hole.verdicts[0], records) == (
        "Not computed at gfn1-xtb: no profile of CO2-to-CH4 on Cu8."
    )
    assert "P > 0.99" in say_verdict(sure, sure.verdicts[0], records)


def test_an_explanation_names_records_flags_and_both_levels(records, library):
    found = explain_claim(records, "claim/open", library)
    assert found.value == claim(records, "open").verdicts[0].judgement.probability
    assert {s.stage for s in found.sources} == {"claims", "thermo", "che"}
    assert "at pbe-d3-tzvp//gfn1-xtb" in found.facts
    with pytest.raises(RecordError, match=r"no such claim .* known: hole, open, sure"):
        explain_claim(records, "claim/other", library)


def test_query_has_claims(folder, library):
    rows = query(folder, "claims", library, where=["verdict=undecided"])
    assert {row["claim"] for row in rows} == {"open"}


def test_the_page_opens_with_the_claims(records):
    page = render_page(records, study="made-up")
    assert page.index('id="claims"') < page.index('id="answers"')
    assert "dG(*COOH, Cu2) - dG(*H, Cu2) &gt; 0.1 eV" in page
    assert '<span class="tag moves">undecided</span>' in page
    assert "at gfn1-xtb: no profile of CO2-to-CH4 on Cu8." in page
    without = [r for r in records.records if not isinstance(r, ClaimRecord)]
    plain = render_page(
        type(records)(folder=records.folder, records=tuple(without)), study="made-up"
    )
    assert 'id="claims"' not in plain


def test_a_failed_claim_is_among_the_failures(records):
    rows = [row for row in TABLES["failures"](records) if row["stage"] == "claims"]
    assert [row["reason"] for row in rows] == ["no profile of CO2-to-CH4 on Cu8"]


def test_a_claim_is_asked_of_finished_results(folder):
    done = call_here("claims", str(folder), CLAIM)
    assert done.returncode == 0, done.stderr
    first, level, composite = done.stdout.splitlines()
    assert first == CLAIM
    assert level.startswith("Undecided at gfn1-xtb: P = 0.6")
    assert composite.startswith("Supported at pbe-d3-tzvp//gfn1-xtb")
    assert level.endswith("Flags: Cu2 *H: doubtful; Cu2 *COOH: doubtful.")
    done = call_here("claims", str(folder), CLAIM, "--json")
    assert json.loads(done.stdout)["claim"]["claim"] == CLAIM
    done = call_here("claims", str(folder))
    assert done.returncode == 2
    assert "write one claim after it" in done.stderr
    done = call_here("claims", str(folder), "dG(*H, Cu2) > 1")
    assert done.returncode == 2
    assert "a unit is missing" in done.stderr


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("U_L(HER, cu8) > 0 V", "cluster 'cu8' is not in {}; did you mean Cu8?"),
        ("U_L(OER, Cu8) > 0 V", "reaction 'OER' is not in {}; did you mean HER?"),
        ("dG(*XY, Cu8) > 0 eV", "species '*XY' is not in {}; known: *, *"),
        ("product(Cu8) = CH4", "product of CO2 'CH4' is not in {}; known: CO, HCOOH"),
        ("loss(SH, Cu8) > 0 eV", "reaction 'thiolate-loss' is not in {}; known: HER"),
    ],
)
def test_a_name_that_the_results_lack_is_refused(folder, claim, says):
    done = call_here("claims", str(folder), claim)
    assert done.returncode == 2
    assert says.format(folder) in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_no_results_is_refused(folder):
    done = call_here("claims", CLAIM)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no folder of results" in done.stderr
    done = call_here("claims", str(folder.parent), CLAIM)
    assert done.returncode == 2
    assert "holds no records; run the study first" in done.stderr


def test_a_rounded_probability_stays_on_its_side_of_a_limit():
    assert [say_probability(p) for p in (0.8999, 0.9, 0.1, 0.1043)] == [
        *("P = 0.8999", "P = 0.90", "P = 0.10", "P = 0.104")
    ]
