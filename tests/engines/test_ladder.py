"""The SCF ladder: rungs are tried in turn, and none changes the energy."""

from __future__ import annotations

from collections import Counter

import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import ENGINES, Meter, make_calculator
from clusterflow.engines.base import Rung
from clusterflow.engines.calculator import EngineCalculator
from clusterflow.engines.tblite import TbliteEngine
from clusterflow.records.atoms import to_atoms
from clusterflow.stages.inputs import Inputs, bare_structure

TBLITE = ENGINES["tblite"]
# Water needs eleven cycles from scratch with GFN1.
SHORT = Rung(name="short", parameters={"max_iterations": 3})
LONG = Rung(name="long", parameters={"max_iterations": 250})


class OnRungs(TbliteEngine):
    """tblite with a ladder of its own."""

    def __init__(self, *rungs):
        self.rungs = rungs


@pytest.fixture
def on(library):
    """A real calculator of tblite on some rungs, and its two counts."""

    def make(*rungs, level="gfn1-xtb"):
        inner = TBLITE.make(
            library.level(level), charge=0, multiplicity=1, accuracy=1.0
        )
        TBLITE.climb(inner, rungs[0])
        meter = Meter()
        calculator = EngineCalculator(inner, OnRungs(*rungs), meter)
        return calculator, meter.rungs, meter.failures

    return make


def test_the_next_rung_gives_the_energy_and_is_kept(on):
    water = molecule("H2O")
    water.calc, used, failed = on(SHORT, LONG)
    expected = molecule("H2O")
    expected.calc = make_calculator("gfn1-xtb")
    assert water.get_potential_energy() == pytest.approx(
        expected.get_potential_energy(), abs=1e-6
    )
    assert (used, failed) == (Counter(long=1), Counter(short=1))
    water.positions[0, 2] += 0.1
    water.get_forces()
    assert (used, failed) == (Counter(long=2), Counter(short=1))


def test_from_a_higher_rung_the_lower_ones_are_tried_too(on):
    water = molecule("H2O")
    water.calc, _, failed = on(SHORT, LONG)
    water.get_potential_energy()
    TBLITE.climb(water.calc.inner, SHORT)  # the rung it stands on no longer converges
    water.positions[0, 2] += 0.5
    with pytest.raises(CalculationFailed):
        water.get_potential_energy()
    assert failed == Counter(short=2, long=1)


def test_failure_on_all_rungs_is_said_once_and_ends(on):
    water = molecule("H2O")
    water.calc, used, failed = on(SHORT, Rung(name="tiny", parameters=SHORT.parameters))
    with pytest.raises(CalculationFailed, match="nor on 1 other rungs"):
        water.get_potential_energy()
    assert (used, failed) == (Counter(), Counter(short=1, tiny=1))
    assert "energy" not in water.calc.results


def test_a_rattled_start_gives_the_energy_of_the_geometry_itself(on):
    plain, rattled = molecule("CH3OH"), molecule("CH3OH")
    plain.calc, *_ = on(LONG)
    rattled.calc, *_ = on(SHORT, Rung(name="rattled", rattle_a=0.01))
    assert rattled.get_potential_energy() == pytest.approx(
        plain.get_potential_energy(), abs=1e-6
    )
    assert rattled.get_forces() == pytest.approx(plain.get_forces(), abs=1e-4)


@pytest.mark.parametrize("rung", TBLITE.rungs, ids=lambda rung: rung.name)
@pytest.mark.parametrize("level", ["gfn1-xtb", "spgfn1-xtb"])
def test_every_rung_of_tblite_has_the_energy_of_the_level(on, rung, level):
    """Annealing too: it comes back to the level's own temperature."""
    copper = Atoms("Cu4", [[0, 1.2, 0], [2.1, 0, 0], [0, -1.2, 0], [-2.1, 0, 0]])
    copper.calc = make_calculator(level)
    expected = copper.get_potential_energy()
    copper.calc, used, _ = on(rung, level=level)
    assert copper.get_potential_energy() == pytest.approx(expected, abs=1e-5)
    assert used == Counter({rung.name: 1})
    names = ("mixer_damping", "max_iterations", "annealing", "guess")
    parameters = copper.calc.inner.parameters
    assert {n: parameters[n] for n in names if n in rung.parameters} == {
        n: rung.parameters[n] for n in names if n in rung.parameters
    }


def test_what_happened_stands_with_the_meter():
    meter = Meter()
    water = molecule("H2O")
    water.calc = make_calculator("gfn1-xtb", meter=meter)
    water.get_forces()
    assert (meter.rungs, meter.failures) == (Counter(default=1), Counter())


@pytest.mark.xtb
def test_a_cation_without_smearing_converges_on_a_higher_rung(library):
    """With the default mixer Cd6Se6+ swings at 1 K; at 10 K it does not."""
    energies, meters = [], []
    for temperature_k in (10.0, 1.0):
        level = library.level("ipea1-xtb").model_copy(
            update={"electronic_temperature_k": temperature_k}
        )
        meters.append(Meter())
        cation = to_atoms(bare_structure(Inputs.read("sites", ["Cd6Se6"])))
        cation.calc = make_calculator(level, 1, 2, meter=meters[-1])
        energies.append(cation.get_potential_energy())
    assert [meter.failures["default"] for meter in meters] == [0, 1]
    assert meters[1].rungs["default"] == 0
    # 0.1 meV a kelvin, as from 100 to 10 K.
    assert energies[1] - energies[0] == pytest.approx(0.001, abs=0.001)


def test_from_one_start_a_gradient_does_not_depend_on_the_rungs_before(on):
    water, far = molecule("H2O"), molecule("H2O")
    far.positions[0, 2] += 0.4
    energies = []
    for before in ([], [far]):
        calculator, used, _ = on(SHORT, LONG)
        calculator.start_each_from(water)
        for atoms in before:
            calculator.get_potential_energy(atoms)
        near = water.copy()
        near.positions[0, 2] += 0.01
        energies.append(calculator.get_potential_energy(near))
        assert used["long"] > 0
    assert energies[0] == energies[1]
