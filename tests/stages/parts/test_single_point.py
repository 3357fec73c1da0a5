"""Single points by DFT: against PySCF by hand, cut off, and failed."""

from __future__ import annotations

import pytest
from ase.calculators.calculator import CalculationFailed, Calculator

from clusterflow.library.levels import LevelSpec
from clusterflow.stages.parts import single_point
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.single_point import (
    compute_single_point,
    compute_states,
    relax_point,
)
from clusterflow.units import BOHR_A, HARTREE_EV

PAIR = [[0, 0, 0], [0, 0, 0.75], [0, 1.8, 0], [0, 1.8, 0.75]]


def level(**changes):
    method = {"functional": "PBE", "basis": "def2-SVP", "grid": 0} | changes
    return LevelSpec(
        name="small", source="unpublished: a test", engine="pyscf", dft=method
    )


@pytest.fixture
def complex_(structure):
    """Two molecules of hydrogen so near that their bases overlap; one is adsorbed."""
    pair = structure(["H"] * 4, PAIR)
    return pair.model_copy(update={"roles": (*["core"] * 2, *["adsorbate"] * 2)})


def compute_by_hand(atoms, ghosts=()):
    """Energy, eV, of PySCF itself."""
    dft = pytest.importorskip("pyscf.dft")
    from pyscf import gto

    mol = gto.M(
        atom=[
            ("ghost-H" if i in ghosts else "H", [x / BOHR_A for x in PAIR[i]])
            for i in atoms
        ],
        unit="Bohr",
        basis="def2-SVP",
        verbose=0,
    )
    field = dft.RKS(mol, xc="PBE")
    field.grids.level = 0
    return field.kernel() * HARTREE_EV


def test_parts_are_taken_in_the_basis_of_the_whole(complex_):
    plain = compute_single_point(complex_, level(), Job("refine"), host_charge=0)
    whole = compute_by_hand(range(4))
    assert plain.energy_ev == pytest.approx(whole, abs=1e-4)
    assert plain.counterpoise_ev is None

    asked = level(counterpoise=True)
    corrected = compute_single_point(complex_, asked, Job("refine"), host_charge=0)
    gained = (
        compute_by_hand([0, 1])
        + compute_by_hand([2, 3])
        - compute_by_hand(range(4), ghosts=(2, 3))
        - compute_by_hand(range(4), ghosts=(0, 1))
    )
    assert gained > 0.01
    assert corrected.counterpoise_ev == pytest.approx(gained, abs=1e-4)
    assert corrected.energy_ev == pytest.approx(whole + gained, abs=1e-4)
    # A bare cluster has no parts.
    bare = compute_single_point(complex_, asked, Job("refine_bare"))
    assert bare.energy_ev == plain.energy_ev and bare.counterpoise_ev is None


@pytest.mark.parametrize("claimed", [1, 3])
def test_the_ground_state_of_oxygen_is_the_triplet(structure, claimed):
    dft = pytest.importorskip("pyscf.dft")
    from pyscf import gto

    by_hand = {}
    for multiplicity, kind in ((1, dft.RKS), (3, dft.UKS)):
        mol = gto.M(
            atom="O 0 0 0; O 0 0 1.21",
            **{"basis": "def2-SVP", "spin": multiplicity - 1, "verbose": 0},
        )
        field = kind(mol, xc="PBE")
        field.grids.level = 2
        by_hand[multiplicity] = field.kernel() * HARTREE_EV
    oxygen = structure(["O"] * 2, [[0, 0, 0], [0, 0, 1.21]])
    oxygen = oxygen.model_copy(update={"multiplicity": claimed})
    job = Job("refine_bare")
    lowest, others = compute_states(oxygen, level(grid=2), job, others=True)
    assert lowest.structure.multiplicity == 3
    assert lowest.scf.s2 == pytest.approx(2, abs=0.02)
    assert lowest.energy_ev == pytest.approx(by_hand[3], abs=1e-3)
    assert [s.structure.multiplicity for s in others] == {1: [1], 3: [1, 5]}[claimed]
    # Of two degenerate orbitals one is filled; by hand the SCF may end higher.
    assert by_hand[3] + 1 < others[0].energy_ev < by_hand[1] + 1e-3
    alone, none = compute_states(oxygen, level(grid=2), job, others=False)
    assert alone.structure.multiplicity == claimed and none == ()


