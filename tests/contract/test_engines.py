"""What every engine must do: published energies, right forces, honest refusals."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc111, molecule
from ase.calculators.calculator import CalculationFailed
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.optimize import QuasiNewton

from clusterflow.engines import (
    ENGINES,
    Meter,
    check_elements,
    engine_of,
    engine_versions,
    make_calculator,
)
from clusterflow.errors import EngineError, LibraryError
from clusterflow.library.find import Library, package_data
from clusterflow.library.levels import DftMethod, LevelSpec, Solvent
from clusterflow.units import BOHR_A, HARTREE_EV

pytestmark = pytest.mark.rounding

XTB = [
    "gfn1-xtb",
    "gfn2-xtb",
    "spgfn1-xtb",
    "xtb-python-gfn1",
    "xtb-python-gfn2",
]
LEVELS = Library((package_data() / "structures",))


def own(calculator, name="own", spin_polarization=None, **engine):
    return LevelSpec(
        name=name,
        source="unpublished: a test",
        engine={"calculator": calculator, **engine},
        spin_polarization=spin_polarization,
    )


# Calculators by import path stand the same tests as the engines built in.
OWN = {
    "own-tblite": own(
        "tblite.ase:TBLite", kwargs={"method": "GFN2-xTB", "verbosity": 0}
    ),
    "own-emt": own("ase.calculators.emt:EMT", spinless=True),
    "own-lj": own("ase.calculators.lj:LennardJones", kwargs={"rc": 9.0, "sigma": 0.6}),
    # As it is by default it pushes the atoms of a molecule apart, with 40 eV/Å.
    "own-stiff": own("ase.calculators.lj:LennardJones"),
}


# DFT stands them in the smallest basis, where an energy takes a tenth of a second.
SMALL_DFT = {
    "pbe-d3-small": LevelSpec(
        name="pbe-d3-small",
        source="unpublished: a test",
        engine="pyscf",
        dft=DftMethod(
            functional="PBE",
            basis="STO-3G",
            ecp="def2-SVP",
            dispersion="d3bj",
            density_fitting="def2-universal-jfit",
        ),
    )
}


def spec_of(level):
    if isinstance(level, LevelSpec):
        return level
    return OWN.get(level) or SMALL_DFT.get(level) or LEVELS.level(level)


def first_level_of(engine):
    """By name the first level of the library that an engine serves."""
    names = sorted(LEVELS.paths("levels"))
    return next(name for name in names if LEVELS.level(name).engine == engine)


def is_missing(package):
    try:
        distribution(package)
    except PackageNotFoundError:
        return True
    return False


def available(level):
    package = engine_of(spec_of(level)).distribution
    reason = f"{package} has no wheel here"
    marks = [pytest.mark.skipif(is_missing(package), reason=reason)]
    if level in ELECTRONIC:
        marks.append(pytest.mark.xtb)
    return pytest.param(level, marks=marks)


ELECTRONIC = [*XTB, "own-tblite"]
TRIED = {LEVELS.level(name).engine for name in XTB}
# An engine is under contract by being there.
OTHERS = [
    first_level_of(engine) for engine in ENGINES if engine not in {*TRIED, "pyscf"}
]
ALL = pytest.mark.parametrize(
    "level", [*map(available, [*XTB, *OTHERS, *OWN, *SMALL_DFT])]
)
XTB_ONLY = pytest.mark.parametrize("level", [*map(available, ELECTRONIC)])
QUANTUM = pytest.mark.parametrize("level", [*map(available, [*ELECTRONIC, *SMALL_DFT])])


def with_level(atoms, level, charge=0, multiplicity=1, accuracy=1.0):
    atoms = atoms.copy()
    atoms.calc = calculator_of(level, charge, multiplicity, accuracy=accuracy)
    return atoms


def calculator_of(level, *args, **kwargs):
    return make_calculator(spec_of(level), *args, **kwargs)


def test_modules_of_the_package_are_engines():
    assert {"tblite", "xtb-python", "emt"} <= ENGINES.keys()
    assert not {"base", "calculator", "make", "own"} & ENGINES.keys()


@pytest.mark.parametrize(
    ("level", "energy"),
    # H2O as ASE draws it, from tblite's documentation, eV. The two programs agree to
    # 5e-6 eV for molecules.
    [
        pytest.param(name, value, marks=available(name).marks)
        for name, value in [
            ("gfn2-xtb", -137.9677759),
            ("xtb-python-gfn2", -137.9677759),
            ("gfn1-xtb", -156.967506),
            ("spgfn1-xtb", -156.967506),  # no unpaired electron: no spin term
            ("xtb-python-gfn1", -156.967506),
        ]
    ],
)
def test_published_energy(level, energy):
    atoms = with_level(molecule("H2O"), level)
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=5e-6)


def test_published_energy_of_emt():
    # N2 on Cu(111), the introduction of ASE's documentation: it binds by 0.3235 eV.
    slab = with_level(fcc111("Cu", size=(4, 4, 2), vacuum=10.0), "emt")
    nitrogen = with_level(Atoms("N2", positions=[[0, 0, 0], [0, 0, 1.1]]), "emt")
    apart = slab.get_potential_energy() + nitrogen.get_potential_energy()
    add_adsorbate(slab, nitrogen, 1.85, "ontop")
    slab.set_constraint(FixAtoms(mask=[s != "N" for s in slab.symbols]))
    QuasiNewton(slab, logfile=None).run(fmax=0.05)
    assert apart - slab.get_potential_energy() == pytest.approx(0.3235, abs=5e-5)


def slopes_and_forces(atoms):
    """How far forces are from the slope of the energy, and how far they may be, eV/Å.

    Slopes are central differences with steps of h and 2h. That of h errs by a third of
    what the two differ by, to leading order; taking it off (Richardson) leaves the next
    order, which is less as long as h is small. What energies and forces of a geometry
    that is come back to differ by is the noise of the SCF.
    """
    step = 1e-3
    here, forces = atoms.positions.copy(), atoms.get_forces()
    energies, repeats = [atoms.get_potential_energy()], [forces]

    def energy(index, way):
        atoms.positions = here
        atoms.positions[index] += way
        return atoms.get_potential_energy()

    near, far = np.zeros_like(forces), np.zeros_like(forces)
    for index in np.ndindex(forces.shape):
        for slopes, h in ((near, step), (far, 2 * step)):
            slopes[index] = -(energy(index, h) - energy(index, -h)) / (2 * h)
        atoms.positions = here
        energies.append(atoms.get_potential_energy())
        repeats.append(atoms.get_forces())
    slopes = (4 * near - far) / 3
    truncation = np.abs(near - far).max() / 3
    # Four energies with the weights 8, 8, 1, 1 over 12 h, each off as much as can be.
    noise = 1.5 * np.ptp(energies) / step + np.ptp(repeats, axis=0).max()
    # Twice, for what is estimated from few numbers; rounding where there is no noise.
    rounding = np.spacing(np.abs(energies).max()) / step
    return np.abs(slopes - forces).max(), 2 * (truncation + noise + rounding)


@ALL
@pytest.mark.parametrize("orientation", ["as drawn", "generic"])
def test_forces_are_the_slope_of_the_energy(level, orientation):
    # As ASE draws methanol its plane is a coordinate plane, where one engine errs by
    # 0.23 eV/Å unless it is turned.
    atoms = molecule("H2O" if level in SMALL_DFT else "CH3OH")
    if orientation == "generic":
        atoms.rotate(37, (1, 2, 3))
    error, allowed = slopes_and_forces(with_level(atoms, level, accuracy=0.01))
    assert error < allowed
    # What is allowed is small beside the forces, so that it says something.
    assert allowed < 0.01


class WrongForces(LennardJones):
    """ASE's Lennard-Jones with forces that are off by a factor, or in one place."""

    def __init__(self, factor=1.0, push=0.0, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.push = factor, push

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["forces"] = self.results["forces"] * self.factor
        self.results["forces"][0, 2] += self.push


@pytest.mark.parametrize("sigma", [0.6, 1.0])
@pytest.mark.parametrize(
    ("wrong", "is_found"),
    [
        ({}, False),
        ({"factor": 1.01}, True),
        ({"factor": 0.99}, True),
        ({"push": 0.01}, True),
    ],
)
def test_wrong_forces_are_told_from_right_ones(sigma, wrong, is_found):
    atoms = molecule("CH3OH")
    atoms.calc = WrongForces(sigma=sigma, **wrong)
    error, allowed = slopes_and_forces(atoms)
    assert (error > allowed) == is_found


@pytest.mark.xtb
@pytest.mark.parametrize("accuracy", [0.01, 1.0])
def test_an_engine_known_to_err_along_the_axes_breaks_the_contract(accuracy):
    xtb = pytest.importorskip("xtb.ase.calculator")
    flat = molecule("CH3OH")
    flat.calc = xtb.XTB(method="GFN1-xTB", accuracy=accuracy)
    error, allowed = slopes_and_forces(flat)
    assert error > 10 * allowed
    flat.rotate(37, (1, 2, 3))
    error, allowed = slopes_and_forces(flat)
    assert error < allowed


@ALL
def test_energy_and_forces_turn_with_the_molecule(level):
    flat = with_level(molecule("H2O"), level, accuracy=0.01)
    turned = molecule("H2O")
    turned.rotate(71, (3, -1, 2))
    turned.translate([2, 3, -1])
    turned = with_level(turned, level, accuracy=0.01)
    # Converged to 1e-8 Eh, 3e-7 eV; forces to its root over bond lengths. The grids of
    # DFT are Lebedev's, which do not turn: they err by 1e-5 Eh at this level of them.
    by_grid = level in SMALL_DFT
    assert turned.get_potential_energy() == pytest.approx(
        flat.get_potential_energy(), abs=3e-4 if by_grid else 1e-6
    )
    back = Atoms("H3", positions=turned.get_forces())
    back.rotate(-71, (3, -1, 2))
    assert back.positions == pytest.approx(
        flat.get_forces(), abs=3e-3 if by_grid else 1e-4
    )
    assert turned.get_forces().sum(axis=0) == pytest.approx([0, 0, 0], abs=1e-5)


@QUANTUM
@pytest.mark.parametrize(("charge", "multiplicity"), [(1, 2), (-1, 2), (0, 1)])
def test_the_charge_is_honoured(level, charge, multiplicity):
    atoms = with_level(molecule("H2O"), level, charge, multiplicity)
    assert atoms.get_charges().sum() == pytest.approx(charge, abs=1e-6)


@XTB_ONLY
def test_taking_an_electron_away_costs_energy(level):
    neutral = with_level(molecule("H2O"), level).get_potential_energy()
    cation = with_level(molecule("H2O"), level, 1, 2).get_potential_energy()
    # Measured 12.6 eV; the self-interaction of xTB adds 5 to 8 eV.
    assert 12.6 + 5 < cation - neutral < 12.6 + 8.1


@QUANTUM
def test_the_multiplicity_is_honoured(level):
    oxygen = Atoms("O2", positions=[[0, 0, 0], [0.383, 1.107, 0.293]])
    singlet, triplet = (
        with_level(oxygen, level, 0, m).get_potential_energy() for m in (1, 3)
    )
    if spec_of(level).spin_polarised:
        # Measured: the triplet lies 0.98 eV below.
        assert singlet - triplet > 0.3
    else:
        # Without spin polarisation the low spin is the lower one: wrong, and known.
        assert 0.01 < triplet - singlet < 0.3


@QUANTUM
def test_two_calculators_do_not_share_a_charge(level):
    cation = with_level(molecule("H2O"), level, 1, 2)
    neutral = with_level(molecule("H2O"), level)
    first = neutral.get_potential_energy()
    cation.get_potential_energy()
    moved = neutral.copy()
    moved.calc = neutral.calc
    moved.positions[0, 0] += 0.01
    moved.get_potential_energy()
    moved.positions[0, 0] -= 0.01
    assert moved.get_potential_energy() == pytest.approx(first, abs=1e-6)


@ALL
def test_the_atoms_are_not_touched(level):
    atoms = molecule("CH3OH")
    atoms.set_initial_charges([0.1] * 6)
    atoms.set_initial_magnetic_moments([0.0] * 6)
    before = atoms.copy()
    atoms.calc = calculator_of(level)
    atoms.get_potential_energy()
    atoms.get_forces()
    assert atoms == before
    for name, array in before.arrays.items():
        assert np.array_equal(atoms.arrays[name], array)
    assert atoms.info == before.info


@QUANTUM
def test_the_engine_goes_by_its_arguments_not_by_the_atoms(level):
    marked = molecule("H2O")
    marked.set_initial_charges([1.0, 0, 0])
    marked.set_initial_magnetic_moments([0, 0, 1.0])
    expected = with_level(molecule("H2O"), level).get_potential_energy()
    found = with_level(marked, level).get_potential_energy()
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("level", "engine", "package", "module"),
    [
        ("gfn1-xtb", "tblite", "tblite", "tblite.ase"),
        ("xtb-python-gfn2", "xtb-python", "xtb", "xtb.ase.calculator"),
        ("emt", "emt", "ase", "ase.calculators.emt"),
        ("pbe-d3-svp-cp", "pyscf", "'clusterflow[dft]'", "pyscf"),
        ("pbe-d3-svp-cp", "pyscf", "'clusterflow[dft]'", "pyscf.dispersion"),
    ],
)
def test_an_engine_that_is_not_installed_says_what_to_install(
    monkeypatch, level, engine, package, module
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError) as caught:
        make_calculator(level)
    assert f"engine {engine!r} of level {level!r} is not installed" in str(caught.value)
    assert str(caught.value).endswith(f"run: pip install {package}")


