"""What a person gets to see of DFT energies: tables, database, explanation, page."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from io import StringIO

import pytest

from clusterflow.errors import ConfigError, RecordError
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.files import read_records, write_record
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refine_plans import (
    PlannedPotential,
    PlannedSpecies,
    RefinePlanRecord,
)
from clusterflow.records.refinements import (
    RefinedCheRecord,
    RefinedThermoRecord,
    RefineRecord,
)
from clusterflow.records.scf import ScfReport
from clusterflow.report.page import render_page
from clusterflow.results.chain import SUM, list_chain
from clusterflow.results.database import rows
from clusterflow.results.explain_refined import explain_refined
from clusterflow.results.plots.common import (
    Conditions,
    read_both_levels,
    read_study_clusters,
)
from clusterflow.results.plots.diagram import plot_diagram
from clusterflow.results.plots.scaling import plot_scaling
from clusterflow.results.plots.volcano import plot_volcano
from clusterflow.results.tables import TABLES, to_csv
from clusterflow.results.verify import exit_code, verify
from clusterflow.settings import CheSettings
from clusterflow.stage_table import record_name
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from tests.stages.test_refined_thermo import Refined
from tests.stages.test_thermo import AD_EV, GAS_EV

COMPOSITE = "pbe-d3-tzvp//gfn1-xtb"


@pytest.fixture(scope="module")
def records(tmp_path_factory, library, provenance, structure):
    """A folder of one cluster, whose *CO and *H have DFT energies."""
    study = Refined(library, provenance, structure)
    of_level = ClusterRecords(
        relaxed=study.relaxed(),
        adsorptions=[study.adsorbed(n) for n in AD_EV],
        vibrations=[study.vibrated(n) for n in AD_EV],
        gases=[study.gas(n) for n in GAS_EV],
    )
    base, refined = study.refined(["CO", "H"], correct=("gas", "level"))
    reactions = [library.reaction("CO2-to-CO")]
    profiles, refined_profiles = (
        che(energies, reactions, CheSettings(), library, Job(stage))
        for energies, stage in ((base, "che"), (refined.energies, "refined_che"))
    )
    folder = tmp_path_factory.mktemp("study")
    for record in (
        *(of_level.relaxed, *of_level.adsorptions, *of_level.vibrations),
        *(*of_level.gases, base, profiles, study.refine_bare(), refined),
        *(study.refine_gas(n) for n in GAS_EV),
        *(study.refine(n) for n in ("CO", "H")),
        RefinedCheRecord(
            cluster="Cu2",
            level=study.level,
            dft_level=study.dft,
            profiles=refined_profiles,
            provenance=provenance,
        ),
    ):
        write_record(record, folder / record_name(record))
    return read_records(folder)


def read_table(records, name):
    text = to_csv(name, list(TABLES[name](records)))
    return list(csv.DictReader(StringIO(text)))


def energies_of(records):
    (thermo,) = records.of(RefinedThermoRecord)
    return {s.name: s.formation_ev for s in thermo.energies.species}


def test_tables_have_the_composite_level_beside_the_level(records):
    (potential,) = read_table(records, "potentials")
    (profiles,) = records.of(RefinedCheRecord)
    own = profiles.profiles.results[0].limiting_potential_v_rhe
    column = "refined_limiting_potential_best_estimate_v_rhe"
    assert (potential["level"], potential["refined_level"]) == ("gfn1-xtb", COMPOSITE)
    assert float(potential[column]) == pytest.approx(own, abs=1e-6)
    assert potential["limiting_potential_best_estimate_v_rhe"] != potential[column]
    found = {row["species"]: row for row in read_table(records, "energies")}
    for name, value in energies_of(records).items():
        shown = found[name]["refined_formation_ev"]
        assert float(shown) == pytest.approx(value, abs=1e-6)
    # With each correction of the level the terms are the free energy.
    for row in found.values():
        layers = [row[name] or 0 for name in row if name.startswith("layer_")]
        terms = [row[f"{name}_ev"] for name in ("energy", "zpe", "thermal", "minus_ts")]
        made_of = sum(float(cell) for cell in (*terms, *layers))
        assert made_of == pytest.approx(float(row["gibbs_ev"]), abs=1e-5)
    assert float(found["*CO"]["layer_level_ev"]) != 0
    assert found["*COOH"]["refined_energy_ev"] == ""
    assert "calibrated" in found["*COOH"]["refined_flags"]
    assert "calibrated" not in found["*CO"]["refined_flags"]


def test_the_database_has_the_energies_of_dft_under_their_level(records):
    of_dft = [(a, k) for a, k in rows(records) if k["level"] == "pbe-d3-tzvp"]
    assert len(of_dft) == len(GAS_EV) + 1 + 2
    # What is chosen stays one row.
    assert not any(keys.get("chosen") for _, keys in of_dft)
    atoms = next(a for a, k in of_dft if k.get("adsorbate") == "CO")
    (adsorbed,) = (r for r in records.of(AdsorbRecord) if r.adsorbate == "CO")
    assert atoms.get_potential_energy() != adsorbed.minima[0].energy_ev


def test_what_dft_has_relaxed_has_rows_of_its_own(
    records, library, provenance, structure
):
    again = Refined(library, provenance, structure).relaxed_by_dft({"CO": 0.25})
    more = replace(records, records=(*records.records, again))
    before = len(list(rows(records)))
    found = [
        (a, k) for a, k in rows(more) if k["record"].startswith("refine_relax/Cu2")
    ]
    assert len(list(rows(more))) == before + 2 == before + len(found)
    energies = {k.get("adsorbate"): a.get_potential_energy() for a, k in found}
    assert energies == {
        None: again.bare.energy_ev,
        "CO": again.minima[0].point.energy_ev,
    }


@pytest.mark.parametrize("name", ["CO", "*H", "CO(g)", "*"])
def test_the_terms_of_the_composite_level_add_up(records, library, name):
    found = explain_refined(records, f"refined/Cu2/{name}", library)
    species = name if name in energies_of(records) else f"*{name}"
    assert found.value == energies_of(records)[species]
    assert found.sum_ev == pytest.approx(found.value, abs=1e-9)
    assert COMPOSITE in found.what
    stages = {source.stage for source in found.sources}
    assert "refined_thermo" in stages and "thermo" not in stages


def test_what_is_calibrated_says_by_what(records, library):
    found = explain_refined(records, "refined/Cu2/COOH/dG", library)
    assert found.terms == () and "calibrated by 2 minima" in found.reason
    assert found.facts["at the level"] == "explain Cu2/COOH/dG"
    potential = explain_refined(records, "refined/Cu2/CO2-to-CO/U_L", library)
    asked = [t.note for t in potential.terms if "explain" in t.note]
    assert asked and all("refined/Cu2/" in note for note in asked)


def test_what_was_chosen_says_in_which_round_and_how_it_narrowed(
    records, library, provenance
):
    potential = PlannedPotential(
        cluster="Cu2",
        reaction="CO2-to-CO",
        median_v_rhe=-0.6,
        lower_v_rhe=-0.9,
        upper_v_rhe=-0.4,
        expected_width_v=0.2,
        determining_step_probability={},
        best_probability=1.0,
    )
    species = PlannedSpecies(
        cluster="Cu2",
        adsorbate="CO",
        chosen_in=1,
        reason="takes 0.12 V off",
        n_points=1,
        n_basis=100,
        expected_h=0.5,
    )
    plan = RefinePlanRecord(
        round=1,
        dft_level=library.level("pbe-d3-tzvp"),
        budget_h=8,
        spent_h=0,
        until_v=0.15,
        time_factor=1,
        species=(species,),
        potentials=(potential,),
        provenance=provenance,
    )
    planned = replace(records, records=(*records.records, plan))
    found = explain_refined(planned, "refined/Cu2/CO/dG", library)
    assert found.facts["chosen"] == "in round 1: takes 0.12 V off"
    assert "chosen" not in explain_refined(planned, "refined/Cu2/H/dG", library).facts
    found = explain_refined(planned, "refined/Cu2/CO2-to-CO/U_L", library)
    assert found.facts["left open before round 1 / V"] == "-0.90 to -0.40"


def test_what_is_not_refined_is_one_line(records, library):
    with pytest.raises(RecordError, match="no cluster 'Cu9' that is refined"):
        explain_refined(records, "refined/Cu9/CO/dG", library)


def test_gates_look_at_the_composite_level_too(records, library):
    gates = verify(records, library)
    about = {(g.name, g.subject): g for g in gates if g.subject.startswith("refined/")}
    for name in ("*", "*CO", "*H", "CO(g)", "H2(g)"):
        for gate in ("refined-energy", "term-sum"):
            assert about[gate, f"refined/Cu2/{name}"].verdict == "PASS"
    assert about["refined-energy", "refined/Cu2/*COOH"].verdict == "SKIP"
    potential = about["potential-scale", "refined/Cu2/CO2-to-CO"]
    assert potential.verdict == "PASS"
    assert exit_code([*about.values()]) == 0


def test_a_wrong_energy_and_a_mixed_spin_are_found(records, library):
    def changed(record):
        if not isinstance(record, RefineRecord) or record.adsorbate != "CO":
            return record
        (one,) = record.minima
        report = ScfReport(
            n_basis=9,
            guess="minao",
            cycles=9,
            s2=one.point.structure.multiplicity**2 / 4 - 0.25 + 0.3,
            stable=True,
            n_instabilities=0,
            dispersion_ev=0.0,
            on_gpu=False,
            wall_s=1.0,
        )
        point = one.point.model_copy(update={"scf": report})
        minima = (one.model_copy(update={"point": point}),)
        return record.model_copy(update={"minima": minima})

    mixed = replace(records, records=tuple(map(changed, records.records)))
    found = {(g.name, g.subject): g for g in verify(mixed, library)}
    assert found["spin-purity", "refined/Cu2/*CO"].verdict == "WARN"
    assert found["spin-purity", "refined/Cu2/*CO"].value == pytest.approx(0.3)

    def moved(record):
        if not isinstance(record, RefineRecord) or record.adsorbate != "CO":
            return record
        (one,) = record.minima
        energy = one.point.energy_ev - 0.1
        point = one.point.model_copy(update={"energy_ev": energy})
        minima = (one.model_copy(update={"point": point}),)
        return record.model_copy(update={"minima": minima})

    wrong = replace(records, records=tuple(map(moved, records.records)))
    found = {(g.name, g.subject): g for g in verify(wrong, library)}
    assert found["refined-energy", "refined/Cu2/*CO"].verdict == "FAIL"
    assert found["refined-energy", "refined/Cu2/*H"].verdict == "PASS"


def test_clusters_are_compared_at_the_composite_level_too(records, library):
    (thermo,) = records.of(RefinedThermoRecord)
    (profiles,) = records.of(RefinedCheRecord)
    twin = {"cluster": "Cu3"}
    energies = thermo.energies.model_copy(update=twin)
    again = che(
        *(energies, profiles.profiles.networks, CheSettings(), library),
        Job("refined_che"),
    )
    more = (
        thermo.model_copy(update=twin | {"energies": energies}),
        profiles.model_copy(update=twin | {"profiles": again}),
    )
    both = replace(records, records=(*records.records, *more))
    (pair,) = read_table(both, "rankings")
    assert pair["level"] == COMPOSITE
    assert pair["level_hash"] == f"{profiles.dft_level.hash}//{profiles.level.hash}"
    # One is the other under a second name.
    assert float(pair["probability_better"]) == pytest.approx(0.5, abs=0.03)


def test_the_page_shows_both_levels_in_one_picture(records, library):
    page = render_page(records, study="x", domain=library.domain())
    assert page.count('<figure class="refined">') == 1
    assert COMPOSITE in page and "Calibrated, without a DFT energy: *COOH" in page
    assert "calibrated: it has no DFT energy" in page


def read_drawn_bars(figure, rank):
    """Free energies of one profile, from left to right."""
    lines = figure.axes[0].get_lines()
    bars = [li for li in lines if str(li.get_gid()).startswith(f"level-{rank}-")]
    return [li.get_ydata()[0] for li in sorted(bars, key=lambda li: li.get_xdata()[0])]


def test_a_diagram_of_both_levels_has_the_recorded_profiles(records):
    surfaces = read_both_levels([records.folder])
    plot = plot_diagram(surfaces, "CO2-to-CO", Conditions())
    (base,), (refined,) = records.of(CheRecord), records.of(RefinedCheRecord)
    for rank, profiles in enumerate((base, refined.profiles)):
        (result,) = profiles.results
        drawn = read_drawn_bars(plot.figure, rank)
        assert drawn == pytest.approx(list(result.pathways[0].levels_ev))
    legend = [t.get_text() for t in plot.figure.legends[0].get_texts()]
    assert legend[0].startswith("Cu2, gfn1-xtb: ")
    assert legend[1].startswith(f"Cu2, {COMPOSITE}: ")
    rows = list(csv.DictReader(StringIO(to_csv("plot", plot.rows))))
    assert {row["level"] for row in rows} == {"gfn1-xtb", COMPOSITE}
    dft, level = refined.dft_level.hash, refined.level.hash
    assert {row["level_hash"] for row in rows} == {level, f"{dft}//{level}"}


def test_figures_of_the_composite_level_have_its_numbers(records):
    surfaces = read_study_clusters([records.folder], level="refined")
    energies, (refined,) = energies_of(records), records.of(RefinedCheRecord)
    (result,) = refined.profiles.results
    volcano = plot_volcano(surfaces, "CO2-to-CO", "CO", Conditions())
    (row,) = volcano.rows
    assert row["descriptor_dg_ev"] == energies["*CO"]
    estimate = row["limiting_potential_best_estimate_v"]
    assert estimate == result.limiting_potential_v
    scaling = plot_scaling(surfaces, "CO", "H")
    (row,) = scaling.rows
    assert (row["x_dg_ev"], row["y_dg_ev"]) == (energies["*CO"], energies["*H"])
    for figure in (volcano.figure, scaling.figure):
        assert any(COMPOSITE in text.get_text() for text in figure.texts)


def test_a_refined_diagram_moves_with_the_potential_as_one_of_the_level(records):
    surfaces = read_study_clusters([records.folder], level="refined")
    (refined,) = records.of(RefinedCheRecord)
    electrons = [
        sum(step.n_e for step in refined.profiles.results[0].pathways[0].steps[:n])
        for n in range(len(refined.profiles.results[0].pathways[0].states))
    ]
    plain, tilted = (
        [
            row["level_ev"]
            for row in plot_diagram(surfaces, "CO2-to-CO", conditions).rows
            if row["pathway_rank"] == 1
        ]
        for conditions in (Conditions(), Conditions(potential_v=-0.5))
    )
    moved = [one - 0.5 * n for one, n in zip(plain, electrons, strict=True)]
    assert tilted == pytest.approx(moved)


def test_figures_of_what_is_not_refined_are_refused_in_a_line(records, tmp_path):
    for record in records.of(CheRecord):
        write_record(record, tmp_path / record_name(record))
    with pytest.raises(RecordError, match=r"no profiles .*set refine\.species"):
        read_study_clusters([tmp_path], level="refined")
    with pytest.raises(RecordError, match=r"--cluster Cu9: .*known: Cu2"):
        read_both_levels([records.folder], ["Cu9"])
    with pytest.raises(ConfigError, match="--level both: draws one cluster"):
        read_both_levels([records.folder, records.folder])


def test_the_chain_adds_up_to_each_number_of_the_composite_level(records, library):
    rows = [
        row
        for row in list_chain(records, library)
        if str(row["number"]).startswith("refined/")
    ]
    (thermo,), (profiles,) = (
        records.of(RefinedThermoRecord),
        records.of(RefinedCheRecord),
    )
    recorded = {
        f"refined/Cu2/{s.name}/dG": s.formation_ev for s in thermo.energies.species
    }
    (result,) = profiles.profiles.results
    for rank, pathway in enumerate(result.pathways, start=1):
        for number, step in enumerate(pathway.steps, start=1):
            recorded[f"refined/Cu2/CO2-to-CO/{rank}/{number}"] = step.dg0_ev
    calibrated = {f"refined/Cu2/*{name}/dG" for name in ("COOH", "HCOOH", "OCHO")}
    sums = {row["number"]: row for row in rows if row["term"] == SUM}
    assert sums.keys() == recorded.keys()
    added = Counter()
    for row in rows:
        assert row["level"] == COMPOSITE
        if row["term"] != SUM:
            added[row["number"]] += row["ev"] or 0.0
    for name, value in recorded.items():
        assert sums[name]["ev"] == value
        if name in calibrated:
            assert added[name] == 0
            assert "calibrated by" in sums[name]["note"]
        elif value is not None:
            assert added[name] == pytest.approx(value, abs=1e-6), name
