"""Vibrations that leave a cluster: their free energy, and why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.thermochemistry import HarmonicThermo

from clusterflow.records.vibrations import LeavingGroup, LeavingRecord
from clusterflow.science.thermochemistry.lost_vibrations import lost_vibrations

MODES = (400.0, 540.0, 1210.0)


@pytest.fixture
def lost(library, provenance):
    def make(isomer="main", **changes):
        group = LeavingGroup(state="Cu2H", atoms=(3,), frequencies_cm1=MODES)
        record = LeavingRecord(
            cluster="Cu2H2",
            level=library.level("gfn1-xtb"),
            isomer="main",
            groups=(group.model_copy(update=changes),),
            provenance=provenance,
        )
        (found,) = lost_vibrations(record, isomer, 298.15, 50.0)
        return found

    return make


def test_what_leaves_has_harmonic_modes(lost):
    expected = HarmonicThermo(np.array(MODES) * units.invcm)
    free_energy = expected.get_helmholtz_energy(298.15, verbose=False)
    assert lost().terms.gibbs_ev == pytest.approx(free_energy, abs=1e-6)
    assert lost().terms.energy_ev == 0.0


def test_a_soft_imaginary_mode_counts_as_one_at_the_cut_off(lost):
    soft = lost(frequencies_cm1=MODES[1:], imaginary_cm1=(20.0,))
    at_cutoff = lost(frequencies_cm1=(50.0, *MODES[1:]))
    assert soft.terms.gibbs_ev == pytest.approx(at_cutoff.terms.gibbs_ev)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"imaginary_cm1": (300.0,)}, "not at a minimum: 300i cm⁻¹"),
        ({"reason": "scf-failed"}, "has no vibrations: scf-failed"),
        ({"isomer": "by-CO"}, "was vibrated on isomer main, and by-CO"),
    ],
)
def test_without_vibrations_there_is_a_reason(lost, changes, says):
    found = lost(**changes)
    assert found.terms is None
    assert says in found.reason
    assert "what Cu2H2 loses for Cu2H" in found.reason
