"""The plan of the study, and the few functions that the rules share.

A function of the wildcards runs once for each job of a rule, so that what is the same for
all of them is a list.
"""

from clusterflow.errors import ClusterflowError
from clusterflow.model import NAME_PATTERN
from clusterflow.run.command import BUNDLE, TABLES, study_configs
from clusterflow.run.watchdog import SETTINGS as WATCHDOG
from clusterflow.settings import merge, read_config
from clusterflow.stage_table import STAGES, list_plan_inputs
from clusterflow.study.bundles import bundle_records, study_stages
from clusterflow.study.plan import Plan
from clusterflow.study.resources import (
    dft_memory_mb,
    dft_runtime_minutes,
    memory_mb,
    runtime_minutes,
    threads,
)

try:
    # Snakemake's own reading loses the first of two equal keys, and takes 1:30 for 90.
    SOURCES = study_configs(workflow.overwrite_configfiles)
    GIVEN = workflow.config_settings.config
    PLAN = Plan.from_config(merge(read_config(SOURCES), GIVEN), SOURCES, GIVEN)
    PART = os.environ.get(BUNDLE, "")
    TARGETS = [] if PART == TABLES else bundle_records(PLAN, PART)
except ClusterflowError as error:
    raise WorkflowError(str(error)) from None
STUDY = PLAN.study.study
# In no rule: with another limit no job runs again.
os.environ[WATCHDOG] = PLAN.study.watchdog.model_dump_json()


wildcard_constraints:
    study=NAME_PATTERN,
    cluster=NAME_PATTERN,
    adsorbate=NAME_PATTERN,
    gas=NAME_PATTERN,
    level=NAME_PATTERN,
    claim=NAME_PATTERN,
    round=r"[1-9]",


def rule_file(stage):
    """The file of a stage's rule, asked for by the Snakefile at the top."""
    path = Path(workflow.current_basedir, "workflow", "rules", f"{stage}.smk")
    if not path.is_file():
        raise WorkflowError(f"stage {stage!r} has no rule: write {path}")
    return str(path)


def planned_stages():
    """Stages of the part that is run: records that tables are made of are there."""
    return study_stages() if PART == TABLES else list(STAGES)


def final_outputs():
    """What the study, or the part of it that is run, ends in."""
    if PART not in ("", TABLES):
        return TARGETS
    end = f"results/{STUDY}/report.html"
    # Snakemake makes a file again that was deleted if it is asked for, and no other.
    others = expand(list(rules.collect.output), study=STUDY)
    if os.path.exists(end):
        others += map(str, PLAN.records(f"results/{STUDY}"))
    return [end, *(path for path in others if not os.path.exists(path))]


def settings(stage):
    """Only the settings that a stage uses, as JSON, with its protocol version."""
    if stage == "claims":
        return lambda wildcards: PLAN.settings(stage, wildcards.claim)
    text = PLAN.settings(stage)
    # A function, for in a string Snakemake would take its braces for wildcards.
    return lambda wildcards: text


def library_file(kind):
    """The YAML of the item a wildcard names, so that an edit runs only its jobs."""
    singular = {"clusters": "cluster", "adsorbates": "adsorbate", "gases": "gas"}[kind]
    return lambda wildcards: str(PLAN.library.path(kind, getattr(wildcards, singular)))


def structure_files(wildcards):
    """The structures a cluster's YAML names, and all files of its parent."""
    return [str(path) for path in PLAN.structure_files(wildcards.cluster)]


def level_files():
    """The YAML of every level that may be chosen, and of the probes."""
    return [str(path) for path in PLAN.level_files()]


def level_peers(wildcards):
    """Level records of the other clusters that share a cluster's level."""
    return [
        f"results/{wildcards.study}/level/{cluster}.json"
        for cluster in PLAN.level_peers(wildcards.cluster)
    ]


def memory(wildcards, attempt):
    """Memory in MB, by the size of the cluster; more with each attempt."""
    return memory_mb(PLAN.counts_of(wildcards).total(), attempt)


def runtime(stage):
    """Time in minutes, by stage and size of the cluster; more with each attempt."""
    return lambda wildcards, attempt: runtime_minutes(
        stage, PLAN.counts_of(wildcards), attempt
    )


def dft_level_file(wildcards):
    """The YAML of the level that refines."""
    return str(PLAN.library.path("levels", PLAN.study.refine.level))


def dft_level_files():
    """The YAML of the level that refines, and of the second."""
    return [str(PLAN.library.path("levels", name)) for name in PLAN.refining_levels]


# At most so many ways of binding are expected of an adsorbate, and states of each.
N_WAYS = 3
N_STATES = 3 if PLAN.study.refine.other_multiplicities else 1
DFT_LEVELS = [PLAN.library.level(name) for name in PLAN.refining_levels]


def dft_memory(wildcards, attempt):
    """Memory of single points by DFT in MB; more with each attempt."""
    return dft_memory_mb(DFT_LEVELS, PLAN.counts_of(wildcards), attempt)


