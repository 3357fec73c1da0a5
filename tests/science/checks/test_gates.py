"""Every gate passes a good study and fails the one slip it is there to find."""

from __future__ import annotations

import dataclasses
import functools

import pytest

from clusterflow.errors import LibraryError
from clusterflow.library.find import Library, package_data
from clusterflow.library.levels import LevelSpec
from clusterflow.library.reactions import ReactionSpec
from clusterflow.records.adsorption import AdsorbRecord, Minimum
from clusterflow.records.clusters import BuildRecord, Isomer, RelaxRecord
from clusterflow.records.energies import (
    FreeEnergyTerms,
    GasCorrection,
    SpeciesFreeEnergy,
    ThermoRecord,
)
from clusterflow.records.profiles import (
    CheRecord,
    Pathway,
    ReactionResult,
    Step,
    Uncertainty,
)
from clusterflow.records.provenance import Provenance
from clusterflow.records.structure import Structure
from clusterflow.records.vibrations import GasRecord, VibrateRecord
from clusterflow.results.verify import (
    describe,
    evidence_of,
    exit_code,
    list_origins,
    verify,
)
from clusterflow.science.checks.evidence import Evidence, Gate
from clusterflow.science.checks.gates import GATES, gate_name
from clusterflow.science.checks.thermochemistry import measured_reaction_ev as measured
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.finite_differences import why_forces_are_wrong
from tests.records.study_records import instead, study_of

LEVEL = LevelSpec(name="toy", source="unpublished: test", engine="emt", method="EMT")
OTHER = LEVEL.model_copy(update={"method": "GFN2-xTB"})
WET = LEVEL.model_copy(update={"solvent": "water"})
STEPS = (
    "* + CO2(g) + H+ + e- -> *COOH",
    "*COOH + H+ + e- -> *CO + H2O(l)",
    "*CO -> * + CO(g)",
)
EQUATION = "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)"
# Measured (see structures/gases): CO(g) +0.2967 and H2O(l) −0.0887 eV from the anchors.
DG = (0.500, -0.700, 0.408)
NERNST_PH7 = 0.4141154  # kT ln10 · 7 at 298.15 K, eV
CU2 = (("Cu", (0.0, 0.0, 0.0)), ("Cu", (0.0, 0.0, -2.22)))
CO = (("C", (0.0, 0.0, 1.85)), ("O", (0.0, 0.0, 3.0)))
COOH = (
    ("C", (0.0, 0.0, 1.95)),
    ("O", (-1.06, 0.0, 2.55)),
    ("O", (1.10, 0.0, 2.65)),
    ("H", (1.85, 0.0, 2.05)),
)


def provenance(**settings):
    return Provenance(protocol=1, settings=settings, wall_time_s=1.0, created="now")


def structure(name, atoms, n_core=0, multiplicity=1, charge=0):
    roles = tuple("core" if i < n_core else "adsorbate" for i in range(len(atoms)))
    return Structure(
        name=name,
        symbols=tuple(symbol for symbol, _ in atoms),
        positions=tuple(position for _, position in atoms),
        roles=roles,
        charge=charge,
        multiplicity=multiplicity,
    )


def gas(name, energy_ev, atoms, frequencies_cm1, *, linear=True):
    return GasRecord(
        gas=name,
        level=LEVEL,
        structure=structure(name, atoms),
        energy_ev=energy_ev,
        symmetry_number=1,
        linear=linear,
        frequencies_cm1=frequencies_cm1,
        fmax_ev_per_a=0.0005,
        hessian_asymmetry_ev_per_a2=0.01,
        force_error_ev_per_a=0.0001,
        provenance=provenance(fmax_ev_per_a=0.001, displacement_a=0.005),
    )


def gases():
    def line(*symbols):
        return tuple((s, (0.0, 0.0, 1.15 * i)) for i, s in enumerate(symbols))

    water = (("O", (0, 0, 0)), ("H", (0.76, 0, 0.59)), ("H", (-0.76, 0, 0.59)))
    return (
        gas("CO2", -100.0, line("O", "C", "O"), (600.0, 600.0, 1300.0, 2300.0)),
        gas("H2", -30.0, (("H", (0, 0, 0)), ("H", (0, 0, 0.74))), (4400.0,)),
        gas("H2O", -70.0, water, (1600.0, 3600.0, 3700.0), linear=False),
        gas("CO", -60.0, line("C", "O"), (2100.0,)),
    )


