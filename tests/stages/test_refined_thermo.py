"""Free energies with DFT energies: of one composite level, calibrated, or holes."""

from __future__ import annotations

import math

import pytest
from ase import units

from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.refinements import (
    RecomputedMinimum,
    RefineBareRecord,
    RefinedIsomer,
    RefinedMinimum,
    RefineGasRecord,
    RefineRecord,
    RefineRelaxRecord,
    SinglePoint,
)
from clusterflow.science.adsorption.surface_bonds import surface_bonds
from clusterflow.science.thermochemistry.composite import Refinements
from clusterflow.science.thermochemistry.partition_functions import gas_free_energy
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.refined_thermo import refined_thermo

from .test_thermo import AD_EV, GAS_EV, HOST_EV, Study, harmonic

MODES = (150.0, 320.0, 480.0, 2050.0)
# What made-up DFT energies lie above those of the level, eV: of no rule at all.
ABOVE = {"host": -7.0, "CO2": 3.1, "H2": -0.4, "H2O": 1.3, "CO": 0.9, "HCOOH": 2.2}
BINDS_LESS = {"CO": 0.7, "COOH": 0.4, "H": 0.2, "OCHO": -0.3, "HCOOH": 0.1}


class Refined(Study):
    """Records of one cluster, with DFT energies of some."""

    @property
    def dft(self):
        return self.library.level("pbe-d3-tzvp")

    def point(self, structure, energy_ev, reason=""):
        return SinglePoint(structure=structure, energy_ev=energy_ev, reason=reason)

    def refine_gas(self, name, gain=0.0):
        gas = self.gas(name)
        energy = GAS_EV[name] + ABOVE[name]
        return RefineGasRecord(
            gas=name,
            level=self.level,
            dft_level=self.dft,
            point=self.point(gas.structure, energy),
            relaxed=self.point(gas.structure, energy - gain),
            second=self.point(gas.structure, energy),
            provenance=self.provenance,
        )

    def refine_bare(self, energy_ev=HOST_EV + ABOVE["host"], reason=""):
        structure = self.relaxed().isomers[0].structure
        return RefineBareRecord(
            cluster="Cu2",
            level=self.level,
            dft_level=self.dft,
            isomers=(
                RefinedIsomer(
                    isomer="main", point=self.point(structure, energy_ev, reason)
                ),
            ),
            status="failed" if reason else "ok",
            reason=reason,
            provenance=self.provenance,
        )

    def energy_of(self, name):
        """Of the complex by DFT, eV."""
        return HOST_EV + AD_EV[name] + ABOVE["host"] + BINDS_LESS[name]

    def refine(self, name, *points, **changes):
        structure = self.complex(name)
        points = points or (self.point(structure, self.energy_of(name)),)
        return RefineRecord(
            cluster="Cu2",
            adsorbate=name,
            level=self.level,
            dft_level=self.dft,
            minima=tuple(
                RefinedMinimum(
                    minimum=i,
                    bonds=tuple(map(str, surface_bonds(point.structure))),
                    vibrated=i == 0,
                    point=point,
                )
                for i, point in enumerate(points)
            ),
            provenance=self.provenance,
            **changes,
        )

    def relaxed_by_dft(self, gains, *, host=0.0):
        """A second way, in which adsorbates and host lie lower by some eV."""
        return RefineRelaxRecord(
            cluster="Cu2",
            level=self.level,
            dft_level=self.dft,
            bare=self.point(
                self.relaxed().isomers[0].structure, HOST_EV + ABOVE["host"] - host
            ),
            minima=tuple(
                RecomputedMinimum(
                    adsorbate=n,
                    minimum=0,
                    point=self.point(self.complex(n), self.energy_of(n) - gain),
                )
                for n, gain in gains.items()
            ),
            provenance=self.provenance,
        )

    def refined(
        self,
        names,
        bare=None,
        records=None,
        refines=None,
        again=(),
        gains=(),
        **settings,
    ):
        adsorbed = [self.adsorbed(n) for n in AD_EV]
        records = records or ClusterRecords(
            relaxed=self.relaxed(),
            adsorptions=adsorbed,
            vibrations=[self.vibrated(n) for n in AD_EV],
            gases=[self.gas(n) for n in GAS_EV],
        )
        base = self.thermo(adsorbed=records.adsorptions, **settings)
        found = Refinements(
            bare=bare or self.refine_bare(),
            gases=[self.refine_gas(n, dict(gains).get(n, 0.0)) for n in GAS_EV],
            adsorbates=refines or [self.refine(n) for n in names],
        )
        job = Job("refined_thermo")
        return base, refined_thermo(
            records, base, found, self.library, job, again=again
        )


@pytest.fixture
def study(library, provenance, structure):
    return Refined(library, provenance, structure)


def by_name(record):
    return {s.name: s for s in record.species}


