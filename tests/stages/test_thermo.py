"""Free energies of species: inheritance, closure, and what is refused or flagged."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.errors import RecordError
from clusterflow.records.adsorption import AdsorbRecord, Minimum
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.clusters import Isomer, RelaxRecord
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.science.adsorption.chosen_minimum import (
    choose_minimum,
    representative_minimum,
    why_no_minimum,
)
from clusterflow.science.thermochemistry.partition_functions import (
    Barriers,
    hindered_adsorbate,
    quasi_rrho_adsorbate,
)
from clusterflow.science.uncertainty.deviations import deviations_of
from clusterflow.settings import (
    THOROUGH_SEARCH,
    AdsorbSettings,
    CheSettings,
    ThermoSettings,
)
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.thermo import thermo

HOST_EV = -50.0
# Energies of no level in particular: only how they are combined is tested.
GAS_EV = {"CO2": -300.0, "H2": -30.0, "H2O": -140.0, "CO": -188.0, "HCOOH": -331.0}
WAVENUMBERS = {
    "CO2": (667.0, 667.0, 1333.0, 2349.0),
    "H2": (4401.0,),
    "H2O": (1595.0, 3657.0, 3756.0),
    "CO": (2170.0,),
    "HCOOH": (625.0, 642.0, 1033.0, 1105.0, 1229.0, 1387.0, 1770.0, 2943.0, 3570.0),
}
LINEAR = {"CO2", "H2", "CO"}
AD_EV = {"CO": -190.2, "COOH": -315.1, "H": -15.6, "OCHO": -315.5, "HCOOH": -331.8}
MODES = (150.0, 320.0, 480.0, 2050.0)
# ΔfG° in kJ/mol, CODATA Key Values (298.15 K, 1 bar)
FORMATION_KJ = {"CO2": -394.39, "CO": -137.16, "H2O(l)": -237.14, "H2O": -228.58}
KJ_PER_EV = 96.48533
K = 8.617333262e-5


class Study:
    """Records of one cluster, made by hand, and what becomes of them."""

    def __init__(self, library, provenance, structure) -> None:
        self.library, self.provenance, self.structure = library, provenance, structure
        self.level = library.level("gfn1-xtb")

    def gas(self, name, **changes):
        from ase import Atoms

        spec = self.library.gas(name)
        symbols = [line[0] for line in spec.atoms]
        positions = np.array([line[1:] for line in spec.atoms])
        atoms = Atoms(symbols, positions=positions)
        record = GasRecord(
            gas=name,
            level=self.level,
            structure=self.structure(
                symbols, positions, role="adsorbate", multiplicity=spec.multiplicity
            ),
            energy_ev=GAS_EV[name],
            symmetry_number=spec.symmetry_number,
            linear=name in LINEAR,
            mass_amu=float(atoms.get_masses().sum()),
            moments_amu_a2=tuple(sorted(np.abs(atoms.get_moments_of_inertia()))),
            frequencies_cm1=WAVENUMBERS[name],
            provenance=self.provenance,
        )
        return record.model_copy(update=changes)

    def relaxed(self, **changes):
        record = RelaxRecord(
            cluster="Cu2",
            level=self.level,
            isomers=(
                Isomer(
                    structure=self.structure(["Cu", "Cu"], [[0, 0, 0], [0, 0, 2.2]]),
                    energy_ev=HOST_EV,
                    fmax_ev_per_a=0.0,
                    n_gradients=1,
                ),
            ),
            provenance=self.provenance,
        )
        return record.model_copy(update=changes)

    def complex(self, name):
        """An adsorbate as it is drawn, 1.9 Å above copper, all electrons paired."""
        spec = self.library.adsorbate(name)
        copper = [[0, 0, 0], [0, 0, -2.2]][: 3 - spec.multiplicity]
        atoms = spec.forms[0].atoms
        whole = self.structure(
            [*["Cu"] * len(copper), *(line[0] for line in atoms)],
            [*copper, *([x, y, z + 1.9] for _, x, y, z in atoms)],
        )
        roles = (*["core"] * len(copper), *["adsorbate"] * len(atoms))
        return whole.model_copy(update={"roles": roles})

    def minimum(self, energy_ev, fate="intact", detail="", name=None):
        bare = self.structure(["Cu", "H"], [[0, 0, 0], [0, 0, 1.5]])
        return Minimum(
            structure=bare if name is None else self.complex(name),
            energy_ev=energy_ev,
            fmax_ev_per_a=0.0,
            n_gradients=1,
            n_starts=1,
            fate=fate,
            detail=detail,
            core_intact=fate != "reconstructed",
            isomer="main",
            form="x",
            site_kind="top",
            site_atoms=(0,),
        )

    def adsorbed(self, name, minima=None, **changes):
        if minima is None:
            minima = (self.minimum(HOST_EV + AD_EV[name], name=name),)
        record = AdsorbRecord(
            cluster="Cu2",
            adsorbate=name,
            level=self.level,
            minima=minima,
            n_starts=4,
            provenance=self.provenance,
        )
        return record.model_copy(update=changes)

    def vibrated(self, name, **changes):
        record = VibrateRecord(
            cluster="Cu2",
            adsorbate=name,
            level=self.level,
            minimum=0,
            energy_ev=HOST_EV + AD_EV[name],
            frequencies_cm1=MODES,
            provenance=self.provenance,
        )
        return record.model_copy(update=changes)

    def thermo(self, adsorbed=None, vibrated=None, gases=None, **settings):
        if adsorbed is None:
            adsorbed = [self.adsorbed(n) for n in AD_EV]
        if vibrated is None:
            vibrated = [self.vibrated(n) for n in AD_EV]
        records = ClusterRecords(
            relaxed=self.relaxed(),
            adsorptions=adsorbed,
            vibrations=vibrated,
            gases=[self.gas(n) for n in GAS_EV] if gases is None else gases,
        )
        # Without water, which has tests of its own: energies are told apart by bonds.
        chosen = ThermoSettings(**{"correct": ("gas",), **settings})
        return thermo(records, chosen, self.library, Job("thermo"))

    def species(self, **options):
        return {s.name: s for s in self.thermo(**options).species}


@pytest.fixture
def study(library, provenance, structure):
    return Study(library, provenance, structure)


def harmonic(modes, temperature=298.15):
    """Free energy of oscillators from their partition function, eV."""
    quanta = np.array(modes) * 1.239841984e-4
    kt = K * temperature
    return float((quanta / 2 + kt * np.log1p(-np.exp(-quanta / kt))).sum())


def test_the_clean_surface_is_zero(study):
    clean = study.species()["*"]
    assert (clean.formation_ev, clean.gibbs_ev) == (0.0, HOST_EV)


def test_an_adsorbate_without_corrections(study):
    found = study.species(correct=())
    gases = {name: found[f"{name}(g)"].gibbs_ev for name in GAS_EV}
    carboxyl = HOST_EV + AD_EV["COOH"] + harmonic(MODES)
    assert found["*COOH"].gibbs_ev == pytest.approx(carboxyl, abs=1e-8)
    # CHO2 = CO2 + ½ H2
    reference = HOST_EV + gases["CO2"] + gases["H2"] / 2
    assert found["*COOH"].formation_ev == pytest.approx(carboxyl - reference, abs=1e-8)
    electronic = AD_EV["COOH"] - GAS_EV["CO2"] - GAS_EV["H2"] / 2
    assert found["*COOH"].de_placed_ev == pytest.approx(electronic, abs=1e-9)
    assert all(s.layers.get("gas") is None for s in found.values())
    assert all(
        s.formation_ev == pytest.approx(s.formation_uncorrected_ev, abs=1e-12)
        for s in found.values()
    )


def test_the_anchors_are_zero_and_carry_no_correction(study):
    found = study.species()
    for name in ("CO2", "H2", "H2O"):
        assert found[f"{name}(g)"].formation_ev == pytest.approx(0.0, abs=1e-12)
        assert found[f"{name}(g)"].layers["gas"] == 0.0


def test_a_corrected_gas_forms_as_measured(study):
    found = study.species()["CO(g)"]
    f = FORMATION_KJ
    # CO2 + H2 -> CO + H2O(g)
    measured = (f["CO"] + f["H2O"] - f["CO2"]) / KJ_PER_EV
    assert found.formation_ev == pytest.approx(measured, abs=0.001)
    # Raw: −188 + 300 + 30 − 140 = +2 eV and what moves and vibrates.
    assert found.formation_uncorrected_ev > 1.5
    assert "large-gas-correction" in found.flags


def test_adsorbed_co_moves_with_gaseous_co_so_that_its_binding_stays(study):
    corrected, raw = study.species(), study.species(correct=())

    def binding(found):
        return found["*CO"].formation_ev - found["CO(g)"].formation_ev

    assert binding(corrected) == pytest.approx(binding(raw), abs=1e-12)
    moved = corrected["*CO"].formation_ev - raw["*CO"].formation_ev
    assert moved == pytest.approx(corrected["CO(g)"].layers["gas"], abs=1e-12)
    assert abs(moved) > 1.0


# Three modes for each of two atoms, cm⁻¹.
MODES_OF_CO = (*MODES, 500.0, 600.0)
# C≡O on a metal, and O=C=Se: Å.
ON_METAL, ON_SELENIUM = ("Cu", 1.85), ("Se", 1.69)


def bound_to(study, foot, length_a):
    """Records of *CO whose carbon is bonded to an atom of the cluster."""
    whole = study.structure(
        [foot, "Zn" if foot == "Se" else "Cu", "C", "O"],
        [[0, 0, 0], [0, 0, -2.3], [0, 0, length_a], [0, 0, length_a + 1.15]],
    )
    roles = ("core", "core", "adsorbate", "adsorbate")
    whole = whole.model_copy(update={"roles": roles})
    minimum = study.minimum(HOST_EV + AD_EV["CO"], detail="a detail", name="CO")
    minimum = minimum.model_copy(update={"structure": whole})
    vibrated = study.vibrated("CO", structure=whole, frequencies_cm1=MODES_OF_CO)
    return study.adsorbed("CO", (minimum,)), vibrated


def test_a_molecule_bonded_to_a_nonmetal_is_another(study):
    free = study.vibrated("CO", frequencies_cm1=MODES_OF_CO)
    plain = study.species(vibrated=[free])["*CO"]
    gas = study.species()["CO(g)"].layers["gas"]
    kept, lost, raw = (
        study.species(adsorbed=[a], vibrated=[v], **settings)["*CO"]
        for (a, v), settings in (
            (bound_to(study, *ON_METAL), {}),
            (bound_to(study, *ON_SELENIUM), {}),
            (bound_to(study, *ON_SELENIUM), {"correct": ()}),
        )
    )
    assert kept.formation_ev == pytest.approx(plain.formation_ev, abs=1e-12)
    assert (kept.flags, kept.inherits) == (plain.flags, {"CO": 1})
    assert kept.reason == "a detail"
    assert lost.formation_ev == pytest.approx(kept.formation_ev - gas, abs=1e-12)
    assert lost.inherits == raw.inherits == {}
    assert lost.groups == {"C-O-cumulated": 1}, "as in carbonyl selenide, O=C=Se"
    assert lost.reason == (
        "a detail; is not the CO it was drawn as: its bonds are 1 C-O-cumulated, "
        "to the cluster C-Se"
    )
    assert {"bonded-to-nonmetal", "other-molecule"} <= set(lost.flags)
    assert lost.flags == raw.flags and "large-gas-correction" not in lost.flags


def test_a_minimum_set_aside_flags_what_stands_in_its_place(study):
    first, second = (
        study.minimum(HOST_EV + AD_EV["CO"] + up, name="CO") for up in (0.0, 0.1)
    )
    vibrated = study.vibrated(
        "CO", minimum=1, not_minima=(0,), not_minima_reasons=("following 99i cm⁻¹",)
    )
    adsorbed = study.adsorbed("CO", (first, second))
    found = study.species(adsorbed=[adsorbed], vibrated=[vibrated])["*CO"]
    assert found.formation_ev is not None and "minimum-set-aside" in found.flags
    assert found.reason == "minimum 0 set aside: following 99i cm⁻¹"


def test_a_minimum_under_a_frozen_shell_is_flagged(study):
    frozen = study.minimum(HOST_EV + AD_EV["CO"], name="CO").model_copy(
        update={"frozen": (1,)}
    )
    held = study.species(adsorbed=[study.adsorbed("CO", (frozen,))])["*CO"]
    free = study.species()["*CO"]
    assert held.formation_ev == pytest.approx(free.formation_ev)
    assert set(held.flags) - set(free.flags) == {"frozen-shell"}


def test_a_hydride_has_no_bond_that_a_gas_could_tell_of(study):
    corrected, raw = study.species(), study.species(correct=())
    assert corrected["*H"].formation_ev == raw["*H"].formation_ev
    assert corrected["*H"].groups == {} and "group" not in corrected["*H"].deviations


def test_a_radical_carries_the_errors_of_its_bonds(study):
    record = study.thermo()
    found, errors = {s.name: s for s in record.species}, record.group_errors
    each = dict(zip(errors.groups, errors.correction_ev, strict=True))
    # Formic acid is the only gas here that has them: its error is theirs together.
    whole = found["HCOOH(g)"].layers["gas"]
    bonds = each["C-O-double"] + each["C-O"] + each["C-H"]
    assert bonds == pytest.approx(whole, rel=0.01)
    carboxyl = found["*COOH"]
    assert carboxyl.groups == pytest.approx({"C-O-double": 1, "C-O": 1})
    assert carboxyl.layers["gas"] == pytest.approx(each["C-O-double"] + each["C-O"])
    # What one of three bonds has is not known from their sum: 2/3 of the prior's 1 eV².
    assert carboxyl.deviations["group"] ** 2 == pytest.approx(2 / 3 + 0.01, rel=0.02)
    uncorrected = {s.name: s for s in study.thermo(correct=()).species}["*COOH"]
    assert uncorrected.deviations["group"] == pytest.approx(
        np.hypot(carboxyl.deviations["group"], carboxyl.layers["gas"])
    )


def test_samples_share_what_the_bonds_share(study):
    """The covariance of two radicals is n C n' of the fit; each has the scatter."""
    record = study.thermo()
    deviations, errors = deviations_of(record), record.group_errors
    found = {s.name: s for s in record.species}
    numbers = {
        name: np.array([found[name].groups.get(g, 0.0) for g in errors.groups])
        for name in ("*COOH", "*OCHO")
    }
    covariance = np.array(errors.covariance_ev2)
    loads = {name: deviations.group_loads[name] for name in numbers}
    for one, other in (("*COOH", "*OCHO"), ("*COOH", "*COOH")):
        shared = sum(x * loads[other].get(key, 0.0) for key, x in loads[one].items())
        wanted = numbers[one] @ covariance @ numbers[other]
        assert shared == pytest.approx(wanted, rel=1e-9)
    own = found["*COOH"].deviations["group"] ** 2 - shared
    assert own == pytest.approx(errors.scatter_ev**2, rel=1e-6)


