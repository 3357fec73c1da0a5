rule level:
    """Choose the first level at which a cluster and its probes converge."""
    input:
        build="results/{study}/build/{cluster}.json",
        levels=level_files(),
    output:
        "results/{study}/level/{cluster}.json",
    log:
        "results/{study}/logs/level/{cluster}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("level"),
    params:
        settings=settings("level"),
    shell:
        r"""
        clusterflow level {input.build:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