def adsorbed(name, atoms, multiplicity):
    minimum = Minimum(
        structure=structure(f"main-{name}", CU2 + atoms, 2, multiplicity),
        energy_ev=-200.0,
        fmax_ev_per_a=0.015,
        n_gradients=20,
        n_starts=1,
        fate="intact",
        core_intact=True,
        isomer="main",
        form="atop",
        site_kind="top",
        site_atoms=(0,),
    )
    return AdsorbRecord(
        cluster="Cu2",
        adsorbate=name,
        level=LEVEL,
        minima=(minimum,),
        n_starts=1,
        provenance=provenance(fmax_ev_per_a=0.02),
    )


def vibrated(name, atoms, multiplicity):
    return VibrateRecord(
        cluster="Cu2",
        adsorbate=name,
        level=LEVEL,
        minimum=0,
        structure=structure(f"main-{name}", CU2 + atoms, 2, multiplicity),
        energy_ev=-200.0,
        frequencies_cm1=tuple(100.0 * (i + 1) for i in range(3 * len(atoms))),
        hessian_asymmetry_ev_per_a2=0.03,
        force_error_ev_per_a=0.0004,
        fmax_ev_per_a=0.025,
        provenance=provenance(
            fmax_ev_per_a=0.02, displacement_a=0.01, include_binding_atoms=False
        ),
    )


def species(name, energy_ev, formation_ev, reference_ev=0.0):
    terms = FreeEnergyTerms(
        energy_ev=energy_ev,
        zpe_ev=0.0 if name == "*" else 0.3,
        thermal_ev=0.0,
        minus_ts_ev=0.0 if name == "*" else -0.3,
        gibbs_ev=energy_ev,
        minus_ts_undamped_ev=0.0,
    )
    gibbs_ev = reference_ev + formation_ev
    return SpeciesFreeEnergy(
        name=name,
        status="ok",
        terms=terms,
        layers={"user": gibbs_ev - energy_ev},
        gibbs_ev=gibbs_ev,
        formation_ev=formation_ev,
        formation_uncorrected_ev=energy_ev - reference_ev,
    )


def thermo():
    # Energy, free energy of formation, and the bare cluster and anchors: COOH is CO2
    # and half an H2, CO is CO2 + H2 - H2O.
    known = {"*": (-150.0, 0.0, -150.0), "*COOH": (-200.0, 0.5, -150.0 - 115.0)}
    known |= {"*CO": (-200.0, -0.1113, -150.0 - 60.0), "CO(g)": (-60.0, 0.2967, -60.0)}
    known |= {"CO2(g)": (-100.0, 0.0, -100.0), "H2(g)": (-30.0, 0.0, -30.0)}
    known |= {"H2O(g)": (-70.0, 0.0, -70.0)}
    corrections = (
        GasCorrection(
            gas=name,
            anchors={},
            computed_ev=0.0,
            experiment_ev=0.0,
            correction_ev=0.0,
            is_anchor=name != "CO",
            source="test",
        )
        for name in ("CO2", "H2", "H2O", "CO")
    )
    return ThermoRecord(
        cluster="Cu2",
        level=LEVEL,
        temperature_k=298.15,
        half_hydrogen_ev=0.0,
        species=tuple(species(name, *values) for name, values in known.items()),
        gas_corrections=tuple(corrections),
        provenance=provenance(temperature_k=298.15, pressure_pa={}, correct=["gas"]),
    )


def che():
    steps = tuple(
        Step(name=name, n_e="e-" in name, n_h="H+" in name, dg_ev=dg, dg0_ev=dg)
        for name, dg in zip(STEPS, DG, strict=True)
    )
    pathway = Pathway(
        name="* > *COOH > *CO > *",
        steps=steps,
        levels_ev=(0.0, 0.5, -0.2, 0.208),
        states=("*", "*COOH", "*CO", "*"),
        complete=True,
        limiting_potential_v=-0.5 - NERNST_PH7,
        limiting_potential_v_rhe=-0.5,
        determining_step=STEPS[0],
    )
    result = ReactionResult(
        reaction="CO2-to-CO",
        equation=EQUATION,
        product="CO",
        surface="Cu2",
        status="ok",
        potential_v=0.0,
        scale="she",
        ph=7.0,
        temperature_k=298.15,
        limiting_potential_v=-0.5 - NERNST_PH7,
        limiting_potential_v_rhe=-0.5,
        equilibrium_potential_v_rhe=-0.104,
        uncertainty=Uncertainty(
            median_v_rhe=-0.55,
            lower_v_rhe=-0.9,
            upper_v_rhe=-0.2,
            deviation_v=0.2,
            determining_step_probability={STEPS[0]: 1.0},
            best_pathway_probability=1.0,
            n_samples=10_000,
        ),
        best_pathway=pathway.name,
        steps=steps,
        pathways=(pathway,),
    )
    network = ReactionSpec(
        name="CO2-to-CO",
        source="unpublished: test",
        product="CO",
        equation=EQUATION,
        steps=STEPS,
    )
    return CheRecord(
        cluster="Cu2",
        level=LEVEL,
        networks=(network,),
        results=(result,),
        provenance=provenance(scale="she", ph=7.0),
    )


