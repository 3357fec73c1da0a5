"""Questions to the tables: filters, columns and order."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from clusterflow.cli.app import main
from clusterflow.errors import ConfigError
from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.results.query import NAMES, SHORT, query
from clusterflow.results.ranking import probability_tables
from clusterflow.results.tables import TABLES
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

SHIFTS = {"Cu2": {}, "Cu4": {"H": 1.2}, "Cu8": {"H": 0.4}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library, provenance, structure):
    results = tmp_path_factory.mktemp("results")
    write_results(results, Study(library, provenance, structure), SHIFTS)
    return results


@pytest.fixture(scope="module")
def ask(folder, library):
    return lambda table, **options: query(folder, table, library, **options)


def test_best_ranks_the_clusters_of_a_reaction(ask):
    rows = ask("best", where=["reaction=HER"])
    assert [row["rank"] for row in rows] == [1, 2, 3]
    potentials = [row["median_v_rhe"] for row in rows]
    assert potentials == sorted(potentials, reverse=True)
    for row in rows:
        assert row["p05_v_rhe"] < row["median_v_rhe"] < row["p95_v_rhe"]
        assert row["basis"] == "screening"


def test_a_probability_is_the_same_wherever_it_stands(folder, ask):
    che = {record.cluster: record for record in read_records(folder).of(CheRecord)}
    leads = {
        (cluster, result.reaction): result.selectivity
        for cluster, record in che.items()
        for result in record.results
    }
    assert any(lead is not None for lead in leads.values())
    for table in ("best", "potentials"):
        for row in ask(table):
            lead = leads[row["cluster"], row["reaction"]]
            shown = (row["selectivity_median_v"], row["probability_ahead_of_her"])
            assert shown == (
                (lead.median_v, lead.probability) if lead else (None, None)
            )
    ranks = {(r["reaction"], r["cluster"]): r["rank"] for r in ask("best")}
    pairs = ask("rankings")
    tables = probability_tables(pairs)
    for pair in pairs:
        names = pair["cluster"], pair["other_cluster"]
        assert pair["rank"] == ranks[pair["reaction"], names[0]]
        assert pair["other_rank"] == ranks[pair["reaction"], names[1]]
        shown = tables[pair["reaction"], pair["level_hash"]]
        found = dict(zip(shown.clusters, dict(shown.rows)[names[0]], strict=True))
        assert found[names[1]] == pair["probability_better"]


def test_filters_compare_numbers_as_numbers_and_words_as_words(ask):
    every = list(ask("energies"))
    low = ask("energies", where=["cluster=Cu4", "formation_ev<0.25"])
    assert low == [
        row
        for row in every
        if row["cluster"] == "Cu4"
        and row["formation_ev"] is not None
        and row["formation_ev"] < 0.25
    ]
    assert 0 < len(low) < len(every)
    assert ask("energies", where=["temperature_k=298.15"]) == every
    assert ask("energies", where=["temperature_k!=298.15"]) == []
    empty = ask("energies", where=["layer_solvation_ev="])
    assert {row["layer_solvation_ev"] for row in empty} == {None}


def test_columns_and_order(ask):
    rows = ask("energies", columns=["species", "zpe_ev"], sort="-zpe_ev")
    assert {tuple(row) for row in rows} == {("species", "zpe_ev")}
    values = [row["zpe_ev"] for row in rows if row["zpe_ev"] is not None]
    assert values == sorted(values, reverse=True)
    layers = [r["layer_gas_ev"] for r in ask("energies", sort="layer_gas_ev")]
    assert None in layers and layers.index(None) == len(layers) - layers.count(None)


def test_flags_say_what_they_mean(ask):
    rows = ask("flags", where=["flag=large-gas-correction"])
    assert "*CO" in {row["species"] for row in rows}
    assert all("gas layer" in row["meaning"] and row["way_out"] for row in rows)


def test_every_table_can_be_asked_and_its_short_columns_exist(ask):
    assert set(TABLES) < set(NAMES)
    for name in NAMES:
        rows = ask(name)
        for row in rows[:1]:
            assert set(SHORT.get(name, ())) <= row.keys(), name


@pytest.mark.parametrize(
    ("table", "options", "says"),
    [
        ("planets", {}, "known: best, species, flags, energies"),
        ("rankin", {}, r"did you mean rankings"),
        ("best", {"where": ["reaction=CO2-to-C0"]}, r"did you mean CO2-to-CO"),
        ("species", {"where": ["cluster=cu4"]}, r"no cluster 'cu4'.*mean Cu4\?"),
        ("steps", {"where": ["x=1"]}, "no column 'x'; known: cluster, level"),
        ("steps", {"columns": ["x"]}, "no column 'x'"),
        ("steps", {"sort": "-x"}, "no column 'x'"),
        ("steps", {"where": ["cluster"]}, "write COLUMN=VALUE"),
        ("steps", {"where": ["dg_ev<low"]}, "'low' is no number"),
        ("failures", {"where": ["x=1"]}, "no column 'x'; known: stage"),
    ],
)
def test_wrong_questions_say_what_is_right(ask, table, options, says):
    with pytest.raises(ConfigError, match=says):
        ask(table, **options)


def test_the_formats_hold_the_same(folder, capsys):
    asked = ["query", str(folder), "potentials", "--reaction", "HER"]
    outputs = {}
    for option in ("--json", "--csv"):
        assert main([*asked, option]) == 0
        outputs[option] = capsys.readouterr().out
    rows = json.loads(outputs["--json"])
    table = list(csv.DictReader(StringIO(outputs["--csv"])))
    assert [r["cluster"] for r in rows] == [r["cluster"] for r in table]
    for row, line in zip(rows, table, strict=True):
        for which in ("median", "best_estimate"):
            key = f"limiting_potential_{which}_v_rhe"
            assert row[key] == pytest.approx(float(line[key]), abs=1e-6)
    assert main(asked) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text and all(name in text for name in SHIFTS)
    assert max(map(len, text.splitlines())) > 80, "nothing is cut for a pipe"