def test_a_job_that_was_cut_off_goes_on(complex_, tmp_path):
    pytest.importorskip("pyscf")
    first = Job("refine", scratch=tmp_path / "scratch")
    point = compute_single_point(complex_, level(), first)
    assert first.meter.n_gradients == 1 and point.scf.guess == "minao"
    # What is finished is not computed again.
    second = Job("refine", scratch=tmp_path / "scratch")
    assert compute_single_point(complex_, level(), second) == point
    assert second.meter.n_gradients == 0
    # Of what was under way there is the density.
    for kept in (tmp_path / "scratch").glob("*.json"):
        kept.unlink()
    again = compute_single_point(complex_, level(), second)
    assert again.scf.guess == "checkpoint" and again.scf.cycles < point.scf.cycles
    assert again.energy_ev == pytest.approx(point.energy_ev, abs=1e-5)


def test_another_job_takes_a_finished_point_from_the_folder_they_share(
    complex_, tmp_path
):
    pytest.importorskip("pyscf")
    first = Job("refine", scratch=tmp_path / "first", points=tmp_path / "points")
    point = compute_single_point(complex_, level(), first)
    second = Job("refine", scratch=tmp_path / "second", points=tmp_path / "points")
    assert compute_single_point(complex_, level(), second) == point
    assert second.meter.n_gradients == 0
    # At another level, or geometry, it is another point.
    compute_single_point(complex_, level(grid=1), second)
    assert second.meter.n_gradients == 1


def test_the_density_of_the_bare_cluster_is_the_first_guess(complex_, tmp_path):
    pytest.importorskip("pyscf")
    bare = complex_.model_copy(
        update={
            key: getattr(complex_, key)[:2] for key in ("symbols", "positions", "roles")
        }
    )
    kept = tmp_path / "bare.npz"
    compute_single_point(bare, level(), Job("refine_bare"), keep=kept)
    found = compute_single_point(complex_, level(), Job("refine"), neighbours=[kept])
    assert found.scf.guess == "neighbour"


def compute_parts(complex_, monkeypatch, job, **options):
    """A counterpoise correction, eV, and the reports of its four fields."""
    reports = []

    def compute(*args, **keywords):
        energy, report = compute_energy(*args, **keywords)
        reports.append(report)
        return energy, report

    compute_energy = single_point._compute_energy
    monkeypatch.setattr(single_point, "_compute_energy", compute)
    asked = level(counterpoise=True)
    point = compute_single_point(complex_, asked, job, host_charge=0, **options)
    monkeypatch.undo()
    return point.counterpoise_ev, reports[1:]


def test_parts_start_from_the_bare_cluster_and_from_themselves(
    complex_, tmp_path, monkeypatch
):
    pytest.importorskip("pyscf")
    bare = complex_.model_copy(
        update={
            key: getattr(complex_, key)[:2] for key in ("symbols", "positions", "roles")
        }
    )
    kept = tmp_path / "bare.npz"
    compute_single_point(bare, level(), Job("refine_bare"), keep=kept)
    # Without a scratch folder there are no densities.
    gained, cold = compute_parts(complex_, monkeypatch, Job("refine"))
    assert [one.guess for one in cold] == ["minao"] * 4
    job = Job("refine", scratch=tmp_path / "scratch")
    same, warm = compute_parts(complex_, monkeypatch, job, neighbours=[kept])
    guesses = [one.guess for one in warm]
    assert guesses == ["neighbour", "neighbour", "minao", "neighbour"]
    assert same == pytest.approx(gained, abs=1e-5)
    started = (0, 1, 3)
    assert sum(warm[i].cycles for i in started) < sum(cold[i].cycles for i in started)
    # A job cut off behind its last part has the densities of all.
    for piece in (tmp_path / "scratch").glob("*.json"):
        piece.unlink()
    again, resumed = compute_parts(complex_, monkeypatch, job, neighbours=[kept])
    assert [one.guess for one in resumed] == ["checkpoint"] * 4
    assert again == pytest.approx(gained, abs=1e-5)


