"""Band edges: against experiment, by another path, and what follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from ase.data.cccbdb_ip import IP

from clusterflow.engines.tblite import TbliteEngine
from clusterflow.errors import RecordError
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import EdgesRecord, Isomer, RelaxRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.structure import Structure
from clusterflow.science.reactions.che import Electrode, FreeEnergies, evaluate_network
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import build_network
from clusterflow.stages.edges import add_band_edges, band_edges, describe, edges
from clusterflow.stages.inputs import Inputs, Request, bare_structure
from clusterflow.stages.parts.job import Job
from clusterflow.units import BOHR_A, HARTREE_EV

# The offset of IPEA1-xTB as the xtb program has it, hartree.
OFFSET_HARTREE = 1.78069 * 0.1
SLOPE = 0.0591597  # kT ln10 at 298.15 K, V a pH unit
HER_STEP = "* + H+ + e- -> *H"


@pytest.fixture
def relaxed(library, provenance, structure):
    """A relax record with one geometry, and orbitals if they are given."""

    def make(subject, level="gfn1-xtb", orbitals=(None, None), **changes):
        if isinstance(subject, str):
            atoms = molecule(subject)
            subject = structure(atoms.get_chemical_symbols(), atoms.positions)
        isomer = Isomer(
            structure=subject.model_copy(update=changes),
            energy_ev=0.0,
            fmax_ev_per_a=0.0,
            n_gradients=1,
            homo_ev=orbitals[0],
            lumo_ev=orbitals[1],
        )
        return RelaxRecord(
            cluster="X",
            level=library.level(level),
            isomers=(isomer,),
            provenance=provenance,
        )

    return make


@pytest.fixture
def computed(library, relaxed):
    def compute(subject, method="ipea1-xtb", **given):
        level = library.level(method) if isinstance(method, str) else method
        return edges(relaxed(subject, **given), level, library.domain(), Job("edges"))

    return compute


@pytest.fixture
def record(library, provenance):
    """An edges record with IP 8.44 and EA 2.44 eV, or as given."""

    def make(**changes):
        values = {"ip_ev": 8.44, "ea_ev": 2.44, "provenance": provenance}
        values |= {"cluster": "X", "level": library.level("gfn1-xtb")}
        values["ip_ea_level"] = library.level("ipea1-xtb")
        return EdgesRecord(**(values | changes))

    return make


def view_of(record, library, results=(), ph=7.0, absolute_she_v=4.44, **changes):
    given = {"ph": ph, "temperature_k": 298.15, "absolute_she_v": absolute_she_v}
    return band_edges(record, library, results, **(given | changes))


@pytest.mark.xtb
@pytest.mark.parametrize("name", ["H2O", "NH3", "C6H6", "CH3OH", "C2H4"])
def test_ionisation_energies_are_near_experiment(computed, name):
    # Measured, by CCCBDB; vertical where it has one. Water's is its adiabatic one,
    # which is less than 0.1 eV away.
    adiabatic, vertical = IP[name]
    assert computed(name).ip_ev == pytest.approx(vertical or adiabatic, abs=1.3)


@pytest.mark.xtb
def test_ionisation_energy_of_water_at_this_method(computed):
    found = computed("H2O")
    assert found.ip_ev == pytest.approx(13.78, abs=0.05)
    raw = found.cation_energy_ev - found.energy_ev
    assert raw == pytest.approx(18.63, abs=0.05)


@pytest.mark.xtb
@pytest.mark.parametrize("name", ["H2O", "NH3", "CH3"])
def test_edges_are_differences_of_total_energies(computed, name):
    """Again from tblite's own interface, in hartree and bohr."""
    from tblite.interface import Calculator

    atoms = molecule(name)
    unpaired = int(atoms.numbers.sum()) % 2

    def energy(charge):
        calculator = Calculator(
            "IPEA1-xTB",
            atoms.numbers,
            atoms.positions / BOHR_A,
            charge=charge,
            uhf=(unpaired + charge) % 2,
        )
        calculator.set("verbosity", 0)
        return calculator.singlepoint().get("energy")

    found = computed(name, multiplicity=1 + unpaired)
    neutral = energy(0)
    by_hand = (
        energy(1) - neutral - OFFSET_HARTREE,
        neutral - energy(-1) - OFFSET_HARTREE,
    )
    assert (found.ip_ev, found.ea_ev) == pytest.approx(
        np.array(by_hand) * HARTREE_EV, abs=2e-4
    )
    assert found.fundamental_gap_ev == pytest.approx(found.ip_ev - found.ea_ev)
    assert found.status == "ok"
    assert {"gas-phase", "vertical", "no-solvent", "no-exciton"} <= set(found.flags)


