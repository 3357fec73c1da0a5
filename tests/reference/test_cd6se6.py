"""Cd6Se6 by GFN1-xTB: the bond lengths of the relaxed prism."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.config import RelaxSettings
from clusterflow.core.symmetry import find_symmetry
from clusterflow.records import LevelRecord
from clusterflow.tasks.build import build
from clusterflow.tasks.job import Job
from clusterflow.tasks.relax import relax

pytestmark = pytest.mark.xtb

# Å, of the converged minimum (12 bonds within the rings, 6 between them)
WITHIN, BETWEEN = 2.592, 2.729


@pytest.fixture(scope="module")
def prism(library, provenance):
    spec = library.cluster("Cd6Se6")
    folder = library.path("clusters", "Cd6Se6").parent
    level = LevelRecord(
        cluster="Cd6Se6",
        level=library.level("gfn1-xtb"),
        attempts=(),
        provenance=provenance,
    )
    record = relax(
        build(spec, folder, library, Job("build")), level, RelaxSettings(), Job("relax")
    )
    assert record.status == "ok", record.reason
    return record.isomers[0]


def bonds(isomer):
    symbols = np.array(isomer.structure.symbols)
    positions = np.array(isomer.structure.positions)
    gaps = np.linalg.norm(
        positions[symbols == "Cd"][:, None] - positions[symbols == "Se"][None], axis=-1
    )
    return np.sort(gaps.ravel())


def test_bond_lengths(prism):
    lengths = bonds(prism)
    # Forces of 0.02 eV/Å against a bond of 5 eV/Å² leave 0.004 Å; the rest to 0.01 is
    # the last digit of the reference.
    assert lengths[:12] == pytest.approx([WITHIN] * 12, abs=0.01)
    assert lengths[12:18] == pytest.approx([BETWEEN] * 6, abs=0.01)
    assert lengths[18] > 4.0


def test_it_keeps_its_symmetry(prism):
    structure = prism.structure
    found = find_symmetry(structure.symbols, np.array(structure.positions), 0.1)
    assert found.point_group == "D3d"


def test_it_is_a_closed_shell_with_a_gap(prism):
    assert prism.lumo_ev - prism.homo_ev > 1.0
    # Selenium takes electrons from cadmium.
    charges = dict.fromkeys(("Cd", "Se"), 0.0)
    for symbol, charge in zip(prism.structure.symbols, prism.charges, strict=True):
        charges[symbol] += charge
    assert charges["Cd"] > 0 > charges["Se"]
    assert sum(charges.values()) == pytest.approx(0.0, abs=1e-6)
