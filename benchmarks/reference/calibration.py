"""How well a few DFT energies of a cluster calibrate the others, by brute force.

Each structure of ``level_errors.extxyz`` is held out of the table of its material; some
of its adsorbates, drawn at random, are then taken as refined, and the errors of the
others are compared with what models expect of them.

    python calibration.py RESULTS    # a finished study with gases at gfn1-xtb
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from level_errors import list_residuals, read_points

from clusterflow.library.find import Library
from clusterflow.records.files import read_record
from clusterflow.records.vibrations import GasRecord
from clusterflow.science.uncertainty.bond_errors import Residual, fit_bond_errors
from clusterflow.science.uncertainty.calibration import (
    BondPrior,
    Shares,
    predict_error,
)
from clusterflow.science.uncertainty.deviations import BOND_SHARE, DIAGRAM_SHARE

N_DRAWS = 10


def judge_structure(
    own: list[Residual],
    rest: list[Residual],
    share: float,
    unmeasured_ev: float,
    generator: np.random.Generator,
) -> dict[str, list[float]]:
    """Errors left, eV, by model; `scaled` are those calibrated, in deviations."""
    table = fit_bond_errors(rest) if len({r.structure for r in rest}) > 1 else None
    shares = Shares(cluster=DIAGRAM_SHARE, bond=BOND_SHARE)
    if table is not None:
        shares = Shares(cluster=table.cluster_share, bond=table.bond_share)

    def prior(r: Residual) -> BondPrior:
        entry = table.bonds.get(r.bond) if table else None
        return BondPrior(
            bonds=(r.bond,),
            mean_ev=entry.mean_ev if entry else 0.0,
            deviation_ev=entry.deviation_ev if entry else unmeasured_ev,
        )

    names = sorted({r.adsorbate for r in own})
    left = defaultdict(list)
    for _ in range(N_DRAWS):
        n = max(1, int(len(names) * share))
        drawn = set(generator.choice(names, n, replace=False))
        known = [r for r in own if r.adsorbate in drawn]
        errors = [r.error_ev for r in known]
        shuffled = generator.permutation(errors)
        for r in (r for r in own if r.adsorbate not in drawn):
            same = [q.error_ev for q in known if q.bond == r.bond]
            priors = [prior(q) for q in known]
            pairs = list(zip(priors, errors, strict=True))
            mean, deviation = predict_error(prior(r), pairs, shares)
            mixed = list(zip(priors, map(float, shuffled), strict=True))
            left["calibrated"].append(r.error_ev - mean)
            left["table alone"].append(r.error_ev - prior(r).mean_ev)
            left["one shift"].append(r.error_ev - np.mean(errors))
            left["same bond"].append(r.error_ev - np.mean(same or errors))
            left["shuffled"].append(
                r.error_ev - predict_error(prior(r), mixed, shares)[0]
            )
            left["as it is"].append(r.error_ev)
            left["scaled"].append((r.error_ev - mean) / deviation)
    return left


def main(results: Path) -> None:
    """Print the root mean squares, with a table of the material and without."""
    level = Library.default().level("gfn1-xtb")
    gases = [
        read_record(p, GasRecord) for p in sorted(results.glob("gas/gfn1-xtb/*.json"))
    ]
    found = list_residuals(read_points(), level, "pbe-d3-tzvp", gases)
    generator = np.random.default_rng(1)
    for share in (0.25, 0.5):
        totals = {"with a table": defaultdict(list), "without": defaultdict(list)}
        for residuals in found.values():
            for name in sorted({r.structure for r in residuals}):
                own = [r for r in residuals if r.structure == name]
                rest = [r for r in residuals if r.structure != name]
                has_table = len({r.structure for r in rest}) > 1
                left = judge_structure(
                    own, rest, share, level.uncertainty_ev or 0.0, generator
                )
                kind = "with a table" if has_table else "without"
                for model, values in left.items():
                    totals[kind][model] += values
        for kind, left in totals.items():
            scaled = np.abs(left.pop("scaled"))
            inside = f"inside 1 σ {np.mean(scaled < 1):.0%}, 90 % "
            inside += f"{np.mean(scaled < 1.645):.0%}"
            shown = ", ".join(
                f"{model} {np.sqrt(np.mean(np.square(values))):.2f}"
                for model, values in left.items()
            )
            print(f"{share:.0%} refined, {kind}: {shown} eV; {inside}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
