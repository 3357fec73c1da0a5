"""A person's own energies: kinds that agree, holes that stay holes, wrong units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import ValidationError

from clusterflow.errors import ConfigError
from clusterflow.library.energy_rows import OwnEnergyRow
from clusterflow.science.reactions.che import (
    Electrode,
    evaluate_network,
    free_energies_of,
)
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import build_network
from clusterflow.science.thermochemistry.own_species import add_implied_rows
from clusterflow.settings import ThermoSettings
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.own_thermo import (
    own_gases,
    own_level,
    own_surroundings,
    own_thermo,
)

ANCHORS = ("CO2", "H2", "H2O")
TOTAL = {
    # electronic energies of a PBE-like calculator, eV
    ("CO2", "gas"): -22.98,
    ("H2", "gas"): -6.77,
    ("H2O", "gas"): -14.22,
    ("CO", "gas"): -14.78,
    ("", "clean"): -80.0,
    ("COOH", "ads"): -105.9,
    ("CO", "ads"): -95.4,
}
# How each is made of the two sets of references, by counting atoms
FROM = {
    ("CO2", "H2", "H2O"): {
        "CO2": (1, 0, 0),
        "H2": (0, 1, 0),
        "H2O": (0, 0, 1),
        "CO": (1, 1, -1),
        "COOH": (1, 0.5, 0),
    },
    ("CO", "H2", "H2O"): {
        "CO2": (1, -1, 1),
        "H2": (0, 1, 0),
        "H2O": (0, 0, 1),
        "CO": (1, 0, 0),
        "COOH": (1, -0.5, 1),
    },
}
MODES = {
    ("CO2", "gas"): (667.0, 667.0, 1333.0, 2349.0),
    ("H2", "gas"): (4401.0,),
    ("H2O", "gas"): (1595.0, 3657.0, 3756.0),
    ("CO", "gas"): (2170.0,),
    ("COOH", "ads"): (120.0, 300.0, 650.0, 1300.0, 1700.0, 3500.0),
    ("CO", "ads"): (200.0, 350.0, 2000.0),
}


def rows(kind="total", drop=(), **changes):
    made = []
    for (name, state), total in TOTAL.items():
        if (name, state) in drop:
            continue
        energy = total
        if kind != "total":
            anchors = kind
            if state == "clean":
                continue
            parts = FROM[anchors][name]
            energy -= sum(
                n * TOTAL[(a, "gas")] for a, n in zip(anchors, parts, strict=True)
            )
            energy -= TOTAL[("", "clean")] if state == "ads" else 0.0
        row = {
            "species": name or "slab",
            "state": state,
            "surface": "" if state == "gas" else "Cu",
            "energy_ev": energy,
            "energy_kind": "total"
            if kind == "total"
            else f"formation from {', '.join(kind)}",
            "frequencies_cm1": MODES.get((name, state)),
        }
        made.append(OwnEnergyRow(**row | changes.get(f"{name}_{state}", {})))
    return made


@dataclass
class Reader:
    """Free energies by surface, as sums before their zero is taken off."""

    library: object
    temperature: float

    def surfaces(self, rows, anchors, *, correct_gas):
        settings = ThermoSettings(
            temperature_k=self.temperature,
            correct=["gas"] if correct_gas else [],
            anchors=anchors,
        )
        rows = add_implied_rows(rows)
        gases = own_gases(rows, settings, self.library)
        level = own_level(rows, {})
        found = {}
        for surface in dict.fromkeys(r.surface for r in rows if r.surface):
            own = [r for r in rows if r.surface in ("", surface)]
            record = own_thermo(surface, own, gases, level, self.library, Job("thermo"))
            found[surface] = record
        return {name: Sums(record, self.library) for name, record in found.items()}


@dataclass
class Sums:
    record: object
    library: object

    @property
    def values(self):
        return {
            s.name: s.gibbs_ev for s in self.record.species if s.gibbs_ev is not None
        }

    @property
    def reasons(self):
        return {s.name: s.reason for s in self.record.species if s.gibbs_ev is None}

    @property
    def pair_ev(self):
        """Half a molecule at 1 bar; the zero of hydrogen is put back."""
        around = own_surroundings(
            self.record.own,
            ThermoSettings(
                temperature_k=self.record.temperature_k,
                correct=self.record.provenance.settings["correct"],
            ),
            self.library,
        )
        return self.record.half_hydrogen_ev + around.anchor_energy_ev({"H": 2}) / 2

    @property
    def formation(self):
        return free_energies_of(self.record)


@pytest.fixture
def reader(library):
    return lambda temperature=298.15: Reader(library, temperature)


@pytest.fixture
def evaluate(reader, library):
    def run(made, *, correct_gas=False, temperature=298.15):
        surfaces = reader(temperature).surfaces(made, ANCHORS, correct_gas=correct_gas)
        network = build_network(library.reaction("CO2-to-CO"), composition_of(library))
        electrode = Electrode(temperature_k=temperature)
        (surface,) = surfaces
        result = evaluate_network(
            network, surfaces[surface].formation, electrode, surface=surface
        )
        return next(
            p for p in result.pathways if p.states == ("*", "*COOH", "*CO", "*")
        )

    return run


def test_total_and_formation_energies_give_the_same_steps(evaluate):
    total = [s.dg0_ev for s in evaluate(rows()).steps]
    assert None not in total
    for kind in FROM:
        formation = [s.dg0_ev for s in evaluate(rows(kind)).steps]
        # Only rounding of energies of 100 eV
        assert formation == pytest.approx(total, abs=1e-9)


def test_plain_formation_means_from_the_default_set(evaluate):
    named = evaluate(rows(ANCHORS))
    plain = [r.model_copy(update={"energy_kind": "formation"}) for r in rows(ANCHORS)]
    assert evaluate(plain).steps == named.steps
    slashes = [
        r.model_copy(update={"energy_kind": "formation from CO2/H2/H2O"})
        for r in rows(ANCHORS)
    ]
    assert evaluate(slashes).steps == named.steps


def test_steps_by_hand(evaluate, reader):
    values = reader().surfaces(rows(), ANCHORS, correct_gas=False)["Cu"]
    kt, quanta = 8.617333262e-5 * 298.15, np.array(MODES[("COOH", "ads")]) * 1.239842e-4
    vibrations = float((quanta / 2 + kt * np.log1p(-np.exp(-quanta / kt))).sum())
    assert values.values["*COOH"] == pytest.approx(-105.9 + vibrations, abs=1e-6)
    assert values.pair_ev == pytest.approx(values.values["H2(g)"] / 2, abs=1e-12)
    step = evaluate(rows()).steps[0]
    by_hand = values.values["*COOH"] + 80.0 - values.values["CO2(g)"] - values.pair_ev
    assert step.dg0_ev == pytest.approx(by_hand, abs=1e-9)


def test_water_is_liquid_at_its_vapour_pressure(reader):
    values = reader().surfaces(rows(), ANCHORS, correct_gas=False)["Cu"].values
    # kT ln(3169 Pa / 1 bar) = −0.0887 eV; tables differ by less than 1 meV
    assert values["H2O(l)"] - values["H2O(g)"] == pytest.approx(-0.0887, abs=0.001)


def test_liquid_water_does_not_feel_the_pressure_of_its_row(reader):
    wet = rows()
    dry = rows(H2O_gas={"pressure_pa": 3500.0})
    one = reader().surfaces(wet, ANCHORS, correct_gas=False)["Cu"].values
    two = reader().surfaces(dry, ANCHORS, correct_gas=False)["Cu"].values
    assert two["H2O(l)"] == pytest.approx(one["H2O(l)"], abs=1e-12)
    assert two["H2O(g)"] - one["H2O(g)"] == pytest.approx(
        8.617333262e-5 * 298.15 * np.log(0.035), abs=1e-9
    )


def test_the_pair_does_not_feel_the_pressure_of_hydrogen(reader):
    thin = rows(H2_gas={"pressure_pa": 100.0})
    one = reader().surfaces(rows(), ANCHORS, correct_gas=False)["Cu"]
    two = reader().surfaces(thin, ANCHORS, correct_gas=False)["Cu"]
    assert two.pair_ev == pytest.approx(one.pair_ev, abs=1e-12)


@pytest.mark.parametrize("key", ["COOH_ads", "CO_ads", "CO_gas", "CO2_gas"])
def test_missing_frequencies_are_a_hole_not_a_zero(evaluate, key):
    name, state = key.split("_")
    term = f"*{name}" if state == "ads" else f"{name}(g)"
    pathway = evaluate(rows(**{key: {"frequencies_cm1": None}}))
    assert not pathway.complete
    assert f"{term}: {name} has neither frequencies_cm1 nor gibbs_ev" in pathway.reason


def test_without_hydrogen_there_is_no_pair(evaluate):
    pathway = evaluate(rows(drop={("H2", "gas")}))
    assert (
        "H2 has no free energy, so neither has the proton-electron pair"
        in pathway.reason
    )
    assert all(s.dg0_ev is None for s in pathway.steps)


def test_a_wrong_number_of_frequencies_is_a_hole(evaluate):
    pathway = evaluate(rows(CO2_gas={"frequencies_cm1": (667.0, 1333.0, 2349.0)}))
    assert "gas CO2 has 3 frequencies, a molecule of its atoms has 4" in pathway.reason


def test_a_set_gas_without_a_row_is_a_hole(evaluate):
    pathway = evaluate(rows(ANCHORS, drop={("CO2", "gas")}))
    assert "CO2 needs a row with its frequencies_cm1" in pathway.reason


def test_free_energies_need_no_vibrations(evaluate):
    made = [
        OwnEnergyRow(
            species=name,
            state=state,
            surface="Cu" if state == "ads" else "",
            gibbs_ev=value,
            energy_kind="formation",
        )
        for name, state, value in [
            ("CO", "gas", 0.30),
            ("COOH", "ads", 0.62),
            ("CO", "ads", 0.05),
        ]
    ]
    # H2 has no row: in a table of free energies from a set with H2 it is zero.
    pathway = evaluate(made)
    # −0.0887 eV of condensation in the second step
    assert [s.dg0_ev for s in pathway.steps] == pytest.approx(
        [0.62, 0.05 - 0.0887 - 0.62, 0.25], abs=0.001
    )


def test_gas_corrections_close_on_experiment(evaluate):
    # CO2 + H2 -> CO + H2O(l): 0.208 eV from CODATA Key Values
    assert evaluate(rows(), correct_gas=True).levels_ev[-1] == pytest.approx(
        0.208, abs=0.001
    )
    assert abs(evaluate(rows()).levels_ev[-1] - 0.208) > 0.1


@pytest.mark.parametrize("temperature", [280.0, 350.0, 450.0])
def test_a_gas_correction_is_one_number_at_every_temperature(reader, temperature):
    thin = rows(CO_gas={"pressure_pa": 5562.0})
    known = reader().surfaces(rows(), ANCHORS, correct_gas=True)["Cu"].values
    raw = reader().surfaces(rows(), ANCHORS, correct_gas=False)["Cu"].values
    there = reader(temperature).surfaces(thin, ANCHORS, correct_gas=True)["Cu"].values
    plain = reader(temperature).surfaces(thin, ANCHORS, correct_gas=False)["Cu"].values
    for name in known:
        moved = there[name] - plain[name]
        assert moved == pytest.approx(known[name] - raw[name], abs=1e-9)
    assert abs(there["CO(g)"] - plain["CO(g)"]) > 0.1


def test_corrected_gases_stay_near_experiment_at_another_temperature(evaluate):
    # ΔH and ΔS of CO2 + H2 -> CO + H2O(l), CODATA, taken as constant; with the
    # measured wavenumbers of MODES only ΔCp and rounded modes are left, below 5 meV.
    enthalpy = -110.53 - 285.830 + 393.51
    entropy = 197.660 + 69.95 - 213.785 - 130.680
    expected = (enthalpy - 350 * entropy / 1000) / 96.48533
    found = evaluate(rows(), correct_gas=True, temperature=350.0).levels_ev[-1]
    assert found == pytest.approx(expected, abs=5e-3)


def test_a_free_energy_elsewhere_has_no_correction(reader):
    """What G is at 298.15 K cannot be known from a G at 350 K."""
    given = rows(CO_gas={"gibbs_ev": -15.0, "energy_ev": None})
    found = reader(350.0).surfaces(given, ANCHORS, correct_gas=True)["Cu"]
    assert "CO(g)" not in found.values and "*CO" not in found.values
    assert "a gibbs_ev holds at 350 K" in found.reasons["*CO"]
    # An anchor carries none, whatever is known of it; what needs it has none either.
    anchor = rows(H2_gas={"gibbs_ev": -6.9, "energy_ev": None})
    found = reader(350.0).surfaces(anchor, ANCHORS, correct_gas=True)["Cu"]
    assert found.values["H2(g)"] == -6.9 and found.pair_ev == -3.45
    assert "CO(g)" not in found.values
    assert "CO(g)" in reader().surfaces(anchor, ANCHORS, correct_gas=True)["Cu"].values


def test_corrections_keep_the_binding_of_co(evaluate):
    raw, corrected = (evaluate(rows(), correct_gas=c).steps[2] for c in (False, True))
    assert corrected.dg0_ev == pytest.approx(raw.dg0_ev, abs=1e-9)


def test_an_adsorbate_whose_gas_is_missing_is_a_hole_when_corrected(evaluate):
    made = rows(drop={("CO", "gas")})
    assert "*CO: its gas correction needs rows of CO" in (
        evaluate(made, correct_gas=True).reason
    )
    assert "*CO" not in evaluate(made).reason


def test_doubles_are_refused(reader):
    with pytest.raises(ConfigError, match=r"COOH \(ads\) on surface Cu stands there"):
        reader().surfaces([*rows(), rows()[-2]], ANCHORS, correct_gas=False)


def test_two_surfaces_share_the_gases(reader):
    other = [
        r.model_copy(update={"surface": "Ag", "energy_ev": r.energy_ev - 10})
        for r in rows()
        if r.state != "gas"
    ]
    found = reader().surfaces([*rows(), *other], ANCHORS, correct_gas=False)
    assert list(found) == ["Cu", "Ag"]
    assert found["Cu"].values["CO2(g)"] == found["Ag"].values["CO2(g)"]
    assert found["Ag"].values["*CO"] == pytest.approx(
        found["Cu"].values["*CO"] - 10, abs=1e-9
    )


def test_spin_and_symmetry_of_a_row_go_before_the_library(reader):
    kt = 8.617333262e-5 * 298.15
    plain = reader().surfaces(rows(), ANCHORS, correct_gas=False)["Cu"].values
    triplet = rows(CO_gas={"spin": 1.0, "symmetry_number": 2})
    changed = reader().surfaces(triplet, ANCHORS, correct_gas=False)["Cu"].values
    assert changed["CO(g)"] - plain["CO(g)"] == pytest.approx(
        -kt * np.log(3) + kt * np.log(2), abs=1e-9
    )


def test_a_gas_of_the_library_brings_its_states(reader):
    made = {"species": "NO", "state": "gas", "energy_ev": -12.0}
    made |= {"frequencies_cm1": (1876.0,)}
    states, spin_alone = (
        reader()
        .surfaces(
            [*rows(), OwnEnergyRow(**made, spin=spin)], ANCHORS, correct_gas=False
        )["Cu"]
        .values["NO(g)"]
        for spin in (None, 0.5)
    )
    # 2 + 2 exp(−121.1 hc/kT) states in the place of 2
    kt, height = 8.617333262e-5 * 298.15, 121.1 * 1.239842e-4
    expected = -kt * np.log1p(np.exp(-height / kt))
    assert states - spin_alone == pytest.approx(expected, abs=1e-9)


GOOD = {"species": "CO", "state": "ads", "surface": "Cu", "energy_ev": -1.0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"frequencies_cm1": "0.05; 0.25"}, "looks like another unit"),  # eV
        ({"frequencies_cm1": "0.25"}, "looks like another unit"),
        ({"frequencies_cm1": "6.0; 61.3"}, "looks like another unit"),  # THz
        ({"frequencies_cm1": "2000; -50"}, "-50 is no wavenumber"),
        ({"frequencies_cm1": "2000; 0"}, "0 is no wavenumber"),
        ({"frequencies_cm1": "9000"}, "9000 is no wavenumber"),
        ({"frequencies_cm1": "2000, 300"}, "could not convert"),
        ({"energy_ev": None}, "neither energy_ev nor gibbs_ev"),
        ({"surface": ""}, "needs a surface"),
        ({"state": "liquid"}, "'gas', 'ads' or 'clean'"),
        ({"energy_kind": "binding"}, "total, formation, or formation from"),
        ({"pressure_pa": 0}, "greater than 0"),
        ({"spin": -1}, "greater than or equal to 0"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_row_is_refused(change, says):
    with pytest.raises(ValidationError, match=says):
        OwnEnergyRow(**GOOD | change)


def test_frequencies_are_split():
    row = OwnEnergyRow(**GOOD | {"frequencies_cm1": " 2000; 350.5 ;200;"})
    assert row.frequencies_cm1 == (2000.0, 350.5, 200.0)
    assert OwnEnergyRow(**GOOD | {"frequencies_cm1": 2170}).frequencies_cm1 == (2170.0,)