def test_deviations_say_what_is_not_known(study):
    found = study.species()
    carboxyl = found["*COOH"]
    (bond,) = carboxyl.bonds
    error = study.library.level_errors_of(study.level, ["Cu"]).of_bond(bond)
    whole = np.hypot(error.deviation_ev, error.mean_ev)
    assert carboxyl.deviations["level"] == pytest.approx(whole)
    corrected = study.species(correct=("gas", "level"))["*COOH"]
    assert corrected.deviations["level"] == error.deviation_ev
    assert corrected.layers["level"] == -error.mean_ev
    # No mode lies below the cut-off of 50 cm⁻¹.
    assert carboxyl.deviations["cutoff"] == 0
    soft = one(study, frequencies_cm1=(20.0, *MODES)).deviations["cutoff"]
    # kT (ln 50/20), less what the oscillators are short of classical
    assert soft == pytest.approx(K * 298.15 * np.log(2.5), rel=0.02)
    assert "group" not in found["*CO"].deviations


def test_the_error_of_the_search_is_a_deviation_where_it_was_measured(study):
    def deviations(settings):
        searched = study.provenance.model_copy(update={"settings": settings})
        names = ("H", "COOH")
        found = study.species(
            adsorbed=[study.adsorbed(n, provenance=searched) for n in names],
            vibrated=[study.vibrated(n) for n in names],
        )
        return [found[f"*{name}"].deviations.get("site") for name in names]

    default, thorough = AdsorbSettings().model_dump(), THOROUGH_SEARCH.model_dump()
    atom, molecule = deviations(default)
    assert 0 < atom < molecule
    assert deviations({**default, "seed": 7, "kicks": 2}) == [atom, molecule]
    assert deviations(thorough) < [atom, molecule]
    assert deviations({**thorough, "halvings": 1}) == [atom, molecule]
    # Nobody knows how far shorter searches miss, or those of an older record.
    for shorter in ({**default, "max_screened": 2}, {}):
        assert deviations(shorter) == [None, None]
    assert "site" not in study.species()["*COOH"].deviations


