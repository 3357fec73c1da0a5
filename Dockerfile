# clusterflow in an image, for docker and, made from that, for apptainer: docs/cluster.md
# says how. Its steps are the scripts that .ci/run runs too.
FROM python:3.11-slim
ENV PIP_NO_CACHE_DIR=1
WORKDIR /opt/source
COPY . .
RUN .ci/programs run
RUN .ci/install /opt/clusterflow .
RUN .ci/try /opt/clusterflow

# For any `--user`: somewhere to write, and a name, without which Snakemake does not start.
ENV PATH=/opt/clusterflow/bin:$PATH OMP_NUM_THREADS=1 HOME=/tmp USER=clusterflow
USER nobody
WORKDIR /study
# Snakemake starts its jobs with `apptainer exec`, which takes no notice of these two.
ENTRYPOINT ["clusterflow"]
CMD ["--help"]
