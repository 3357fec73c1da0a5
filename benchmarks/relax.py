"""Relaxations side by side: gradients and CPU time to the same largest force.

    pip install sella                      # if Sella is to run, too
    apt install xtb                        # if xtb's own optimiser is to run, too
    python benchmarks/relax.py             # or with names of clusters
    python benchmarks/relax.py --seeds 3 --resume ends.jsonl

Each complex starts from the first placement of each adsorbate on each cluster, rattled
by 0.01 Å, with as many seeds as asked for. This project, ASE's BFGS and Sella run on
the same engine (tblite, GFN1-xTB) until no force is above 0.02 eV/Å; `xtb --opt` runs
on its own code at the first of its levels that gets there, which counts alone. Two
optimisers may end in two minima: those within 0.1 Å in their sorted distances and 2 meV
count as the same. Of other pairs a sign test says whether one optimiser ends lower more
often than chance would have it.

With ``--resume`` each end is kept in a file, and a run that was interrupted goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, fields
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.io import read, write
from scipy.stats import binomtest

from clusterflow.engines import Meter, make_calculator
from clusterflow.library.find import Library
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import BuildRecord
from clusterflow.records.structure import Structure
from clusterflow.science.adsorption.starts_on_sites import place_adsorbate
from clusterflow.science.clusters.spin import complex_multiplicities
from clusterflow.science.sites.sites import find_sites
from clusterflow.stages.inputs import Inputs
from clusterflow.stages.parts.relaxation import Relaxation, rattled, same_geometry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Program = Callable[[Structure, int], "Ended | None"]

LEVEL = "gfn1-xtb"
FMAX_EV_PER_A = 0.02
# By so much forces of a continued and of a fresh SCF differ.
NOISE_EV_PER_A = 0.0004
MAX_STEPS = 500
CLUSTERS = ("Cd6Se6", "Cd13Se13", "Cu4", "Cu8", "Cu13", "Au6", "Ag6")
ADSORBATES = ("CO", "COOH", "OCHO", "CHO")
XTB_LEVELS = ("normal", "tight", "vtight", "extreme")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Where an optimiser came to, and what it cost."""

    gradients: int
    cpu_s: float
    bare_s: float | None
    energy_ev: float
    atoms: Atoms
    converged: bool


def triangle(symbol: str, length_a: float) -> Structure:
    """The planar six-atom cluster of gold and silver, D3h."""
    corners = [(0.0, 0.0), (2.0, 0.0), (1.0, 3**0.5)]
    middles = [(1.0, 0.0), (0.5, 3**0.5 / 2), (1.5, 3**0.5 / 2)]
    return Structure(
        symbols=(symbol,) * 6,
        positions=tuple(
            (x * length_a, y * length_a, 0.0) for x, y in corners + middles
        ),
        roles=("core",) * 6,
        charge=0,
        multiplicity=1,
    )


def bare(name: str) -> Structure:
    """A cluster of the library, or one of the two triangles."""
    if name in ("Au6", "Ag6"):
        return triangle(name[:2], 2.7)
    return Inputs.read("level", [name]).one(BuildRecord).structures[0]


def complexes(names: list[str]) -> Iterator[tuple[str, Structure]]:
    """The first start of each adsorbate on each cluster."""
    library = Library.default()
    level = library.level(LEVEL)
    for name in names:
        host = bare(name)
        _, sites = find_sites(host.symbols, host.xyz, roles=host.roles)
        for adsorbate in ADSORBATES:
            spec = library.adsorbate(adsorbate)
            spin = complex_multiplicities(host, spec, level, name)[0]
            start = next(
                iter(
                    place_adsorbate(host, sites, spec, multiplicity=spin, max_starts=1)
                )
            )
            yield f"{name}+{adsorbate}", start.structure