def study():
    """One copper dimer on the way from CO2 to CO, with everything in order."""
    isomer = Isomer(
        structure=structure("main", CU2, 2),
        energy_ev=-150.0,
        fmax_ev_per_a=0.01,
        n_gradients=5,
    )
    built = BuildRecord(
        cluster="Cu2",
        formula="Cu2",
        material="metal",
        source="unpublished: test",
        structures=(structure("main", CU2, 2),),
        provenance=provenance(),
    )
    relaxed = RelaxRecord(
        cluster="Cu2",
        level=LEVEL,
        isomers=(isomer,),
        provenance=provenance(fmax_ev_per_a=0.02),
    )
    records = (
        *(built, relaxed, *gases()),
        *(adsorbed("COOH", COOH, 2), adsorbed("CO", CO, 1)),
        *(vibrated("COOH", COOH, 2), vibrated("CO", CO, 1)),
        *(thermo(), che()),
    )
    found = study_of(map(as_written_now, records), folder="results/toy")
    return dataclasses.replace(found, hashes={"build/Cu2.json": "1"})


def as_written_now(record):
    """The record by the present protocol, made from the file of the starting ones."""
    now = {"protocol": STAGES[record.stage].protocol}
    now["inputs"] = {"results/toy/build/Cu2.json": "1"}
    written = record.provenance.model_copy(update=now)
    return record.model_copy(update={"provenance": written})


def library():
    return Library((package_data() / "structures",))


# The kinds of evidence, and the records they come from.
KINDS = {
    **{"builds": BuildRecord, "relaxations": RelaxRecord, "gases": GasRecord},
    **{"adsorptions": AdsorbRecord, "vibrations": VibrateRecord},
    **{"thermo": ThermoRecord, "che": CheRecord},
}


def change(records, kind, index=-1, **update):
    """The study with one record of a kind changed."""
    items = list(records.of(KINDS[kind]))
    items[index] = items[index].model_copy(update=update)
    return instead(records, KINDS[kind], items)


def change_minimum(**update):
    minimum = study().of(AdsorbRecord)[-1].minima[0].model_copy(update=update)
    return change(study(), "adsorptions", minima=(minimum,))


def change_species(name, **update):
    found = tuple(
        s.model_copy(update=update) if s.name == name else s
        for s in study().of(ThermoRecord)[0].species
    )
    return change(study(), "thermo", species=found)


def change_result(**update):
    result = che().results[0].model_copy(update=update)
    return change(study(), "che", results=(result,))


def change_pathway(**update):
    return change_result(
        pathways=(che().results[0].pathways[0].model_copy(update=update),)
    )


def change_step(number, **update):
    steps = list(che().results[0].steps)
    steps[number] = steps[number].model_copy(update=update)
    return change_pathway(steps=tuple(steps))


def change_network(*steps):
    network = che().networks[0].model_copy(update={"steps": steps})
    return change(study(), "che", networks=(network,))


def change_structure(record, **update):
    return record.structure.model_copy(update=update)


def moved(atoms, index, position):
    """Structure of *CO or *COOH with one atom of the adsorbate elsewhere."""
    atoms = list(atoms)
    atoms[index] = (atoms[index][0], position)
    return structure("main-CO", (*CU2, *atoms), 2)


# C=S of OCS: 1.56 Å.
ON_SULPHUR = structure("main-CO", (*CU2[:1], ("S", (0.0, 0.0, 0.29)), *CO), 2)


def with_inheritance(records, whole):
    """The study with a geometry of *CO that vibrates and inherits the error of CO."""
    found = tuple(
        s.model_copy(update={"inherits": {"CO": 1.0}}) if s.name == "*CO" else s
        for s in records.of(ThermoRecord)[0].species
    )
    vibrating = change(records, "vibrations", structure=whole)
    return change(vibrating, "thermo", species=found)


def terms(**update):
    return species("*CO", -200.0, 0.0).terms.model_copy(update=update)


@functools.cache
def known() -> Evidence:
    return evidence_of(study(), library())


