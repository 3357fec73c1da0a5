rule sites:
    """Find the symmetry-distinct adsorption sites of a relaxed cluster."""
    input:
        "results/{study}/relax/{cluster}.json",
    output:
        "results/{study}/sites/{cluster}.json",
    log:
        "results/{study}/logs/sites/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("sites"),
    shell:
        r"""
        clusterflow sites {input:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
