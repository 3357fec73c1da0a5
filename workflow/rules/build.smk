rule build:
    """Build the starting geometries of a cluster."""
    input:
        cluster=library_file("clusters"),
        structures=structure_files,
    output:
        "results/{study}/build/{cluster}.json",
    log:
        "results/{study}/logs/build/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("build"),
    shell:
        r"""
        clusterflow build {input.cluster:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