def on_engine(
    start: Structure, seed: int, drive: Callable[[Atoms], tuple[Atoms, bool]]
) -> Ended:
    """One optimiser on the project's engine."""
    meter = Meter()
    atoms = rattled(to_atoms(start), 0.01, seed)
    atoms.calc = make_calculator(LEVEL, start.charge, start.multiplicity, meter=meter)
    began = time.process_time()
    final, converged = drive(atoms)
    cpu_s = time.process_time() - began
    energy, force = single_point(final, start)
    return Ended(
        gradients=meter.n_gradients,
        cpu_s=cpu_s,
        bare_s=meter.seconds,
        energy_ev=energy,
        atoms=final,
        converged=converged and force < FMAX_EV_PER_A + NOISE_EV_PER_A,
    )


def single_point(atoms: Atoms, start: Structure) -> tuple[float, float]:
    """Energy, eV, and largest force, eV/Å, by a calculator without a past."""
    probe = atoms.copy()
    probe.calc = make_calculator(LEVEL, start.charge, start.multiplicity)
    forces = np.linalg.norm(probe.get_forces(), axis=1)
    return float(probe.get_potential_energy()), float(forces.max())


def clusterflow(atoms: Atoms) -> tuple[Atoms, bool]:
    """The relaxation of this project."""
    relaxation = Relaxation(atoms, atoms.calc)
    outcome = relaxation.finish(FMAX_EV_PER_A, MAX_STEPS)
    return relaxation.atoms, outcome == "converged"


def ase_bfgs(atoms: Atoms) -> tuple[Atoms, bool]:
    """What a script with ASE has, with its own settings."""
    from ase.optimize import BFGS

    done = BFGS(atoms, logfile=None).run(fmax=FMAX_EV_PER_A, steps=MAX_STEPS)
    return atoms, bool(done)


def sella(atoms: Atoms) -> tuple[Atoms, bool]:
    """Sella, to a minimum, in internal coordinates."""
    from sella import Sella

    with contextlib.redirect_stdout(io.StringIO()):
        optimiser = Sella(atoms, order=0, internal=True, logfile=None)
        done = optimiser.run(fmax=FMAX_EV_PER_A, steps=MAX_STEPS)
    return atoms, bool(done)


def xtb_opt(start: Structure, seed: int) -> Ended | None:
    """`xtb --opt` at its first level whose end has small forces; None without it."""
    for level in XTB_LEVELS:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / "in.xyz", rattled(to_atoms(start), 0.01, seed))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = ["xtb", "in.xyz", "--gfn", "1", "--opt", level]
            command += [
                "--chrg",
                str(start.charge),
                "--uhf",
                str(start.multiplicity - 1),
            ]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, check=False
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            ended = Path(folder) / "xtbopt.xyz"
            if not ended.is_file():
                continue
            final = read(ended)
        energy, force = single_point(final, start)
        # One gradient before the first cycle, and one each.
        cycles = len(re.findall(r"CYCLE\s+\d+", done.stdout))
        if force < FMAX_EV_PER_A + NOISE_EV_PER_A or level == XTB_LEVELS[-1]:
            return Ended(
                gradients=cycles + 1,
                cpu_s=after.ru_utime
                + after.ru_stime
                - before.ru_utime
                - before.ru_stime,
                bare_s=None,
                energy_ev=energy,
                atoms=final,
                converged=force < FMAX_EV_PER_A,
            )
    return None


def rivals() -> dict[str, Program]:
    """What is installed here, by name."""
    found: dict[str, Program] = {
        "clusterflow": lambda start, seed: on_engine(start, seed, clusterflow),
        "ASE BFGS": lambda start, seed: on_engine(start, seed, ase_bfgs),
    }
    try:
        import sella as _  # noqa: F401
    except ImportError:
        print("Sella is not installed: left out")
    else:
        found["Sella"] = lambda start, seed: on_engine(start, seed, sella)
    if shutil.which("xtb"):
        found["xtb --opt"] = xtb_opt
    else:
        print("xtb is not installed: left out")
    return found