@pytest.mark.xtb
def test_charge_of_the_cluster_is_counted(computed):
    """The electron that leaves a cation is the one its dication lacks."""
    second = computed("NH3", charge=1, multiplicity=2)
    first = computed("NH3")
    assert second.ea_ev == pytest.approx(first.ip_ev, abs=1e-4)
    assert second.energy_ev == pytest.approx(first.cation_energy_ev, abs=1e-4)


@pytest.mark.xtb
def test_orbitals_stay_beside_and_apart(computed):
    found = computed("H2O", orbitals=(-12.0, -4.5))
    assert found.orbital_gap_ev == pytest.approx(7.5)
    assert found.fundamental_gap_ev > 10
    without = computed("H2O", level="emt")
    assert without.homo_ev is None and without.orbital_gap_ev is None
    assert "engine emt" in without.reasons["homo_ev"]
    assert without.status == "ok" and without.ip_ev == found.ip_ev


@pytest.mark.xtb
def test_one_state_that_fails_leaves_the_other(computed, library, monkeypatch):
    # Without smearing the cation of Cd6Se6 converges only on higher rungs.
    monkeypatch.setattr(TbliteEngine, "rungs", TbliteEngine.rungs[:1])
    cold = library.level("ipea1-xtb").model_copy(
        update={"electronic_temperature_k": 1.0}
    )
    found = computed(bare_structure(Inputs.read("sites", ["Cd6Se6"])), cold)
    assert found.ip_ev is None and "charge +1" in found.reasons["ip_ev"]
    assert found.ea_ev is not None and "ea_ev" not in found.reasons
    assert found.fundamental_gap_ev is None
    assert found.status == "ok"
    view = view_of(found, library)
    assert view.valence_v_she is None and view.conduction_v_she is not None
    water = next(c for c in view.couples if c.edge == "valence")
    assert water.driven is None and "scf-failed" in water.reason


@pytest.mark.xtb
def test_a_converged_absurdity_is_a_hole(computed):
    # The SCF of H2O(3+) ends 300 eV below that of H2O(2+).
    found = computed("H2O", charge=2, multiplicity=1)
    assert found.status == "failed"
    assert found.ip_ev is None and found.ea_ev is None
    assert "lies below EA" in found.reason


@pytest.mark.parametrize("method", ["emt", "gfn1-xtb", "gfn2-xtb", "xtb-python-gfn1"])
def test_a_method_without_its_own_offset_is_a_hole(computed, method):
    found = computed("H2O", method)
    assert found.status == "failed"
    assert f"{method} has no ip_ea_offset_ev" in found.reason
    assert found.ip_ev is None and found.ea_ev is None and found.energy_ev is None
    assert found.provenance.n_gradients == 0


COPPER = Structure(
    name="main",
    symbols=("Cu", "Cu"),
    positions=((0, 0, 0), (0, 0, 2.22)),
    roles=("core", "core"),
    charge=0,
    multiplicity=1,
)


@pytest.mark.parametrize(
    ("changes", "subject", "given", "says"),
    [
        ({"method": "GFN2-xTB"}, COPPER, {}, "gfn2-transition-metal"),
        ({"engine": "emt"}, "PH3", {}, "no parameters for P"),
        ({"solvent": "water"}, "H2O", {}, "solvent"),
        ({}, "O2", {"multiplicity": 3}, "multiplicity 3"),
    ],
)
def test_a_level_outside_its_domain_is_a_hole(
    computed, library, changes, subject, given, says
):
    level = library.level("ipea1-xtb").model_copy(update=changes)
    found = computed(subject, level, **given)
    assert found.status == "failed" and says in found.reason


