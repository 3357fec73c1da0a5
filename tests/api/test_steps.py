"""Single steps on atoms and tables, held against the verbs and against counting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

from clusterflow import evaluate, find_sites, search_minima
from clusterflow.errors import ClusterflowError

TABLE = Path(__file__).resolve().parents[2] / "docs/examples/pt-co2.csv"
SQUARE = Atoms("Cu4", [[0, 0, 0], [2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 0]])
SETTINGS = {"adsorb": {"max_screened": 3, "random_starts": 0, "kicks": 0}}


def test_sites_of_a_square():
    """Four corners, four edges, and two sides of one hollow, by its symmetry D4h."""
    sites = find_sites(SQUARE)
    found = {site.kind: site.multiplicity for site in sites}
    assert found == {"top": 4, "bridge": 4, "hollow4": 2} and len(sites) == 3
    only = find_sites(SQUARE, settings={"sites": {"kinds": ["top"]}})
    assert [site.kind for site in only] == ["top"]


def test_minima_are_at_rest_at_their_level_and_lowest_first():
    from ase.calculators.emt import EMT

    before = SQUARE.positions.copy()
    minima = search_minima(SQUARE, "*H", level="emt", settings=SETTINGS)
    energies = [atoms.get_potential_energy() for atoms in minima]
    assert energies == sorted(energies) and minima
    assert sum(atoms.info["chosen"] for atoms in minima) <= 1
    for atoms, energy in zip(minima, energies, strict=True):
        assert sorted(atoms.symbols) == ["Cu", "Cu", "Cu", "Cu", "H"]
        assert "record" not in atoms.info
        alone = Atoms(atoms.symbols, atoms.positions, calculator=EMT())
        assert alone.get_potential_energy() == pytest.approx(energy, abs=1e-6)
        assert np.linalg.norm(alone.get_forces(), axis=1).max() < 0.06
    assert np.array_equal(SQUARE.positions, before)


def test_limiting_potentials_of_a_table_are_those_by_hand(tmp_path):
    """*COOH at 0.30 eV is the steepest climb to CO, and |ΔG(*H)| = 0.10 eV of HER."""
    reactions = ["CO2-to-CO", "HER"]
    study = evaluate(TABLE, reactions, tmp_path / "file")
    column = "limiting_potential_best_estimate_v_rhe"
    found = study.potentials.set_index("reaction")[column]
    assert found["CO2-to-CO"] == pytest.approx(-0.3)
    assert found["HER"] == pytest.approx(-0.1)
    table = pd.read_csv(TABLE, comment="#", skipinitialspace=True)
    same = evaluate(table, reactions, tmp_path / "table").potentials
    assert same[column].to_list() == study.potentials[column].to_list()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda folder: evaluate(
                pd.DataFrame({"species": ["CO"], "gibbs": [1.0]}), ["HER"], folder
            ),
            "^table: row 1",
        ),
        (
            lambda folder: evaluate(
                TABLE, ["HER"], folder, settings={"thermo": {"isomers": "pool"}}
            ),
            "settings: thermo.isomers does not apply to evaluate",
        ),
        (
            lambda _: find_sites(SQUARE, settings={"site": {}}),
            "unknown section 'site'; known: .*sites",
        ),
        (lambda _: find_sites(Atoms("CuCu", [[0, 0, 0], [0.1, 0, 0]])), "^Cu2: "),
        (
            lambda _: search_minima(SQUARE, "H", level="emt", multiplicity=2),
            "multiplicity",
        ),
        (lambda _: search_minima("nothing", "H"), "nothing"),
    ],
)
def test_wrong_input_is_said_in_one_line(ask, message, tmp_path):
    with pytest.raises(ClusterflowError, match=message) as caught:
        ask(tmp_path / "results")
    assert "\n" not in str(caught.value) and "/tmp" not in str(caught.value)