@pytest.mark.parametrize(
    ("level", "symbols", "unknown"),
    [
        ("gfn1-xtb", ["U", "O", "Fr"], "Fr, U"),
        ("xtb-python-gfn2", ["Am"], "Am"),
        ("emt", ["Cd", "Se", "Cu"], "Cd, Se"),
    ],
)
def test_an_element_without_parameters_is_refused(library, level, symbols, unknown):
    with pytest.raises(EngineError, match=f"Cd6Se6: .*no parameters for {unknown};"):
        check_elements(library.level(level), symbols, "Cd6Se6")


@ALL
def test_elements_that_are_promised_are_there(level):
    promised = engine_of(spec_of(level)).elements()
    # The smallest basis has not all that the engine has.
    whole = LEVELS.level("pbe-d3-tzvp") if level in SMALL_DFT else spec_of(level)
    check_elements(whole, promised, "all")
    assert {"Cu", "H", "C", "O", "N"} <= promised
    # The two ends of what is promised, as atoms that close a shell.
    if level in ELECTRONIC:
        for symbol in ("He", "Rn"):
            energy = with_level(Atoms(symbol), level).get_potential_energy()
            assert np.isfinite(energy)


def test_emt_has_no_charge():
    with pytest.raises(EngineError, match=r"EMT has no electrons.*charge \+1"):
        make_calculator("emt", 1, 2)