def test_a_cluster_that_did_not_relax_is_a_hole(library, provenance):
    none = RelaxRecord(
        cluster="X",
        level=None,
        isomers=(),
        status="failed",
        reason="scf",
        provenance=provenance,
    )
    found = edges(none, library.level("ipea1-xtb"), [], Job("edges"))
    assert found.status == "failed" and found.reason == "no relaxed isomer: scf"
    assert len(found.reasons) == 9
    view = view_of(found, library)
    assert all(couple.driven is None and couple.reason for couple in view.couples)


def test_edges_on_the_two_scales(record, library):
    view = view_of(record(), library)
    assert view.valence_v_she == pytest.approx(4.0)
    assert view.conduction_v_she == pytest.approx(-2.0)
    assert view.conduction_v_rhe == pytest.approx(-2.0 + 7 * SLOPE, abs=1e-5)
    lower = view_of(record(), library, absolute_she_v=4.28)
    assert lower.valence_v_she - view.valence_v_she == pytest.approx(0.16)


def test_the_ph_moves_couples_and_not_edges(record, library):
    acid, base = (view_of(record(), library, ph=ph) for ph in (0.0, 14.0))
    assert acid.conduction_v_she == base.conduction_v_she
    assert acid.valence_v_she == base.valence_v_she
    assert acid.conduction_v_rhe == acid.conduction_v_she
    shift = {
        c.couple: base_c.potential_v_she - c.potential_v_she
        for c in acid.couples
        for base_c in base.couples
        if base_c.couple == c.couple
    }
    # One proton an electron, but half of one to formate and none to the radical.
    assert shift["CO2-CO"] == shift["H2"] == pytest.approx(-14 * SLOPE, abs=1e-5)
    assert shift["CO2-HCOO"] == pytest.approx(-7 * SLOPE, abs=1e-5)
    assert shift["CO2-radical"] == 0


def test_what_edges_drive(record, library):
    # Edges at -0.5 and +0.9 V, between the couples at pH 7: HCOOH -0.585,
    # CO -0.518, HCOO- -0.432, H2 -0.414, O2/H2O +0.815 V.
    view = view_of(record(ea_ev=3.94, ip_ev=5.34), library)
    driven = {c.couple: c.driven for c in view.couples}
    assert driven["CO2-HCOO"] and driven["H2"] and driven["CO2-CH4"]
    assert not driven["CO2-HCOOH"] and not driven["CO2-CO"]
    assert not driven["CO2-radical"]
    margin = {c.couple: c.margin_v for c in view.couples}
    assert margin["H2"] == pytest.approx(-0.414 + 0.5, abs=1e-3)
    assert margin["CO2-HCOOH"] == pytest.approx(-0.585 + 0.5, abs=2e-3)
    assert margin["O2-H2O"] == pytest.approx(0.9 - 0.815, abs=2e-3)
    assert [c.couple for c in view.couples if c.edge == "valence"] == ["O2-H2O"]


def test_a_couple_without_a_potential_is_a_hole(record, library):
    # -1.90 V is quoted without an entropy.
    view = view_of(record(ea_ev=2.0), library, temperature_k=350.0)
    radical = next(c for c in view.couples if c.couple == "CO2-radical")
    assert (radical.potential_v_she, radical.driven, radical.margin_v) == (None,) * 3
    assert "no potential at 350 K" in radical.reason
    values = ("fundamental_gap_ev", "homo_ev", "lumo_ev", "orbital_gap_ev")
    text = describe(record(ea_ev=2.0, reasons=dict.fromkeys(values, "x")), view)
    assert "none    CO2-radical" in text
    # Without an edge that is the first reason.
    none = view_of(record(ea_ev=None, reasons={"ea_ev": "x"}), library)
    assert {c.reason for c in none.couples if c.edge == "conduction"} == {"x"}


