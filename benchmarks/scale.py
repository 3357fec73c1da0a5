"""What many clusters cost: the plan beside a bare one, and the whole run.

    OMP_NUM_THREADS=1 python benchmarks/scale.py [N_CLUSTERS ...] [--run]
        [--reaction NAME ...]

writes a study of 10, 100 or as many clusters as are said, each a Cu4 under a name of
its own with the 14 adsorbates of five reactions, and times `clusterflow run -n`. Then
it times Snakemake alone on a control: as many rules, jobs, inputs and outputs, all of
them strings, and no line of clusterflow. Targets: a ratio of CPU times of 1.5; 600 MB.
With `--run` the study is computed too, with EMT, down to its report; target: a cluster
costs the same, within 20 %, of ten as of a thousand. A cluster costs 15 to 20 s of CPU
then, with `--reaction HER` alone, one adsorbate and 10 jobs, a tenth of that.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from clusterflow.library.find import package_data
from clusterflow.run.command import make_environment
from clusterflow.run.timing import JobTime, job_times
from clusterflow.settings import read_config
from clusterflow.stage_table import STAGES
from clusterflow.study.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

N_CLUSTERS = (10, 100)
REACTIONS = ("HER", "CO2-to-CO", "CO2-to-HCOOH", "CO2-to-CH3OH", "CO2-to-CH4")
CORES = 2
RATIO, MEMORY_MB = 1.5, 600
RESULTS = "results/scale"
CONFIG = """\
study: scale
level: {{preferred: [emt]}}
reactions: [{reactions}]
clusters: [{clusters}]
"""
RULE = """
rule {name}:
    input: {inputs!r}
    output: {outputs!r}
    log: "{results}/logs/{name}/{subject}.log"
    threads: 1
    resources: mem_mb=400, runtime=10
    params: settings="settings of {name}"
    shell: "clusterflow {name} {{input:q}} --settings {{params.settings:q}} "
        "--output {{output:q}} 2>{{log:q}}"
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU and wall time, s, and the largest memory of one process, MB."""

    cpu_s: float
    wall_s: float
    memory_mb: float

    def __str__(self) -> str:
        """Three numbers with their units."""
        return (
            f"CPU {self.cpu_s:6.1f} s, wall {self.wall_s:6.1f} s, "
            f"{self.memory_mb:4.0f} MB"
        )


def write_study(folder: Path, n_clusters: int, reactions: Sequence[str]) -> None:
    """A library of so many clusters, and the study of them."""
    cu4 = (package_data() / "structures/clusters/Cu4.yaml").read_text()
    library = folder / "structures/clusters"
    library.mkdir(parents=True)
    names = [f"Cu4-{number:05d}" for number in range(n_clusters)]
    for name in names:
        content = cu4.replace("name: Cu4\n", f"name: {name}\n")
        (library / f"{name}.yaml").write_text(content)
    content = {"clusters": ", ".join(names), "reactions": ", ".join(reactions)}
    (folder / "config.yaml").write_text(CONFIG.format(**content))


def list_inputs(plan: Plan) -> dict[str, list[str]]:
    """What a job of each stage reads, as strings with Snakemake's wildcards."""
    packaged = package_data() / "structures"

    def of_cluster(stage: str) -> list[str]:
        return [
            f"{RESULTS}/{stage}/{{cluster}}/{name}.json" for name in plan.adsorbates
        ]

    build, level, relax, sites, pool, thermo, edges = (
        f"{RESULTS}/{stage}/{{cluster}}.json"
        for stage in ("build", "level", "relax", "sites", "pool", "thermo", "edges")
    )
    complex_ = f"{RESULTS}/adsorb/{{cluster}}/{{adsorbate}}.json"
    gases = [
        f"{RESULTS}/gas/{level}/{gas}.json"
        for level in plan.levels
        for gas in plan.gases
    ]
    data = {s: [*map(str, plan.data_files(s))] for s in ("edges", "thermo", "che")}
    adsorb = [relax, sites, f"{packaged}/adsorbates/{{adsorbate}}.yaml"]
    return {
        "build": ["structures/clusters/{cluster}.yaml"],
        "level": [build, *map(str, plan.level_files())],
        "relax": [build, level],
        "edges": [relax, *data["edges"]],
        "gas": [f"{packaged}/gases/{{gas}}.yaml", f"{packaged}/levels/{{level}}.yaml"],
        "sites": [relax],
        "adsorb": adsorb,
        "pool": [relax, *of_cluster("adsorb")],
        "vibrate": [complex_, relax],
        "thermo": [
            *(relax, pool, *of_cluster("adsorb"), *of_cluster("vibrate")),
            *(*gases, *data["thermo"]),
        ],
        "che": [thermo, edges, *data["che"]],
        "collect": [str(path) for path in plan.records(RESULTS)],
        "report": [f"{RESULTS}/collect.json"],
    }


