rule che:
    """Compute reaction profiles and limiting potentials on a cluster."""
    input:
        thermo=with_states("thermo"),
        edges="results/{study}/edges/{cluster}.json",
        reactions=data_files("che"),
    output:
        "results/{study}/che/{cluster}.json",
    log:
        "results/{study}/logs/che/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("che"),
        reactions=[f"--reaction={name}" for name in PLAN.study.reactions],
    shell:
        r"""
        clusterflow che {input.thermo:q} \
            --edges {input.edges:q} \
            {params.reactions:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