def test_without_the_gas_layer_the_error_stays_shared(study):
    raw, corrected = study.species(correct=()), study.species()
    # CO(g) is off by the whole correction it did not get, and *CO by the same amount.
    gap = abs(corrected["CO(g)"].layers["gas"])
    assert raw["CO(g)"].deviations["gas"] == pytest.approx(gap, abs=1e-12)
    assert raw["*CO"].inherits == corrected["*CO"].inherits == {"CO": 1}


def test_an_adsorbate_whose_motif_failed_is_a_hole(study):
    gases = [study.gas(n) for n in GAS_EV if n != "CO"]
    gases.append(study.gas("CO", status="failed", reason="scf-failed", energy_ev=None))
    found = study.species(gases=gases)
    assert found["*CO"].formation_ev is None
    assert "gas correction of CO" in found["*CO"].reason
    assert found["CO(g)"].formation_ev is None
    assert found["CO(g)"].reason == "scf-failed"
    # Without corrections it needs none.
    assert study.species(gases=gases, correct=())["*CO"].formation_ev is not None


def test_an_anchor_that_failed_leaves_no_number(study):
    gases = [study.gas(n) for n in GAS_EV if n != "H2"]
    gases.append(study.gas("H2", status="failed", reason="lost", energy_ev=None))
    record = study.thermo(gases=gases)
    assert record.half_hydrogen_ev is None
    found = {s.name: s for s in record.species}
    assert found["*COOH"].formation_ev is None
    assert "H2" in found["*COOH"].reason
    assert found["*"].formation_ev == 0.0


