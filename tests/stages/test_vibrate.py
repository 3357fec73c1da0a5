"""The stage vibrate: resumed after a kill, refused where forces are wrong."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from clusterflow.engines import ENGINES
from clusterflow.engines.calculator import EngineCalculator
from clusterflow.records.adsorption import AdsorbRecord, Minimum
from clusterflow.records.atoms import from_atoms
from clusterflow.records.clusters import Isomer
from clusterflow.settings import GasSettings, RelaxSettings, VibrateSettings
from clusterflow.stages.gas import gas
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import Relaxation
from clusterflow.stages.vibrate import vibrate

pytestmark = pytest.mark.rounding

PLACES = {"top": 1, "bridge": 2, "hollow": 3}


@pytest.fixture(scope="module")
def carbon(library, provenance):
    """C on a place of a copper tetrahedron by EMT: (adsorb record, host)."""

    def make(place):
        corners = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
        cluster = Relaxation(Atoms("Cu4", positions=0.95 * np.array(corners)), EMT())
        assert cluster.finish(0.001, 200) == "converged"
        atoms = cluster.atoms.copy()
        foot = atoms.positions[: PLACES[place]].mean(axis=0)
        out = foot / np.linalg.norm(foot)
        atoms += Atoms("C", positions=[foot + out * (1.5 if place == "top" else 1.0)])
        bound = Relaxation(atoms, EMT())
        # Not to its finish: what feels for lower ground would leave the bridge.
        assert bound.run(0.001, 200) == "converged"
        host = Isomer(
            structure=_structure(cluster.atoms, 1),
            energy_ev=cluster.energy_ev,
            fmax_ev_per_a=0.0,
            n_gradients=1,
        )
        structure = _structure(bound.atoms, 1)
        roles = (*["core"] * 4, "adsorbate")
        minimum = Minimum(
            structure=structure.model_copy(update={"roles": roles}),
            energy_ev=bound.energy_ev,
            fmax_ev_per_a=0.0,
            n_gradients=1,
            n_starts=1,
            fate="intact",
            core_intact=True,
            isomer="main",
            form="C",
            site_kind="top",
            site_atoms=(0,),
        )
        adsorbed = AdsorbRecord(
            cluster="Cu4",
            adsorbate="C",
            level=library.level("emt"),
            minima=(minimum,),
            n_starts=1,
            provenance=provenance,
        )
        return adsorbed, host

    return make


def _structure(atoms, multiplicity):
    return from_atoms(atoms, charge=0, multiplicity=multiplicity, name="main")


def run(subject, library, job):
    adsorbed, host = subject
    spec = library.adsorbate("C")
    return vibrate(adsorbed, host, spec, VibrateSettings(), job, relax=RelaxSettings())


class Killed(BaseException):
    """What a signal does to a job."""


class DyingJob(Job):
    """A job that is killed after some gradients."""

    def calculator(self, *args, **kwargs):
        calculator = super().calculator(*args, **kwargs)
        whole, numbers = calculator.inner.calculate, count(1)

        def calculate(*args, **kwargs):
            if next(numbers) > self.lives:
                raise Killed
            whole(*args, **kwargs)

        calculator.inner.calculate = calculate
        return calculator


@pytest.mark.parametrize("place", ["hollow", "bridge"])
def test_a_killed_job_computes_no_gradient_twice(tmp_path, library, carbon, place):
    subject = carbon(place)
    undisturbed = run(subject, library, Job("vibrate", scratch=tmp_path / "none"))
    total = undisturbed.provenance.n_gradients
    # From the bridge C has to be pushed down and relaxed: that is resumed as well.
    assert (undisturbed.n_repairs > 0) == (place == "bridge")
    for lives in (1, 5, total - 2):
        folder = tmp_path / str(lives)
        first = DyingJob("vibrate", scratch=folder)
        first.lives = lives
        with pytest.raises(Killed):
            run(subject, library, first)
        assert first.meter.n_gradients == lives + 1, "with the one it died in"
        resumed = run(subject, library, Job("vibrate", scratch=folder))
        assert resumed.provenance.n_gradients == total - lives
        same = {"provenance": undisturbed.provenance}
        assert resumed.model_copy(update=same) == undisturbed
    again = run(subject, library, Job("vibrate", scratch=folder))
    assert again.provenance.n_gradients == 0


def test_other_settings_find_no_old_gradients(tmp_path, library, carbon):
    adsorbed, host = carbon("hollow")
    spec, relax = library.adsorbate("C"), RelaxSettings()
    counts = []
    for accuracy in (0.1, 0.2):
        job = Job("vibrate", scratch=tmp_path)
        settings = VibrateSettings(accuracy=accuracy)
        record = vibrate(adsorbed, host, spec, settings, job, relax=relax)
        counts.append(record.provenance.n_gradients)
    assert counts[0] == counts[1] > 0


def test_the_record_says_what_was_checked(library, carbon):
    record = run(carbon("hollow"), library, Job("vibrate"))
    assert record.status == "ok"
    assert record.stationary_point == "minimum"
    assert record.moving == (4,)
    assert 0 <= record.force_error_ev_per_a < 1e-3
    # One for the geometry, two for the forces, six for the carbon.
    assert record.provenance.n_gradients == 9


class WrongForces(EMT):
    """EMT with a force that is off by what xtb-python's once were."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["forces"][:, 1] += 0.2