def test_xtb_python_has_no_spin_polarisation(library):
    level = library.level("xtb-python-gfn1").model_copy(
        update={"spin_polarization": 1.0}
    )
    with pytest.raises(EngineError, match="no spin polarisation; use tblite"):
        make_calculator(level)


@pytest.mark.parametrize("level", [available("xtb-python-gfn1")])
def test_xtb_python_computes_no_cells(level):
    argon = Atoms("Ar2", [(0, 0, 0), (0.3, 0.4, 3.7)], cell=[4, 5, 6], pbc=True)
    argon.calc = make_calculator(level)
    with pytest.raises(EngineError, match="no periodic cells here; use tblite"):
        argon.get_potential_energy()


@pytest.mark.parametrize("multiplicity", [0, -1])
def test_no_multiplicity_below_one(multiplicity):
    with pytest.raises(EngineError, match=f"multiplicity = {multiplicity}"):
        make_calculator("gfn1-xtb", 0, multiplicity)


def test_an_unknown_level_or_engine_lists_the_known(library):
    with pytest.raises(LibraryError, match=r"no level called 'gfn9'.*gfn1-xtb"):
        make_calculator("gfn9")
    strange = library.level("emt").model_copy(update={"engine": "orca"})
    with pytest.raises(LibraryError, match=r"unknown engine 'orca'.*tblite"):
        make_calculator(strange)