class Ends:
    """What has been computed, kept in a file of one JSON object a line."""

    def __init__(self, path: Path | None) -> None:
        self._locate_piece = path
        self._known: dict[tuple[str, int, str], Ended | None] = {}
        if path is not None and path.is_file():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                end = row.pop("end")
                if end is not None:
                    end["atoms"] = Atoms(**end["atoms"])
                    end = Ended(**end)
                self._known[row["complex"], row["seed"], row["program"]] = end

    def get(
        self, label: str, seed: int, name: str, run: Callable[[], Ended | None]
    ) -> Ended | None:
        """One end, computed if it is not known."""
        key = (label, seed, name)
        if key not in self._known:
            self._known[key] = run()
            self._write_line(*key)
        return self._known[key]

    def _write(self, label: str, seed: int, name: str) -> None:
        if self._locate_piece is None:
            return
        end = self._known[label, seed, name]
        content = None
        if end is not None:
            atoms = end.atoms
            content = {field.name: getattr(end, field.name) for field in fields(end)}
            content["atoms"] = {
                "numbers": atoms.numbers.tolist(),
                "positions": atoms.positions.tolist(),
            }
        row = {"complex": label, "seed": seed, "program": name, "end": content}
        with self._locate_piece.open("a") as stream:
            stream.write(json.dumps(row) + "\n")


def same(one: Ended, other: Ended) -> bool:
    """Whether two relaxations ended in one minimum."""
    near = abs(one.energy_ev - other.energy_ev) < 0.002
    return near and same_geometry(one.atoms, other.atoms)


def summary(rows: list[dict[str, Ended | None]]) -> Iterator[str]:
    """Medians, and ratios over the pairs that end in the same minimum."""
    own = [row["clusterflow"] for row in rows]
    for name in rows[0]:
        ends = [row[name] for row in rows if row[name] is not None]
        yield (
            f"{name:12} converged {sum(e.converged for e in ends)}/{len(rows)}, "
            f"median gradients {statistics.median(e.gradients for e in ends):.0f}, "
            f"in all {sum(e.gradients for e in ends)}, "
            f"CPU {sum(e.cpu_s for e in ends):.1f} s"
        )
    spent = sum(e.cpu_s for e in own if e) / sum(e.bare_s or 0 for e in own if e)
    yield f"clusterflow: CPU of a relaxation / CPU of its gradients alone {spent:.3f}"
    for name in rows[0]:
        if name == "clusterflow":
            continue
        pairs = [(row["clusterflow"], row[name]) for row in rows if row[name]]
        pairs = [(a, b) for a, b in pairs if a and b and a.converged and b.converged]
        alike = [(a, b) for a, b in pairs if same(a, b)]
        lower = sum(a.energy_ev < b.energy_ev for a, b in pairs if not same(a, b))
        higher = len(pairs) - len(alike) - lower
        chance = binomtest(lower, lower + higher).pvalue if lower + higher else 1.0
        if not alike:
            continue
        mine = statistics.median(a.gradients for a, _ in alike)
        theirs = statistics.median(b.gradients for _, b in alike)
        ratio = statistics.median(a.gradients / b.gradients for a, b in alike)
        yield (
            f"against {name}: same minimum in {len(alike)} of {len(pairs)}; there "
            f"median gradients {mine:.0f} to {theirs:.0f}, median ratio {ratio:.2f}; "
            f"elsewhere lower {lower}, higher {higher} (sign test p = {chance:.2g})"
        )


def main() -> None:
    """Run all and print the table, then the medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clusters", nargs="*", default=list(CLUSTERS))
    parser.add_argument("--seeds", type=int, default=1, help="rattles of each start")
    parser.add_argument("--resume", type=Path, help="file of ends that are kept")
    asked = parser.parse_args()
    ends = Ends(asked.resume)
    programs = rivals()
    print(f"{'complex':16}" + "".join(f"{name:>30}" for name in programs))
    rows = []
    for (label, start), seed in product(complexes(asked.clusters), range(asked.seeds)):
        row = {
            name: ends.get(label, seed, name, partial(run, start, seed))
            for name, run in programs.items()
        }
        rows.append(row)
        cells = (
            f"{e.gradients:>5}{e.cpu_s:>8.1f}s{e.energy_ev:>13.3f} "
            f"{'ok' if e.converged else '--'} "
            if e
            else "failed"
            for e in row.values()
        )
        print(
            f"{label:14} {seed}" + "".join(f"{cell:>30}" for cell in cells), flush=True
        )
    print("\n".join(summary(rows)))


if __name__ == "__main__":
    main()