def test_liquid_water_is_at_its_own_vapour_pressure(study):
    found = study.species(correct=())
    down = (FORMATION_KJ["H2O(l)"] - FORMATION_KJ["H2O"]) / KJ_PER_EV
    assert found["H2O(l)"].formation_ev == pytest.approx(down, abs=0.001)
    # Its own partial pressure moves the gas, never the liquid.
    dry = study.species(correct=(), pressure_pa={"H2O": 10.0})
    assert dry["H2O(l)"].formation_ev == found["H2O(l)"].formation_ev
    assert dry["H2O(g)"].formation_ev == pytest.approx(
        K * 298.15 * np.log(10.0 / 1e5), abs=1e-9
    )


def test_hydrogen_pressure_never_enters_the_pair(study):
    plain, thin = study.thermo(), study.thermo(pressure_pa={"H2": 100.0})
    assert plain.half_hydrogen_ev == thin.half_hydrogen_ev == 0.0
    species = {s.name: s.formation_ev for s in thin.species}
    assert species["H2(g)"] == pytest.approx(K * 298.15 * np.log(1e-3), abs=1e-9)
    assert species["*H"] == {s.name: s.formation_ev for s in plain.species}["*H"]


def test_other_anchors_move_the_scale_not_the_steps(study, library):
    def steps(**settings):
        record = study.thermo(correct=(), **settings)
        answer = che(
            record,
            [library.reaction("CO2-to-CO")],
            CheSettings(),
            library,
            Job("che"),
        )
        return {s.name: s.dg0_ev for p in answer.results[0].pathways for s in p.steps}

    default, carbon_monoxide = steps(), steps(anchors=("CO", "H2", "H2O"))
    name = "* + CO2(g) + H+ + e- -> *COOH"
    assert carbon_monoxide[name] == pytest.approx(default[name], abs=1e-9)
    assert steps(anchors=("CO2", "CO", "H2"))[name] == pytest.approx(
        default[name], abs=1e-9
    )


@pytest.mark.parametrize(
    ("reaction", "measured_ev"),
    [
        # CO2 + H2 -> CO + H2O(l)
        ("CO2-to-CO", (-137.16 - 237.14 + 394.39) / KJ_PER_EV),
        # CO2 + H2 -> HCOOH(g), the measured formation from the anchors
        ("CO2-to-HCOOH", 0.449),
    ],
)
def test_steps_close_on_experiment(study, library, reaction, measured_ev):
    record = study.thermo()
    answer = che(
        record, [library.reaction(reaction)], CheSettings(), library, Job("che")
    )
    complete = [p for p in answer.results[0].pathways if p.complete]
    assert complete
    for pathway in complete:
        # Tables are rounded to 0.1 kJ/mol, 1 meV.
        assert pathway.levels_ev[-1] == pytest.approx(measured_ev, abs=0.001)
    equilibrium = answer.results[0].equilibrium_potential_v_rhe
    assert pathway.levels_ev[-1] == pytest.approx(-2 * equilibrium, abs=1e-6)


