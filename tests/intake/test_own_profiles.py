"""The hydrogen electrode on a table: conditions reach the potentials beside it."""

from __future__ import annotations

import pytest

from clusterflow.intake.own_profiles import read_own_study, to_json
from clusterflow.settings import CheSettings, ThermoSettings

TABLE = """\
species, state, surface, gibbs_ev, energy_kind, pressure_pa
CO2,  gas,   , -0.1183, formation, 1000
CO,   gas,   ,  0.297, formation,
COOH, ads,  S,  0.300, formation,
CO,   ads,  S, -0.400, formation,
"""


def test_the_equilibrium_potential_follows_the_pressures_of_the_rows(tmp_path):
    """G of CO2 at 1000 Pa is −kT ln 100; the steps sum to measured −2 U_eq."""
    table = tmp_path / "t.csv"
    table.write_text(TABLE)
    study = read_own_study(
        table,
        reactions=["CO2-to-CO"],
        settings=CheSettings(),
        thermo_settings=ThermoSettings(correct=[]),
    )
    (result,) = to_json(study)["surfaces"]
    equilibrium = result["equilibrium_potential_v_rhe"]
    assert equilibrium == pytest.approx(-0.163, abs=1e-3)
    assert result["pathways"][0]["levels_ev"][-1] == pytest.approx(
        -2 * equilibrium, abs=1e-3
    )
    overpotential = equilibrium - result["limiting_potential_v_rhe"]
    assert result["overpotential_v"] == pytest.approx(overpotential, abs=1e-12)


@pytest.mark.parametrize(("pcet", "expected"), [("combined", -0.3), ("split", 0.5)])
def test_adsorptions_count_in_transfers_unless_they_are_split(pcet, expected, root):
    """*CO2 at 0.8 eV and *COOH at 0.3 eV: 0.8 - 0.5 is uphill, -0.5 alone is not."""
    study = read_own_study(
        root / "docs" / "examples" / "pt-co2.csv",
        reactions=["CO2-to-CO"],
        settings=CheSettings.model_validate({"pcet": pcet}),
        thermo_settings=ThermoSettings(correct=[]),
    )
    over = [p for p in study.results[0].pathways if "*CO2" in p.states and p.complete]
    assert over[0].limiting_potential_v_rhe == pytest.approx(expected, abs=1e-9)
