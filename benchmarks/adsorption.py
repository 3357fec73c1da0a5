"""The search for adsorption minima against brute force.

    python benchmarks/adsorption.py                      # or with names of pairs
    python benchmarks/adsorption.py --default            # the default search, one seed
    python benchmarks/adsorption.py --linear             # cost of the screen alone
    python benchmarks/adsorption.py --reference FOLDER   # brute force, hours
    python benchmarks/adsorption.py --summarise FOLDER   # into benchmarks/reference

The first runs the thorough search on each pair with three seeds and prints what it
found beside the reference: the lowest minimum that kept cluster and adsorbate, within
0.02 eV or below, in 11 of 12 pairs with each seed, for a tenth of the CPU time. The
root mean square of ΔE, of atoms and of molecules, is what `search_error_ev` knows.

The reference puts each adsorbate on its cluster 200 times (2,000 times for two pairs)
and relaxes every start to the end. A start is turned at random, comes in along a ray
from a random direction through the middle of the cluster, and stops where two atoms
first touch; no code for sites is involved. In random orientations the two forms of CO
are one; its rows were made with the upright one alone. Each finished start is a line of
a file in FOLDER: a run that is killed goes on where it was.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clusterflow.engines import Meter, make_calculator
from clusterflow.library.find import Library
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import BuildRecord
from clusterflow.science.adsorption.outcome import judge_complex
from clusterflow.science.adsorption.same_minimum import same_shape, shape_of
from clusterflow.science.adsorption.search_decisions import group_candidates
from clusterflow.science.adsorption.starts_at_random import place_anywhere
from clusterflow.science.clusters.spin import complex_multiplicities
from clusterflow.science.geometry.symmetry import own_permutations
from clusterflow.settings import (
    THOROUGH_SEARCH,
    AdsorbSettings,
    RelaxSettings,
    SitesSettings,
)
from clusterflow.stages.adsorb import adsorb
from clusterflow.stages.inputs import Inputs, level_record
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.relaxation import Relaxation, same_geometry
from clusterflow.stages.relax import relax, relaxed_isomer
from clusterflow.stages.sites import sites_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.records.clusters import RelaxRecord
    from clusterflow.records.structure import Structure
    from clusterflow.science.adsorption.outcome import FateVerdict
    from clusterflow.science.adsorption.same_minimum import Shape

REFERENCE = Path(__file__).parent / "reference" / "adsorption.csv"
SEED = 1
N_STARTS = 200
N_CONVERGED = 2000
RELAX = RelaxSettings()
SEEDS = (1, 2, 3)
TOLERANCE_EV = 0.02
SHARE_OF_CPU = 0.1
SAME_EV, SAME_A = 0.005, 0.1


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
CONVERGED = tuple(pair for pair in PAIRS if pair.name in ("Cd6Se6+H", "Cu8+CO"))


@cache
def relaxed(cluster: str, level: str) -> RelaxRecord:
    """The isomers of a cluster, relaxed at a level."""
    built = Inputs.read("level", [cluster]).one(BuildRecord)
    return relax(built, level_record(level, built.cluster), RELAX, Job("relax"))


def starts(pair: Pair) -> Iterator[Structure]:
    """Random placements on the lowest isomer, without end, the same every time."""
    record = relaxed(pair.cluster, pair.level)
    host, level = record.isomers[0].structure, record.level
    assert level is not None
    spec = Library.default().adsorbate(pair.adsorbate)
    spin = complex_multiplicities(host, spec, level, pair.cluster)[0]
    index = 0
    while True:
        seed = [SEED, zlib.crc32(pair.name.encode()), index]
        start = place_anywhere(host, spec, multiplicity=spin, seed=seed)
        assert start is not None  # only ligands can be in the way everywhere
        yield start.structure
        index += 1


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


def brute_force(folder: Path, pairs: Sequence[Pair], n_starts: int) -> None:
    """Relax random starts of each pair until there are so many in its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        path = folder / f"{pair.name}.jsonl"
        n_done = len(finished(path))
        if n_done >= n_starts:
            continue
        with path.open("a", encoding="utf-8") as stream:
            for index, start in zip(range(n_starts), starts(pair), strict=False):
                if index >= n_done:
                    row = {"index": index, **relax_start(start, pair.level)}
                    stream.write(json.dumps(row) + "\n")
                    stream.flush()
        print(f"{pair.name}: {n_starts} starts", flush=True)


