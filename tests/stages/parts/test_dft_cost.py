"""The model of time of a single point, against PySCF and what was measured."""

from __future__ import annotations

from collections import Counter

import pytest

from clusterflow.records.refinements import SinglePoint
from clusterflow.records.structure import Structure
from clusterflow.stages.parts.dft_cost import (
    PointTimes,
    count_basis,
    point_s,
    structure_s,
)

CLUSTERS = {"Cu4": {"Cu": 4}, "Cd6Se6": {"Cd": 6, "Se": 6}}
COOH = Counter({"C": 1, "O": 2, "H": 1})


@pytest.mark.parametrize("basis", ["def2-svp", "def2-tzvp"])
def test_basis_functions_are_those_of_pyscf(basis):
    gto = pytest.importorskip("pyscf.gto", reason="needs clusterflow[dft]")
    light = "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti Fe Ni Cu Zn Ga Se"
    heavy = "Rb Sr Y Mo Pd Ag Cd In Sn Te I Xe Cs Ba Hf W Pt Au Hg Tl Pb Bi Rn"
    for symbol in [*light.split(), *heavy.split()]:
        ecp = {symbol: basis} if symbol in heavy.split() else {}
        mol = gto.M(
            atom=[[symbol, (0, 0, 0)]], basis=basis, ecp=ecp, spin=None, verbose=0
        )
        assert count_basis({symbol: 1}, basis.upper()) == mol.nao, symbol


@pytest.mark.parametrize(
    ("cluster", "with_cooh", "measured_s"),
    [
        ("Cu4", False, 19),
        ("Cu4", True, 82),
        ("Cd6Se6", False, 281),
        ("Cd6Se6", True, 740),
    ],
)
def test_seconds_are_what_was_measured(library, cluster, with_cooh, measured_s):
    level = library.level("pbe-d3-svp-cp")
    counts = Counter(CLUSTERS[cluster]) + (COOH if with_cooh else Counter())
    assert point_s(level, counts) == pytest.approx(measured_s, rel=0.15)


def test_a_counterpoise_correction_is_two_more_fields_in_the_whole_basis(library):
    level = library.level("pbe-d3-svp-cp")
    whole = Counter({"Cu": 4}) + COOH
    alone, paid = point_s(level, whole), point_s(level, whole, adsorbate=COOH)
    # Closed-shell host and open-shell adsorbate, in the basis of both.
    assert 2.4 < paid / alone < 3.0
    tzvp = library.level("pbe-d3-tzvp")
    assert point_s(tzvp, whole, adsorbate=COOH) == point_s(tzvp, whole)
    hybrid = library.level("pbe0-d3-tzvp")
    assert point_s(hybrid, whole) > point_s(tzvp, whole)


def test_what_points_took_corrects_the_model(library):
    level = library.level("pbe-d3-tzvp")
    copper = Structure(
        name="main",
        symbols=("Cu", "Cu"),
        positions=((0.0, 0.0, 0.0), (0.0, 0.0, 2.2)),
        roles=("core", "core"),
        charge=0,
        multiplicity=1,
    )
    once = structure_s(copper, level)
    points = [
        SinglePoint(structure=copper, energy_ev=-1.0, wall_s=3 * once),
        # It took time, and says nothing of a point that converges.
        SinglePoint(structure=copper, energy_ev=None, wall_s=100.0, reason="killed"),
    ]
    times = PointTimes.of(points, level)
    assert times.spent_h == pytest.approx((3 * once + 100) / 3600)
    assert times.expect_h(copper) == pytest.approx(3 * once / 3600)
    assert PointTimes.of([], level).expect_h(copper) == pytest.approx(once / 3600)
    # The triplet beside it is an open shell.
    both = PointTimes.of([], level).expect_h(copper, others=True)
    assert both == pytest.approx(3 * once / 3600)