def verdicts(records, name) -> list[Gate]:
    """What one gate says of a study."""
    (check,) = (check for check in GATES if gate_name(check) == name)
    own = {kind: records.of(model) for kind, model in KINDS.items()}
    own |= {"origins": list_origins(records), "n_unchecked": records.n_unchecked}
    return list(check(dataclasses.replace(known(), **own)))


def of(records, name, verdict) -> list[Gate]:
    return [gate for gate in verdicts(records, name) if gate.verdict == verdict]


def test_a_good_study_passes_every_gate():
    gates = verify(study(), library())
    assert {g.verdict for g in gates} == {"PASS"}, describe(gates)
    assert [*dict.fromkeys(g.name for g in gates)] == [gate_name(g) for g in GATES]
    assert exit_code(gates) == 0


def as_edited(record):
    return record.provenance.model_copy(update={"edited": ("x",)})


CO_MINIMUM = study().of(AdsorbRecord)[-1].minima[0]
CO_VIBRATED = study().of(VibrateRecord)[-1]
CO_GAS = study().of(GasRecord)[-1]
FREQUENCIES = CO_VIBRATED.frequencies_cm1

BROKEN = {
    "an input that is another one now": (
        *("provenance", "changed since: results/toy/build/Cu2.json"),
        dataclasses.replace(study(), hashes={"build/Cu2.json": "2"}),
    ),
    "a free energy that is not its terms": (
        *("term-sum", "terms"),
        change_species("*CO", terms=terms(thermal_ev=0.1)),
    ),
    "a free energy that is not its layers": (
        *("term-sum", "layers"),
        change_species("*CO", layers={"gas": 0.3}),
    ),
    "a formation that is not from the anchors": (
        *("term-sum", "formation"),
        change_species("*CO", formation_ev=-0.2113),
    ),
    "cluster at another level": (
        *("level-equality", "at another level: cluster"),
        change(study(), "relaxations", level=OTHER),
    ),
    "complex at another level": (
        *("level-equality", "at another level: complex"),
        change(study(), "adsorptions", level=OTHER),
    ),
    "vibrations in a solvent": (
        *("level-equality", "at another level: vibrations"),
        change(study(), "vibrations", level=WET),
    ),
    "gas at another level": (
        *("level-equality", "at another level: gas CO"),
        change(study(), "gases", level=OTHER),
    ),
    "profiles at another level": (
        *("level-equality", "at another level: thermo"),
        change(study(), "che", level=OTHER),
    ),
    "a singlet of odd electrons": (
        *("parity", ""),
        change_minimum(structure=change_structure(CO_MINIMUM, multiplicity=2)),
    ),
    "a cluster of wrong multiplicity": (
        *("parity", ""),
        change(study(), "builds", structures=(structure("main", CU2, 2, 2),)),
    ),
    "a complex that lost its charge": (
        *("parity", "charge of the complex"),
        change_minimum(structure=change_structure(CO_MINIMUM, charge=-2)),
    ),
    "a step that is off by 2 meV": (
        *("closure", "measured +0.2080"),
        change_step(2, dg0_ev=DG[2] + 0.002),
    ),
    "a complete pathway with a hole": (
        *("closure", "a step has no number"),
        change_step(2, dg0_ev=None),
    ),
    "a step that loses water": (
        *("balance", "H -2, O -1"),
        change_network(STEPS[0], "*COOH + H+ + e- -> *CO", STEPS[2]),
    ),
    "a step that makes charge": (
        *("balance", "charge +1"),
        change_network("* + CO2(g) + H+ + 2 e- -> *COOH"),
    ),
    "a step that makes a site": (
        *("balance", "site +1"),
        change_network("CO2(g) + H+ + e- -> *COOH"),
    ),
    "an unreadable step": (
        *("balance", "cannot be read"),
        change_network("*CO = CO(g)"),
    ),
    "an isomer not relaxed": (
        *("forces", "largest force"),
        change(
            study(),
            "relaxations",
            isomers=(
                study()
                .of(RelaxRecord)[0]
                .isomers[0]
                .model_copy(update={"fmax_ev_per_a": 0.021}),
            ),
        ),
    ),
    "a minimum not relaxed": (*("forces", ""), change_minimum(fmax_ev_per_a=0.021)),
    "a gas not relaxed": (
        *("forces", ""),
        change(study(), "gases", fmax_ev_per_a=0.0011),
    ),
    "vibrations off the minimum": (
        *("forces", ""),
        change(study(), "vibrations", fmax_ev_per_a=0.041),
    ),
    "forces of a gas that are no slope": (
        *("force-error", "slope of the energy"),
        change(study(), "gases", force_error_ev_per_a=0.0031),
    ),
    "forces of a complex that are no slope": (
        *("force-error", "slope of the energy"),
        change(study(), "vibrations", force_error_ev_per_a=0.05),
    ),
    "a step that loses a hydride": (
        *("balance", "H -1"),
        change_network("* + CO2(g) -> *[-H2]COOH"),
    ),
    "intact, but in two pieces": (
        *("fragments", "labelled intact"),
        change_minimum(structure=moved(CO, 1, (0.0, 3.0, 1.5))),
    ),
    "intact, but far away": (
        *("fragments", "labelled intact"),
        change_minimum(structure=moved(CO, 0, (0.0, 0.0, 4.15))),
    ),
    "desorbed, but bound": (
        *("fragments", "labelled desorbed"),
        change_minimum(fate="desorbed"),
    ),
    "dissociated, but whole": (
        *("fragments", "labelled dissociated"),
        change_minimum(fate="dissociated"),
    ),
    "became, but is what it was": (
        *("fragments", "labelled became"),
        change_minimum(fate="became"),
    ),
    "on sulphur, but found on copper": (
        *("substitution", "has no such bond"),
        change(study(), "vibrations", structure=ON_SULPHUR),
    ),
    "carbonyl sulphide that inherits as carbon monoxide": (
        *("substitution", "inherits the error of CO"),
        with_inheritance(change_minimum(structure=ON_SULPHUR), ON_SULPHUR),
    ),
    "an asymmetric Hessian of a complex": (
        *("hessian-symmetry", "eV/Å²"),
        change(study(), "vibrations", hessian_asymmetry_ev_per_a2=0.11),
    ),
    "an asymmetric Hessian of a gas": (
        *("hessian-symmetry", "eV/Å²"),
        change(study(), "gases", hessian_asymmetry_ev_per_a2=0.11),
    ),
    "bound by 6 eV": (
        *("dg-window", "outside the sanity window"),
        change_species("*CO", formation_ev=-6.0),
    ),
    "a mode is missing": (
        *("zpe", ""),
        change(study(), "vibrations", frequencies_cm1=FREQUENCIES[:-1]),
    ),
    "no zero-point energy": (
        *("zpe", ""),
        change(study(), "vibrations", frequencies_cm1=(0.0,) * 6),
    ),
    "a negative zero-point energy in the sum": (
        *("zpe", ""),
        change_species("*CO", terms=terms(zpe_ev=-0.1)),
    ),
    "no scale": (
        *("potential-scale", "no scale is stated"),
        change_result(scale="V"),
    ),
    "SHE read as RHE": (
        *("potential-scale", "scale 4.1e-01"),
        change_result(limiting_potential_v=-0.5),
    ),
    "RHE with a pH shift": (
        *("potential-scale", "scale 4.1e-01"),
        change_result(scale="rhe"),
    ),
    "a potential not from its steps": (
        *("potential-scale", "steps 1.0e-01"),
        change_step(0, dg0_ev=0.6),
    ),
    "a best pathway that is not there": (
        *("potential-scale", "pathway"),
        change_result(best_pathway="* > *OCHO"),
    ),
    "a gas with an imaginary mode": (
        *("gas-frequencies", ""),
        change(study(), "gases", imaginary_cm1=(120.0,)),
    ),
    "a gas with a rotation among its modes": (
        *("gas-frequencies", ""),
        change(study(), "gases", frequencies_cm1=(30.0, 2100.0)),
    ),
}


