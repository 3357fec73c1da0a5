"""How fast a scan is: against a loop over the grid, and as a whole command.

    python benchmarks/scan.py results/STUDY

takes a finished study. It scans one cluster at 100 potentials and 15 pH as arrays and
by one call of `evaluate_network` a point, checks that both say the same, and prints
the ratio. Then it copies a che record to 50 clusters and times `clusterflow scan` on
them, start-up included; the target is 5 s.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from clusterflow.library.find import Library
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_record, write_record
from clusterflow.records.profiles import CheRecord
from clusterflow.results.scan import scan
from clusterflow.science.reactions.che import (
    Electrode,
    evaluate_network,
    free_energies_of,
)
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import build_network

POTENTIALS_V = np.linspace(-1.5, 0.5, 100).tolist()
PH = np.linspace(0, 14, 15).tolist()
N_CLUSTERS = 50


def as_arrays(path: Path) -> dict[str, np.ndarray]:
    """Highest ΔG of each reaction at each point, shape (n_ph, n_u)."""
    found = scan(
        [path], potential_v=POTENTIALS_V, scale="she", ph=PH, temperature_k=None
    )
    return {item.result.reaction: item.scan.highest_dg_ev for item in found}


def by_a_loop(record: CheRecord, thermo: ThermoRecord) -> dict[str, np.ndarray]:
    """The same, one point after the other."""
    composition, energies = composition_of(Library.default()), free_energies_of(thermo)
    answer = {}
    for spec in record.networks:
        network = build_network(spec, composition)
        grid = np.empty((len(PH), len(POTENTIALS_V)))
        for row, ph in enumerate(PH):
            for column, potential in enumerate(POTENTIALS_V):
                electrode = Electrode(
                    potential_v=potential,
                    scale="she",
                    ph=ph,
                    temperature_k=thermo.temperature_k,
                )
                found = evaluate_network(network, energies, electrode, surface="x")
                grid[row, column] = max(step.dg_ev for step in found.steps)
        answer[spec.name] = grid
    return answer


def whole_command(record: CheRecord) -> float:
    """Seconds of `clusterflow scan` on copies of a record."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(N_CLUSTERS):
            copy = record.model_copy(update={"cluster": f"copy-{number}"})
            write_record(copy, folder / "che" / f"copy-{number}.json")
        command = [sys.executable, "-m", "clusterflow", "scan", str(folder)]
        command += ["--potential-v", "-1.5:0.5:100", "--ph", "0:14:15"]
        command += ["--output", str(folder / "scan.csv")]
        start = perf_counter()
        subprocess.run(command, check=True)
        seconds = perf_counter() - start
        n_rows = sum(1 for _ in (folder / "scan.csv").open()) - 1
    print(f"{N_CLUSTERS} clusters, {n_rows} points: {seconds:.2f} s (target 5 s)")
    return seconds


def main(results: str) -> None:
    """Print both comparisons for the first cluster of a study."""
    path = sorted((Path(results) / "che").glob("*.json"))[0]
    record = read_record(path, CheRecord)
    thermo = read_record(Path(results) / "thermo" / path.name, ThermoRecord)
    start = perf_counter()
    fast = as_arrays(path)
    middle = perf_counter()
    slow = by_a_loop(record, thermo)
    end = perf_counter()
    for name, grid in fast.items():
        np.testing.assert_allclose(grid, slow[name], atol=1e-9)
    print(
        f"{record.cluster}: arrays {middle - start:.3f} s, loop {end - middle:.2f} s, "
        f"ratio {(end - middle) / (middle - start):.0f}"
    )
    whole_command(record)


if __name__ == "__main__":
    main(*sys.argv[1:])
