rule adsorb:
    """Find the minima of an adsorbate on a cluster."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        sites="results/{study}/sites/{cluster}.json",
        before=round_before("adsorb/{cluster}/{adsorbate}", "pool/{cluster}"),
        adsorbate=library_file("adsorbates"),
    output:
        "results/{study}/adsorb/{cluster}/{adsorbate}.json",
    log:
        "results/{study}/logs/adsorb/{cluster}/{adsorbate}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("adsorb"),
    params:
        settings=settings("adsorb"),
    shell:
        r"""
        clusterflow adsorb {input.relax:q} {wildcards.adsorbate:q} {input.before:q} \
            --sites {input.sites:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """


use rule adsorb as adsorb_round with:
    output:
        "results/{study}/rounds/{round}/adsorb/{cluster}/{adsorbate}.json",
    log:
        "results/{study}/logs/rounds/{round}/adsorb/{cluster}/{adsorbate}.log",
