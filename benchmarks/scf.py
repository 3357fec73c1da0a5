"""How many single points along relaxations converge, by level and rung of the ladder.

    python benchmarks/scf.py               # or with names of clusters

The complexes are those of ``relax.py``, each relaxed for at most 40 gradients at
GFN1-xTB without and with spin polarisation. Cu13 with GFN2-xTB comes last, for at most
200 gradients: it is known to fail there, and what counts is that each relaxation ends,
as ``scf-failed`` or not, in bounded time.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relax import CLUSTERS, complexes

from clusterflow.engines import Meter, make_calculator
from clusterflow.records.atoms import to_atoms
from clusterflow.stages.parts.relaxation import Relaxation, rattled

if TYPE_CHECKING:
    from clusterflow.records.structure import Structure

LEVELS = ("gfn1-xtb", "spgfn1-xtb")
FMAX_EV_PER_A = 0.02
MAX_STEPS = 40
MAX_STEPS_GFN2 = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A relaxation: how it ended, and which rung had each of its single points."""

    outcome: str
    rungs: Counter[str]
    cpu_s: float

    @property
    def n_failed(self) -> int:
        """Single points that no rung converged: the last one, or none."""
        return int(self.outcome == "scf-failed")


def attempt(start: Structure, level: str, max_steps: int) -> Tried:
    """A relaxation of a complex, cut short."""
    meter = Meter()
    calculator = make_calculator(level, start.charge, start.multiplicity, meter=meter)
    began = time.process_time()
    relaxation = Relaxation(rattled(to_atoms(start), 0.01), calculator)
    outcome = relaxation.finish(FMAX_EV_PER_A, max_steps)
    return Tried(outcome=outcome, rungs=meter.rungs, cpu_s=time.process_time() - began)


def summary(level: str, tried: list[Tried]) -> str:
    """Share of single points that converged, and the rungs that had them."""
    rungs = sum((one.rungs for one in tried), Counter[str]())
    converged = rungs.total()
    n = converged + sum(one.n_failed for one in tried)
    by_rung = ", ".join(f"{name} {count}" for name, count in rungs.most_common())
    outcomes = Counter(one.outcome for one in tried)
    return (
        f"{level}: {converged} of {n} single points converged "
        f"({100 * converged / n:.2f} %): {by_rung}; relaxations "
        + ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
        + f"; CPU {sum(one.cpu_s for one in tried):.0f} s"
    )


def main() -> None:
    """Run all and print a line a level."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clusters", nargs="*", default=list(CLUSTERS))
    names = parser.parse_args().clusters
    for level in LEVELS:
        tried = []
        for label, start in complexes(names):
            tried.append(attempt(start, level, MAX_STEPS))
            if tried[-1].n_failed or set(tried[-1].rungs) - {"default"}:
                print(f"{level} {label}: {tried[-1].outcome}, {dict(tried[-1].rungs)}")
        print(summary(level, tried), flush=True)
    worst = []
    for label, start in complexes(["Cu13"]):
        worst.append(attempt(start, "gfn2-xtb", MAX_STEPS_GFN2))
        print(f"gfn2-xtb {label}: {worst[-1].outcome}, CPU {worst[-1].cpu_s:.1f} s")
    print(summary("gfn2-xtb on Cu13", worst))


if __name__ == "__main__":
    main()