def write_control(folder: Path) -> None:
    """A Snakefile with the graph of the study in a folder, spelled out in strings."""
    with chdir(folder):
        plan = Plan.from_config(read_config([Path("config.yaml")]))
        inputs = list_inputs(plan)
    pattern = "[A-Za-z0-9][A-Za-z0-9-]*"
    names = ("cluster", "adsorbate", "gas", "level")
    constraints = "".join(f"\n    {name}={pattern!r}," for name in names)
    text = f"wildcard_constraints:{constraints}\n    round='[1-9]'\n"
    text += (
        f"\nrule all:\n    default_target: True\n    input: '{RESULTS}/report.html'\n"
    )
    more = {
        "collect": [f"{RESULTS}/{number}.csv" for number in range(11)],
        "report": [f"{RESULTS}/report.html", f"{RESULTS}/report.svg"],
    }
    # Stages that such a study has no jobs of are left out.
    for stage in (stage for name, stage in STAGES.items() if name in inputs):
        subject = "/".join(f"{{{part}}}" for part in stage.of) or "study"
        own = f"{stage.name}/{subject}.json" if stage.of else f"{stage.name}.json"
        rule = {"inputs": inputs[stage.name], "results": RESULTS, "subject": subject}
        outputs = [f"{RESULTS}/{own}", *more.get(stage.name, [])]
        text += RULE.format(name=stage.name, outputs=outputs, **rule)
        if stage.name in ("adsorb", "pool"):
            rule["subject"] = f"rounds/{{round}}/{subject}"
            outputs = [f"{RESULTS}/rounds/{{round}}/{own}"]
            text += RULE.format(name=f"{stage.name}_round", outputs=outputs, **rule)
    (folder / "control.smk").write_text(text)


def measure(folder: Path, arguments: list[str]) -> Cost:
    """Cost of a command of Python and of all that it starts."""
    command = [sys.executable, "-m", *arguments]
    start = perf_counter()
    with chdir(folder), Path("output.txt").open("wb") as file:
        to_file = [(os.POSIX_SPAWN_DUP2, file.fileno(), number) for number in (1, 2)]
        environment = make_environment()
        child = os.posix_spawn(command[0], command, environment, file_actions=to_file)
        _, status, used = os.wait4(child, 0)
    wall_s = perf_counter() - start
    if status:
        raise SystemExit((folder / "output.txt").read_text()[-2000:])
    return Cost(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024)


def count_jobs(folder: Path) -> list[int]:
    """The number of jobs in each plan of the last dry run.

    In parts each names the jobs of all clusters, such as gases, that are to be done.
    """
    plans = re.split(r"^part: .*", (folder / "output.txt").read_text(), flags=re.M)
    totals = [re.findall(r"^total +(\d+)", plan, flags=re.M) for plan in plans]
    return [int(found[-1]) for found in totals if found]


