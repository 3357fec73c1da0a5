"""How fast energies of one's own become profiles.

    python benchmarks/own_energies.py

writes a table of 2,000 surfaces with six adsorbates each, times `clusterflow che
--energies` on it with two reactions, start-up included, as text and as JSON, and exits
with 1 beyond the target of 10 s of either clock.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

N_SURFACES = 2000
TARGET_S = 10.0
# Free energies from CO2, H2 and H2O, eV, and how far surfaces scatter about them.
GASES = {"CO": 0.297, "HCOOH": 0.449}
ADSORBED = {
    "H": -0.10,
    "CO2": 0.80,
    "COOH": 0.30,
    "OCHO": 0.45,
    "CO": -0.40,
    "HCOOH": 0.35,
}
SCATTER_EV = 0.3


def write_table(path: Path) -> None:
    """A table of free energies that differ from surface to surface."""
    noise = random.Random(1)
    lines = ["species,state,surface,gibbs_ev,energy_kind"]
    lines += [f"{name},gas,,{value},formation" for name, value in GASES.items()]
    lines += [
        f"{name},ads,S{n:04d},{value + noise.gauss(0, SCATTER_EV):.3f},formation"
        for n in range(N_SURFACES)
        for name, value in ADSORBED.items()
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def time_command(table: Path, *options: str) -> tuple[float, float, int]:
    """Wall and processor time of the command, s, and bytes it prints."""
    words = [sys.executable, "-m", "clusterflow", "che", "--energies", str(table)]
    words += ["--reaction", "HER", "--reaction", "CO2-to-CO", *options]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = perf_counter()
    printed = subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout
    wall = perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return wall, cpu, len(printed)


def main() -> int:
    """Print the times; the exit code says whether they are within the target."""
    late = False
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "many.csv"
        write_table(table)
        for name, options in (("text", ()), ("JSON", ("--json",))):
            wall, cpu, size = time_command(table, *options)
            print(f"{name}: {wall:.1f} s, processor {cpu:.1f} s, {size / 1e6:.1f} MB")
            late |= max(wall, cpu) > TARGET_S
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