@ALL
def test_the_meter_counts_gradients(level):
    meter = Meter()
    atoms = molecule("H2O")
    atoms.calc = calculator_of(level, meter=meter)
    atoms.get_potential_energy()
    atoms.get_forces()
    assert meter.n_gradients == 1
    atoms.positions[0, 0] += 0.01
    atoms.get_forces()
    assert meter.n_gradients == 2
    assert meter.seconds > 0


BROKEN = """
import numpy as np
from ase.calculators.calculator import Calculator, InputError, SCFError

class Broken(Calculator):
    implemented_properties = ["energy", "forces"]
    default_parameters = {"what": "energy", "value": float("nan")}

    def calculate(self, atoms=None, properties=None, system_changes=None):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 1.0, "forces": np.zeros((len(atoms), 3))}
        if self.parameters.what == "bug":
            raise ZeroDivisionError("division by zero")
        if self.parameters.what == "input":
            raise InputError("atoms too close")
        if self.parameters.what == "scf":
            raise SCFError("not converged")
        if self.parameters.what == "energy":
            self.results["energy"] = self.parameters.value
        else:
            self.results["forces"][0, 1] = self.parameters.value

class Picky(Broken):
    def __init__(self, *, total, spin=None, deep=None):
        super().__init__()
        self.seen = (total, spin, deep)

number = 3

class NoCalculator:
    pass
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_calculators.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_calculators"
    sys.modules.pop("my_calculators", None)


@pytest.mark.parametrize("with_meter", [True, False])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("what", ["energy", "forces"])
def test_what_is_not_finite_is_a_failure_not_a_number(module, what, value, with_meter):
    level = own(f"{module}:Broken", kwargs={"what": what, "value": value})
    meter = Meter()
    atoms = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.2]])
    atoms.calc = make_calculator(level, meter=meter if with_meter else None)
    for ask in (atoms.get_forces, atoms.get_potential_energy):
        with pytest.raises(CalculationFailed, match=f"{what} is not a finite number"):
            ask()
        assert atoms.calc.results == {}
    assert meter.n_gradients == 2 * with_meter


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("bug", "ZeroDivisionError: division by zero"),
        ("input", "atoms too close"),
        ("scf", "not converged"),
    ],
)
def test_what_a_calculator_raises_is_a_failure_with_its_reason(module, what, says):
    atoms = Atoms("Cu")
    atoms.calc = make_calculator(own(f"{module}:Broken", kwargs={"what": what}))
    with pytest.raises(CalculationFailed, match=says):
        atoms.get_potential_energy()


def test_a_bug_in_a_calculator_can_be_seen(module, monkeypatch):
    monkeypatch.setenv("CLUSTERFLOW_DEBUG", "1")
    atoms = Atoms("Cu")
    atoms.calc = make_calculator(own(f"{module}:Broken", kwargs={"what": "bug"}))
    with pytest.raises(ZeroDivisionError):
        atoms.get_potential_energy()


@pytest.mark.parametrize(
    ("path", "kwargs", "says"),
    [
        ("no_such_module:X", {}, "'no_such_module:X': No module.*PYTHONPATH"),
        ("my_calculators:Missing", {}, "has no class or function 'Missing'"),
        ("my_calculators:number", {}, "has no class or function 'number'"),
        ("my_calculators:NoCalculator", {}, "no ASE calculator"),
        ("my_calculators:Picky", {"wrong": 1}, "cannot be made: TypeError.*kwargs"),
    ],
)
def test_a_calculator_that_cannot_be_had_is_one_clear_line(module, path, kwargs, says):
    with pytest.raises(EngineError, match=says) as caught:
        make_calculator(own(path, kwargs=kwargs))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["EMT", "ase.calculators.emt.EMT", "a:b:c", ":X", "a b:C"]
)
def test_an_import_path_names_module_and_class(path):
    with pytest.raises(ValueError, match="calculator"):
        own(path)


def test_charge_and_multiplicity_fill_the_places_kept_for_them(module):
    kwargs = {
        "total": "{charge}",
        "spin": "{unpaired}",
        "deep": {"a": ["{multiplicity}", "{charge} as text"]},
    }
    level = own(f"{module}:Picky", kwargs=kwargs)
    made = make_calculator(level, -1, 2)
    assert made.inner.inner.seen == (-1, 1, {"a": [2, "{charge} as text"]})
    assert level.engine.kwargs == kwargs, "the level itself is not touched"


@pytest.mark.parametrize(
    ("charge", "multiplicity", "says"),
    [
        (1, 1, r"takes no charge \+1; put \{charge\}"),
        (-1, 1, r"takes no charge -1"),
        (0, 2, r"takes no multiplicity 2; put \{multiplicity\} or \{unpaired\}"),
    ],
)
def test_a_calculator_without_electrons_treats_closed_shells_only(
    charge, multiplicity, says
):
    with pytest.raises(EngineError, match=says):
        make_calculator(OWN["own-lj"], charge, multiplicity)


def test_a_spinless_potential_is_the_same_for_every_multiplicity():
    copper = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.2]])
    singlet, triplet = (
        with_level(copper, "own-emt", 0, m).get_potential_energy() for m in (1, 3)
    )
    assert singlet == triplet
    with pytest.raises(EngineError, match="takes no charge"):
        make_calculator(OWN["own-emt"], 1, 1)


def test_an_own_path_to_a_built_in_engine_gives_its_numbers():
    copper = Atoms("Cu2", positions=[[0, 0, 0], [0, 0.3, 2.2]])
    for path, name in (("own-emt", "emt"), ("own-tblite", "gfn2-xtb")):
        ours, theirs = with_level(copper, path), with_level(copper, name)
        assert ours.get_potential_energy() == pytest.approx(
            theirs.get_potential_energy(), abs=1e-6
        )


def test_published_energy_of_lennard_jones():
    # At 2^(1/6) sigma the pair energy is -epsilon; ASE shifts it to 0 at rc, by
    # 4 epsilon (sigma / rc)^6 less a twelfth power that is far smaller.
    pair = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 0.6 * 2 ** (1 / 6)]])
    pair = with_level(pair, "own-lj")
    assert pair.get_potential_energy() == pytest.approx(-1 + 4 * (0.6 / 9) ** 6)
    assert pair.get_forces() == pytest.approx(np.zeros((2, 3)), abs=1e-9)


def test_the_hash_covers_path_and_kwargs_and_nothing_else():
    base = own("a.b:C", kwargs={"x": 1, "y": {"p": 1, "q": 2}})
    same = own("a.b:C", name="other", kwargs={"y": {"q": 2, "p": 1}, "x": 1})
    assert base.hash == same.hash
    others = [
        own("a.b:D", kwargs=base.engine.kwargs),
        own("a.b:C", kwargs={**base.engine.kwargs, "x": 2}),
        own("a.b:C", kwargs=base.engine.kwargs, spinless=True),
        own("a.b:C", kwargs=base.engine.kwargs, spin_polarization=1.0),
    ]
    assert len({base.hash, *(other.hash for other in others)}) == 5


def test_a_solvent_that_would_not_arrive_is_refused():
    with pytest.raises(ValueError, match="solvent = 'water' does not reach"):
        LevelSpec(
            name="wet",
            source="unpublished: a test",
            engine={"calculator": "a:B"},
            solvent="water",
        )


WATER = {
    # Water in water, eV: its vapour pressure of 3.17 kPa makes it kT ln(1.28 mol/m³ /
    # 55300 mol/m³) = -0.27; the continuum alone leaves out cavity and dispersion.
    "gfn1-xtb-alpb-water": (-0.7, -0.25),
    "gfn1-xtb-gbsa-water": (-0.5, -0.25),
    "gfn1-xtb-cpcm-water": (-0.4, -0.15),
}


@pytest.mark.xtb
@pytest.mark.parametrize("level", WATER)
def test_forces_in_a_solvent_are_the_slope_of_the_energy(level):
    atoms = with_level(molecule("H2O"), level, accuracy=0.01)
    atoms.rotate(37, (1, 2, 3))
    atoms.positions[1] += [0.05, 0.03, 0.0]
    error, allowed = slopes_and_forces(atoms)
    assert error < allowed < 4e-4


@pytest.mark.xtb
@pytest.mark.parametrize("level", WATER)
def test_a_solvent_holds_water(level):
    wet = with_level(molecule("H2O"), level).get_potential_energy()
    dry = with_level(molecule("H2O"), "gfn1-xtb").get_potential_energy()
    low, high = WATER[level]
    assert low < wet - dry < high


@pytest.mark.xtb
def test_a_solvent_by_name_alone_is_of_alpb(library):
    level = library.level("gfn1-xtb-alpb-water")
    named = level.model_copy(update={"solvent": "water"})
    energies = [
        with_level(molecule("H2O"), one).get_potential_energy()
        for one in (level, named)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-9)


@pytest.mark.xtb
@pytest.mark.parametrize("model", ["alpb", "gbsa", "cpcm"])
def test_an_unknown_solvent_is_refused_by_name(library, model):
    level = library.level("gfn1-xtb").model_copy(
        update={"solvent": Solvent(model=model, name="soda")}
    )
    with pytest.raises(EngineError, match=r"tblite has no solvent 'soda"):
        make_calculator(level)


def test_a_solvent_no_engine_hears_of_is_refused(library):
    wet = {"solvent": "water"}
    with pytest.raises(EngineError, match="EMT knows no solvent"):
        make_calculator(library.level("emt").model_copy(update=wet))


def test_a_level_of_ones_own_is_a_file_like_any_other(module, tmp_path, monkeypatch):
    folder = tmp_path / "structures/levels"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        "name: mine\nsource: 'unpublished: a test'\n"
        "engine: {calculator: 'ase.calculators.lj:LennardJones', kwargs: {rc: 9}}\n"
    )
    monkeypatch.chdir(tmp_path)
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 2 ** (1 / 6)]])
    atoms.calc = make_calculator("mine")
    assert atoms.get_potential_energy() == pytest.approx(-1 + 4 / 9**6, abs=1e-9)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@XTB_ONLY
def test_memory_does_not_grow(level):
    """500 gradients of Cd6Se6 added 0.4 MB; a leak of 3 kB a call would add 1 MB."""
    import psutil

    atoms = with_level(molecule("CH3OH"), level)
    memory = psutil.Process().memory_info
    for step in range(400):
        if step == 100:
            before = memory().rss
        atoms.positions[0, 0] += 1e-4
        atoms.get_forces()
    assert (memory().rss - before) / 1e6 < 1.0


@pytest.mark.parametrize("level", [*map(available, [*XTB, *OTHERS, *SMALL_DFT])])
def test_from_one_start_a_gradient_does_not_depend_on_those_before(level):
    minimum = molecule("CO" if level == "emt" else "H2O")
    forces = {}
    # Far from the start, too, as when it is relaxed along a mode.
    moves = (0.01, -0.01, 0.3)
    for order in (moves, moves[::-1], moves[1:]):
        atoms = with_level(minimum, level, accuracy=0.1)
        atoms.calc.start_each_from(minimum)
        for move in order:
            atoms.positions = minimum.positions
            atoms.positions[0, 2] += move
            forces.setdefault(move, []).append(atoms.get_forces())
    for found in forces.values():
        assert all(np.array_equal(one, found[0]) for one in found[1:])


@pytest.mark.parametrize("level", [available("xtb-python-gfn1"), available("gfn1-xtb")])
def test_a_failed_geometry_leaves_nothing_for_the_next(level):
    atoms = with_level(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0.75]]), level)
    expected = atoms.get_potential_energy()
    atoms.positions[1, 2] = 0.0
    with pytest.raises(CalculationFailed):
        atoms.get_potential_energy()
    atoms.positions[1, 2] = 0.75
    assert atoms.get_potential_energy() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("level", "method"),
    [
        pytest.param(level, method, marks=available("xtb-python-gfn1").marks)
        for level, method in [("gfn1-xtb", "GFN1xTB"), ("gfn2-xtb", "GFN2xTB")]
    ],
)
def test_frontier_orbitals_are_those_of_the_other_program(library, level, method):
    from xtb.interface import Calculator, Param

    atoms = molecule("H2O")
    atoms.rotate(37, (1, 2, 3))
    atoms = with_level(atoms, level)
    atoms.get_potential_energy()
    found = atoms.calc.frontier_orbitals()
    theirs = Calculator(getattr(Param, method), atoms.numbers, atoms.positions / BOHR_A)
    theirs.set_verbosity(0)
    result = theirs.singlepoint()
    orbitals = result.get_orbital_eigenvalues() * HARTREE_EV
    filled = result.get_orbital_occupations() > 1
    # Orbital energies are first order in the density: 1e-4 Eh at default accuracy.
    assert found == pytest.approx(
        (orbitals[filled].max(), orbitals[~filled].min()), abs=3e-3
    )


@pytest.mark.parametrize("level", [available("xtb-python-gfn1"), "emt"])
def test_an_engine_without_orbitals_offers_none(library, level):
    atoms = with_level(molecule("H2O"), level)
    atoms.get_potential_energy()
    assert atoms.calc.frontier_orbitals() is None
    assert atoms.calc.frontier_weights() is None


def test_versions_are_recorded(library):
    import ase

    found = engine_versions(library.level("emt"))
    assert found == {"ase": ase.__version__}
    assert set(engine_versions(library.level("gfn1-xtb"))) == {"ase", "tblite"}
    assert engine_versions(OWN["own-emt"]) == {"ase": ase.__version__}
    assert set(engine_versions(OWN["own-tblite"])) == {"ase", "tblite"}
    assert engine_versions(own("my_calculators:X"))["my_calculators"] == "not installed"
