rule claims:
    """Judge a claim by the joint samples of all errors."""
    input:
        of_claim,
    output:
        "results/{study}/claims/{claim}.json",
    log:
        "results/{study}/logs/claims/{claim}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    params:
        settings=settings("claims"),
    shell:
        r"""
        clusterflow claims {input:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
