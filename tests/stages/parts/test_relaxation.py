"""Relaxations end in minima, and say so when they do not."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from clusterflow.engines import make_calculator
from clusterflow.science.relaxation.quasi_newton import QuasiNewton
from clusterflow.stages.parts.relaxation import Relaxation

pytestmark = pytest.mark.rounding

ROOM = {"trust_a": 10.0}


def test_a_step_on_a_paraboloid_ends_at_its_bottom():
    hessian = np.diag([1.0, 2.0, 4.0])
    step = QuasiNewton.of(hessian, **ROOM).step(np.array([[0.5, -1.0, 2.0]]))
    assert step == pytest.approx(np.array([[0.5, -0.5, 0.5]]))


def test_a_step_leads_downhill_where_the_curvature_is_negative():
    force = np.array([[0.1, 0.1, 0.0]])
    step = QuasiNewton.of(np.diag([-1.0, 1.0, 1.0]), **ROOM).step(force)
    assert step == pytest.approx(np.array([[0.1, 0.1, 0.0]]))


def test_the_trust_radius_shortens_soft_modes_more_than_stiff_ones():
    state = QuasiNewton.of(np.diag([0.1, 50.0, 1.0]), 0.15)
    step = state.step(np.array([[1.0, 1.0, 0.0]])).ravel()
    # Free it would be (10, 0.02): scaled as a whole, the stiff part came to 0.0003.
    assert np.linalg.norm(step) == pytest.approx(0.15, rel=1e-3)
    assert step[1] > 0.015


@pytest.mark.parametrize("curvature", [3.0, 0.2, -0.7])
def test_the_hessian_learns_the_curvature_it_has_seen(curvature):
    """The secant condition, for any sign, and a symmetric matrix."""
    rng = np.random.default_rng(3)
    true = rng.normal(size=(6, 6))
    true = true + true.T
    step = np.linalg.eigh(true)[1][:, 0] * 0.1
    true += (curvature - np.linalg.eigvalsh(true)[0]) * np.outer(step, step) / 0.01
    after = (-true @ step).reshape(2, 3)
    learnt = QuasiNewton.of(np.eye(6)).learn(
        step.reshape(2, 3), np.zeros((2, 3)), after, 0.0
    )
    assert learnt.hessian @ step == pytest.approx(true @ step)
    assert learnt.hessian == pytest.approx(learnt.hessian.T)
    assert step @ learnt.hessian @ step / 0.01 == pytest.approx(curvature)


@pytest.mark.parametrize("name", ["H2O", "CO2", "CH4"])
def test_the_softest_mode_is_no_motion_of_the_whole(name):
    """Six motions cost nothing here, or five, and one direction costs little."""
    atoms = molecule(name)
    positions = atoms.positions
    centred = positions - positions.mean(axis=0)
    rigid = [np.tile(axis, len(atoms)) for axis in np.eye(3)]
    rigid += [np.cross(axis, centred).ravel() for axis in np.eye(3)]
    basis = np.linalg.svd(np.array(rigid))[2]
    inner = basis[5 if name == "CO2" else 6 :]
    stiffness = np.arange(1, len(inner) + 1)
    soft = QuasiNewton.of((inner.T * stiffness) @ inner).softest(positions)
    assert soft.curvature_ev_per_a2 == pytest.approx(1.0)
    assert abs(soft.direction.ravel() @ inner[0]) == pytest.approx(1.0)


@pytest.mark.xtb
@pytest.mark.parametrize(
    ("atoms", "angle_deg"),
    [
        # Straight water and flat ammonia, unrattled: no force leads off the saddle.
        (Atoms("OH2", positions=[[0, 0, 0], [0, 0, 0.96], [0, 0, -0.96]]), 104.5),
        (
            Atoms(
                "NH3",
                positions=[[0, 0, 0], [1, 0, 0], [-0.5, 0.866, 0], [-0.5, -0.866, 0]],
            ),
            106.7,
        ),
    ],
    ids=["H2O", "NH3"],
)
def test_symmetric_saddle_points_do_not_survive(atoms, angle_deg):
    relaxation = Relaxation(atoms, make_calculator("gfn1-xtb"))
    assert relaxation.finish(0.02, 60) == "converged"
    # Measured angles; GFN1-xTB is within 4 degrees of them.
    assert relaxation.atoms.get_angle(1, 0, 2) == pytest.approx(angle_deg, abs=4)


def test_a_saddle_on_a_frozen_support_does_not_survive():
    """A bridge of Ag(111) is the way from one hollow to the next, by symmetry."""
    ends = []
    for place in ("bridge", "hcp"):
        slab = fcc111("Ag", (3, 3, 2), vacuum=8.0)
        add_adsorbate(slab, "Cu", 2.0, place)
        slab.set_array("roles", np.array(["support"] * 18 + ["core"], dtype="U10"))
        relaxation = Relaxation(slab, EMT())
        assert relaxation.run(0.02, 60) == "converged"
        before = relaxation.energy_ev
        assert relaxation.finish(0.02, 60) == "converged"
        assert np.array_equal(relaxation.atoms.positions[:18], slab.positions[:18])
        ends.append((before, relaxation.energy_ev))
    (saddle, down), (hollow, same) = ends
    assert same == pytest.approx(hollow, abs=1e-3)
    assert saddle > hollow + 0.01
    assert down == pytest.approx(same, abs=5e-3)


@pytest.mark.xtb
def test_a_minimum_costs_one_gradient_more_to_be_told_from_a_saddle():
    relaxation = Relaxation(molecule("CH3OH"), make_calculator("gfn1-xtb"))
    relaxation.run(0.02, 60)
    before = relaxation.n_gradients
    assert relaxation.finish(0.02, 60) == "converged"
    assert relaxation.n_gradients == before + 1


@pytest.mark.xtb
def test_a_geometry_taken_as_it_is_stays():
    straight = Atoms("OH2", positions=[[0, 0, 0], [0, 0, 0.96], [0, 0, -0.96]])
    relaxation = Relaxation(straight, make_calculator("gfn1-xtb"))
    assert relaxation.finish(float("inf"), 60) == "converged"
    assert np.array_equal(relaxation.atoms.positions, straight.positions)
    assert relaxation.n_gradients == 1


class Whirl(Calculator):
    """Forces that turn around the axis and are the slope of no energy."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x, y, _ = self.atoms.positions.T
        forces = np.stack([-y, x, 0 * x], axis=1) / np.hypot(x, y)[:, None]
        self.results = {"energy": 0.0, "forces": forces}


def test_a_relaxation_that_goes_in_circles_ends_early():
    atoms = Atoms("Cu3", positions=[[2, 0, 0], [-1, 2, 0], [-1, -2, 0]])
    relaxation = Relaxation(atoms, Whirl())
    limit = 400
    assert relaxation.finish(0.02, limit) == "oscillating"
    # On which step of the circle it is noticed is up to rounding.
    assert relaxation.n_gradients < limit / 2
    assert "without progress; largest force 1.000 eV/Å" in relaxation.reason


def test_steps_used_up_are_a_failure_with_a_reason():
    atoms = Atoms("Cu3", positions=[[2, 0, 0], [-1, 2, 0], [-1, -2, 0]])
    relaxation = Relaxation(atoms, Whirl())
    assert relaxation.finish(0.02, 5) == "not-converged"
    assert relaxation.reason == "largest force 1.000 eV/Å after 5 steps"
