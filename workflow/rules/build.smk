rule build:
    """Build the starting geometries of a cluster."""
    input:
        cluster_files,
    output:
        "results/{study}/build/{cluster}.json",
    params:
        settings=settings("build"),
    log:
        "results/{study}/logs/build/{cluster}.log",
    benchmark:
        "results/{study}/benchmarks/build/{cluster}.tsv"
    resources:
        mem_mb=memory,
    shell:
        r"""
        clusterflow build {input[0]:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2> {log:q}
        """
