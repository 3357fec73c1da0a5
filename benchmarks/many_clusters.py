"""What collect, report, query and plot cost with many clusters: time, memory, size.

    python benchmarks/many_clusters.py results/STUDY [N_CLUSTERS ...]

copies the records of a finished study in turn under as many names as are said (100 and
1000), with inputs and checksums that fit, and times each verb on the copies, start-up
included; `--verb` names some, and `--keep FOLDER` leaves the copies there. Targets for
1,000 clusters: 90 s and 1 GB for collect and report together, a page of 5 MB, 2 s for
query and plot. Rankings of copies stay empty, since samples belong to a cluster's name;
they are drawn all the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from pydantic_core import from_json, to_json

from clusterflow.records.files import _hash_content
from clusterflow.stage_table import STAGES

N_CLUSTERS = (100, 1000)
VERBS = {
    "collect": ("collect", "{results}"),
    "report": ("report", "{results}"),
    "query best": ("query", "{results}", "best", "--reaction", "CO2-to-CO"),
    "query energies": ("query", "{results}", "energies", "--cluster", "{cluster}"),
    "plot volcano": (
        *("plot", "volcano", "{results}", "--reaction", "CO2-to-CO"),
        *("--descriptor", "COOH", "--output", "{results}/volcano.svg"),
    ),
}


def copy_study(source: Path, folder: Path, n_clusters: int) -> list[str]:
    """Write the records of so many clusters and the study's gases; the names."""
    hashes: dict[str, str] = {}
    clusters = sorted(path.stem for path in (source / "relax").glob("*.json"))
    for path in sorted((source / "gas").rglob("*.json")):
        below = path.relative_to(source)
        _write(folder / below, path.read_bytes(), hashes, below)
    texts = {
        cluster: [
            (path.relative_to(source), path.read_text())
            for stage in STAGES
            for path in _list_records(source, stage, cluster)
        ]
        for cluster in clusters
    }
    names = []
    for number, cluster in enumerate(islice(cycle(clusters), n_clusters)):
        names.append(name := f"{cluster}-{number:05d}")
        for below, text in texts[cluster]:
            for one, other in (("/{}.json", ".json"), ("/{}/", "/"), ('"{}"', '"')):
                start = one[: one.index("{")]
                text = text.replace(f"{start}{cluster}{other}", f"{start}{name}{other}")
            content = from_json(text)
            inputs = content["provenance"]["inputs"]
            for key in inputs:
                inputs[key] = hashes.get(_cut(key), inputs[key])
            content.pop("checksum", None)
            content["checksum"] = _hash_content(content)
            own = Path(
                *(part.replace(cluster, name) for part in below.with_suffix("").parts)
            ).with_suffix(".json")
            _write(folder / own, to_json(content, indent=1), hashes, own)
    return names


def _list_records(source: Path, stage: str, cluster: str) -> list[Path]:
    single = source / stage / f"{cluster}.json"
    several = sorted((source / stage / cluster).glob("*.json"))
    return [single, *several] if single.is_file() else several


def _cut(key: str) -> str:
    """An input's name below the results folder."""
    return "/".join(Path(key).parts[2:])


def _write(path: Path, data: bytes, hashes: dict[str, str], below: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    hashes[below.as_posix()] = hashlib.sha256(data).hexdigest()


def measure(arguments: list[str]) -> tuple[float, float, float]:
    """Wall and CPU seconds, and MB of memory, of a verb."""
    command = [sys.executable, "-m", "clusterflow", *arguments]
    start = perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        output = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=output)
        _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"clusterflow {' '.join(arguments)} failed")
    cpu_s = usage.ru_utime + usage.ru_stime
    return perf_counter() - start, cpu_s, usage.ru_maxrss / 1024


def main() -> None:
    """Print a line a number of clusters and verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("n_clusters", type=int, nargs="*", default=N_CLUSTERS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--verb", choices=VERBS, action="append")
    chosen = parser.parse_args()
    for number in chosen.n_clusters:
        with ExitStack() as stack:
            kept = chosen.keep or Path(
                stack.enter_context(tempfile.TemporaryDirectory())
            )
            results = kept / f"results/many-{number}"
            if not results.is_dir():
                copy_study(chosen.source, results, number)
            cluster = min(path.stem for path in (results / "relax").glob("*.json"))
            for verb in chosen.verb or VERBS:
                words = [
                    word.format(results=results, cluster=cluster)
                    for word in VERBS[verb]
                ]
                wall_s, cpu_s, memory_mb = measure(words)
                print(
                    f"{number:5d} clusters, {verb:15} {wall_s:6.1f} s, "
                    f"CPU {cpu_s:6.1f} s, {memory_mb:5.0f} MB",
                    flush=True,
                )
            if not (results / "report.html").is_file():
                continue
            page = (results / "report.html").stat().st_size / 1e6
            files = [path for path in results.rglob("*.html") if path.is_file()]
            total = sum(path.stat().st_size for path in files) / 1e6
            print(f"{number:5d} clusters, page {page:.2f} MB, all {total:.1f} MB")


if __name__ == "__main__":
    main()
