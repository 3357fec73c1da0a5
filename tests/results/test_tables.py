"""Tables a person opens: what stands in each row, and what an empty one looks like."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from clusterflow.records.adsorption import AdsorbRecord, Minimum, PoolRecord
from clusterflow.records.clusters import EdgesRecord
from clusterflow.records.energies import (
    FreeEnergyTerms,
    GasCorrection,
    SpeciesFreeEnergy,
    ThermoRecord,
)
from clusterflow.records.profiles import (
    BandEdges,
    CheRecord,
    CoupleDrive,
    GasReferenceResult,
    Pathway,
    ReactionDrive,
    ReactionResult,
    Step,
)
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.results.tables import TABLES, to_csv
from tests.records.study_records import instead, study_of

TERMS = FreeEnergyTerms(
    energy_ev=-10.0,
    zpe_ev=0.5,
    thermal_ev=0.1,
    minus_ts_ev=-0.2,
    gibbs_ev=-9.6,
    minus_ts_undamped_ev=-0.25,
)


def pathway(name, potential, dg):
    complete = potential is not None
    return Pathway(
        name=name,
        steps=(
            Step(
                name="s1",
                n_e=1,
                n_h=1,
                dg_ev=dg,
                dg0_ev=dg,
                turning_potential_v_rhe=None if dg is None else -dg,
                flags=("*X: a", "*X: b"),
            ),
            Step(name="s2", n_e=0, n_h=0, dg_ev=0.25, dg0_ev=0.25),
        ),
        levels_ev=(0.0, dg, None if dg is None else dg + 0.25),
        states=("*", "*X", "*"),
        complete=complete,
        limiting_potential_v_rhe=potential,
        determining_step="s1" if complete else None,
    )


@pytest.fixture
def records(library, provenance, structure):
    level = library.level("gfn1-xtb")
    species = (
        SpeciesFreeEnergy(
            name="*COOH",
            status="intact",
            terms=TERMS,
            layers={"gas": -1.8},
            gibbs_ev=-11.4,
            formation_ev=0.62,
            formation_uncorrected_ev=2.42,
            flags=("large-gas-correction", "soft-imaginary-mode"),
        ),
        SpeciesFreeEnergy(name="*CO", status="imaginary", reason="not a minimum: 99i"),
        SpeciesFreeEnergy(name="*H", status="desorbed", reason="gone"),
    )
    correction = GasCorrection(
        gas="CO",
        anchors={"CO2": 1.0},
        computed_ev=2.1,
        experiment_ev=0.297,
        correction_ev=-1.803,
        is_anchor=False,
        source="CODATA",
    )
    thermo = [
        ThermoRecord(
            cluster=name,
            level=level,
            temperature_k=298.15,
            species=species if name == "Cu2" else (),
            gas_corrections=(correction,),
            provenance=provenance,
        )
        for name in ("Cu2", "Cu4")
    ]
    result = ReactionResult(
        reaction="R",
        equation="A(g) -> B(g)",
        product="B",
        surface="Cu2",
        status="ok",
        potential_v=-0.5,
        scale="she",
        ph=7.0,
        temperature_k=298.15,
        limiting_potential_v_rhe=-0.4,
        pathways=(pathway("first", -0.4, 0.4), pathway("second", None, None)),
        flags=("a", "b"),
    )
    minimum = Minimum(
        structure=structure(["Cu", "H"], [[0, 0, 0], [0, 0, 1.5]]),
        energy_ev=-1.0,
        fmax_ev_per_a=0.0,
        n_gradients=1,
        n_starts=1,
        fate="desorbed",
        detail="",
        core_intact=True,
        isomer="main",
        form="x",
        site_kind="top",
        site_atoms=(0,),
    )
    adsorbed = AdsorbRecord(
        cluster="Cu2",
        adsorbate="H",
        level=level,
        minima=(minimum,),
        n_starts=1,
        provenance=provenance,
    )
    vibrated = VibrateRecord(
        cluster="Cu2",
        adsorbate="CO",
        level=level,
        minimum=None,
        status="failed",
        reason="scf-failed",
        provenance=provenance,
    )
    couple = CoupleDrive(
        couple="H2",
        edge="conduction",
        potential_v_she=-0.41,
        driven=True,
        margin_v=3.03,
    )
    band_edges = BandEdges(
        absolute_she_v=4.44,
        ph=7.0,
        temperature_k=298.15,
        conduction_v_she=-3.44,
        conduction_v_rhe=-3.026,
        valence_v_she=None,
        valence_v_rhe=None,
        couples=(couple, couple.model_copy(update={"couple": "X", "driven": None})),
        reactions=(ReactionDrive(reaction="R", driven=False),),
    )
    return study_of(
        (adsorbed,),
        (PoolRecord(cluster="Cu2", isomers=(), provenance=provenance),),
        (vibrated,),
        tuple(thermo),
        (
            CheRecord(
                cluster="Cu2",
                level=level,
                networks=(),
                results=(result,),
                edges=band_edges,
                provenance=provenance,
            ),
        ),
        (
            EdgesRecord(
                cluster="Cu2",
                level=level,
                ip_ea_level=library.level("ipea1-xtb"),
                charge=0,
                ea_ev=1.0,
                reasons={"ip_ev": "no cation"},
                provenance=provenance,
            ),
        ),
        folder="results/x",
    )


def table(records, name):
    text = to_csv(name, list(TABLES[name](records)))
    return list(csv.DictReader(StringIO(text)))


def test_energies(records):
    first, imaginary, gone = table(records, "energies")
    assert first["species"] == "*COOH"
    assert first["flags"] == "large-gas-correction soft-imaginary-mode"
    terms = ("energy_ev", "zpe_ev", "thermal_ev", "minus_ts_ev", "layer_gas_ev")
    assert sum(float(first[t]) for t in terms) == pytest.approx(
        float(first["gibbs_ev"]), abs=1e-6
    )
    assert float(first["minus_ts_undamped_ev"]) == -0.25
    # A hole is an empty cell, not a zero.
    for hole in (imaginary, gone):
        assert hole["formation_ev"] == hole["energy_ev"] == hole["layer_gas_ev"] == ""
        assert hole["reason"]


def test_steps_of_every_pathway_by_rank(records):
    rows = table(records, "steps")
    assert [(r["pathway_rank"], r["step_number"]) for r in rows] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("2", "2"),
    ]
    assert [r["determining"] for r in rows] == ["True", "False", "False", "False"]
    assert [r["dg_ev"] for r in rows] == ["0.4", "0.25", "", "0.25"]
    assert all((r["scale"], r["ph"]) == ("she", "7.0") for r in rows)
    assert [r["turning_potential_v_rhe"] for r in rows] == ["-0.4", "", "", ""]
    # 59.16 mV a pH unit at 298.15 K
    on_she = float(rows[0]["turning_potential_v_she"])
    assert on_she == pytest.approx(-0.4 - 7 * 0.0591597, abs=1e-5)
    assert [r["flags"] for r in rows] == ["*X: a; *X: b", "", "*X: a; *X: b", ""]


def test_ph_is_silent_on_the_rhe_scale(records):
    result = records.of(CheRecord)[0].results[0].model_copy(update={"scale": "rhe"})
    changed = records.of(CheRecord)[0].model_copy(update={"results": (result,)})
    records = instead(records, CheRecord, (changed,))
    assert {r["ph"] for r in table(records, "steps")} == {""}


def test_potentials(records):
    (row,) = table(records, "potentials")
    assert row["limiting_potential_best_estimate_v_rhe"] == "-0.4"
    on_she = float(row["limiting_potential_best_estimate_v_she"])
    assert on_she == pytest.approx(-0.4 - 7 * 0.0591597, abs=1e-5)
    # Nothing is known of its errors, so there is no median.
    assert row["limiting_potential_median_v_rhe"] == ""
    # The second pathway is a hole, so there is no runner-up.
    assert row["runner_up_pathway"] == row["runner_up_chemical_bottleneck_ev"] == ""
    assert (
        row["overpotential_best_estimate_v"] == row["equilibrium_potential_v_rhe"] == ""
    )
    assert row["flags"] == "a; b"


def test_a_potential_without_gas_corrections_stands_beside(records):
    (row,) = table(records, "potentials")
    assert row["raw_limiting_potential_v_rhe"] == row["raw_determining_step"] == ""
    found = tuple(
        GasReferenceResult(
            name=name,
            anchors=(),
            limiting_potential_v_rhe=potential,
            determining_step="* -> *X",
        )
        for name, potential in (("study", -0.4), ("raw", -0.9))
    )
    result = (
        records.of(CheRecord)[0].results[0].model_copy(update={"references": found})
    )
    changed = records.of(CheRecord)[0].model_copy(update={"results": (result,)})
    records = instead(records, CheRecord, (changed,))
    (row,) = table(records, "potentials")
    assert row["raw_limiting_potential_v_rhe"] == "-0.9"
    assert row["raw_determining_step"] == "* -> *X"


def test_edges(records):
    (row,) = table(records, "edges")
    assert (row["ip_ev"], row["ea_ev"], row["reason"]) == ("", "1.0", "no cation")
    assert row["conduction_v_she"] == "-3.44" and row["conduction_v_rhe"] == "-3.026"
    assert row["valence_v_she"] == "" and row["ph"] == "7.0"
    assert (row["couples_driven"], row["reactions_driven"]) == ("H2", "")
    assert row["level"] == "gfn1-xtb" and row["ip_ea_level"] == "ipea1-xtb"
    assert "gas-phase" in row["flags"]


def test_edges_without_profiles_have_no_potentials(records):
    records = instead(records, CheRecord)
    (row,) = table(records, "edges")
    assert row["ea_ev"] == "1.0" and row["conduction_v_she"] == row["ph"] == ""


def test_a_gas_correction_stands_once_a_level(records):
    (row,) = table(records, "gas_corrections")
    assert (row["gas"], row["correction_ev"]) == ("CO", "-1.803")
    assert float(row["computed_ev"]) + float(row["correction_ev"]) == pytest.approx(
        float(row["experiment_ev"]), abs=1e-6
    )


def test_failures_are_all_that_has_no_number(records):
    found = {
        (r["stage"], r["cluster"], r["species"]) for r in table(records, "failures")
    }
    assert found == {
        ("vibrate", "Cu2", "CO"),
        ("adsorb", "Cu2", "H"),
        ("thermo", "Cu2", "*CO"),
        ("edges", "Cu2", ""),
    }
    assert all(r["reason"] for r in table(records, "failures"))


def test_what_was_set_aside_stands_among_the_failures(records):
    (failed,) = records.of(VibrateRecord)
    update = {"minimum": 2, "status": "ok", "reason": "", "not_minima": (0, 1)}
    # The second is of a record that had no reasons yet.
    update["not_minima_reasons"] = ("following 99i cm⁻¹, CO became an unlisted isomer",)
    standing = instead(records, VibrateRecord, [failed.model_copy(update=update)])
    reasons = [
        r["reason"]
        for r in table(standing, "failures")
        if (r["stage"], r["cluster"], r["species"]) == ("vibrate", "Cu2", "CO")
    ]
    assert reasons == [
        "minimum 0 set aside: following 99i cm⁻¹, CO became an unlisted isomer",
        "minimum 1 set aside: no reason recorded",
    ]


def test_an_empty_table_of_failures_still_has_its_columns():
    assert to_csv("failures", []) == "stage,cluster,species,reason\n"


def test_cells_with_commas_and_newlines_survive():
    row = {"a": 'x, "y"\nz', "b": None, "c": 0.1234567, "d": True}
    (back,) = csv.DictReader(StringIO(to_csv("any", [row])))
    assert back == {"a": 'x, "y"\nz', "b": "", "c": "0.123457", "d": "True"}
