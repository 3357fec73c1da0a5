"""No slip in a person's own energies gives another number without a word."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError
from clusterflow.intake.own_profiles import che_of_table
from clusterflow.settings import CheSettings
from tests.intake.slips import SLIPS, as_csv, right_table

REACTIONS = ("HER", "CO2-to-CO")
TOLERANCE_V = 1e-4


def evaluate(path):
    """Limiting potentials by reaction and what was said; raises what was refused."""
    answer = che_of_table(
        path,
        reactions=REACTIONS,
        settings=CheSettings(),
        temperature_k=298.15,
        correct=[],
    )
    found = {r["reaction"]: r["limiting_potential_v_rhe"] for r in answer["surfaces"]}
    return found, " ".join(r["reason"] for r in answer["surfaces"])


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