def dft_runtime(wildcards, attempt):
    """Time of single points by DFT in minutes; more with each attempt."""
    return dft_runtime_minutes(
        DFT_LEVELS,
        PLAN.counts_of(wildcards),
        PLAN.adsorbed_counts_of(wildcards),
        attempt=attempt,
        n_points=N_WAYS * N_STATES,
    )


def dft_memory_of_all(wildcards, attempt):
    """Memory of the largest complex by DFT in MB; more with each attempt."""
    largest = PLAN.largest_adsorbate_on(wildcards.cluster)
    return dft_memory_mb(DFT_LEVELS, PLAN.counts_of(wildcards) + largest, attempt)


def dft_runtime_of_all(n_points):
    """Time of so many points of the largest complex by DFT in minutes."""

    def minutes(wildcards, attempt):
        largest = PLAN.largest_adsorbate_on(wildcards.cluster)
        counts = PLAN.counts_of(wildcards) + largest
        return dft_runtime_minutes(
            DFT_LEVELS, counts, largest, attempt=attempt, n_points=n_points
        )

    return minutes


def n_threads(wildcards):
    """Threads of a job, by the size of the cluster."""
    return threads(PLAN.counts_of(wildcards).total())


def of_cluster(stage, folder=""):
    """Records of a stage for every adsorbate on a cluster."""

    def paths(wildcards):
        pattern = f"results/{{study}}/{folder}{stage}/{{cluster}}"
        here = pattern.format(**dict(wildcards.items()))
        return [f"{here}/{name}.json" for name in PLAN.adsorbates_of(wildcards.cluster)]

    return paths


def refined_of_cluster(wildcards):
    """Records of DFT energies of the adsorbates on a cluster that have some."""
    return [
        f"results/{wildcards.study}/refine/{wildcards.cluster}/{name}.json"
        for name in PLAN.refined_of(wildcards.cluster)
    ]


def second_ways(wildcards):
    """What DFT has relaxed of a cluster or has at a second level, if it is asked to."""
    asked = {
        "refine_relax": PLAN.relaxed_of(wildcards.cluster),
        "refine_second": PLAN.compares(wildcards.cluster),
    }
    return [
        f"results/{wildcards.study}/{stage}/{wildcards.cluster}.json"
        for stage, is_asked in asked.items()
        if is_asked
    ]


def plan_of_round(wildcards):
    """What a round of refinement has chosen, the last one without a number; or none."""
    number = getattr(wildcards, "round", PLAN.refine_rounds)
    path = f"results/{wildcards.study}/refine_plan/{number}.json"
    return [path] if PLAN.refine_rounds else []


def planned_from(wildcards):
    """The records that a round of refinement is chosen from."""
    folder = Path(f"results/{wildcards.study}")
    number = int(wildcards.round)
    selection = json.loads(PLAN.selection())
    return [str(path) for path in list_plan_inputs(folder, selection, number)]


def with_states(stage):
    """Free energies of a cluster, then those of the states that its reactions need."""

    def paths(wildcards):
        states = PLAN.cluster_states_of(wildcards.cluster)
        return [
            f"results/{wildcards.study}/{stage}/{cluster}.json"
            for cluster in (wildcards.cluster, *states)
        ]

    return paths


def states_left(wildcards):
    """Relax records of the states without the atoms that a cluster loses."""
    return [
        f"results/{wildcards.study}/relax/{state}.json"
        for state in PLAN.states_left_of(wildcards.cluster)
    ]


def leaving_if_any(wildcards):
    """Vibrations of what leaves a cluster, where reactions take something from it."""
    path = f"results/{wildcards.study}/leaving/{wildcards.cluster}.json"
    return [path] if PLAN.states_left_of(wildcards.cluster) else []


def round_before(*records):
    """Records of the round before; none in the first round."""
    if PLAN.study.pool.rounds == 1:
        return []

    def paths(wildcards):
        number = getattr(wildcards, "round", None)
        folder = PLAN.round_before(int(number) if number else None)
        return [
            f"results/{{study}}/{folder}{record}.json".format(**dict(wildcards.items()))
            for record in records
            if folder
        ]

    return paths


def pool_if_used():
    """The cluster's pool, where it says which minima count."""
    used = PLAN.study.thermo.isomers == "pool"
    return ["results/{study}/pool/{cluster}.json"] if used else []


def of_claim(wildcards):
    """Free energies and profiles of the clusters that a claim names."""
    from clusterflow.study.claims import records_of_claim

    names = records_of_claim(PLAN, wildcards.claim)
    return [f"results/{wildcards.study}/{name}" for name in names]


def of_gases(stage):
    """Records of every gas at every level that may be chosen."""
    return [
        f"results/{{study}}/{stage}/{level}/{gas}.json"
        for level in PLAN.levels
        for gas in PLAN.gases
    ]


def of_study(wildcards):
    """Every record of the study."""
    return [str(path) for path in PLAN.records(f"results/{wildcards.study}")]


def data_files(kind):
    """YAML files whose numbers enter at thermo or che."""
    return [str(path) for path in PLAN.data_files(kind)]