def test_no_electronic_energy_of_the_level_is_left(study):
    _, record = study.refined(["CO"], correct=())
    # *CO + H2O -> * + CO2 + H2, all by DFT, thermal parts by the level.
    gases = {n: study.gas(n) for n in ("CO2", "H2", "H2O")}
    thermal = {
        n: gas_free_energy(gas, 298.15, 1e5).gibbs_ev - GAS_EV[n]
        for n, gas in gases.items()
    }
    right = study.energy_of("CO") + harmonic(MODES) - HOST_EV - ABOVE["host"]
    for name, n in (("CO2", 1), ("H2", 1), ("H2O", -1)):
        right -= n * (GAS_EV[name] + ABOVE[name] + thermal[name])
    found = by_name(record.energies)["*CO"]
    assert found.formation_uncorrected_ev == pytest.approx(right, abs=1e-9)
    assert found.terms.energy_ev == study.energy_of("CO")


def test_corrections_of_gases_are_derived_anew(study):
    base, record = study.refined(["CO", "H"], correct=("gas", "level"))
    at_level, found = by_name(base), by_name(record.energies)
    moved = found["CO(g)"].layers["gas"] - at_level["CO(g)"].layers["gas"]
    shift = ABOVE["CO"] + ABOVE["H2O"] - ABOVE["CO2"] - ABOVE["H2"]
    assert moved == pytest.approx(-shift, abs=1e-9)
    # Both are measured: no level can tell them apart.
    assert found["CO(g)"].formation_ev == pytest.approx(at_level["CO(g)"].formation_ev)
    assert found["*CO"].layers["gas"] == found["CO(g)"].layers["gas"]
    # The level's own error is none of DFT.
    assert "level" in at_level["*H"].layers and "level" not in found["*H"].layers


def test_a_level_refined_by_its_own_energies_stays_what_it_is(study, monkeypatch):
    for name in ABOVE:
        monkeypatch.setitem(ABOVE, name, 0.0)
    same = study.refine("CO", study.point(study.complex("CO"), HOST_EV + AD_EV["CO"]))
    base, record = study.refined([], refines=[same], bare=study.refine_bare(HOST_EV))
    found = by_name(record.energies)["*CO"]
    assert found.formation_ev == pytest.approx(by_name(base)["*CO"].formation_ev)
    (point,) = record.calibration
    assert point.error_ev == pytest.approx(0.0, abs=1e-9)


def test_what_has_no_dft_energy_is_calibrated_by_what_has(study):
    base, record = study.refined(["CO", "COOH", "H"], correct=("gas", "level"))
    found = by_name(record.energies)["*OCHO"]
    assert "calibrated" in found.flags and "no DFT energy" in found.reason
    errors = {p.adsorbate: p.error_ev for p in record.calibration}
    assert errors.keys() == {"CO", "COOH", "H"}
    # Without the layer `level`, less the error that is expected now.
    own = by_name(base)["*OCHO"]
    raw = own.formation_ev - own.layers["level"]
    expected = raw + found.layers["calibration"]
    assert found.formation_ev == pytest.approx(expected, abs=1e-9)
    assert found.layers.keys() == {"gas", "calibration"}
    assert found.deviations["level"] < own.deviations["level"]
    # The others bind less than the level says by more than the table knows.
    assert all(
        "calibrated" not in by_name(record.energies)[f"*{n}"].flags
        for n in ("CO", "COOH", "H")
    )


@pytest.mark.parametrize("correct", [(), ("solvation",)])
def test_without_corrections_of_gases_nothing_is_calibrated(study, correct):
    _, record = study.refined(["CO"], correct=correct)
    hole = by_name(record.energies)["*H"]
    assert hole.formation_ev is None and "needs the layer gas" in hole.reason


def test_without_the_bare_cluster_all_is_a_hole_with_its_reason(study):
    bare = study.refine_bare(None, "the SCF was killed")
    _, record = study.refined(["CO"], bare=bare)
    species = by_name(record.energies)
    assert record.status == "failed"
    for name in ("*", "*CO", "*H"):
        assert species[name].formation_ev is None
    assert "the SCF was killed" in species["*CO"].reason
    assert species["CO(g)"].formation_ev is not None


def test_an_scf_that_failed_leaves_a_calibrated_number_that_says_so(study):
    failed = study.refine("CO", status="failed", reason="killed by the queue")
    _, record = study.refined([], refines=[failed, study.refine("H")])
    found = by_name(record.energies)["*CO"]
    assert "killed by the queue" in found.reason and "calibrated" in found.flags


def test_another_multiplicity_is_said_and_has_its_own_degeneracy(study):
    _, before = study.refined(["CO", "H"])
    triplet = study.complex("CO").model_copy(update={"multiplicity": 3})
    refines = [
        study.refine("CO", study.point(triplet, study.energy_of("CO"))),
        study.refine("H"),
    ]
    _, after = study.refined([], refines=refines)
    was, found = by_name(before.energies)["*CO"], by_name(after.energies)["*CO"]
    assert "other-multiplicity" in found.flags
    assert "other-multiplicity" not in was.flags
    assert "other-multiplicity" not in by_name(after.energies)["*H"].flags
    degeneracy_ev = units.kB * 298.15 * math.log(3)
    assert found.formation_ev == pytest.approx(was.formation_ev - degeneracy_ev)


