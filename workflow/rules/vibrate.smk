rule vibrate:
    """Compute the vibrations of an adsorbate's best minimum."""
    input:
        adsorb="results/{study}/adsorb/{cluster}/{adsorbate}.json",
        relax="results/{study}/relax/{cluster}.json",
        pool=pool_if_used(),
    output:
        "results/{study}/vibrate/{cluster}/{adsorbate}.json",
    log:
        "results/{study}/logs/vibrate/{cluster}/{adsorbate}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("vibrate"),
    params:
        settings=settings("vibrate"),
    shell:
        r"""
        clusterflow vibrate {input.adsorb:q} {input.pool:q} \
            --relax {input.relax:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
