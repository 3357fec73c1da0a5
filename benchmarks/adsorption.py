"""The search for adsorption minima against brute force.

    python benchmarks/adsorption.py --reference FOLDER   # relaxes thousands of starts

puts each adsorbate on its cluster 200 times (2,000 times for two pairs) and relaxes
every start to the end. A start is turned at random, comes in along a ray from a random
direction through the middle of the cluster, and stops where two atoms first touch; no
code for sites is involved. Each finished start is a line of a file in FOLDER: a run
that is killed goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clusterflow.config import RelaxSettings
from clusterflow.core.spin import complex_multiplicities
from clusterflow.core.topology import bond_lengths
from clusterflow.engines import Meter, make_calculator
from clusterflow.io import to_atoms
from clusterflow.library import Library
from clusterflow.records import Structure
from clusterflow.tasks.job import Job
from clusterflow.tasks.relax import relax
from clusterflow.tasks.relaxation import Relaxation
from clusterflow.tasks.subjects import build_record, level_record

if TYPE_CHECKING:
    from clusterflow.records import RelaxRecord
    from clusterflow.specs import AdsorbateSpec

SEED = 1
N_STARTS = 200
N_CONVERGED = 2000
RELAX = RelaxSettings()
# The first contact, in bond lengths by covalent radii.
CONTACT = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An adsorbate on a cluster at a level."""

    cluster: str
    adsorbate: str
    level: str = "gfn1-xtb"

    @property
    def name(self) -> str:
        """As in tables and files."""
        return f"{self.cluster}+{self.adsorbate}"


# The cheap ones first.
PAIRS = (
    Pair(cluster="Cd6Se6", adsorbate="H"),
    Pair(cluster="Cd6Se6", adsorbate="CO"),
    Pair(cluster="Cd6Se6", adsorbate="COOH"),
    Pair(cluster="Cd6Se6", adsorbate="OCHO"),
    Pair(cluster="Cu8", adsorbate="CO"),
    Pair(cluster="Cu8", adsorbate="COOH"),
    Pair(cluster="Cu13", adsorbate="H", level="gfn1-xtb-1000k"),
    Pair(cluster="Cu13", adsorbate="OCHO", level="gfn1-xtb-1000k"),
    Pair(cluster="Cd13Se13", adsorbate="H"),
    Pair(cluster="Cd13Se13", adsorbate="CO"),
    Pair(cluster="Cd13Se13", adsorbate="COOH"),
    Pair(cluster="Cd13Se13", adsorbate="OCHO"),
)
CONVERGED = PAIRS[:2]


def relaxed(pair: Pair) -> RelaxRecord:
    """The isomers of a pair's cluster, relaxed at its level."""
    built = build_record(pair.cluster)
    return relax(built, level_record(pair.level, built.cluster), RELAX, Job("relax"))


def random_start(
    host: Structure, adsorbate: AdsorbateSpec, multiplicity: int, seed: list[int]
) -> Structure:
    """A host with an adsorbate that has come in from anywhere, in any orientation."""
    rng = np.random.default_rng(seed)
    form = adsorbate.forms[rng.integers(len(adsorbate.forms))]
    symbols = [line[0] for line in form.atoms]
    own = np.array([line[1:] for line in form.atoms], dtype=float)
    own = (own - own.mean(axis=0)) @ random_rotation(rng)
    positions = np.array(host.positions)
    middle = own + positions.mean(axis=0)
    distance = None
    while distance is None:  # a small adsorbate may fly straight through a ring
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        distance = first_contact(host, symbols, middle, direction)
    placed = middle + distance * direction
    return Structure(
        name=f"{host.name}-{adsorbate.name}",
        symbols=(*host.symbols, *symbols),
        positions=tuple(map(tuple, np.vstack([positions, placed]).tolist())),
        roles=(*host.roles, *(["adsorbate"] * len(symbols))),
        charge=host.charge + adsorbate.charge,
        multiplicity=multiplicity,
    )


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A rotation matrix, all equally likely: from a random unit quaternion."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def first_contact(
    host: Structure, symbols: list[str], middle: np.ndarray, direction: np.ndarray
) -> float | None:
    """How far from the middle the adsorbate stops on its way in, Å; None if never."""
    n_host = len(host.symbols)
    reach = CONTACT * bond_lengths([*host.symbols, *symbols])[:n_host, n_host:]
    offsets = middle[None, :] - np.array(host.positions)[:, None]
    along = offsets @ direction
    across = (offsets**2).sum(axis=-1) - along**2
    meets = reach**2 > across
    stops = np.sqrt((reach**2 - across)[meets]) - along[meets]
    return float(stops.max()) if len(stops) else None


def relax_start(start: Structure, level: str) -> dict[str, Any]:
    """What becomes of a start, and what it costs."""
    began = time.process_time()
    meter = Meter()
    calculator = make_calculator(level, start.charge, start.multiplicity, meter=meter)
    relaxation = Relaxation(to_atoms(start), calculator)
    outcome = relaxation.finish(RELAX.fmax_ev_per_a, RELAX.max_steps)
    done = outcome == "converged"
    return {
        "outcome": outcome,
        "energy_ev": relaxation.energy_ev if done else None,
        "gradients": meter.n_gradients,
        "cpu_s": round(time.process_time() - began, 3),
        "positions": relaxation.atoms.positions.round(4).tolist(),
    }


def reference(folder: Path, pairs: list[Pair], n_starts: int) -> None:
    """Relax random starts of each pair until there are so many in its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        path = folder / f"{pair.name}.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        if len(lines) >= n_starts:
            continue
        adsorbate = Library.default().adsorbate(pair.adsorbate)
        record = relaxed(pair)
        host = record.isomers[0].structure
        assert record.level is not None
        spin = complex_multiplicities(host, adsorbate, record.level, pair.cluster)[0]
        key = zlib.crc32(pair.name.encode())
        with path.open("a", encoding="utf-8") as stream:
            for index in range(len(lines), n_starts):
                start = random_start(host, adsorbate, spin, [SEED, key, index])
                row = {"index": index, **asdict(pair)} | relax_start(start, pair.level)
                stream.write(json.dumps(row) + "\n")
                stream.flush()
        print(f"{pair.name}: {n_starts} starts", flush=True)


def main() -> None:
    """Make the reference."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reference", type=Path, metavar="FOLDER")
    parser.add_argument("--pairs", nargs="*", default=[pair.name for pair in PAIRS])
    parser.add_argument("--starts", type=int, default=N_STARTS)
    asked = parser.parse_args()
    reference(
        asked.reference, [p for p in PAIRS if p.name in asked.pairs], asked.starts
    )
    if asked.starts == N_STARTS:
        chosen = [p for p in CONVERGED if p.name in asked.pairs]
        reference(asked.reference, chosen, N_CONVERGED)


if __name__ == "__main__":
    main()
