"""The calculator of all stages: what it remembers, and what a failure leaves."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import (
    CalculationFailed,
    PropertyNotImplementedError,
    SCFError,
)
from ase.calculators.emt import EMT

from clusterflow.engines import ENGINES, Meter, make_calculator
from clusterflow.engines.base import Engine
from clusterflow.engines.calculator import EngineCalculator, Memory
from clusterflow.stages.parts.scratch import Bundle, Scratch

KEY = ("a level", 0, 1)


@pytest.fixture
def dimer():
    return Atoms("CuAg", positions=[[0, 0, 0], [0, 0.3, 2.4]])


def computed(atoms, memory=None):
    """Energy and forces with EMT, and how many gradients they took."""
    meter = Meter()
    atoms = atoms.copy()
    atoms.calc = make_calculator("emt", meter=meter, memory=memory)
    return atoms.get_potential_energy(), atoms.get_forces(), meter.n_gradients


@pytest.mark.parametrize("order", ["energy first", "forces first"])
def test_a_gradient_that_is_remembered_is_not_computed_again(dimer, tmp_path, order):
    energy, forces, n = computed(dimer)
    assert n == 1
    memory = Memory(Scratch(tmp_path), KEY)
    for n_expected in (1, 0):
        atoms, meter = dimer.copy(), Meter()
        atoms.calc = make_calculator("emt", meter=meter, memory=memory)
        if order == "forces first":
            atoms.get_forces()
        assert atoms.get_potential_energy() == energy
        assert (atoms.get_forces() == forces).all()
        assert meter.n_gradients == n_expected
        assert sum(meter.rungs.values()) == n_expected


def test_what_differs_in_geometry_or_key_is_computed(dimer, tmp_path):
    store = Scratch(tmp_path)
    computed(dimer, Memory(store, KEY))
    moved = dimer.copy()
    moved.positions[0, 0] += 1e-12
    turned = dimer[::-1]
    assert computed(moved, Memory(store, KEY))[2] == 1
    assert computed(turned, Memory(store, KEY))[2] == 1
    assert computed(dimer, Memory(store, ("a level", 0, 3)))[2] == 1
    assert computed(dimer, Memory(store, KEY))[2] == 0


def test_after_a_remembered_geometry_the_engine_still_computes_the_next(
    dimer, tmp_path
):
    memory = Memory(Scratch(tmp_path), KEY)
    far = dimer.copy()
    far.positions[1, 2] += 0.2
    computed(far, memory)
    meter = Meter()
    atoms = dimer.copy()
    atoms.calc = make_calculator("emt", meter=meter, memory=memory)
    for place in (dimer, far, dimer, far):
        atoms.positions = place.positions
        assert atoms.get_potential_energy() == computed(place)[0]
    # Of the other geometry the first visit alone, of this one none.
    assert meter.n_gradients == 1


def test_gradients_of_a_job_begun_earlier_are_found(dimer, tmp_path):
    """A file as it has always been: named by a hash of the geometry and the key."""
    text = json.dumps([["Cu", "Ag"], dimer.positions.tolist(), *KEY], sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:24]
    content = {"energy_ev": -7.5, "forces": [[0.0, 0.0, 1.5], [0.0, 0.0, -1.5]]}
    (tmp_path / f"{name}.json").write_text(json.dumps(content))
    energy, forces, n = computed(dimer, Memory(Scratch(tmp_path), KEY))
    assert (energy, forces.tolist(), n) == (-7.5, content["forces"], 0)


def test_a_bundle_remembers_too(dimer, tmp_path):
    bundle = Bundle(Scratch(tmp_path), "start")
    assert computed(dimer, Memory(bundle, KEY))[2] == 1
    bundle.keep()
    again = Bundle(Scratch(tmp_path), "start")
    assert computed(dimer, Memory(again, KEY))[2] == 0


def test_only_what_is_remembered_may_be_asked_of_a_memory(dimer, tmp_path):
    dimer.calc = make_calculator("emt", memory=Memory(Scratch(tmp_path), KEY))
    with pytest.raises(PropertyNotImplementedError):
        dimer.get_stress()


class Moody(EMT):
    """EMT that fails after it has written its results, once it is told to."""

    fails = False

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        if self.fails:
            raise SCFError("it does\n  not converge")


def test_a_failure_leaves_nothing_and_is_a_failure_each_time(dimer):
    meter = Meter()
    dimer.calc = EngineCalculator(Moody(), ENGINES["emt"], meter)
    before = dimer.get_potential_energy()
    dimer.calc.inner.fails = True
    dimer.positions[1, 2] += 0.1
    for n_failures in (1, 2):
        with pytest.raises(CalculationFailed, match=r"^it does not converge$"):
            dimer.get_potential_energy()
        assert meter.failures == {"default": n_failures}
        assert dimer.calc.results == {}
    dimer.calc.inner.fails = False
    assert dimer.get_potential_energy() != before
    assert (meter.n_gradients, meter.rungs) == (4, {"default": 2})


def test_an_engine_says_no_more_than_elements_and_how_to_make_one(dimer):
    class Least(Engine):
        distribution = "ase"

        def elements(self):
            return frozenset({"Cu", "Ag"})

        def make(self, level, *, charge, multiplicity, accuracy):
            return EMT()

    engine = Least()
    made = engine.make(None, charge=0, multiplicity=1, accuracy=1.0)
    dimer.calc = EngineCalculator(made, engine, Meter())
    assert dimer.get_potential_energy() == computed(dimer)[0]
    assert dimer.calc.frontier_orbitals() is None
    assert dimer.calc.frontier_weights() is None


def test_an_error_that_is_not_about_the_geometry_is_let_through(dimer):
    class Buggy(EMT):
        def calculate(self, *args, **kwargs):
            raise ZeroDivisionError("division by zero")

    meter = Meter()
    dimer.calc = EngineCalculator(Buggy(), ENGINES["emt"], meter)
    with pytest.raises(ZeroDivisionError):
        dimer.get_potential_energy()
    assert (meter.n_gradients, meter.failures) == (1, {})


def test_what_the_engine_can_do_the_calculator_can_and_no_more(dimer):
    dimer.calc = make_calculator("emt")
    dimer.get_potential_energy()
    assert np.isfinite(dimer.get_potential_energies()).all()
    with pytest.raises(PropertyNotImplementedError):
        dimer.get_charges()
