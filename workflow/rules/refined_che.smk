rule refined_che:
    """Compute reaction profiles and limiting potentials of a cluster with DFT."""
    input:
        thermo=with_states("refined_thermo"),
        che="results/{study}/che/{cluster}.json",
        reactions=data_files("che"),
    output:
        "results/{study}/refined_che/{cluster}.json",
    log:
        "results/{study}/logs/refined_che/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("refined_che"),
    shell:
        r"""
        clusterflow refined_che {input.thermo:q} {input.che:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
