"""Errors of a level by bond: against synthetic data of known spread and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.errors import RecordError
from clusterflow.science.uncertainty.bond_errors import (
    Residual,
    compare_models,
    fit_bond_errors,
    predict_held_out,
)

MEANS = {"acyl on Cu": 0.6, "hydride on Cu": -0.3, "carbide on Cu": 2.4}


def residual(structure, adsorbate, bond, error):
    return Residual(structure=structure, adsorbate=adsorbate, bond=bond, error_ev=error)


def synthetic(n_structures, *, cluster=0.0, bond=0.0, own=0.2, each=2, seed=1):
    """Errors with a part common to a cluster, one to a bond on it, one of its own."""
    draw = np.random.default_rng(seed)
    found = []
    for s in range(n_structures):
        common = draw.normal(0, cluster) if cluster else 0.0
        for name, mean in MEANS.items():
            of_bond = draw.normal(0, bond) if bond else 0.0
            found += [
                residual(
                    f"Cu{s}",
                    f"{name}-{n}",
                    name,
                    mean + common + of_bond + draw.normal(0, own),
                )
                for n in range(each)
            ]
    return found


def test_each_structure_counts_once_in_a_mean():
    model = fit_bond_errors(
        [
            residual("Cu4", "CHO", "acyl on Cu", 0.2),
            residual("Cu4", "COOH", "acyl on Cu", 0.6),
            residual("Cu8", "CHO", "acyl on Cu", 1.0),
        ]
    )
    found = model.bonds["acyl on Cu"]
    assert found.mean_ev == pytest.approx(0.7)  # of 0.4 and 1.0, not of three
    assert (found.n_points, found.n_structures) == (3, 2)
    # Held out: 0.2 - 1.0, 0.6 - 1.0 and 1.0 - 0.4.
    held = np.mean([0.8**2, 0.4**2, 0.6**2])
    assert found.deviation_ev == pytest.approx(np.sqrt(held))


def test_means_and_shares_are_those_the_errors_were_made_with():
    many = synthetic(150, cluster=0.3, bond=0.2, own=0.2)
    model = fit_bond_errors(many)
    for bond, mean in MEANS.items():
        assert model.bonds[bond].mean_ev == pytest.approx(mean, abs=0.08)
        assert model.bonds[bond].deviation_ev == pytest.approx(
            np.sqrt(0.3**2 + 0.2**2 + 0.2**2), rel=0.1
        )
    variance = 0.3**2 + 0.2**2 + 0.2**2
    assert model.cluster_share == pytest.approx(0.3**2 / variance, abs=0.12)
    assert model.bond_share == pytest.approx(0.2**2 / variance, abs=0.12)


def test_independent_errors_share_nothing():
    model = fit_bond_errors(synthetic(150, own=0.3))
    assert model.cluster_share < 0.05
    assert model.bond_share < 0.05


def test_deviations_hold_on_structures_that_were_held_out():
    scaled = np.array(
        [
            p.left_ev / p.deviation_ev
            for seed in range(12)
            for p in predict_held_out(
                synthetic(12, cluster=0.2, own=0.2, each=1, seed=seed)
            )
        ]
    )
    assert np.mean(np.abs(scaled) < 1) == pytest.approx(0.68, abs=0.08)
    assert np.mean(np.abs(scaled) < 1.645) == pytest.approx(0.90, abs=0.05)


def test_held_out_structure_has_no_part_in_its_own_prediction():
    points = synthetic(4)
    changed = [
        residual(p.structure, p.adsorbate, p.bond, p.error_ev + 100.0)
        if p.structure == "Cu0"
        else p
        for p in points
    ]
    before = {
        p.residual.adsorbate: p.residual.error_ev - p.left_ev
        for p in predict_held_out(points)
        if p.residual.structure == "Cu0"
    }
    after = {
        p.residual.adsorbate: p.residual.error_ev - p.left_ev
        for p in predict_held_out(changed)
        if p.residual.structure == "Cu0"
    }
    assert after == pytest.approx(before)


def test_a_model_of_bonds_beats_one_shift_and_shuffled_bonds():
    found = compare_models(synthetic(5))
    assert found.left_ev < 0.3
    assert found.shift_ev > 1.0
    assert found.shuffled_ev > 1.0
    assert found.raw_ev == pytest.approx(
        np.sqrt(np.mean([r.error_ev**2 for r in synthetic(5)]))
    )


def test_bonds_that_mean_nothing_do_not_beat_a_shift():
    draw = np.random.default_rng(3)
    noise = [
        residual(f"Cu{s}", f"{bond}-{n}", bond, draw.normal(0, 1))
        for s in range(6)
        for bond in MEANS
        for n in range(2)
    ]
    found = compare_models(noise)
    assert found.left_ev > 0.95 * found.shift_ev


def test_one_structure_alone_needs_a_deviation():
    alone = [residual("Au4", "H", "hydride on Au", 0.1)]
    with pytest.raises(RecordError, match="add a structure"):
        fit_bond_errors(alone)
    model = fit_bond_errors(alone, single_deviation_ev=0.5)
    assert model.bonds["hydride on Au"].deviation_ev == 0.5
    assert model.cluster_share == 0.0
    with pytest.raises(RecordError, match="too few structures"):
        compare_models(alone)


def test_bond_that_one_structure_has_gets_the_deviation_of_all():
    points = [*synthetic(4), residual("Cu0", "O", "oxide on Cu", 0.5)]
    model = fit_bond_errors(points)
    held = [
        p.error_ev
        - np.mean(
            [
                q.error_ev
                for q in points
                if q.bond == p.bond and q.structure != p.structure
            ]
        )
        for p in points[:-1]
    ]
    assert model.bonds["oxide on Cu"].deviation_ev == pytest.approx(
        np.sqrt(np.mean(np.square(held)))
    )