@pytest.mark.parametrize(
    ("reaction", "pressure_pa", "equilibrium"),
    [
        # −(0.208 + kT ln 100)/2
        ("CO2-to-CO", {"CO2": 1000.0}, -0.163),
        ("CO2-to-CO", {"CO2": 1000.0, "CO": 5562.0, "H2O": 3534.0}, -0.126),
        # The hydrogen of H⁺ + e⁻ stays at 1 bar.
        ("CO2-to-HCOOH", {"HCOOH": 2.0, "H2": 10.0}, -0.086),
        ("HER", {"H2": 1e3}, 0.059),
    ],
)
def test_the_equilibrium_potential_follows_the_pressures(
    study, library, reaction, pressure_pa, equilibrium
):
    """Pathways made of these free energies end where it says, whatever the level."""
    answer = che(
        study.thermo(pressure_pa=pressure_pa),
        [library.reaction(reaction)],
        CheSettings(),
        library,
        Job("che"),
    )
    (result,) = answer.results
    found = result.equilibrium_potential_v_rhe
    assert found == pytest.approx(equilibrium, abs=1e-3)
    assert result.pathways[0].levels_ev[-1] == pytest.approx(-2 * found, abs=1e-6)
    assert result.overpotential_v == found - result.limiting_potential_v_rhe


def test_raw_xtb_does_not_close(study, library):
    record = study.thermo(correct=())
    answer = che(
        record, [library.reaction("CO2-to-CO")], CheSettings(), library, Job("che")
    )
    assert abs(answer.results[0].pathways[0].levels_ev[-1] - 0.208) > 1.0


def test_large_corrections_are_flagged_on_the_pathway(study, library):
    answer = che(
        study.thermo(),
        [library.reaction("CO2-to-CO")],
        CheSettings(),
        library,
        Job("che"),
    )
    assert set(answer.results[0].flags) == {
        "*CO: large-gas-correction",
        "*COOH: large-gas-correction",
        "CO(g): large-gas-correction",
    }


def with_spin(adsorbed, multiplicity):
    (minimum,) = adsorbed.minima
    # One electron more for the other spin.
    symbols = ("Cu", "H" if multiplicity % 2 else "He")
    structure = minimum.structure.model_copy(
        update={"multiplicity": multiplicity, "symbols": symbols}
    )
    return adsorbed.model_copy(
        update={"minima": (minimum.model_copy(update={"structure": structure}),)}
    )


def test_limits_of_the_level_ride_with_the_numbers(study, library):
    radical = (study.minimum(HOST_EV + AD_EV["COOH"]),)
    adsorbed = [with_spin(study.adsorbed("COOH", radical), 2), study.adsorbed("CO")]
    vibrated = [study.vibrated(n) for n in ("COOH", "CO", "H")]
    plain = study.thermo(adsorbed=adsorbed, vibrated=vibrated)
    raw = study.thermo(adsorbed=adsorbed, vibrated=vibrated, correct=())
    found = {s.name: s.flags for s in raw.species}
    assert found["*COOH"] == ("bond-not-measured", "spin-unpolarised")
    assert found["CO(g)"] == ("raw-co",)
    assert {name for name, flags in found.items() if flags} == {"*COOH", "CO(g)"}
    assert "raw-co" not in {f for s in plain.species for f in s.flags}
    reaction = library.reaction("CO2-to-CO")
    (result,) = che(raw, [reaction], CheSettings(), library, Job("che")).results
    marks = {step.name: step.flags for step in result.pathways[0].steps}
    radical = ("*COOH: bond-not-measured", "*COOH: spin-unpolarised")
    gas = "CO(g): raw-co"
    assert marks == {
        "* + CO2(g) + H+ + e- -> *COOH": radical,
        "*COOH + H+ + e- -> *CO + H2O(l)": radical,
        "*CO -> * + CO(g)": (gas,),
    }
    assert set(result.flags) == {*radical, gas}
    # A hole has no number, so nothing to be careful about.
    failed = study.thermo(adsorbed=adsorbed, vibrated=vibrated[1:])
    holes = [s for s in failed.species if s.formation_ev is None]
    assert [s.flags for s in holes if s.name == "*COOH"] == [()]


def test_flags_change_no_number(study, library):
    """The same numbers where the level is spin-polarised, so that no flag is due."""
    first = study.species(adsorbed=[with_spin(study.adsorbed("H"), 2)])["*H"]
    study.level = study.level.model_copy(update={"spin_polarization": 1.0})
    second = study.species(adsorbed=[with_spin(study.adsorbed("H"), 2)])["*H"]
    assert first.flags != second.flags
    # Errors of the level were measured without polarisation alone.
    same = {"flags": first.flags, "deviations": first.deviations}
    assert first == second.model_copy(update=same)


@pytest.mark.parametrize("temperature", [298.15, 350.0])
@pytest.mark.parametrize(
    ("bare", "complex_", "factor"), [(1, 2, 2), (2, 1, 1 / 2), (2, 2, 1), (3, 2, 2 / 3)]
)
def test_unpaired_electrons_move_a_step(
    study, library, temperature, bare, complex_, factor
):
    """ΔG changes by −kT ln of the ratio of spin states: 18 meV for a doublet."""

    def step(host, covered):
        relaxed = study.relaxed()
        isomer = relaxed.isomers[0]
        # One electron more for the other spin.
        symbols = ("Cu", "Cu" if host % 2 else "Zn")
        cluster = isomer.structure.model_copy(
            update={"multiplicity": host, "symbols": symbols}
        )
        isomer = isomer.model_copy(update={"structure": cluster})
        records = ClusterRecords(
            relaxed=relaxed.model_copy(update={"isomers": (isomer,)}),
            adsorptions=[with_spin(study.adsorbed("H"), covered)],
            vibrations=[study.vibrated("H")],
            gases=[study.gas(name) for name in GAS_EV],
        )
        settings = ThermoSettings(temperature_k=temperature, correct=("gas",))
        record = thermo(records, settings, library, Job("thermo"))
        (result,) = che(
            record, [library.reaction("HER")], CheSettings(), library, Job("che")
        ).results
        species = {s.name: s for s in record.species}
        gap = species["*H"].gibbs_ev - species["*"].gibbs_ev
        return result.steps[0].dg0_ev, gap, species["*H"]

    (plain, plain_gap, first), (open_, gap, second) = step(1, 1), step(bare, complex_)
    expected = -K * temperature * np.log(factor)
    assert open_ - plain == pytest.approx(expected, abs=1e-9)
    assert gap - plain_gap == pytest.approx(expected, abs=1e-9)
    # Energies against bare clusters and the error of the cut-off are none of it.
    assert second.de_placed_ev == first.de_placed_ev
    assert second.deviations["cutoff"] == pytest.approx(first.deviations["cutoff"])