def test_the_lowest_by_dft_stands_though_the_level_has_another(study):
    upper = study.minimum(HOST_EV + AD_EV["CO"] + 0.5, name="CO")
    turned = upper.structure.model_copy(update={"name": "turned"})
    upper = upper.model_copy(update={"structure": turned})
    lower = study.minimum(HOST_EV + AD_EV["CO"], name="CO")
    records = ClusterRecords(
        relaxed=study.relaxed(),
        adsorptions=[study.adsorbed("CO", (lower, upper))],
        vibrations=[study.vibrated("CO")],
        gases=[study.gas(n) for n in GAS_EV],
    )
    energy = study.energy_of("CO")
    points = (study.point(lower.structure, energy), study.point(turned, energy - 1.0))
    refines = [study.refine("CO", *points)]
    _, record = study.refined([], records=records, refines=refines)
    found = by_name(record.energies)["*CO"]
    assert found.terms.energy_ev == energy - 1.0
    assert "other-vibrations" in found.flags
    # Each way of binding tells of the level's error.
    assert [p.minimum for p in record.calibration] == [0, 1]


def test_what_a_relaxation_gains_is_measured_and_changes_no_energy(study):
    again = study.relaxed_by_dft({"CO": 0.25, "H": 0.10}, host=0.04)
    _, before = study.refined(["CO", "H"])
    _, record = study.refined(["CO", "H"], again=[again])
    found = {d.adsorbate: d for d in record.differences}
    assert {d.source for d in found.values()} == {"geometry"}
    assert found["CO"].difference_ev == pytest.approx(-0.25 + 0.04)
    assert found["H"].difference_ev == pytest.approx(-0.10 + 0.04)
    for name in ("*CO", "*H", "*COOH"):
        own, other = (by_name(r.energies)[name] for r in (record, before))
        assert own.formation_ev == other.formation_ev


def test_what_relaxed_gases_gain_is_an_error_in_gases_and_none_in_bindings(study):
    # CO alone: it is fitted to experiment in either way, and *CO inherits it.
    gains = {"CO": 0.05}
    again = study.relaxed_by_dft(gains)
    _, record = study.refined(["CO"], again=[again], gains=gains)
    assert record.differences[0].difference_ev == pytest.approx(0.0, abs=1e-9)


def test_what_dft_is_off_by_is_stated_or_measured(study):
    level = study.dft
    sigma = level.deviations_ev
    assert level.hash == level.model_copy(update={"deviations_ev": {}}).hash
    _, record = study.refined(["CO", "H"], correct=("gas",))
    found = by_name(record.energies)
    stated = {**sigma, "geometry": level.geometry_error_ev}
    for name in ("*CO", "*H"):
        own = found[name].deviations
        assert {k: own[k] for k in stated} == stated and "level" not in own
    # What is calibrated by it is as unsure, and has its own error beside.
    assert found["*COOH"].deviations["functional"] == sigma["functional"]
    assert found["*COOH"].deviations["level"] > 0

    again = study.relaxed_by_dft({"CO": 0.25, "H": 0.05}, host=0.04)
    _, record = study.refined(["CO", "H"], correct=("gas",), again=[again])
    measured = by_name(record.energies)["*CO"].deviations
    squares = 0.21**2 + 0.01**2 + level.geometry_error_ev**2
    assert measured["geometry"] == pytest.approx((squares / 3) ** 0.5)
    assert measured["functional"] == sigma["functional"]


def test_intervals_hold_what_dft_is_off_by(study, library):
    reactions = [library.reaction("HER")]

    def width(**changes):
        _, record = study.refined(["H"], correct=("gas",), **changes)
        job = Job("refined_che")
        (one,) = che(record.energies, reactions, CheSettings(), library, job).results
        assert not {"functional", "basis", "geometry", "level"} & {
            *one.uncertainty.not_included
        }
        return one.uncertainty.upper_v_rhe - one.uncertainty.lower_v_rhe

    wide = width(again=[study.relaxed_by_dft({"H": 1.5})])
    # The root mean square of 1.5 eV and what is stated, beside the functional.
    assert wide > 1.5 * width() > 0.5


def test_profiles_are_made_of_either_and_say_which(study, library):
    base, record = study.refined(["CO"])
    reactions = [library.reaction("CO2-to-CO")]
    (result,) = che(
        record.energies, reactions, CheSettings(), library, Job("refined_che")
    ).results
    assert "*COOH: calibrated" in result.flags
    assert not any(flag.startswith("*CO: calibrated") for flag in result.flags)
    (at_level,) = che(base, reactions, CheSettings(), library, Job("che")).results
    assert result.limiting_potential_v_rhe != at_level.limiting_potential_v_rhe