def finished(path: Path) -> list[dict[str, Any]]:
    """The starts in a file; half a line at its end, of a killed run, is taken away."""
    if not path.is_file():
        return []
    whole, _, rest = path.read_text(encoding="utf-8").rpartition("\n")
    if rest:
        path.write_text(whole + "\n" if whole else "", encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A relaxed start."""

    structure: Structure
    energy_ev: float
    verdict: FateVerdict
    shape: Shape


def ends(pair: Pair, rows: Sequence[dict[str, Any]]) -> list[End]:
    """The relaxed starts of a file, judged as the project judges them."""
    host = relaxed(pair.cluster, pair.level).isomers[0].structure
    others = Library.default().adsorbates()
    found = []
    for row, start in zip(rows, starts(pair), strict=False):
        if row["energy_ev"] is None:
            continue
        positions = tuple(map(tuple, row["positions"]))
        structure = start.model_copy(update={"positions": positions})
        verdict = judge_complex(structure, host, others[pair.adsorbate], others)
        shape = shape_of(structure, len(host.symbols), core_intact=verdict.core_intact)
        found.append(
            End(
                structure=structure,
                energy_ev=row["energy_ev"],
                verdict=verdict,
                shape=shape,
            )
        )
    return found


def distinct(pair: Pair, found: Sequence[End]) -> list[list[End]]:
    """Ends in groups of one minimum each, lowest first."""
    host = relaxed(pair.cluster, pair.level).isomers[0].structure
    images = own_permutations(host)
    return group_candidates(
        found, lambda a, b: same_shape(a.shape, b.shape, images, SAME_A), SAME_EV
    )


def host_name(pair: Pair, end: End) -> str:
    """The bare isomer under a changed complex: a known one, or how far above or below.

    Energies are relative to the isomer that was placed on.
    """
    record = relaxed(pair.cluster, pair.level)
    own = record.isomers[0]
    assert record.level is not None
    n_host = len(own.structure.symbols)
    bare = own.structure.model_copy(
        update={"positions": end.structure.positions[:n_host], "name": "stripped"}
    )
    found = relaxed_isomer(bare, record.level, RELAX, Job("pool"))
    if isinstance(found, str):
        return "unknown"
    above = found.energy_ev - own.energy_ev
    for isomer in record.isomers:
        atoms = to_atoms(isomer.structure), to_atoms(found.structure)
        near = abs(isomer.energy_ev - found.energy_ev) < SAME_EV
        if near and same_geometry(*atoms):
            return isomer.structure.name
    return f"new, {above:+.2f} eV"


def summary(pair: Pair, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The reference for a pair, in one row of the table."""
    groups = distinct(pair, ends(pair, rows))
    fates = Counter(kind_of(group[0].verdict) for group in groups)
    kept = [g for g in groups if kind_of(g[0].verdict) == "intact"]
    changed = [g for g in groups if kind_of(g[0].verdict) == "reconstructed"]
    return {
        "pair": pair.name,
        "level": pair.level,
        "starts": len(rows),
        "failed": sum(row["energy_ev"] is None for row in rows),
        "gradients": sum(row["gradients"] for row in rows),
        "cpu_s": round(sum(row["cpu_s"] for row in rows), 1),
        "intact_ev": round(kept[0][0].energy_ev, 4) if kept else "",
        "intact_hits": len(kept[0]) if kept else "",
        "reconstructed_ev": round(changed[0][0].energy_ev, 4) if changed else "",
        "reconstructed_hits": len(changed[0]) if changed else "",
        "reconstructed_host": host_name(pair, changed[0][0]) if changed else "",
        "lowest_ev": round(groups[0][0].energy_ev, 4) if groups else "",
        "lowest_is": groups[0][0].verdict.detail or groups[0][0].verdict.fate,
        "n_intact": fates["intact"],
        "n_reconstructed": fates["reconstructed"],
        "n_other": fates["other"],
    }


def kind_of(verdict: FateVerdict) -> str:
    """Intact, reconstructed, or another species."""
    return verdict.fate if verdict.fate in ("intact", "reconstructed") else "other"


def summarise(folder: Path, pairs: Sequence[Pair]) -> None:
    """Put the finished files of a folder into the table of the reference."""
    rows = read_table()
    for pair in pairs:
        made = finished(folder / f"{pair.name}.jsonl")
        for n_starts in (N_STARTS, N_CONVERGED):
            if len(made) >= n_starts:
                row = summary(pair, made[:n_starts])
                rows[pair.name, n_starts] = {k: str(v) for k, v in row.items()}
                print(row, flush=True)
    with REFERENCE.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(
            stream, list(next(iter(rows.values()))), lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(rows.values())


def read_table() -> dict[tuple[str, int], dict[str, str]]:
    """The rows of the reference, by pair and number of starts."""
    if not REFERENCE.exists():
        return {}
    with REFERENCE.open(encoding="utf-8", newline="") as stream:
        return {
            (row["pair"], int(row["starts"])): row for row in csv.DictReader(stream)
        }


def read_reference() -> dict[str, dict[str, str]]:
    """The row of each pair with the usual number of starts."""
    return {pair: row for (pair, n), row in read_table().items() if n == N_STARTS}


def search(pair: Pair, settings: AdsorbSettings) -> dict[str, Any]:
    """What the search of the project finds, and the CPU time it takes."""
    record = relaxed(pair.cluster, pair.level)
    library, job = Library.default(), Job("adsorb")
    host = record.isomers[0].structure
    began = time.process_time()
    sites = sites_of(host, pair.cluster, SitesSettings(), Job("sites"))
    found = adsorb(
        record,
        sites,
        library.adsorbate(pair.adsorbate),
        settings,
        job,
        others=library.adsorbates(),
        relax=RELAX,
    )
    cpu_s = time.process_time() - began
    return {"record": found, "cpu_s": cpu_s, "gradients": job.meter.n_gradients}


def compare(
    pair: Pair, known: dict[str, str], searches: Sequence[AdsorbSettings]
) -> Iterator[tuple[float, bool]]:
    """Search with each settings; print a line; ΔE, and whether all is as asked."""
    for settings in searches:
        found = search(pair, settings)
        minima = found["record"].minima
        lowest = {
            kind: min((m.energy_ev for m in minima if m.fate == kind), default=None)
            for kind in ("intact", "reconstructed")
        }
        gaps = {
            kind: energy - float(known[f"{kind}_ev"])
            for kind, energy in lowest.items()
            if energy is not None and known[f"{kind}_ev"]
        }
        share = found["cpu_s"] / float(known["cpu_s"])
        good = gaps.get("intact", np.inf) < TOLERANCE_EV and share < SHARE_OF_CPU
        n_intact = sum(m.fate == "intact" for m in minima)
        changed = gaps.get("reconstructed")
        print(
            f"{pair.name:16}{settings.seed:5}{gaps.get('intact', np.nan):10.3f}"
            f"{n_intact:6}/{known['n_intact']:4}"
            f"{'-' if changed is None else format(changed, '.3f'):>10}"
            f"{found['gradients']:7}{found['cpu_s']:8.1f}{share:8.3f}"
            f"  {'ok' if good else 'FAIL'}",
            flush=True,
        )
        yield gaps.get("intact", np.inf), good


def compare_all(pairs: Sequence[Pair], searches: Sequence[AdsorbSettings]) -> None:
    """The table of all pairs with a reference, the verdict, and the mean errors."""
    reference = read_reference()
    relaxed("Cu8", "gfn1-xtb")  # what is imported late is not the search's
    print(
        f"{'pair':16}{'seed':>5}{'ΔE, eV':>10}{'minima':>11}{'changed':>10}"
        f"{'grads':>7}{'CPU, s':>8}{'share':>8}"
    )
    there = [pair for pair in pairs if pair.name in reference]
    rows = [list(compare(pair, reference[pair.name], searches)) for pair in there]
    for settings, column in zip(searches, zip(*rows, strict=True), strict=True):
        n_good = sum(good for _, good in column)
        print(
            f"seed {settings.seed}: {n_good} of {len(column)} pairs, "
            f"{len(PAIRS)} asked for: {'PASS' if n_good >= len(PAIRS) - 1 else 'FAIL'}"
        )
    for kind, is_atom in (("atoms", True), ("molecules", False)):
        gaps = [
            gap
            for pair, row in zip(there, rows, strict=True)
            if (pair.adsorbate == "H") is is_atom
            for gap, _ in row
        ]
        if gaps:
            print(f"{kind}: {np.sqrt(np.mean(np.square(gaps))):.3f} eV")


def show_linear(pair: Pair) -> None:
    """CPU time of the screen alone, by the number of starts."""
    for n_starts in (8, 16, 32, 64, 128):
        settings = AdsorbSettings(
            max_screened=1, random_starts=n_starts - 1, halvings=0
        )
        found = search(pair, settings)
        steps = settings.screen_steps
        after = sum(m.n_gradients - steps - 1 for m in found["record"].minima)
        print(
            f"{pair.name}: {n_starts:4} starts, {found['gradients']:5} gradients "
            f"({after} of them after the screen), {found['cpu_s']:6.2f} s, "
            f"{1000 * found['cpu_s'] / n_starts:5.0f} ms a start",
            flush=True,
        )


def main() -> None:
    """Compare, or make what is compared with."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pairs", nargs="*", default=[pair.name for pair in PAIRS])
    parser.add_argument("--default", action="store_true")
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--reference", type=Path, metavar="FOLDER")
    parser.add_argument("--summarise", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    pairs = [pair for pair in PAIRS if pair.name in asked.pairs]
    if asked.reference:
        brute_force(asked.reference, pairs, N_STARTS)
        converged = [pair for pair in CONVERGED if pair in pairs]
        brute_force(asked.reference, converged, N_CONVERGED)
    elif asked.summarise:
        summarise(asked.summarise, pairs)
    elif asked.linear:
        show_linear(PAIRS[4])
    elif asked.default:
        compare_all(pairs, [AdsorbSettings()])
    else:
        seeds = [{"seed": seed} for seed in SEEDS]
        compare_all(pairs, [THOROUGH_SEARCH.model_copy(update=s) for s in seeds])


if __name__ == "__main__":
    main()