@pytest.mark.parametrize("where", ["adsorbed", "vibrated"])
def test_records_of_two_levels_are_refused(study, library, where):
    other = library.level("gfn2-xtb")
    records = {
        "adsorbed": [study.adsorbed("CO")],
        "vibrated": [study.vibrated("CO")],
    }
    records[where] = [records[where][0].model_copy(update={"level": other})]
    with pytest.raises(RecordError, match=r"CO is at level 'gfn2-xtb'.*'gfn1-xtb'"):
        study.thermo(**records)


def test_a_renamed_level_is_the_same_level(study):
    renamed = study.level.model_copy(update={"name": "mine"})
    found = study.species(adsorbed=[study.adsorbed("CO", level=renamed)])
    assert found["*CO"].formation_ev is not None


def test_gases_of_another_level_are_left_out(study, library):
    other = library.level("gfn2-xtb")
    gases = [study.gas(n) for n in GAS_EV]
    gases += [study.gas("CO", level=other, energy_ev=-1.0)]
    assert (
        study.species(gases=gases)["CO(g)"].gibbs_ev
        == study.species()["CO(g)"].gibbs_ev
    )


def test_gases_are_without_the_solvent_of_the_cluster(study):
    wet = study.level.model_copy(update={"solvent": "water"})
    records = ClusterRecords(
        relaxed=study.relaxed(level=wet),
        adsorptions=[study.adsorbed("H", level=wet)],
        vibrations=[study.vibrated("H", level=wet)],
        gases=[study.gas(n) for n in GAS_EV],
    )
    record = thermo(records, ThermoSettings(), study.library, Job("thermo"))
    assert {s.name: s for s in record.species}["*H"].formation_ev is not None


def test_no_level_means_holes(study):
    failed = {"status": "failed", "reason": "no level"}
    records = ClusterRecords(
        relaxed=study.relaxed(level=None, isomers=(), **failed),
        adsorptions=[study.adsorbed("CO", minima=(), **failed)],
    )
    record = thermo(records, ThermoSettings(), study.library, Job("thermo"))
    assert record.status == "failed"
    assert {s.name for s in record.species} == {"*", "*CO"}
    assert all(s.formation_ev is None for s in record.species)
    assert all(s.reason == "no level" for s in record.species)


def one(study, name="H", adsorbed=None, **vibrations):
    found = study.species(
        adsorbed=[adsorbed or study.adsorbed(name)],
        vibrated=[study.vibrated(name, **vibrations)],
    )
    return found[f"*{name}"]


def test_a_soft_imaginary_mode_counts_as_the_cut_off_and_is_flagged(study):
    soft = one(study, imaginary_cm1=(30.0,))
    assert soft.flags == ("soft-imaginary-mode",)
    assert soft.gibbs_ev == pytest.approx(
        one(study, frequencies_cm1=(50.0, *MODES)).gibbs_ev, abs=1e-12
    )
    assert one(study).flags == ()


def test_a_hard_imaginary_mode_is_no_minimum(study):
    hard = one(study, imaginary_cm1=(30.0, 250.0))
    assert hard.status == "imaginary"
    assert hard.formation_ev is None
    assert hard.reason == "not a minimum: 250i cm⁻¹ (saddle)"


def test_noise_of_the_differences_is_called_so(study):
    noise = one(study, imaginary_cm1=(3.6,))
    assert noise.flags == ("noise-imaginary-mode",)
    assert noise.gibbs_ev == one(study, imaginary_cm1=(30.0,)).gibbs_ev


@pytest.mark.parametrize("cutoff", [100.0, 500.0])
def test_a_saddle_stays_one_at_a_high_cut_off(study, cutoff):
    found = study.species(
        adsorbed=[study.adsorbed("H")],
        vibrated=[study.vibrated("H", imaginary_cm1=(70.0,))],
        low_mode_cutoff_cm1=cutoff,
    )["*H"]
    assert (found.status, found.formation_ev) == ("imaginary", None)


def test_without_a_cut_off_no_imaginary_mode_can_count(study):
    found = study.species(
        adsorbed=[study.adsorbed("H")],
        vibrated=[study.vibrated("H", imaginary_cm1=(3.6,))],
        low_mode_cutoff_cm1=0.0,
    )["*H"]
    assert (found.status, found.reason) == (
        "imaginary",
        "not a minimum: 4i cm⁻¹ (noise)",
    )