def plan_study(folder: Path) -> tuple[Cost, Cost, int]:
    """Cost of a dry run, of the control, and the number of jobs; prints them."""
    profile = str(package_data() / "workflow/profiles/default")
    bare = ["snakemake", "--snakefile", "control.smk", "--workflow-profile", profile]
    bare += ["--cores", "1", "--dry-run", "--quiet", "rules", "host", "reason"]
    write_control(folder)
    study = measure(folder, ["clusterflow", "run", "--cores", "1", "-n"])
    plans = count_jobs(folder)
    control = measure(folder, bare)
    (n_jobs,) = count_jobs(folder)
    if plans != [n_jobs] and len(plans) == 1:
        raise SystemExit("the control has other jobs; correct list_inputs")
    for what, cost in (("clusterflow run -n", study), ("bare strings", control)):
        print(f"  {what:18} {cost}")
    print(
        f"  ratio of CPU {study.cpu_s / control.cpu_s:.2f} (target {RATIO}), "
        f"memory target {MEMORY_MB} MB",
        flush=True,
    )
    return study, control, n_jobs


def run_study(folder: Path, n_jobs: int) -> Cost:
    """Cost of the whole study, start-up included; prints where it goes.

    Seconds of a stage are those between start and end of its jobs, in which other
    programs may have had the processor.
    """
    cost = measure(folder, ["clusterflow", "run", "--cores", str(CORES)])
    print(f"  {'clusterflow run':18} {cost}")
    times = job_times(folder / RESULTS)
    stages: dict[str, list[JobTime]] = {}
    for job in times:
        stages.setdefault(job.stage, []).append(job)
    for name, jobs in stages.items():
        wall_s = sum(job.wall_s for job in jobs)
        each = f"{wall_s / len(jobs) * 1000:8.1f} ms each"
        print(f"    {name:9} {len(jobs):6d} jobs {wall_s:8.1f} s {each}")
    engine_s = sum(job.engine_s for job in times)
    print(
        f"    engine {engine_s:.1f} s; the rest of the CPU "
        f"{(cost.cpu_s - engine_s) / n_jobs * 1000:.0f} ms a job",
        flush=True,
    )
    return cost


def plan_rest(folder: Path) -> Cost:
    """Cost of a dry run with every second cluster's records gone; prints it."""
    results = folder / RESULTS
    for library in sorted((folder / "structures/clusters").iterdir())[1::2]:
        for path in results.glob(f"*/{library.stem}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (*results.glob("collect.json"), *results.glob("report.html")):
        path.unlink()
    cost = measure(folder, ["clusterflow", "run", "--cores", "1", "-n"])
    n_jobs = sum(count_jobs(folder))
    print(f"  {'half done, run -n':18} {cost}; {n_jobs} jobs", flush=True)
    return cost


def main() -> None:
    """Print what studies of so many clusters cost, and the slope."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n_clusters", type=int, nargs="*", default=N_CLUSTERS)
    parser.add_argument("--reaction", action="append", help="in place of all five")
    parser.add_argument("--run", action="store_true", help="not the plan alone")
    chosen = parser.parse_args()
    costs: list[tuple[int, dict[str, Cost]]] = []
    for number in chosen.n_clusters:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_study(folder, number, chosen.reaction or REACTIONS)
            print(f"{number} clusters")
            study, control, n_jobs = plan_study(folder)
            found = {"plan": study, "bare strings": control}
            if chosen.run:
                found["run"] = run_study(folder, n_jobs)
                found["plan of the rest"] = plan_rest(folder)
        costs.append((number, found))
    for (few, before), (many, after) in pairwise(costs):
        for what, cost in after.items():
            slope_s = (cost.cpu_s - before[what].cpu_s) / (many - few)
            ratio = (cost.cpu_s / many) / (before[what].cpu_s / few)
            print(
                f"from {few} to {many} clusters, {what}: {slope_s * 1000:.0f} ms of "
                f"CPU for one more; each costs {ratio:.2f} of what it did"
            )


if __name__ == "__main__":
    main()