@pytest.mark.parametrize("slip", BROKEN)
def test_a_gate_fails_what_it_is_there_to_find(slip):
    name, detail, records = BROKEN[slip]
    failed = of(records, name, "FAIL")
    assert failed, describe(verdicts(records, name))
    assert all(detail in gate.detail for gate in failed)
    assert exit_code(failed) == 1


def change_interval(**update):
    found = che().results[0].uncertainty.model_copy(update=update)
    return change_result(uncertainty=found)


MISREAD = {
    "an estimate above its interval": (
        *("best-estimate", "read the median, -0.700"),
        change_interval(median_v_rhe=-0.7, upper_v_rhe=-0.51),
    ),
    "an estimate below its interval": (
        *("best-estimate", "read the median, -0.300"),
        change_interval(median_v_rhe=-0.3, lower_v_rhe=-0.49),
    ),
    "an estimate above the equilibrium": (
        *("overpotential-sign", "*CO -> * + CO(g) hides +0.41 eV"),
        change_result(equilibrium_potential_v_rhe=-0.51),
    ),
    "a median above the equilibrium": (
        *("overpotential-sign", "*CO -> * + CO(g) hides +0.41 eV"),
        change_interval(median_v_rhe=-0.1),
    ),
    "no step that hides": (
        *("overpotential-sign", "no chemical step climbs"),
        change_result(equilibrium_potential_v_rhe=-0.51, best_pathway="gone"),
    ),
}