BARRIERS = {
    "translation_barrier_ev": 0.1,
    "rotation_barrier_ev": 0.05,
    "site_density_per_cm2": 1.5e15,
    "rotational_minima": 6,
    "symmetry_number": 1,
}
# Above an atom of copper: upright, bent, and alone.
ON_COPPER = {
    "CO": (["C", "O"], [[0, 0, 1.85], [0, 0, 3.0]]),
    "COOH": (
        ["C", "O", "O", "H"],
        [[0, 0, 1.9], [1.1, 0, 2.7], [-1.1, 0, 2.9], [-1.8, 0, 2.6]],
    ),
    "H": (["H"], [[0, 0, 1.5]]),
}


def with_model(study, name, model, **changes):
    """An adsorbate by a model; barriers are those of *COOH and *CO alone."""
    symbols, positions = ON_COPPER[name]
    structure = study.structure(
        ["Cu", "Cu", *symbols],
        [[0, 0, -2.3], [0, 0, 0], *positions],
        multiplicity=1 if name == "CO" else 2,
    )
    roles = ("core", "core", *["adsorbate"] * len(symbols))
    own = tuple(range(2, 2 + len(symbols)))
    modes = (20.0, 30.0, *np.linspace(60.0, 3000.0, 3 * len(own) - 2).tolist())
    record = study.vibrated(
        name,
        structure=structure.model_copy(update={"roles": roles}),
        moving=own,
        frequencies_cm1=modes,
    ).model_copy(update=changes)
    given = {"COOH": BARRIERS, "CO": BARRIERS} if model == "hindered" else {}
    return study.species(
        adsorbed=[study.adsorbed(name)],
        vibrated=[record],
        adsorbate_model=model,
        hindered=given,
    )[f"*{name}"]


def test_quasi_rrho_takes_the_moment_of_what_moves(study):
    from ase import Atoms

    found = with_model(study, "COOH", "quasi-rrho").terms
    assert (found.model, found.fallback_reason) == ("quasi-rrho", "")
    symbols, positions = ON_COPPER["COOH"]
    moments = Atoms(symbols, positions=positions).get_moments_of_inertia()
    expected = quasi_rrho_adsorbate(
        energy_ev=0.0,
        frequencies_cm1=(20.0, 30.0, *np.linspace(60.0, 3000.0, 10)),
        mean_moment_amu_a2=float(moments.mean()),
        temperature_k=298.15,
        low_mode_cutoff_cm1=50.0,
    )
    assert found.minus_ts_ev == pytest.approx(expected.minus_ts_ev, abs=1e-9)


def test_an_atom_has_no_moment_and_stays_harmonic(study):
    found = with_model(study, "H", "quasi-rrho").terms
    assert found.model == "harmonic"
    assert found.fallback_reason == "a single atom has no moment of inertia"
    plain = with_model(study, "H", "harmonic").terms
    assert (plain.gibbs_ev, plain.fallback_reason) == (found.gibbs_ev, "")


def test_hindered_where_barriers_are_given_and_said_where_not(study):
    found = with_model(study, "COOH", "hindered").terms
    assert found.model == "hindered"
    # About the line from copper to carbon only what is off it in x turns.
    moment = 15.999 * 2 * 1.1**2 + 1.008 * 1.8**2
    expected = hindered_adsorbate(
        energy_ev=HOST_EV + AD_EV["COOH"],
        frequencies_cm1=(20.0, 30.0, *np.linspace(60.0, 3000.0, 10)),
        mass_amu=12.011 + 2 * 15.999 + 1.008,
        moment_amu_a2=moment,
        barriers=Barriers(**BARRIERS),
        temperature_k=298.15,
        low_mode_cutoff_cm1=50.0,
    )
    assert found.gibbs_ev == pytest.approx(expected.gibbs_ev, abs=1e-9)
    other = with_model(study, "H", "hindered").terms
    assert other.model == "harmonic"
    assert other.fallback_reason == "no barriers are given in thermo.hindered"


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        # Barriers were given, so another model in their place would be a surprise.
        ("CO", {}, "upright, with 0.00 amu Å² about its axis"),
        ("COOH", {"moving": (1, 2, 3, 4, 5)}, "without its binding atoms"),
        ("COOH", {"moving": ()}, "run vibrate again"),
    ],
)
def test_where_the_hindered_model_cannot_be_it_is_a_hole(study, name, changes, says):
    found = with_model(study, name, "hindered", **changes)
    assert (found.status, found.formation_ev) == ("failed", None)
    assert says in found.reason


def test_the_default_model_is_harmonic(study):
    found = study.species()
    models = {s.terms.model for s in found.values() if s.name.startswith("*")}
    assert models == {"electronic", "harmonic"}
    assert found["CO(g)"].terms.model == "ideal-gas"


def test_no_vibrations_is_a_hole(study):
    for record in (
        study.species(adsorbed=[study.adsorbed("H")], vibrated=[])["*H"],
        one(study, status="failed", reason="scf-failed"),
    ):
        assert (record.formation_ev, record.status) == (None, "failed")
        assert record.reason


def test_a_reconstructed_cluster_is_used_and_flagged(study):
    minima = (
        study.minimum(-70.0, "dissociated", "C + O"),
        study.minimum(HOST_EV + AD_EV["H"], "reconstructed", "torn"),
    )
    found = one(study, adsorbed=study.adsorbed("H", minima=minima), minimum=1)
    assert found.status == "reconstructed"
    assert "reconstructed" in found.flags
    assert found.formation_ev is not None


