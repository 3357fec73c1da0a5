"""Tables of CatMAP and YAML, and where a row stood; other dialects are slips."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError
from clusterflow.intake.energy_table import read_energy_table
from clusterflow.intake.own_profiles import read_own_study
from clusterflow.results.temperatures import step_energies
from clusterflow.settings import CheSettings, ThermoSettings
from tests.records.study_records import study_of

CATMAP = """\
surface_name\tsite_name\tspecies_name\tformation_energy\tbulk_structure\tfrequencies\tother_parameters\treference
None\tgas\tCO\t2.74\tNone\t[2170]\t[]\t"own"
None\tgas\tH2\t0\tNone\t[4401]\t[]\t"own"
None\tgas\tCH4\t0\tNone\t[]\t[]\t"own"
Rh\t111\tCO\t0.95\tfcc\t[60.8, 230.9, 256.0]\t[]\t"own"
Rh\ts\tH\t-0.1\tfcc\t[]\t[]\t"own"
"""


def test_the_table_of_catmap_is_read_as_it_is(tmp_path):
    path = tmp_path / "energies.txt"
    path.write_text(CATMAP, encoding="utf-8")
    gas, _, _, on_facet, on_site = read_energy_table(path)
    assert (gas.species, gas.state, gas.energy_ev) == ("CO", "gas", 2.74)
    assert gas.reference_set == ("H2", "CH4")
    assert (on_facet.surface, on_facet.site) == ("Rh(111)", "")
    assert on_facet.frequencies_cm1 == (60.8, 230.9, 256.0)
    assert (on_site.surface, on_site.site, on_site.state) == ("Rh", "s", "ads")
    assert on_site.frequencies_cm1 is None


def test_a_table_of_catmap_without_a_zero_says_so(tmp_path):
    path = tmp_path / "energies.txt"
    path.write_text(CATMAP.replace("\t0\t", "\t0.1\t"), encoding="utf-8")
    with pytest.raises(ConfigError, match="no gas has formation_energy 0"):
        read_energy_table(path)


def test_each_row_knows_where_it_stood(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "Species,Surface,Gibbs (kJ/mol),kind\n\n*H,Pt,9.65,formation\n",
        encoding="utf-8",
    )
    [row] = read_energy_table(path)
    assert row.gibbs_ev == pytest.approx(0.1, abs=1e-4)
    assert str(row.origin) == f"{path}: row 1"
    assert row.origin.cells["gibbs_ev"] == ("Gibbs (kJ/mol)", "9.65")
    assert row.origin.cells["species"] == ("Species", "*H")


def test_yaml_has_the_same_words(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        "- {species: H*, surface: Pt, gibbs_kcal_mol: 2.306, energy_kind: formation}\n"
        "- {species: H2, energy_ev: -6.77, frequencies_thz: [131.94],"
        " energy_kind: formation}\n",
        encoding="utf-8",
    )
    adsorbed, gas = read_energy_table(path)
    assert adsorbed.gibbs_ev == pytest.approx(0.1, abs=1e-4)
    assert (adsorbed.state, gas.state) == ("ads", "gas")
    assert gas.frequencies_cm1 == pytest.approx([4401.0], abs=0.2)


def test_a_solute_has_an_energy_at_every_temperature_of_the_page(tmp_path, library):
    path = tmp_path / "t.csv"
    path.write_text(
        "species,state,surface,energy_ev,energy_kind,frequencies_cm1\n"
        "CO2,gas,,0,formation,632;634;1316;2350\n"
        "H2,gas,,0,formation,4310\n"
        "H2O,gas,,0,formation,1585;3710;3825\n"
        "OCHO,ads,Cu,0.1,formation,100;150;200;300;350;600;700;1000;1300;1350;1600;2900\n",
        encoding="utf-8",
    )
    study = read_own_study(
        path,
        reactions=["HCOO-oxidation"],
        settings=CheSettings(),
        thermo_settings=ThermoSettings(correct=()),
    )
    [che] = study.che
    found = step_energies(che, study_of(study.thermo, study.che), library)
    steps = {step.name: step for step in che.results[0].steps}
    assert found.dg0_ev.keys() == steps.keys()
    at_room = found.temperatures_k.index(298.15)
    for name, step in steps.items():
        assert None not in found.dg0_ev[name]
        assert found.dg0_ev[name][at_room] == pytest.approx(step.dg0_ev)