class WrongJob(Job):
    """A job whose engine has wrong forces."""

    def calculator(self, *args, **kwargs):
        return EngineCalculator(WrongForces(), ENGINES["emt"], self.meter)


def test_wrong_forces_make_no_vibrations(library, carbon):
    record = run(carbon("hollow"), library, WrongJob("vibrate"))
    assert record.status == "failed"
    assert "forces are not the slope of the energy" in record.reason
    assert record.force_error_ev_per_a > 0.003
    assert record.frequencies_cm1 == ()
    # Found before the differences were paid for.
    assert record.provenance.n_gradients == 3


def test_wrong_forces_make_no_molecule(library):
    class WrongHydrogen(EMT):
        """EMT with an energy that its forces know nothing of."""

        def calculate(self, *args, **kwargs):
            super().calculate(*args, **kwargs)
            self.results["energy"] += 0.3 * self.atoms.get_distance(0, 1)

    class HydrogenJob(Job):
        def calculator(self, *args, **kwargs):
            return EngineCalculator(WrongHydrogen(), ENGINES["emt"], self.meter)

    record = gas(
        library.gas("H2"), library.level("emt"), GasSettings(), HydrogenJob("gas")
    )
    assert record.status == "failed"
    assert "forces are not the slope of the energy" in record.reason
    assert record.force_error_ev_per_a > 0.003


def test_the_next_minimum_stands_for_one_that_becomes_something_else(carbon, library):
    """A saddle point under a wrong name, which following its mode finds out."""
    saddle, host = carbon("bridge")
    lowest, _ = carbon("hollow")
    wrong = saddle.minima[0].model_copy(update={"fate": "reconstructed"})

    def run(*minima):
        adsorbed = saddle.model_copy(update={"minima": minima})
        return vibrate(
            adsorbed,
            host,
            library.adsorbate("C"),
            VibrateSettings(),
            Job("vibrate"),
            relax=RelaxSettings(),
            isomers="pool",
        )

    found = run(wrong, *lowest.minima)
    assert (found.status, found.minimum, found.not_minima) == ("ok", 1, (0,))
    assert found.energy_ev == pytest.approx(lowest.minima[0].energy_ev, abs=1e-3)
    alone = run(wrong)
    assert (alone.status, alone.minimum, alone.not_minima) == ("failed", None, (0,))
    assert alone.reason == "following an imaginary mode, C intact"
