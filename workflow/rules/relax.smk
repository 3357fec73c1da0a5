rule relax:
    """Relax the starting geometries of a cluster and rank the isomers."""
    input:
        build="results/{study}/build/{cluster}.json",
        level="results/{study}/level/{cluster}.json",
        peers=level_peers,
    output:
        "results/{study}/relax/{cluster}.json",
    log:
        "results/{study}/logs/relax/{cluster}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("relax"),
    params:
        settings=settings("relax"),
    shell:
        r"""
        clusterflow relax {input.build:q} {input.peers:q} \
            --level {input.level:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