@pytest.mark.parametrize("slip", MISREAD)
def test_a_gate_warns_of_what_is_easily_misread(slip):
    name, detail, records = MISREAD[slip]
    (warned,) = of(records, name, "WARN")
    assert detail in warned.detail and detail in describe([warned])
    # The number is right, so nothing has failed.
    assert exit_code([warned]) == 0


def test_at_the_equilibrium_nothing_is_hidden():
    records = change_result(equilibrium_potential_v_rhe=-0.5)
    (gate,) = verdicts(records, "overpotential-sign")
    assert (gate.verdict, gate.value) == ("PASS", 0.0)


def test_every_gate_is_shown_to_fail_or_to_warn():
    shown = {name for name, *_ in (*BROKEN.values(), *MISREAD.values())}
    assert shown == {gate_name(g) for g in GATES}


OPEN = {
    "an input that was changed by hand": (
        *("provenance", "changed by hand, and accepted: x"),
        change(study(), "gases", provenance=as_edited(CO_GAS)),
    ),
    "an older protocol": (
        *("provenance", "protocol 1, now"),
        change(study(), "gases", provenance=provenance()),
    ),
    "records without a checksum": (
        *("provenance", "3 of 12 records"),
        dataclasses.replace(study(), n_unchecked=3),
    ),
    "no anchors": (
        *("term-sum", "no reference"),
        change(study(), "thermo", gas_corrections=()),
    ),
    "no vibrate record": (
        *("level-equality", "vibrations"),
        instead(study(), VibrateRecord),
    ),
    "a gas record that the sum does not come from": (
        *("level-equality", "gas CO"),
        change(study(), "gases", energy_ev=-61.0),
    ),
    "no host": (
        *("parity", "no charge known"),
        instead(study(), RelaxRecord),
    ),
    "no limit of forces": (
        *("forces", "fmax_ev_per_a"),
        change(study(), "adsorptions", provenance=provenance()),
    ),
    "no layers": (
        *("closure", "correction layers"),
        change(study(), "thermo", provenance=provenance()),
    ),
    "no such liquid": (
        *("closure", "cannot measure"),
        change_result(equation="CO2(g) + 2 H+ + 2 e- -> CO(l) + H2O(l)"),
    ),
    "no such molecule": (
        *("balance", "no CS(g)"),
        change_network("*CO -> * + CS(g)"),
    ),
    "a bond on the border": (
        *("fragments", "C-O at 1.25"),
        change_minimum(structure=moved(CO, 1, (0.0, 0.0, 1.85 + 1.25 * 1.42))),
    ),
    "a contact on the border": (
        *("fragments", "the contact at 1.40"),
        change_minimum(
            structure=structure(
                "main-CO",
                (*CU2, ("C", (0, 0, 1.40 * 2.08)), ("O", (0, 0, 1.40 * 2.08 + 1.15))),
                2,
            ),
            fate="desorbed",
        ),
    ),
    "no check of forces": (
        *("force-error", "no check of its forces"),
        change(study(), "gases", force_error_ev_per_a=None),
    ),
    "no asymmetry": (
        *("hessian-symmetry", "no asymmetry"),
        change(study(), "vibrations", hessian_asymmetry_ev_per_a2=None),
    ),
}


@pytest.mark.parametrize("gap", OPEN)
def test_what_cannot_be_checked_is_said_and_is_no_failure(gap):
    name, detail, records = OPEN[gap]
    gates = verdicts(records, name)
    found = [gate for gate in gates if gate.verdict == "UNVERIFIABLE"]
    assert found and all(detail in gate.detail for gate in found), describe(gates)
    assert exit_code(gates) == 0


SKIPPED = {
    "another temperature": ("323.15 K", {"temperature_k": 323.15}),
    "no gas layer": ("layer is off", {"provenance": provenance(correct=[])}),
    "a partial pressure": (
        "CO is at 5562 Pa",
        {"provenance": provenance(correct=["gas"], pressure_pa={"CO": 5562.0})},
    ),
    "a gas without correction": (
        "H2 has no",
        {
            "gas_corrections": tuple(
                c for c in thermo().gas_corrections if c.gas != "H2"
            )
        },
    ),
}


