"""Any code through ASE: boxes, spins, folders of their own, and failures."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import make_calculator
from clusterflow.engines.placed import put_in_box
from clusterflow.errors import EngineError
from clusterflow.library.levels import Box, LevelSpec
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.single_point import compute_single_point

# Answers with what it was given, as a code that reads its input.
CODE = """
from pathlib import Path
import numpy as np
from ase.calculators.calculator import Calculator

class Code(Calculator):
    implemented_properties = ["energy", "forces"]
    made = []

    def __init__(self, directory=".", exits=0, converges=True, energy=-1.0):
        super().__init__(directory=directory)
        self.exits, self.converges, self.energy = exits, converges, energy
        self.seen = []
        self.made.append(self)

    def calculate(self, atoms=None, properties=None, system_changes=()):
        super().calculate(atoms, properties, system_changes)
        Path(self.directory, "code.out").write_text("done")
        self.seen.append(atoms.copy())
        if self.exits:
            raise RuntimeError(f"code exited with status {self.exits}")
        self.results = {"energy": self.energy, "forces": np.zeros((len(atoms), 3))}
        self.converged = self.converges

def make_code(charge, multiplicity, **kwargs):
    code = Code(**kwargs)
    code.spin = (charge, multiplicity)
    return code

def make_number(**kwargs):
    return 3
"""


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Calculators made of a class in a module of the user."""
    (tmp_path / "my_code.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    import my_code

    yield my_code.Code
    del sys.modules["my_code"]


def level_of(calculator, **engine) -> LevelSpec:
    return LevelSpec(
        name="mine",
        source="unpublished: a test",
        engine={"calculator": f"my_code:{calculator}", **engine},
    )


@pytest.fixture
def dimer():
    return Atoms("Cu2", positions=[[7.3, -4.1, 0.2], [7.3, -4.1, 2.4]])


@pytest.mark.parametrize("vacuum", [3.0, 5.3, 6.5])
def test_a_box_leaves_the_vacuum_on_every_side(vacuum):
    random = np.random.default_rng(1)
    for _ in range(50):
        atoms = Atoms("Cu4", positions=random.uniform(-9, 9, (4, 3)))
        distances = atoms.get_all_distances()
        put_in_box(atoms, Box(vacuum_a=vacuum, periodic=True))
        edges = atoms.cell.lengths()
        assert atoms.pbc.all() and (atoms.cell.angles() == 90).all()
        assert (atoms.positions >= vacuum).all()
        assert (atoms.positions <= edges - vacuum).all()
        extent = np.ptp(atoms.positions, axis=0)
        assert (edges < extent + 2 * vacuum + 4).all()
        assert atoms.get_all_distances() == pytest.approx(distances)


def test_a_displaced_atom_moves_neither_the_box_nor_the_others(dimer):
    box = Box(vacuum_a=6.0)
    still = dimer.copy()
    put_in_box(still, box)
    for atom in range(2):
        for axis in range(3):
            for step in (0.005, -0.005):
                moved = dimer.copy()
                moved.positions[atom, axis] += step
                put_in_box(moved, box)
                assert (moved.cell == still.cell).all()
                difference = np.abs(moved.positions - still.positions)
                assert np.count_nonzero(difference > 1e-9) == 1
                assert not moved.pbc.any()


def test_the_code_gets_box_and_moments_and_the_atoms_stay(code, dimer):
    level = level_of(
        "Code", box={"vacuum_a": 4.0}, initial_moments=True, kwargs={"exits": 0}
    )
    before = dimer.copy()
    dimer.calc = make_calculator(level, 0, 3)
    dimer.get_forces()
    assert dimer == before
    [seen] = code.made[-1].seen
    assert seen.get_initial_magnetic_moments().tolist() == [1.0, 1.0]
    assert seen.cell.lengths().min() > 8
    assert seen.get_all_distances() == pytest.approx(before.get_all_distances())


def test_without_moments_an_open_shell_is_refused(code):
    with pytest.raises(EngineError, match="`initial_moments: true` if it reads"):
        make_calculator(level_of("Code"), 0, 2)


def test_a_function_makes_calculators_too(code):
    made = make_calculator(level_of("make_code", kwargs={"energy": -2.0}), -1, 2)
    assert code.made[-1].spin == (-1, 2)
    atoms = Atoms("Cu")
    atoms.calc = made
    assert atoms.get_potential_energy() == -2.0
    with pytest.raises(EngineError, match="'my_code:make_number': no ASE calculator"):
        make_calculator(level_of("make_number"))


def test_each_calculator_has_a_folder_which_goes_with_it(code, dimer):
    folders = []
    for _ in range(2):
        dimer.calc = make_calculator(level_of("Code"))
        dimer.get_potential_energy()
        folders.append(Path(code.made[-1].directory))
        assert (folders[-1] / "code.out").exists()
    dimer.calc = None
    gc.collect()
    assert folders[0] != folders[1] and not any(f.exists() for f in folders)
    make_calculator(level_of("make_code"))
    assert str(code.made[-1].directory) not in (".", *map(str, folders))
    told = str(folders[0])
    make_calculator(level_of("Code", kwargs={"directory": told}))
    assert str(code.made[-1].directory) == told


def test_folders_stay_where_one_looks_for_errors(code, tmp_path, monkeypatch):
    monkeypatch.setenv("CLUSTERFLOW_DEBUG", "1")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    atoms = Atoms("Cu")
    atoms.calc = make_calculator(level_of("Code"))
    atoms.get_potential_energy()
    del atoms
    gc.collect()
    assert len(list(tmp_path.glob("clusterflow-*/code.out"))) == 1


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"exits": 1}, "RuntimeError: code exited with status 1"),
        # Not a word of it in exit status or energy.
        ({"converges": False}, "its self-consistent field did not converge"),
        ({"energy": float("nan")}, "the energy is not a finite number"),
    ],
)
def test_a_code_that_fails_leaves_a_hole_with_its_reason(
    code, structure, tmp_path, kwargs, says
):
    atoms = structure(["Cu", "Cu"], [[0, 0, 0], [0, 0, 2.2]])
    level = level_of("Code", kwargs=kwargs)
    point = compute_single_point(atoms, level, Job("refine", scratch=tmp_path / "s"))
    assert point.energy_ev is None and point.reason == f"mine: {says}"


def test_nothing_of_a_failure_is_left_for_the_next_geometry(code, dimer):
    dimer.calc = make_calculator(level_of("Code", kwargs={"converges": False}))
    for _ in range(2):
        with pytest.raises(CalculationFailed, match="did not converge"):
            dimer.get_potential_energy()
    assert [len(one.seen) for one in code.made] == [1, 1, 0]


def test_settings_that_are_not_used_leave_the_hash_alone():
    plain = level_of("Code")
    assert plain.hash == level_of("Code", box=None, initial_moments=False).hash
    others = {
        level_of("Code", initial_moments=True).hash,
        level_of("Code", box={"vacuum_a": 5}).hash,
        level_of("Code", box={"vacuum_a": 5, "periodic": True}).hash,
    }
    assert len(others | {plain.hash}) == 4


def test_what_a_level_is_for_is_no_part_of_its_surface():
    level = level_of("Code")
    told = level.model_copy(update={"orders_only": True})
    assert (level.refines, told.refines) == (True, False)
    assert not level_of("Code", spinless=True).refines
    assert told.hash == level.hash


def test_moments_of_what_knows_no_electrons_are_refused():
    with pytest.raises(ValueError, match="initial_moments and spinless"):
        level_of("Code", initial_moments=True, spinless=True)
