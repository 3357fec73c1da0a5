"""What a dry run of many clusters costs, beside the same graph with bare strings.

    OMP_NUM_THREADS=1 python benchmarks/scale.py [N_CLUSTERS ...]

writes a study of 10, 100 or as many clusters as are said, each a Cu4 under a name of
its own with the 14 adsorbates of five reactions, and times `clusterflow run -n`. Then
it times Snakemake alone on a control: as many rules, jobs, inputs and outputs, all of
them strings, and no line of clusterflow. Targets: a ratio of CPU times of 1.5; 600 MB.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import chdir
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from clusterflow.library.find import package_data
from clusterflow.run.command import make_environment
from clusterflow.settings import read_config
from clusterflow.stage_table import STAGES
from clusterflow.study.plan import Plan

N_CLUSTERS = ("10", "100")
RATIO, MEMORY_MB = 1.5, 600
RESULTS = "results/scale"
CONFIG = """\
study: scale
level: {{preferred: [emt]}}
reactions: [HER, CO2-to-CO, CO2-to-HCOOH, CO2-to-CH3OH, CO2-to-CH4]
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


def write_study(folder: Path, n_clusters: int) -> None:
    """A library of so many clusters, and the study of them."""
    cu4 = (package_data() / "structures/clusters/Cu4.yaml").read_text()
    library = folder / "structures/clusters"
    library.mkdir(parents=True)
    names = [f"Cu4-{number:05d}" for number in range(n_clusters)]
    for name in names:
        content = cu4.replace("name: Cu4\n", f"name: {name}\n")
        (library / f"{name}.yaml").write_text(content)
    (folder / "config.yaml").write_text(CONFIG.format(clusters=", ".join(names)))


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
    for stage in STAGES.values():
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


def count_jobs(folder: Path) -> int:
    """The number of jobs that the last dry run has named."""
    lines = (folder / "output.txt").read_text().splitlines()
    (total,) = {line.split()[1] for line in lines if line.startswith("total ")}
    return int(total)


def main(*n_clusters: str) -> None:
    """Print the cost of planning studies of so many clusters, and its slope."""
    profile = str(package_data() / "workflow/profiles/default")
    bare = ["snakemake", "--snakefile", "control.smk", "--workflow-profile", profile]
    bare += ["--cores", "1", "--dry-run", "--quiet", "rules", "host", "reason"]
    costs: list[tuple[int, float, float]] = []
    for number in map(int, n_clusters or N_CLUSTERS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_study(folder, number)
            write_control(folder)
            study = measure(folder, ["clusterflow", "run", "--cores", "1", "-n"])
            n_jobs = count_jobs(folder)
            control = measure(folder, bare)
            if count_jobs(folder) != n_jobs:
                raise SystemExit("the control has other jobs; correct list_inputs")
        print(f"{number} clusters, {n_jobs} jobs")
        for what, cost in (("clusterflow run -n", study), ("bare strings", control)):
            print(
                f"  {what:18} CPU {cost.cpu_s:6.1f} s, wall {cost.wall_s:6.1f} s, "
                f"{cost.memory_mb:4.0f} MB"
            )
        print(
            f"  ratio of CPU {study.cpu_s / control.cpu_s:.2f} (target {RATIO}), "
            f"memory target {MEMORY_MB} MB",
            flush=True,
        )
        costs.append((number, study.cpu_s, control.cpu_s))
    for (few, *before), (many, *after) in pairwise(costs):
        slopes = [
            (late - early) / (many - few) * 1000
            for early, late in zip(before, after, strict=True)
        ]
        print(
            f"from {few} to {many}: {slopes[0]:.0f} ms a cluster, "
            f"bare strings {slopes[1]:.0f} ms"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
