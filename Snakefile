"""Free-energy profiles of CO2 reduction on nanoclusters, from structure to report."""

import json
import os
import threading
from pathlib import Path

from snakemake.utils import min_version

min_version("9.16")


report: "workflow/report/workflow.rst"


# Looked at only with --software-deployment-method apptainer: the image of the Dockerfile,
# made as docs/cluster.md says.
container: "clusterflow.sif"


include: "workflow/rules/common.smk"


# Read already; named again for reports of Snakemake, which refuses a file without keys.
if read_config(study_configs([])):

    configfile: "config.yaml"


for stage in planned_stages():

    include: rule_file(stage)


onstart:
    # Snakemake 9 looks at its queue again a second after each look, and once more for
    # each job that ends: a tenth of a core after 150 jobs, a whole one after thousands.
    # That serves its limit of 100 jobs a second; a limit of one's own stays.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit is not None and limit.max_jobs == 100:
        workflow.scheduler.job_rate_limiter = None
    # Its handler of SIGTERM takes the lock that its main thread may hold, and would wait
    # for itself for ever.
    workflow.scheduler._lock = threading.RLock()


rule all:
    """Everything the study asks for, down to the report."""
    default_target: True
    input:
        final_outputs(),
    localrule: True
