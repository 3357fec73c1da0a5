rule pool:
    """List a cluster's isomers, and which adsorbates changed its bonds."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        adsorb=of_cluster("adsorb"),
    output:
        "results/{study}/pool/{cluster}.json",
    log:
        "results/{study}/logs/pool/{cluster}.log",
    resources:
        mem_mb=memory,
    params:
        settings=settings("pool"),
    shell:
        r"""
        clusterflow pool {input:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
