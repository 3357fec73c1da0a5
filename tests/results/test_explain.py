"""Where a number comes from: what is printed adds up to what is stored."""

from __future__ import annotations

import json
import re

import pytest

from clusterflow.cli.app import main
from clusterflow.errors import RecordError
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import (
    ACCEPT_EDITED,
    read_record,
    read_records,
    sha256,
    write_record,
)
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.results.explain import explain
from clusterflow.results.explanation import describe, to_json
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

TERM = re.compile(r"^  \S.*?\s([+-]\d+\.\d{8})(?:  .*)?$")


@pytest.fixture
def folder(tmp_path, library, provenance, structure):
    results = tmp_path / "results" / "demo"
    write_results(results, Study(library, provenance, structure), {"Cu2": {}})
    return results


def text_of(folder, library, name):
    return describe(explain(read_records(folder), name, library))


def printed_sum(text):
    """The summands that stand in the text, added up again."""
    lines = text.splitlines()
    ends = next(i for i, line in enumerate(lines) if line.startswith("  sum "))
    found = [TERM.match(line) for line in lines[:ends]]
    return sum(float(match[1]) for match in found if match)


def species(folder):
    record = read_record(folder / "thermo/Cu2.json", ThermoRecord)
    return {s.name: s for s in record.species if s.formation_ev is not None}


def test_the_printed_terms_of_every_species_add_up_to_its_number(folder, library):
    known = species(folder)
    assert {"*", "*CO", "*COOH", "CO(g)", "CO2(g)", "H2O(l)"} <= known.keys()
    for name, item in known.items():
        text = text_of(folder, library, f"Cu2/{name}/dG")
        assert printed_sum(text) == pytest.approx(item.formation_ev, abs=1e-6), name


def test_an_adsorbate_shows_terms_references_layers_flags_and_records(folder, library):
    text = text_of(folder, library, "Cu2/CO/dG")
    item = species(folder)["*CO"]
    assert text.startswith(f"Cu2/*CO/dG = {item.formation_ev:+.6f} eV\n")
    for label in ("E ", "ZPE", "∫Cp dT", "−TS", "layer gas", "layer solvation"):
        assert re.search(rf"^  {label}\s*[+-]\d", text, re.M), label
    # CO is CO2 + H2 − H2O: two anchors are taken off, one comes back.
    for label in (r"− 1 G\(CO2", r"− 1 G\(H2,", r"\+ 1 G\(H2O"):
        assert re.search(rf"^  {label}", text, re.M), label
    assert "inherits 1 × CO" in text
    radical = text_of(folder, library, "Cu2/COOH/dG")
    assert re.search(r"inherits 1 × C-O-double \([+-]\d", radical)
    assert "gas/gfn1-xtb/HCOOH.json" in radical, "which has its bonds"
    assert re.search(r"level gfn1-xtb \([0-9a-f]{12}\): GFN1-xTB by tblite", text)
    assert "flag large-gas-correction (*CO): the gas layer moves" in text
    for name in ("thermo/Cu2", "relax/Cu2", "adsorb/Cu2/CO", "vibrate/Cu2/CO"):
        digest = sha256(folder / f"{name}.json")[:12]
        assert re.search(rf"^{digest}.*{name}.json$", text, re.M), name
    assert "gas/gfn1-xtb/CO.json" in text, "whose error it inherits"
    assert "changed since" not in text


def test_a_limiting_potential_is_the_sum_of_its_determining_step(folder, library):
    found = explain(read_records(folder), "Cu2/CO2-to-HCOOH/U_L", library)
    che = read_record(folder / "che/Cu2.json", CheRecord)
    result = next(r for r in che.results if r.reaction == "CO2-to-HCOOH")
    text = describe(found)
    assert found.value == result.uncertainty.median_v_rhe
    # One electron a step: the best estimate is minus the sum.
    estimate = result.limiting_potential_v_rhe
    assert -printed_sum(text) == pytest.approx(estimate, abs=1e-6)
    assert f"{estimate:+.6f} V vs RHE" in text
    assert result.determining_step in text and result.best_pathway in text
    assert f"{result.uncertainty.lower_v_rhe:+.3f} to" in text
    assert "screening" in text


def test_json_holds_the_same_with_all_digits(folder, library, capsys):
    assert main(["explain", str(folder), "CO(g)", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["sum_ev"] == pytest.approx(content["stored_ev"], abs=1e-9)
    assert content["sum_ev"] == pytest.approx(sum(t["ev"] for t in content["terms"]))
    assert content["level"]["name"] == "gfn1-xtb"
    assert content["sources"][0]["stage"] == "thermo"
    for source in content["sources"][1:]:
        assert source["sha256"] == source["used_sha256"], "as thermo was given it"
    found = explain(read_records(folder), "CO(g)", library)
    assert json.loads(json.dumps(to_json(found))) == content


def test_a_record_that_changed_afterwards_is_pointed_out(folder, library):
    path = folder / "vibrate/Cu2/CO.json"
    record = read_record(path, VibrateRecord)
    write_record(record.model_copy(update={"n_repairs": 3}), path)
    text = text_of(folder, library, "Cu2/CO")
    assert re.search(r"vibrate/Cu2/CO\.json  changed since: used was \w+", text)


def test_an_edited_number_does_not_match_its_terms(folder, library, monkeypatch):
    monkeypatch.setenv(ACCEPT_EDITED, "1")
    path = folder / "thermo/Cu2.json"
    content = json.loads(path.read_text())
    for item in content["species"]:
        if item["name"] == "*CO":
            item["formation_ev"] += 0.1
    path.write_text(json.dumps(content))
    assert "difference -1.0e-01" in text_of(folder, library, "Cu2/CO")


def test_a_hole_has_its_reason_in_the_place_of_terms(folder, library, monkeypatch):
    monkeypatch.setenv(ACCEPT_EDITED, "1")
    path = folder / "thermo/Cu2.json"
    content = json.loads(path.read_text())
    for item in content["species"]:
        if item["name"] == "*CO":
            item |= {"terms": None, "formation_ev": None, "reason": "it fell off"}
    path.write_text(json.dumps(content))
    text = text_of(folder, library, "Cu2/CO")
    assert "= no value" in text and "reason: it fell off" in text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Au9/CO/dG", "no cluster 'Au9'.*known: Cu2"),
        ("Cu2/XY/dG", r"\*CO, .*CO2-to-CO, .*HER"),
        ("Cu2/CO/U_L", "has no such number"),
        ("XY(g)", r"no such molecule.*CO\(g\)"),
        ("nothing", r"molecules: .*CO\(g\)"),
    ],
)
def test_an_unknown_name_lists_what_there_is(folder, library, name, says):
    with pytest.raises(RecordError, match=says):
        explain(read_records(folder), name, library)
