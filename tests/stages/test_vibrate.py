"""The stage vibrate: resumed after a kill, refused where forces are wrong."""

from __future__ import annotations

import re
from itertools import count

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT

from clusterflow.engines import ENGINES, make_calculator
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
    """C on a place of a copper tetrahedron: (adsorb record, host)."""

    def make(place, level="emt"):
        corners = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
        start = Atoms("Cu4", positions=0.95 * np.array(corners))
        cluster = Relaxation(start, make_calculator(level))
        assert cluster.finish(0.001, 200) == "converged"
        atoms = cluster.atoms.copy()
        foot = atoms.positions[: PLACES[place]].mean(axis=0)
        out = foot / np.linalg.norm(foot)
        atoms += Atoms("C", positions=[foot + out * (1.5 if place == "top" else 1.0)])
        bound = Relaxation(atoms, make_calculator(level))
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
            level=library.level(level),
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


def test_a_resumed_job_has_every_digit_of_an_undisturbed_one(tmp_path, library, carbon):
    subject = carbon("hollow", "gfn1-xtb")
    undisturbed = run(subject, library, Job("vibrate", scratch=tmp_path / "none"))
    total = undisturbed.provenance.n_gradients
    assert undisturbed.status == "ok"
    same = {"provenance": undisturbed.provenance}
    unkept = run(subject, library, Job("vibrate"))
    assert unkept.model_copy(update=same) == undisturbed
    for lives in (1, 2, 5, total // 2, total - 2):
        first = DyingJob("vibrate", scratch=tmp_path / str(lives))
        first.lives = lives
        with pytest.raises(Killed):
            run(subject, library, first)
        resumed = run(subject, library, Job("vibrate", scratch=first.scratch))
        # With one more: where each displacement starts from is converged anew.
        assert resumed.provenance.n_gradients <= total - lives + 1
        assert resumed.model_copy(update=same) == undisturbed


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


class Stiff(EMT):
    """EMT with nine times its energy: three times its wavenumbers."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        for name in ("energy", "forces"):
            self.results[name] = 9 * self.results[name]


class StiffJob(Job):
    """A job whose engine makes a saddle of what is soft."""

    def calculator(self, *args, **kwargs):
        return EngineCalculator(Stiff(), ENGINES["emt"], self.meter)


def under_a_wrong_name(subject, *further):
    """A stationary point whose imaginary mode leads to another fate; and minima."""
    adsorbed, host = subject
    wrong = adsorbed.minima[0].model_copy(update={"fate": "reconstructed"})
    return adsorbed.model_copy(update={"minima": (wrong, *further)}), host


def run_pooled(subject, library, job):
    return vibrate(
        *subject,
        library.adsorbate("C"),
        VibrateSettings(),
        job,
        relax=RelaxSettings(),
        isomers="pool",
    )


def test_the_next_minimum_stands_for_a_saddle_of_something_else(carbon, library):
    saddle = carbon("bridge")
    (lowest,) = carbon("hollow")[0].minima
    subject = under_a_wrong_name(saddle, lowest)
    found = run_pooled(subject, library, StiffJob("vibrate"))
    assert (found.status, found.minimum, found.not_minima) == ("ok", 1, (0,))
    assert found.energy_ev == pytest.approx(9 * lowest.energy_ev, abs=1e-2)
    alone = run_pooled(under_a_wrong_name(saddle), library, StiffJob("vibrate"))
    assert (alone.status, alone.minimum, alone.not_minima) == ("failed", None, (0,))
    for record in (found, alone):
        (reason,) = record.not_minima_reasons
        assert re.fullmatch(r"following \d+i cm⁻¹, C intact", reason)
        assert record.set_aside == (f"minimum 0 set aside: {reason}",)
    assert alone.reason == reason


def test_a_soft_mode_keeps_its_minimum(carbon, library):
    soft, _ = subject = under_a_wrong_name(
        carbon("bridge"), *carbon("hollow")[0].minima
    )
    found = run_pooled(subject, library, Job("vibrate"))
    assert (found.minimum, found.not_minima, found.n_repairs) == (0, (), 0)
    assert found.stationary_point == "soft" and found.set_aside == ()
    assert found.structure == soft.minima[0].structure
    assert re.search(r"\(soft\); following \d+i cm⁻¹, C intact", found.reason)


WELL_A, SELENIDE_A, CARBONYL_A = 2.0, 1.69, 2.4


class Sliding(Calculator):
    """CO that slides off cadmium, at the top of a double well, to either selenium."""

    implemented_properties = ("energy", "forces")
    downhill_ev_per_a2 = 0.0

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        *_, carbon, oxygen = self.atoms.positions
        x, y, z = carbon - [0, 0, CARBONYL_A]
        stretch = oxygen - carbon - [0, 0, 1.13]
        a, b = self.downhill_ev_per_a2, self.downhill_ev_per_a2 / WELL_A**2
        pull = np.array([a * x - b * x**3, -5 * y, -5 * z])
        forces = np.zeros((5, 3))
        forces[3], forces[4] = pull + 100 * stretch, -100 * stretch
        energy = -a * x**2 / 2 + b * x**4 / 4 + 2.5 * (y**2 + z**2)
        energy += 50 * float(stretch @ stretch)
        self.results = {"energy": energy, "forces": forces}


def slide(library, provenance, structure, downhill_ev_per_a2):
    """Vibrations of CO on cadmium, from which it slides; its minimum on selenium."""

    class SlidingJob(Job):
        def calculator(self, *args, **kwargs):
            toy = Sliding()
            toy.downhill_ev_per_a2 = downhill_ev_per_a2
            return EngineCalculator(toy, ENGINES["emt"], self.meter)

    # Each selenium 1.2 Å below the way of carbon, so that oxygen stays clear of it.
    out, below = WELL_A + np.sqrt(SELENIDE_A**2 - 1.2**2), CARBONYL_A - 1.2
    cluster = [[0, 0, 0], [out, 0, below], [-out, 0, below]]
    host = structure(["Cd", "Se", "Se"], cluster)

    def minimum(x):
        molecule = [[x, 0, CARBONYL_A], [x, 0, CARBONYL_A + 1.13]]
        whole = structure([*host.symbols, "C", "O"], [*cluster, *molecule])
        return Minimum(
            structure=whole.model_copy(
                update={"roles": (*host.roles, "adsorbate", "adsorbate")}
            ),
            energy_ev=0.0,
            fmax_ev_per_a=0.0,
            n_gradients=1,
            n_starts=1,
            fate="intact",
            core_intact=True,
            isomer="main",
            form="c-down",
            site_kind="top",
            site_atoms=(0,),
        )

    adsorbed = AdsorbRecord(
        cluster="CdSe2",
        adsorbate="CO",
        level=library.level("emt"),
        minima=(minimum(0.0), minimum(WELL_A)),
        n_starts=1,
        provenance=provenance,
    )
    own = Isomer(structure=host, energy_ev=0.0, fmax_ev_per_a=0.0, n_gradients=1)
    return vibrate(
        adsorbed,
        own,
        library.adsorbate("CO"),
        VibrateSettings(),
        SlidingJob("vibrate"),
        relax=RelaxSettings(),
    )


# √(0.2 / 28.01) × 521.47 cm⁻¹ = 44.1; √(1 / 28.01) × 521.47 = 98.5.
SOFT, SADDLE = 0.2, 1.0


def test_carbon_monoxide_is_not_replaced_by_a_carbonyl_selenide(
    library, provenance, structure
):
    kept = slide(library, provenance, structure, SOFT)
    assert (kept.minimum, kept.not_minima, kept.stationary_point) == (0, (), "soft")
    assert kept.imaginary_cm1 == pytest.approx((44.1,), abs=0.1)
    assert "CO has bonded to a nonmetal of the cluster: C-Se" in kept.reason
    assert kept.structure.xyz[3] == pytest.approx([0, 0, CARBONYL_A])
    left = slide(library, provenance, structure, SADDLE)
    assert (left.minimum, left.not_minima) == (1, (0,))
    (shown,) = left.set_aside
    assert shown.startswith("minimum 0 set aside: following 99i cm⁻¹, CO has bonded")


def test_by_its_fate_alone_it_would_be(library, provenance, structure, monkeypatch):
    monkeypatch.setattr("clusterflow.stages.vibrate.why_other_bonds", lambda *args: "")
    found = slide(library, provenance, structure, SADDLE)
    carbon, selenium = found.structure.xyz[3], found.structure.xyz[1:3]
    reached = np.linalg.norm(selenium - carbon, axis=1).min()
    assert found.minimum == 0 and reached == pytest.approx(SELENIDE_A, abs=0.05)
