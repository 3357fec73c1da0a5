"""Group errors: known answers, held-out gases, and what adsorbates carry of them."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from clusterflow.science.geometry.bond_groups import as_adsorbate
from clusterflow.science.thermochemistry.anchors import EXACT, FROM_CO2
from clusterflow.science.thermochemistry.formation import (
    experimental_table,
    gas_corrections,
)
from clusterflow.science.thermochemistry.group_errors import (
    deviation_of,
    fit_group_errors,
    make_group_model,
    shared_loads,
)
from clusterflow.science.thermochemistry.partition_functions import gas_free_energy
from clusterflow.settings import GasSettings
from clusterflow.stages.gas import gas
from clusterflow.stages.parts.job import Job

FROM_CO = ("CO", "H2", "H2O")
# Bonds of small molecules, counted by hand.
COUNTS = {
    "CH4": {"C-H": 4},
    "C2H6": {"C-H": 6, "C-C": 1},
    "C3H8": {"C-H": 8, "C-C": 2},
    "C2H4": {"C-H": 4, "C-C-double": 1},
    "C3H6": {"C-H": 6, "C-C-double": 1, "C-C": 1},
    "CH3OH": {"C-H": 3, "C-O": 1},
    "CH3OCH3": {"C-H": 6, "C-O": 2},
    "C2H5OH": {"C-H": 5, "C-O": 1, "C-C": 1},
    "HCHO": {"C-H": 2, "C-O-double": 1},
    "CH3CHO": {"C-H": 4, "C-O-double": 1, "C-C": 1},
    "HCOOH": {"C-H": 1, "C-O-double": 1, "C-O": 1},
    "HCOOCH3": {"C-H": 4, "C-O-double": 1, "C-O": 2},
    "CO": {"C-O-triple": 1},
    "CO2": {"C-O-cumulated": 2},
}
TRUE_EV = {
    **{"C-H": 0.24, "C-C": 0.05, "C-C-double": -0.25, "C-O": 0.21},
    **{"C-O-double": -0.36, "C-O-triple": -1.8, "C-O-cumulated": 0.0},
}


def corrections(scatter_ev=0.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, scatter_ev, len(COUNTS))
    return {
        gas: sum(n * TRUE_EV[g] for g, n in counts.items())
        + (0.0 if gas == "CO2" else float(e))
        for (gas, counts), e in zip(COUNTS.items(), noise, strict=True)
    }


def found_errors(errors):
    return dict(zip(errors.groups, errors.correction_ev, strict=True))


def test_errors_that_are_sums_over_bonds_are_found_again():
    errors = fit_group_errors(COUNTS, corrections())
    # The prior pulls by the share of the scatter's variance, which is at its least.
    assert found_errors(errors) == pytest.approx(TRUE_EV, abs=0.002)
    assert max(map(abs, errors.held_out_ev.values())) < 0.003
    # Only CO has its bond, so nothing can tell its error without it.
    assert errors.held_out_ev.keys() == COUNTS.keys() - {"CO", "CO2"}


def test_an_anchor_is_exact():
    wrong = {**corrections(0.05), "CO2": 0.0}
    errors = fit_group_errors(
        {**COUNTS, "CH2CO": {"C-O-cumulated": 1}}, {**wrong, "CH2CO": 0.3}
    )
    assert found_errors(errors)["C-O-cumulated"] == pytest.approx(0.0, abs=0.002)


def test_the_covariance_is_what_repeated_fits_scatter_by():
    fits = [fit_group_errors(COUNTS, corrections(0.05, seed)) for seed in range(400)]
    seen = np.cov(np.array([fit.correction_ev for fit in fits]).T)
    # Of one fit whose scatter is about the true one.
    fit = min(fits, key=lambda f: abs(f.scatter_ev - 0.05))
    told = np.array(fit.covariance_ev2)
    spread, wanted = np.sqrt(np.diag(seen)), np.sqrt(np.diag(told))
    known = np.array(fit.groups) != "C-O-cumulated"
    assert spread[known] == pytest.approx(wanted[known], rel=0.15)
    ratio = seen / np.outer(spread, spread) - told / np.outer(wanted, wanted)
    assert np.abs(ratio[np.ix_(known, known)]).max() < 0.15
    scatter = np.sqrt(np.mean([f.scatter_ev**2 for f in fits]))
    assert scatter == pytest.approx(0.05, rel=0.05)


def test_a_held_out_gas_is_a_fit_without_it():
    measured = corrections(0.05)
    errors = fit_group_errors(COUNTS, measured)
    for name in ("C2H6", "HCOOH"):
        others = {gas: n for gas, n in COUNTS.items() if gas != name}
        # Scatter of all, as the fit weighs gases against the prior by it.
        alone = found_errors(fit_group_errors(others, measured))
        predicted = sum(n * alone[g] for g, n in COUNTS[name].items())
        left = errors.held_out_ev[name]
        assert left == pytest.approx(measured[name] - predicted, abs=0.003)


def test_nothing_known_is_the_prior():
    errors = fit_group_errors({}, {})
    assert errors.groups == () and shared_loads({"C-H": 3}, errors) == {}
    # One bond of no group: 1 eV, and scatter.
    assert deviation_of({}, 1, errors) == pytest.approx(np.hypot(1.0, 0.1))
    assert deviation_of({}, 0, errors) == 0.0


def test_loads_have_the_covariance_of_the_fit():
    errors = fit_group_errors(COUNTS, corrections(0.05))
    methoxy, methyl = {"C-O": 1, "C-H": 3}, {"C-H": 3}
    rows = [
        np.array([counts.get(g, 0) for g in errors.groups])
        for counts in (methoxy, methyl)
    ]
    a, b = (shared_loads(counts, errors) for counts in (methoxy, methyl))
    covariance = np.array(errors.covariance_ev2)
    shared = sum(a.get(g, 0) * b.get(g, 0) for g in errors.groups)
    assert shared == pytest.approx(rows[0] @ covariance @ rows[1], rel=1e-9)
    own = rows[0] @ covariance @ rows[0] + errors.scatter_ev**2
    assert deviation_of(methoxy, 0, errors) ** 2 == pytest.approx(own, rel=1e-9)


@pytest.fixture(scope="module")
def computed(library):
    """Free energies of the gases of all groups, by level, and their geometries."""

    @functools.cache
    def compute(name):
        level = library.level(name)
        gases = {g for group in library.groups() for g in group.gases}
        names = sorted({*EXACT, *gases})
        return {n: gas(library.gas(n), level, GasSettings(), Job("gas")) for n in names}

    return compute


def model_at(records, library, anchors=FROM_CO2):
    energies = {
        n: gas_free_energy(record, 298.15, 1e5).gibbs_ev
        for n, record in records.items()
    }
    table = experimental_table(list(records), library)
    own, from_exact = (
        {c.gas: c.correction_ev for c in gas_corrections(energies, table, a)}
        for a in (anchors, EXACT)
    )
    geometries = {n: record.structure for n, record in records.items()}
    counts = {a: library.gas(a).counts for a in anchors}
    return make_group_model(library.groups(), geometries, own, from_exact, counts)


@pytest.mark.xtb
@pytest.mark.parametrize("level", ["gfn1-xtb", "gfn2-xtb"])
def test_a_gas_that_the_fit_has_not_seen_is_within_015_ev(computed, library, level):
    model = model_at(computed(level), library)
    errors = model.errors
    assert len(errors.held_out_ev) >= 12
    assert max(map(abs, errors.held_out_ev.values())) < 0.15
    # Without the fit they are off by an eV.
    assert max(map(abs, model.corrections_ev.values())) > 1.0


@pytest.mark.xtb
def test_methoxy_carries_what_methanol_has_and_water_has_not(computed, library):
    """CuOH + CH3OH → CuOCH3 + H2O is right to 0.04 eV with GFN1 (PBE0/def2-TZVP)."""
    model = model_at(computed("gfn1-xtb"), library)
    drawn = as_adsorbate(library.adsorbate("OCH3").forms[0].atoms)
    carried = model.correction_of(drawn)
    methanol = model.corrections_ev["CH3OH"]
    assert carried.correction_ev == pytest.approx(methanol, abs=0.1)
    assert carried.deviation_ev < 0.1


@pytest.mark.xtb
def test_other_anchors_move_an_adsorbate_as_they_move_a_gas(computed, library):
    records = computed("gfn1-xtb")
    here, there = (model_at(records, library, a) for a in (FROM_CO2, FROM_CO))
    # Formyl is CO and half of H2, and so moves by what CO moves.
    formyl = as_adsorbate(library.adsorbate("CHO").forms[0].atoms)
    moved = there.correction_of(formyl).correction_ev
    moved -= here.correction_of(formyl).correction_ev
    assert moved == pytest.approx(-here.corrections_ev["CO"], abs=1e-9)
    # Drawn as a molecule, it has that molecule's correction in either.
    carbonyl = as_adsorbate(library.adsorbate("CO").forms[0].atoms)
    for model in (here, there):
        found = model.correction_of(carbonyl)
        assert found.correction_ev == model.corrections_ev["CO"]
        assert found.deviation_ev == found.by_groups_ev == 0.0


@pytest.mark.xtb
def test_anchors_of_nitrogen_move_a_bare_atom_too(computed, library):
    """A nitride has no bond of a group, and yet the scale moves under it."""
    records = computed("gfn1-xtb")
    here, there = (model_at(records, library, a) for a in (EXACT, (*FROM_CO2, "NH3")))
    ammonia = here.corrections_ev["NH3"]
    assert ammonia > 2
    for name in ("N", "NH", "NH2"):
        drawn = as_adsorbate(library.adsorbate(name).forms[0].atoms)
        moved = there.correction_of(drawn).correction_ev
        moved -= here.correction_of(drawn).correction_ev
        assert moved == pytest.approx(-ammonia, abs=1e-9)


@pytest.mark.xtb
def test_a_molecule_whose_correction_failed_is_a_hole(computed, library):
    model = model_at(computed("gfn1-xtb"), library)
    without = {g: ev for g, ev in model.corrections_ev.items() if g != "CO"}
    carbonyl = as_adsorbate(library.adsorbate("CO").forms[0].atoms)
    found = replace(model, corrections_ev=without).correction_of(carbonyl)
    assert found.correction_ev is None and "gas correction of CO" in found.reason