@pytest.mark.parametrize(
    ("fates", "index"),
    [
        (("intact",), 0),
        (("dissociated", "intact", "intact"), 1),
        (("reconstructed", "intact"), 1),
        (("desorbed", "reconstructed", "reconstructed"), 1),
        (("desorbed", "became", "dissociated"), None),
        ((), None),
    ],
)
def test_which_minimum_stands_for_an_adsorbate(study, fates, index):
    minima = tuple(study.minimum(-60.0 + i, fate) for i, fate in enumerate(fates))
    record = study.adsorbed("CO", minima=minima)
    assert choose_minimum(record) == index
    if index is None and fates:
        assert why_no_minimum(record) == f"no bound minimum of CO: {', '.join(fates)}"


@pytest.mark.parametrize(
    ("vibrated", "index"),
    [({"minimum": 2}, 2), ({"minimum": None}, 1), ({"adsorbate": "H"}, 1)],
)
def test_an_adsorbate_is_shown_as_the_minimum_of_its_numbers(study, vibrated, index):
    fates = ("desorbed", "intact", "intact")
    minima = tuple(study.minimum(-60.0 + i, fate) for i, fate in enumerate(fates))
    record = study.adsorbed("CO", minima=minima)
    vibrations = [study.vibrated("CO", **vibrated)]
    assert representative_minimum(record, vibrations) is minima[index]
    assert representative_minimum(study.adsorbed("CO", minima=()), vibrations) is None


def test_an_adsorbate_without_a_minimum_is_a_hole_with_its_fate(study):
    minima = (study.minimum(-70.0, "dissociated", "C + O"),)
    found = study.species(adsorbed=[study.adsorbed("CO", minima=minima)], vibrated=[])[
        "*CO"
    ]
    assert (found.status, found.formation_ev) == ("dissociated", None)
    assert found.reason == "no bound minimum of CO: dissociated (C + O)"


def test_water_stabilises_by_what_the_adsorbates_files_say(study):
    found = study.species(correct=("solvation",))
    raw = study.species(correct=())
    before = {n: s.formation_ev for n, s in raw.items()}
    moved = {n: s.formation_ev - before[n] for n, s in found.items()}
    # Peterson et al. 2010: a floppy hydroxyl, a carbonyl bound by carbon, neither.
    assert moved["*COOH"] == pytest.approx(-0.25, abs=1e-9)
    assert moved["*CO"] == pytest.approx(-0.10, abs=1e-9)
    assert moved["*H"] == moved["*OCHO"] == moved["CO(g)"] == 0.0
    assert found["*COOH"].layers == {"solvation": -0.25}
    assert found["*H"].layers == {"solvation": 0.0}
    expected = {**raw["*COOH"].deviations, "solvation": 0.1}
    assert found["*COOH"].deviations == expected


def test_water_is_there_unless_it_is_switched_off():
    assert "solvation" in ThermoSettings().correct


def test_an_unknown_shift_by_water_is_neither_zero_nor_silent(study, monkeypatch):
    known = study.library.adsorbate("COOH")
    dry = known.model_copy(update={"solvation_ev": None})
    library = study.library
    of_files = library.adsorbate

    def read(_, name):
        return dry if name == "COOH" else of_files(name)

    monkeypatch.setattr(type(library), "adsorbate", read)
    only = {"adsorbed": [study.adsorbed("COOH")], "vibrated": [study.vibrated("COOH")]}
    found = study.species(correct=("solvation",), **only)["*COOH"]
    without = study.species(correct=(), **only)["*COOH"]
    assert found.layers == {}
    assert found.formation_ev == without.formation_ev
    assert found.flags == (*without.flags, "no-solvation-value")
    # Wider than any known one: what water does is somewhere in 0 to -0.5 eV.
    assert found.deviations == {**without.deviations, "solvation": 0.25}


def test_layers_add_up_and_each_keeps_its_own_number(study, tmp_path):
    for name, shift in (("dft", 0.4), ("user", -0.07)):
        (tmp_path / f"{name}.csv").write_text(
            "cluster,species,shift_ev,source\n"
            f"Cu2,*CO,{shift},10.1000/x\nCu4,CO,9e-1,10.1000/x\n"
        )
    settings = {
        "correct": ("gas", "solvation", "dft", "user"),
        "dft": str(tmp_path / "dft.csv"),
        "user": str(tmp_path / "user.csv"),
    }
    record = study.thermo(**settings)
    found = {s.name: s for s in record.species}
    gas = study.species()["*CO"].layers["gas"]
    assert found["*CO"].layers == {
        **{"gas": gas, "solvation": -0.1, "dft": 0.4, "user": -0.07}
    }
    shift = found["*CO"].formation_ev - found["*CO"].formation_uncorrected_ev
    assert shift == pytest.approx(gas - 0.1 + 0.4 - 0.07, abs=1e-9)
    # Not in the table: no method but the level's, and no wish of the person's.
    assert found["*COOH"].flags == ("large-gas-correction", "no-dft-value")
    dry = study.species()["*COOH"].deviations
    assert found["*COOH"].deviations == {**dry, "solvation": 0.1}
    assert set(record.provenance.inputs) == {settings["dft"], settings["user"]}


def test_water_does_not_count_twice(study):
    wet = study.level.model_copy(update={"solvent": "water"})
    records = ClusterRecords(
        relaxed=study.relaxed(level=wet),
        adsorptions=[study.adsorbed("COOH", level=wet)],
        vibrations=[study.vibrated("COOH", level=wet)],
        gases=[study.gas(n) for n in GAS_EV],
    )
    record = thermo(records, ThermoSettings(), study.library, Job("thermo"))
    found = {s.name: s for s in record.species}["*COOH"]
    assert "solvation" not in found.layers
    assert "solvation" not in found.deviations
    # The record says what was done, not what the default is.
    assert record.provenance.settings["correct"] == ["gas", "level"]
