rule leaving:
    """Compute the vibrations of groups that states of a cluster lack."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        states=states_left,
    output:
        "results/{study}/leaving/{cluster}.json",
    log:
        "results/{study}/logs/leaving/{cluster}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("leaving"),
    params:
        settings=settings("leaving"),
    shell:
        r"""
        clusterflow leaving {input.relax:q} {input.states:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