@pytest.mark.parametrize("ea_ev", [4.1, 3.95, 3.4, 2.0])
@pytest.mark.parametrize("ph", [0.0, 7.0])
def test_steps_at_the_edge_are_those_of_the_network_there(record, library, ea_ev, ph):
    """The same pathway, evaluated anew with the electrode at the edge."""
    network = build_network(library.reaction("HER"), composition_of(library))
    energies = FreeEnergies(values={"*": 0.0, "*H": 0.45, "H2(g)": 0.0}, reasons={})

    def evaluate(electrode):
        return evaluate_network(network, energies, electrode, surface="X")

    result = evaluate(Electrode(ph=ph))
    (drive,) = view_of(record(ea_ev=ea_ev), library, [result], ph=ph).reactions
    there = evaluate(Electrode(potential_v=ea_ev - 4.44, scale="she", ph=ph))
    assert [s.dg_ev for s in drive.steps] == pytest.approx(
        [s.dg_ev for s in there.steps]
    )
    assert [s.dg0_ev for s in drive.steps] == [s.dg0_ev for s in result.steps]
    assert drive.highest_step == HER_STEP
    # 0.45 eV uphill at 0 V: driven below -0.45 V against RHE, and only there.
    assert drive.driven == (ea_ev - 4.44 + SLOPE * ph <= -0.45)
    assert drive.highest_step_ev == pytest.approx(
        0.45 + ea_ev - 4.44 + SLOPE * ph, abs=1e-4
    )


def test_a_hole_in_the_profile_or_the_edge_is_a_hole(record, library):
    network = build_network(library.reaction("HER"), composition_of(library))
    known = FreeEnergies(values={"*": 0.0, "*H": 0.4, "H2(g)": 0.0}, reasons={})
    holed = FreeEnergies(values={"*": 0.0, "H2(g)": 0.0}, reasons={"*H": "it fell off"})
    good, bad = (
        evaluate_network(network, e, Electrode(), surface="X") for e in (known, holed)
    )
    first, second = view_of(record(), library, [good, bad]).reactions
    assert first.driven and second.driven is None
    assert "it fell off" in second.reason and not second.steps
    flat = record(ea_ev=None, reasons={"ea_ev": "no anion"})
    (drive,) = view_of(flat, library, [good]).reactions
    assert drive.driven is None and drive.reason == "no anion"


def test_records_of_two_clusters_are_not_joined(record, library, provenance):
    che = CheRecord(
        cluster="Y", level=None, networks=(), results=(), provenance=provenance
    )
    with pytest.raises(RecordError, match="edges record of X beside the profiles of Y"):
        add_band_edges(
            che, record(), library, absolute_she_v=4.44, ph=7, temperature_k=298.15
        )


def test_a_person_reads_numbers_with_scale_and_reason(record, library):
    keys = ("fundamental_gap_ev", "homo_ev", "lumo_ev", "orbital_gap_ev", "ea_ev")
    shown = record(ea_ev=None, reasons=dict.fromkeys(keys, "it failed"))
    text = describe(shown, view_of(shown, library))
    assert "valence edge +4.000 V vs SHE, +4.414 V vs RHE" in text
    assert "EA          none: it failed" in text
    assert "gas-phase" in text and "no-exciton" in text


@pytest.mark.xtb
def test_the_geometry_of_a_file_is_taken_as_it_is(tmp_path):
    from ase.io import write

    stretched = molecule("H2O")
    stretched.positions[1:] *= 1.2
    write(tmp_path / "wide.xyz", stretched)
    file = str(tmp_path / "wide.xyz")
    inputs = Inputs.read("edges", [file], request=Request(as_given=True))
    found = inputs.one(RelaxRecord)
    (isomer,) = found.isomers
    assert to_atoms(isomer.structure).get_all_distances() == pytest.approx(
        stretched.get_all_distances(), abs=1e-6
    )
    assert isomer.fmax_ev_per_a > 0.5 and isomer.homo_ev < isomer.lumo_ev