def test_an_adsorbate_that_stands_first_has_the_same_correction(complex_, tmp_path):
    """Atoms of parts are sorted anew, whatever their order in the complex."""
    pytest.importorskip("pyscf")
    turned = complex_.model_copy(
        update={
            "positions": tuple(complex_.positions[i] for i in (2, 0, 3, 1)),
            "roles": tuple(complex_.roles[i] for i in (2, 0, 3, 1)),
        }
    )
    plain, other = (
        compute_single_point(
            one,
            level(counterpoise=True),
            Job("refine", scratch=tmp_path / name),
            host_charge=0,
        )
        for name, one in (("plain", complex_), ("turned", turned))
    )
    assert other.counterpoise_ev == pytest.approx(plain.counterpoise_ev, abs=1e-5)
    assert other.energy_ev == pytest.approx(plain.energy_ev, abs=1e-5)


def test_what_does_not_converge_is_a_hole_with_its_reason(complex_):
    broken = LevelSpec(
        name="broken",
        source="unpublished: a test",
        engine={"calculator": f"{__name__}:Failing"},
    )
    point = compute_single_point(complex_, broken, Job("refine"))
    assert point.energy_ev is None
    assert "broken: killed after 3 cycles" in point.reason


def test_a_relaxation_ends_at_the_bond_of_the_level_and_goes_on_when_cut_off(
    structure, tmp_path
):
    pytest.importorskip("pyscf")
    stretched = structure(["H", "H"], [[0, 0, 0], [0, 0, 0.90]])
    first = Job("refine_relax", scratch=tmp_path / "scratch")
    start = compute_single_point(stretched, level(grid=2), first)
    found = relax_point(start, level(grid=2), first)
    # Lowest along the bond, by parabola through three energies of PySCF.
    bonds = (0.73, 0.76, 0.79)
    totals = [
        compute_single_point(
            structure(["H", "H"], [[0, 0, 0], [0, 0, x]]), level(grid=2), Job("refine")
        ).energy_ev
        for x in bonds
    ]
    below, _, above = totals
    curved = below - 2 * totals[1] + above
    lowest = bonds[1] + 0.03 * (below - above) / (2 * curved)
    (_, _, a), (_, _, b) = found.structure.positions
    assert abs(b - a) == pytest.approx(lowest, abs=2e-3)
    assert found.energy_ev < min(start.energy_ev, *totals) + 1e-4
    # Gradients that are there are not computed again, also of a job that was killed
    # before the energy at the end.
    kept = {path.name for path in (tmp_path / "scratch").glob("*.json")}
    second = Job("refine_relax", scratch=tmp_path / "scratch")
    again = relax_point(start, level(grid=2), second)
    assert second.meter.n_gradients == 0 < first.meter.n_gradients
    assert again.energy_ev == found.energy_ev
    assert kept == {path.name for path in (tmp_path / "scratch").glob("*.json")}


def test_an_instability_at_the_end_of_a_relaxation_is_a_hole(structure, monkeypatch):
    pytest.importorskip("pyscf")
    radical = structure(["O", "H"], [[0, 0, 0], [0, 0, 1.0]], multiplicity=2)
    start = compute_single_point(radical, level(), Job("refine_relax"))
    assert start.scf.stable

    from clusterflow.engines.pyscf_calculator import PyscfCalculator

    looked_at = []

    def follow(self, field):
        looked_at.append(field.mol.atom_coords())
        return field, 0, len(looked_at) - 1

    monkeypatch.setattr(PyscfCalculator, "_follow_instabilities", follow)
    found = relax_point(start, level(), Job("refine_relax"))
    assert len(looked_at) == 2, "where it starts and where it ends"
    assert found.energy_ev is None
    assert "unstable where the relaxation ends" in found.reason


def test_what_has_no_energy_or_does_not_relax_is_a_hole(complex_):
    broken = LevelSpec(
        name="broken",
        source="unpublished: a test",
        engine={"calculator": f"{__name__}:Failing"},
    )
    start = compute_single_point(complex_, broken, Job("refine_relax"))
    assert relax_point(start, broken, Job("refine_relax")) == start
    known = start.model_copy(update={"energy_ev": -1.0, "reason": ""})
    hole = relax_point(known, broken, Job("refine_relax"))
    assert hole.energy_ev is None and "killed after 3 cycles" in hole.reason


class Failing(Calculator):
    """A calculator whose SCF is killed."""

    implemented_properties = ("energy", "forces")

    def calculate(self, *_):
        raise CalculationFailed("killed after 3 cycles")
