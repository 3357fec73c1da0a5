"""What the report of a large study costs: time, memory and size of the page.

    python benchmarks/report.py results/STUDY [N_CLUSTERS]

takes a finished study and copies the records of its clusters in turn, under the names
of other clusters of the library, until there are 50. Then it times `clusterflow report`
on the study itself and on the copies, start-up included. Targets: 5 s for the default
study; 60 s, 1 GB and 15 MB for 50 clusters.
"""

from __future__ import annotations

import os
import sys
import tempfile
from itertools import cycle
from pathlib import Path
from time import perf_counter

from clusterflow.library.find import Library
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import StudyRecords, read_records, write_record
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import GasRecord
from clusterflow.stage_table import record_name

N_CLUSTERS = 50
STUDY_S, LARGE_S, LARGE_MB, PAGE_MB = 5, 60, 1000, 15


def copy_study(records: StudyRecords, folder: Path, n_clusters: int) -> None:
    """Write the gases, and each cluster's records under so many names."""
    for gas in records.of(GasRecord):
        write_record(gas, folder / record_name(gas))
    names = sorted(Library.default().paths("clusters"))
    owned = [r for r in records.records if hasattr(r, "cluster")]
    for name, source in zip(names, cycle(che.cluster for che in records.of(CheRecord))):
        if n_clusters == 0:
            break
        n_clusters -= 1
        for record in owned:
            if record.cluster != source:
                continue
            # A state belongs to the cluster whose name it is.
            changed = {"cluster": name} | (
                {"states": {}} if record.stage == "che" else {}
            )
            copied = record.model_copy(update=changed)
            write_record(copied, folder / record_name(copied))


def measure(folder: Path) -> tuple[float, float, float]:
    """Seconds, MB of memory and MB of page of ``clusterflow report``."""
    command = [sys.executable, "-m", "clusterflow", "report", str(folder)]
    start = perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        output = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=output)
        _, status, usage = os.wait4(child, 0)
    seconds = perf_counter() - start
    if status:
        raise SystemExit(f"clusterflow report {folder} failed")
    page = (folder / "report.html").stat().st_size
    print(f"  of which {usage.ru_utime + usage.ru_stime:.1f} s of CPU time")
    return seconds, usage.ru_maxrss / 1024, page / 1e6


def main(results: str, n_clusters: str = str(N_CLUSTERS)) -> None:
    """Print the cost of a study's report, and of that of its copies."""
    records = read_records(Path(results))
    seconds, memory_mb, page_mb = measure(Path(results))
    print(
        f"{len(records.of(CheRecord))} clusters: {seconds:.1f} s (target {STUDY_S} s), "
        f"{memory_mb:.0f} MB, page {page_mb:.2f} MB"
    )
    with tempfile.TemporaryDirectory() as name:
        copy_study(records, Path(name), int(n_clusters))
        seconds, memory_mb, page_mb = measure(Path(name))
    n_species = max(len(thermo.species) for thermo in records.of(ThermoRecord))
    print(
        f"{n_clusters} clusters, {n_species} species: {seconds:.1f} s "
        f"(target {LARGE_S} s), {memory_mb:.0f} MB (target {LARGE_MB}), "
        f"page {page_mb:.2f} MB (target {PAGE_MB})"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