@pytest.mark.parametrize("condition", SKIPPED)
def test_closure_is_only_for_standard_conditions(condition):
    detail, update = SKIPPED[condition]
    (gate,) = verdicts(change(study(), "thermo", **update), "closure")
    assert gate.verdict == "SKIP" and detail in gate.detail


def test_a_pressure_of_a_liquid_or_of_the_pair_does_not_matter():
    at_pressure = provenance(correct=["gas"], pressure_pa={"H2": 10.0, "H2O": 3500.0})
    (gate,) = verdicts(change(study(), "thermo", provenance=at_pressure), "closure")
    assert gate.verdict == "PASS"


def test_failed_records_are_skipped_with_their_reason():
    records = change(study(), "gases", status="failed", reason="not a minimum: 300i")
    records = change(records, "vibrations", status="failed", reason="scf-failed")
    for name in ("hessian-symmetry", "gas-frequencies", "zpe"):
        details = [gate.detail for gate in of(records, name, "SKIP")]
        assert details, name
        assert set(details) <= {"not a minimum: 300i", "scf-failed"}


def test_the_limit_of_forces_is_that_of_the_stages():
    assert why_forces_are_wrong(0.0031) and not why_forces_are_wrong(0.0029)
    for error, verdict in ((0.0031, "FAIL"), (0.0029, "PASS")):
        records = change(study(), "gases", force_error_ev_per_a=error)
        assert error in {g.value for g in of(records, "force-error", verdict)}


def test_a_failed_record_or_an_atom_needs_no_check_of_forces():
    alone = structure("H", (("H", (0.0, 0.0, 0.0)),), multiplicity=2)
    atom = change(study(), "gases", structure=alone, force_error_ev_per_a=None)
    assert [g.detail for g in of(atom, "force-error", "SKIP")] == [
        "a single atom feels no force"
    ]
    failed = change(
        study(),
        "gases",
        status="failed",
        reason="lost",
        force_error_ev_per_a=None,
    )
    assert [g.detail for g in of(failed, "force-error", "SKIP")] == ["lost"]


def test_a_changed_cluster_balances_and_closes_on_nothing():
    """*[-H]COOH is what * and CO2 are: the cluster gave the hydrogen."""
    gates = verdicts(change_network("* + CO2(g) -> *[-H]COOH"), "balance")
    assert {g.verdict for g in gates if "[-H]" in g.subject} == {"PASS"}
    unknown = verdicts(change_network("* -> *[-H]Xx + H2(g)"), "balance")
    assert "UNVERIFIABLE" in {g.verdict for g in unknown}
    loss = change_result(equation="* + H+ + e- -> *[-H] + H2(g)")
    (gate,) = verdicts(loss, "closure")
    assert gate.verdict == "SKIP" and "the cluster is changed" in gate.detail


def test_a_soft_imaginary_mode_is_counted():
    records = change(
        study(), "vibrations", frequencies_cm1=FREQUENCIES[1:], imaginary_cm1=(14.0,)
    )
    assert not of(records, "zpe", "FAIL")


def test_binding_atoms_bring_three_modes_each():
    more = CO_VIBRATED.provenance.settings | {"include_binding_atoms": True}
    nine = (*FREQUENCIES, 150.0, 160.0, 170.0)
    records = change(
        study(), "vibrations", frequencies_cm1=nine, provenance=provenance(**more)
    )
    assert not of(records, "zpe", "FAIL")
    records = change(records, "vibrations", frequencies_cm1=nine[:-1])
    assert of(records, "zpe", "FAIL")


def test_carbon_monoxide_on_copper_may_inherit():
    on_copper = study().of(VibrateRecord)[-1].structure
    inheriting = with_inheritance(study(), on_copper)
    assert {g.verdict for g in verdicts(inheriting, "substitution")} == {"PASS"}


def test_the_limit_of_asymmetry_grows_with_the_square_of_the_step():
    wide = provenance(displacement_a=0.02)
    update = {"provenance": wide, "hessian_asymmetry_ev_per_a2": 0.28}
    gate = verdicts(change(study(), "vibrations", **update), "hessian-symmetry")[-1]
    assert (gate.verdict, gate.limit) == ("PASS", pytest.approx(0.4))


@pytest.mark.parametrize(
    ("fate", "atoms"),
    [
        ("desorbed", (("C", (0, 0, 4.0)), ("O", (0, 0, 5.15)))),
        ("dissociated", (("C", (0, 0, 1.85)), ("O", (0, 3.0, 0)))),
        ("reconstructed", CO),
    ],
)
def test_fates_that_are_right(fate, atoms):
    records = change_minimum(fate=fate, structure=structure("x", (*CU2, *atoms), 2))
    assert not of(records, "fragments", "FAIL")


