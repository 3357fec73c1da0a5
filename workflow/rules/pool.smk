rule pool:
    """Strip and relax what adsorbates have changed, and list a cluster's isomers."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        adsorb=of_cluster("adsorb"),
        before=round_before("pool/{cluster}"),
    output:
        "results/{study}/pool/{cluster}.json",
    log:
        "results/{study}/logs/pool/{cluster}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("pool"),
    params:
        settings=settings("pool"),
    shell:
        r"""
        clusterflow pool {input.relax:q} {input.adsorb:q} {input.before:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """


use rule pool as pool_round with:
    input:
        relax="results/{study}/relax/{cluster}.json",
        adsorb=of_cluster("adsorb", folder="rounds/{round}/"),
        before=round_before("pool/{cluster}"),
    output:
        "results/{study}/rounds/{round}/pool/{cluster}.json",
    log:
        "results/{study}/logs/rounds/{round}/pool/{cluster}.log",
