"""No slip in a person's own energies gives another number without a word."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError
from clusterflow.intake.own_profiles import read_own_study
from clusterflow.settings import CheSettings, ThermoSettings
from tests.intake import slips_of_form  # noqa: F401 - registers its slips
from tests.intake.slips import SLIPS, as_csv, right_table

REACTIONS = ("HER", "CO2-to-CO")
TOLERANCE_V = 1e-4


def evaluate(path):
    """Limiting potentials by reaction and what was said; raises what was refused."""
    study = read_own_study(
        path,
        reactions=REACTIONS,
        settings=CheSettings(),
        thermo_settings=ThermoSettings(correct=[]),
    )
    found = {r.reaction: r.limiting_potential_v_rhe for r in study.results}
    said = [*study.notes, *(r.reason for r in study.results)]
    said += [flag for r in study.results for flag in r.flags]
    return found, " ".join(said)


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    path = tmp_path_factory.mktemp("right") / "t.csv"
    path.write_text(as_csv(right_table()), encoding="utf-8")
    potentials, said = evaluate(path)
    assert None not in potentials.values()
    assert not said.strip()
    return potentials


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_is_read_right_or_refused_or_flagged(slip, right, tmp_path):
    if slip.suffix == ".xlsx":
        pytest.importorskip("openpyxl")
    path = tmp_path / f"slip{slip.suffix}"
    content = slip.change(right_table())
    content = as_csv(content) if isinstance(content, list) else content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if slip.fate == "refused":
        with pytest.raises(ConfigError) as error:
            evaluate(path)
        said = str(error.value)
        assert "\n" not in said
    else:
        potentials, said = evaluate(path)
        if slip.fate == "read":
            assert potentials == pytest.approx(right, abs=TOLERANCE_V)
    assert slip.says in said


def test_there_are_enough_kinds_of_slips():
    assert len({slip.name for slip in SLIPS}) == len(SLIPS) >= 35