def test_an_isomer_is_told_from_the_species():
    """*OCHO where *COOH was placed: one piece, bound, but other bonds."""
    formate = (
        ("C", (0.0, 0.0, 2.5)),
        ("O", (-1.1, 0.0, 1.9)),
        ("O", (1.1, 0.0, 1.9)),
        ("H", (0.0, 0.0, 3.6)),
    )
    complex_ = structure("x", (*CU2, *formate), 2, 2)
    for fate, verdict in (("intact", "FAIL"), ("became", "PASS")):
        minimum = study().of(AdsorbRecord)[0].minima[0]
        minimum = minimum.model_copy(update={"fate": fate, "structure": complex_})
        records = change(study(), "adsorptions", 0, minima=(minimum,))
        assert verdicts(records, "fragments")[0].verdict == verdict


@pytest.mark.parametrize(
    ("equation", "dg_ev"),
    [
        ("CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)", 0.208),
        ("CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(g)", 0.297),
        ("O2(g) + 4 H+ + 4 e- -> 2 H2O(l)", -4.916),
        ("2 H+ + 2 e- -> H2(g)", 0.0),
    ],
)
def test_measured_reactions(equation, dg_ev):
    evidence = known()
    assert measured(equation, evidence) == pytest.approx(dg_ev, abs=1e-3)


def test_an_unbalanced_pair_is_not_measured():
    evidence = known()
    assert measured("CO2(g) + H+ + 2 e- -> CO(g)", evidence) is None


def test_a_gate_without_records_is_skipped():
    nothing = study_of()
    gates = verify(nothing, library())
    assert [gate.verdict for gate in gates] == ["SKIP"] * len(GATES)
    assert describe(gates).count("no record to check") == len(GATES)


def test_description_has_a_line_a_gate_and_one_for_each_failure():
    lines = describe(verify(change_minimum(fmax_ev_per_a=0.5), library())).splitlines()
    (summary,) = [line for line in lines if line.startswith("forces")]
    assert "PASS 8  FAIL 1" in summary
    assert "worst 0.5, limit 0.02: Cu2/CO, minimum 1" in summary
    (failure,) = [line for line in lines if line.startswith("  FAIL")]
    assert failure == ("  FAIL Cu2/CO, minimum 1: 0.5 (limit 0.02) largest force, eV/Å")
    assert len(lines) == len(GATES) + 1


def test_description_ends_after_twenty_lines():
    many = [
        Gate(name="forces", verdict=verdict, subject=f"{verdict}-{i}", detail="x")
        for i in range(15)
        for verdict in ("UNVERIFIABLE", "FAIL")
    ]
    lines = describe(many).splitlines()
    assert len(lines) == 1 + 20 + 1
    assert lines[1].startswith("  FAIL") and lines[-1] == "  and 10 more"
    assert sum("FAIL FAIL" in line for line in lines) == 15


@pytest.mark.parametrize("content", ["- 1", "name: CO", "atoms: [[C, 0]]", "atoms: ["])
def test_a_broken_library_is_an_error_of_the_library(tmp_path, content):
    (tmp_path / "gases").mkdir()
    (tmp_path / "gases" / "CO.yaml").write_text(content)
    with pytest.raises(LibraryError, match=r"CO\.yaml"):
        verify(study(), Library((tmp_path,)))


def test_gates_leave_the_evidence_as_it_is():
    evidence = known()
    for check in GATES:
        assert list(check(evidence)) == list(check(evidence))
    assert evidence == evidence_of(study(), library())
    assert isinstance(evidence, Evidence)


@pytest.mark.parametrize(("name", "verdict"), [("CO-H", "PASS"), ("CHO", "FAIL")])
def test_two_molecules_side_by_side_may_be_what_one_became(name, verdict):
    """Hydrogen that has left *COH, beside carbon monoxide: the library's *CO-H."""
    apart = (("C", (0.0, 0.0, 1.9)), ("O", (0.0, 0.0, 3.05)), ("H", (2.5, 0.0, 1.6)))
    complex_ = structure("x", (*CU2, *apart), 2, 2)
    minimum = study().of(AdsorbRecord)[0].minima[0]
    update = {"fate": "became", "detail": name, "structure": complex_}
    minimum = minimum.model_copy(update=update)
    records = change(study(), "adsorptions", 0, adsorbate="COH", minima=(minimum,))
    assert verdicts(records, "fragments")[0].verdict == verdict
