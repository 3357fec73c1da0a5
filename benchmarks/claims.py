"""The rows of docs/claims.md: each claim of a study, with its verdict and that of DFT.

    python benchmarks/claims.py studies/claims/STUDY.yaml results/STUDY

judges the claims of the file by the finished results and prints a row of Markdown for
each. The results may be of a larger study that was run once for several such files.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from clusterflow.cli.options import read_inputs
from clusterflow.results.claims import say_interval, say_probability
from clusterflow.stage_table import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from clusterflow.records.claims import ClaimRecord, LevelVerdict


def judge(claim: Mapping[str, str], results: Path) -> ClaimRecord:
    """The record of a claim, by all profiles and free energies of the results."""
    stages = STAGES["claims"].reads_peers
    paths = [str(p) for one in stages for p in sorted(results.glob(f"{one}/*.json"))]
    inputs = read_inputs("claims", paths, "{}", given={"claims": dict(claim)})
    return inputs.stage.run(inputs, inputs.job())


def write_rows(study: Path, results: Path) -> Iterator[str]:
    """One row a claim: the level's verdict, P and 90 % interval, and those with DFT."""
    for claim in yaml.safe_load(study.read_text(encoding="utf-8"))["claims"]:
        record = judge(claim, results)
        cells = [_write_verdict(record, one) for one in record.verdicts]
        cells += ["no DFT"] * (2 - len(cells))
        yield " | ".join((f"| `{study.name}` | `{claim['claim']}`", *cells)) + " |"


def _write_verdict(record: ClaimRecord, verdict: LevelVerdict) -> str:
    found = verdict.judgement
    if found.probability is None:
        return "not computed: " + found.reason.replace("*", r"\*")
    text = f"{found.verdict}, {say_probability(found.probability)}"
    if found.median is None:
        return text
    median, lower, upper = say_interval(record, found)
    return f"{text}; {median} {record.unit} [{lower}, {upper}]"


def main() -> None:
    """Print the rows of one study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="file with claims")
    parser.add_argument("results", type=Path, help="finished results")
    arguments = parser.parse_args()
    for row in write_rows(arguments.study, arguments.results):
        print(row)


if __name__ == "__main__":
    main()
