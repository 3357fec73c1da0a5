"""DFT by PySCF: against PySCF by hand, published numbers, and jobs that are cut off."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import CalculationFailed

from clusterflow.engines import ENGINES, check_elements, make_calculator
from clusterflow.engines.base import Rung, ScfOptions
from clusterflow.engines.density import Density
from clusterflow.errors import EngineError
from clusterflow.library.levels import DftMethod, LevelSpec
from clusterflow.units import BOHR_A, HARTREE_EV

gto = pytest.importorskip("pyscf.gto")
dft = pytest.importorskip("pyscf.dft")

PYSCF = ENGINES["pyscf"]
OXYGEN = Atoms("O2", positions=[[0, 0, 0], [0, 0, 2.2]])


def level(**changes):
    method = {"functional": "PBE", "basis": "STO-3G", "ecp": "def2-SVP"} | changes
    return LevelSpec(
        name="small", source="unpublished: a test", engine="pyscf", dft=method
    )


@pytest.fixture
def dimer():
    """Two molecules of water, 2.9 Å apart, one donating a hydrogen bond."""
    donor, acceptor = molecule("H2O"), molecule("H2O")
    acceptor.rotate(180, "x")
    acceptor.translate([0, 1.9, -1.7])
    return donor + acceptor


def compute(atoms, spec, charge=0, multiplicity=1, **options):
    """Energy, eV, and report."""
    atoms = atoms.copy()
    given = ScfOptions(**options) if options else None
    atoms.calc = make_calculator(spec, charge, multiplicity, options=given)
    return atoms.get_potential_energy(), atoms.calc.scf_report()


def compute_by_hand(atoms, xc, basis, spin=0, charge=0, ecp=None, ghosts=()):
    """Energy, eV, of PySCF with exact integrals, and its field."""
    names = [f"ghost-{s}" if i in ghosts else s for i, s in enumerate(atoms.symbols)]
    mol = gto.M(
        atom=list(zip(names, atoms.positions / BOHR_A, strict=True)),
        unit="Bohr",
        basis=basis,
        ecp=ecp or {},
        charge=charge,
        spin=spin,
        verbose=0,
    )
    field = dft.UKS(mol, xc=xc) if spin else dft.RKS(mol, xc=xc)
    field.conv_tol = 1e-9
    return field.kernel() * HARTREE_EV, field


@pytest.mark.parametrize("functional", ["PBE", "PBE0", "r2SCAN"])
@pytest.mark.parametrize(("charge", "multiplicity"), [(0, 1), (1, 2)])
def test_the_energy_is_that_of_pyscf(functional, charge, multiplicity):
    water = molecule("H2O")
    energy, report = compute(water, level(functional=functional), charge, multiplicity)
    expected, field = compute_by_hand(
        water, functional, "sto-3g", multiplicity - 1, charge
    )
    assert energy == pytest.approx(expected, abs=1e-6)
    assert report.s2 == pytest.approx(field.spin_square()[0], abs=1e-5)
    assert (report.n_basis, report.guess) == (7, "minao")
    assert report.stable is (True if multiplicity > 1 else None)


def test_fitting_changes_the_energy_by_little():
    fitted, _ = compute(
        molecule("H2O"), level(basis="def2-SVP", density_fitting="def2-universal-jfit")
    )
    exact, _ = compute(molecule("H2O"), level(basis="def2-SVP"))
    assert 0 < abs(fitted - exact) < 0.005


def test_ionisation_of_water_is_what_is_measured():
    # 12.62 eV, vertical, from photoelectrons; PBE errs by a few tenths.
    spec = level(basis="def2-TZVP", density_fitting="def2-universal-jfit")
    neutral, _ = compute(molecule("H2O"), spec)
    cation, _ = compute(molecule("H2O"), spec, 1, 2)
    assert cation - neutral == pytest.approx(12.62, abs=0.3)


def test_dispersion_of_argon_is_that_of_its_c6():
    """64.65 hartree bohr^6 in D3 (doi:10.1063/1.3382344); C8 adds 3 % at 15 Å."""
    distance = 15.0
    argon = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, distance]])
    _, report = compute(argon, level(dispersion="d3bj"))
    asymptote = -64.65 / (distance / BOHR_A) ** 6 * HARTREE_EV
    assert 1.0 < report.dispersion_ev / asymptote < 1.05


@pytest.mark.parametrize(
    ("functional", "dispersion"), [("PBE", "d3bj"), ("r2SCAN", "d4")]
)
def test_dispersion_is_part_of_energy_and_forces(functional, dispersion):
    argon = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3.8]])
    forces, energies = [], []
    for name in (None, dispersion):
        atoms = argon.copy()
        atoms.calc = make_calculator(level(functional=functional, dispersion=name))
        forces.append(atoms.get_forces())
        energies.append(atoms.get_potential_energy())
        report = atoms.calc.scf_report()
    assert energies[1] - energies[0] == pytest.approx(report.dispersion_ev, abs=1e-7)
    assert report.dispersion_ev < -1e-3
    # It pulls the two together.
    assert forces[1][0, 2] - forces[0][0, 2] > 1e-3


def test_parts_in_the_basis_of_the_whole_are_those_of_pyscf(dimer):
    spec = level(dispersion="d3bj")
    for ghosts in ((3, 4, 5), (0, 1, 2)):
        real = [i for i in range(6) if i not in ghosts]
        alone, own = compute(dimer[real], spec)
        in_whole, report = compute(dimer, spec, ghosts=ghosts)
        expected, _ = compute_by_hand(dimer, "PBE", "sto-3g", ghosts=ghosts)
        assert in_whole - report.dispersion_ev == pytest.approx(expected, abs=1e-6)
        # More functions never cost energy, and ghosts do not disperse.
        assert in_whole < alone
        assert report.dispersion_ev == pytest.approx(own.dispersion_ev, abs=1e-9)
        assert (report.n_basis, own.n_basis) == (14, 7)


def test_a_ghost_of_silver_brings_functions_and_no_core(capfd):
    silver = Atoms("AgH", positions=[[0, 0, 0], [0, 0, 1.7]])
    hydrogen, _ = compute(silver, level(basis="def2-SVP"), 0, 2, ghosts=(0,))
    assert hydrogen == pytest.approx(-13.6, abs=0.2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("symbol", "charge", "n_electrons"), [("Ag", 1, 18 + 2), ("Cd", 0, 20 + 2)]
)
def test_heavy_elements_have_core_potentials(
    symbol, charge, n_electrons, capfd, recwarn
):
    """28 electrons are in the core, with most of the energy."""
    spec = level(basis="def2-SVP")
    pair = Atoms(f"{symbol}He", positions=[[0, 0, 0], [0, 0, 4.0]])
    energy, _ = compute(pair, spec, charge)
    expected, field = compute_by_hand(
        pair, "PBE", "def2-svp", charge=charge, ecp={symbol: "def2-svp"}
    )
    assert field.mol.nelectron == n_electrons
    assert energy == pytest.approx(expected, abs=1e-5)
    assert -175 < energy / HARTREE_EV < -140
    assert capfd.readouterr() == ("", ""), "helium has none, and that is no warning"
    # Others, of resources that are not closed, come from wherever memory is tidied up.
    assert not [w for w in recwarn.list if issubclass(w.category, UserWarning)]


def test_an_instability_is_followed_down():
    """Plain SCF gives stretched O2 the orbitals of the bond, 0.4 eV too high."""
    plain, field = compute_by_hand(OXYGEN, "PBE", "sto-3g", spin=2)
    energy, report = compute(OXYGEN, level(), 0, 3)
    assert energy < plain - 0.3
    assert report.n_instabilities > 0
    assert report.stable
    # The moments of two atoms, 2 each, coupled to a triplet: not a pure spin.
    assert report.s2 > field.spin_square()[0] + 0.5


def test_the_next_geometry_takes_stability_along():
    oxygen = molecule("O2")
    oxygen.calc = make_calculator(level(), 0, 3)
    oxygen.get_potential_energy()
    assert oxygen.calc.scf_report().stable
    oxygen.positions[1] *= 0.98
    energy = oxygen.get_potential_energy()
    report = oxygen.calc.scf_report()
    assert report.guess == "last"
    assert report.stable is None and report.n_instabilities == 0
    # The same field as one that is looked at from scratch.
    assert energy == pytest.approx(compute(oxygen, level(), 0, 3)[0], abs=1e-5)


def test_a_part_takes_stability_along_into_the_basis_of_the_whole(tmp_path):
    path = tmp_path / "alone.npz"
    pair = molecule("O2") + Atoms("He", [[0, 0, 3]])
    _, alone = compute(pair[:2], level(), 0, 3, checkpoint=path)
    energy, report = compute(pair, level(), 0, 3, ghosts=(2,), neighbours=(path,))
    cold_energy, cold = compute(pair, level(), 0, 3, ghosts=(2,))
    assert alone.stable and cold.stable and report.stable is None
    assert energy == pytest.approx(cold_energy, abs=1e-5)
    # A whole with electrons of its own is another system.
    assert compute(pair, level(), 0, 3, neighbours=(path,))[1].stable


def test_a_hole_that_may_turn_is_no_instability():
    radical, report = compute(molecule("OH"), level(), 0, 2)
    assert report.n_instabilities == 0
    assert radical == pytest.approx(
        compute_by_hand(molecule("OH"), "PBE", "sto-3g", spin=1)[0], abs=1e-3
    )


@pytest.mark.parametrize("rung", PYSCF.rungs, ids=lambda rung: rung.name)
@pytest.mark.parametrize(("charge", "multiplicity"), [(0, 1), (1, 2)])
def test_every_rung_has_the_energy_of_the_level(rung, charge, multiplicity):
    expected, _ = compute(molecule("H2O"), level(), charge, multiplicity)
    water = molecule("H2O")
    water.calc = make_calculator(level(), charge, multiplicity)
    PYSCF.climb(water.calc.inner, rung)
    assert water.get_potential_energy() == pytest.approx(expected, abs=1e-5)
    assert water.calc.scf_report().cycles > 0


def cut_off_after(cycles, path):
    """A job whose SCF of water was stopped before it had converged."""
    water = molecule("H2O")
    calculator = PYSCF.make(level(), charge=0, multiplicity=1, accuracy=1.0)
    PYSCF.equip(calculator, ScfOptions(checkpoint=path))
    PYSCF.climb(calculator, Rung(name="short", parameters={"cycles": cycles}))
    with pytest.raises(CalculationFailed, match=f"not converge in {cycles} cycles"):
        calculator.get_property("energy", water)


def test_a_job_that_was_cut_off_goes_on_from_its_last_density(tmp_path):
    path = tmp_path / "scratch" / "density.npz"
    cold_energy, cold = compute(molecule("H2O"), level())
    cut_off_after(4, path)
    energy, report = compute(molecule("H2O"), level(), checkpoint=path)
    assert report.guess == "checkpoint"
    assert report.cycles < cold.cycles
    assert energy == pytest.approx(cold_energy, abs=1e-6)
    _, again = compute(molecule("H2O"), level(), checkpoint=path)
    assert again.cycles <= 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", None])
def test_a_density_that_cannot_be_read_costs_cycles_alone(tmp_path, content):
    path = tmp_path / "density.npz"
    cut_off_after(4, path)
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    energy, report = compute(molecule("H2O"), level(), checkpoint=path)
    assert report.guess == "minao"
    assert energy == pytest.approx(compute(molecule("H2O"), level())[0], abs=1e-6)


def test_a_complex_starts_from_the_density_of_what_it_shares(tmp_path, dimer):
    """The first atoms of both are the same, wherever they are by then."""
    path = tmp_path / "first.npz"
    compute(dimer[:3], level(), checkpoint=path)
    dimer.translate([1, 2, 3])
    cold_energy, cold = compute(dimer, level())
    energy, report = compute(dimer, level(), neighbours=(path,))
    assert (report.guess, cold.guess) == ("neighbour", "minao")
    assert energy == pytest.approx(cold_energy, abs=1e-6)
    kept = Density.load(path)
    mol = compute_by_hand(dimer, "PBE", "sto-3g")[1].mol
    rest = np.full((2, mol.nao, mol.nao), 7.0)
    carried = kept.project(mol, rest)
    assert carried[:, :7, :7] == pytest.approx(kept.matrix, abs=1e-9)
    assert (carried[:, 7:, 7:] == 7.0).all()
    assert carried[:, :7, 7:] == pytest.approx(0.0, abs=1e-9)


def test_a_density_is_carried_to_another_basis_and_turned_into_none(tmp_path):
    path = tmp_path / "small.npz"
    compute(molecule("H2O"), level(basis="def2-SVP"), checkpoint=path)
    kept = Density.load(path)
    mol = gto.M(
        atom=list(zip("OHH", molecule("H2O").positions, strict=True)),
        basis="def2-tzvp",
        verbose=0,
    )
    rest = np.zeros((2, mol.nao, mol.nao))
    carried = kept.project(mol, rest)
    # Nearly all ten electrons are there, five of each spin.
    count = np.einsum("sij,ji->s", carried, mol.intor("int1e_ovlp"))
    assert count == pytest.approx([5, 5], abs=0.02)
    other = gto.M(atom="N 0 0 0; N 0 0 1.1", basis="sto-3g", verbose=0)
    assert kept.project(other, rest) is None


def test_the_next_geometry_starts_from_the_last_density():
    water = molecule("H2O")
    water.calc = make_calculator(level())
    water.get_forces()
    cold = water.calc.scf_report()
    water.positions[1, 1] += 0.001
    water.get_forces()
    warm = water.calc.scf_report()
    assert (cold.guess, warm.guess) == ("minao", "last")
    assert warm.cycles < cold.cycles


def test_two_atoms_at_one_place_are_a_failure_with_a_reason():
    with pytest.raises(CalculationFailed):
        compute(Atoms("H2", positions=[[0, 0, 0], [0, 0, 0]]), level())


def test_a_multiplicity_that_does_not_fit_is_one_line():
    with pytest.raises(EngineError, match=r"multiplicity = 2 with 10 electrons in OH2"):
        compute(molecule("H2O"), level(), 0, 2)
    with pytest.raises(EngineError, match=r"multiplicity = 3 with 1 electrons"):
        compute(molecule("H2O"), level(), 0, 3, ghosts=(0, 1))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"functional": "PBB"}, r"libxc has no functional 'PBB'; name one"),
        ({"functional": "PW91", "dispersion": "d4"}, None),
        (
            {"functional": "LDA", "dispersion": "d3bj"},
            r"d3bj is not parametrised for LDA \(.*\); take another",
        ),
    ],
)
def test_a_method_that_is_none_is_refused(changes, says):
    if says is None:
        make_calculator(level(**changes))
        return
    with pytest.raises(EngineError, match=says) as caught:
        make_calculator(level(**changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "symbols", "says"),
    [
        (
            {"basis": "def2-SVP"},
            ["Ce", "H"],
            "no basis def2-SVP for Ce and has no",
        ),
        ({"basis": "cc-pVDZ", "ecp": None}, ["Ag"], r"has no `ecp` for Ag"),
        (
            {"ecp": "no-such-ecp"},
            ["Ag", "Cu"],
            r"no core potential no-such-ecp for Ag;",
        ),
        ({"basis": "no-such"}, ["H"], "no basis no-such for H;"),
        ({"density_fitting": "no-such"}, ["H"], "no fitting basis no-such for H;"),
    ],
)
def test_an_element_without_basis_or_core_potential_is_refused(changes, symbols, says):
    with pytest.raises(EngineError, match=says) as caught:
        check_elements(level(**changes), symbols, "mine")
    assert str(caught.value).startswith("mine: level 'small' ")
    assert "\n" not in str(caught.value)


def test_elements_of_the_library_are_there(library):
    pbe = ("pbe-d3-svp-cp", "pbe-d3-tzvp", "pbe-d3-tzvpd")
    for name in (*pbe, "r2scan-d4-tzvp", "pbe0-d3-tzvp"):
        check_elements(library.level(name), ["Cu", "Ag", "Au", "Cd", "Te"], name)


def test_engines_without_basis_functions_know_no_ghosts():
    with pytest.raises(EngineError, match=r"no basis functions.*engine pyscf"):
        make_calculator("emt", options=ScfOptions(ghosts=(0,)))


def test_no_periodic_cells():
    with pytest.raises(EngineError, match="no periodic cells here"):
        compute(Atoms("He", cell=[5, 5, 5], pbc=True), level())


@pytest.mark.skipif("gpu4pyscf" in sys.modules, reason="there may be a GPU")
def test_without_a_gpu_the_cpu_computes(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert not compute(molecule("H2O"), level())[1].on_gpu


@pytest.mark.parametrize("name", ["pbe-d3-svp-cp", "r2scan-d4-tzvp", "pbe0-d3-tzvp"])
@pytest.mark.parametrize(("charge", "multiplicity"), [(0, 1), (1, 2)])
def test_a_gpu_gives_the_same_numbers(name, charge, multiplicity, monkeypatch):
    pytest.importorskip("gpu4pyscf")
    found = []
    for allowed in ("0", "1"):
        monkeypatch.setenv("CLUSTERFLOW_GPU", allowed)
        water = molecule("H2O")
        water.calc = make_calculator(name, charge, multiplicity)
        found.append((water.get_potential_energy(), water.get_forces()))
        assert water.calc.scf_report().on_gpu is (allowed == "1")
    assert found[1][0] == pytest.approx(found[0][0], abs=1e-4)
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-3)


def test_what_moves_the_energy_is_in_the_hash(library):
    spec = library.level("pbe-d3-svp-cp")
    changes = {
        "functional": "BLYP",
        "basis": "def2-TZVP",
        "ecp": None,
        "dispersion": "d4",
        "counterpoise": False,
        "density_fitting": None,
        "grid": 4,
    }
    assert changes.keys() == DftMethod.model_fields.keys()
    for name, value in changes.items():
        other = spec.dft.model_copy(update={name: value})
        assert spec.model_copy(update={"dft": other}).hash != spec.hash
