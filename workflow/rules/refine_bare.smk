rule refine_bare:
    """Compute the energies of a cluster's isomers by DFT."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        dft=dft_level_file,
    output:
        "results/{study}/refine_bare/{cluster}.json",
    log:
        "results/{study}/logs/refine_bare/{cluster}.log",
    resources:
        mem_mb=dft_memory,
        runtime=dft_runtime,
    params:
        settings=settings("refine_bare"),
    shell:
        r"""
        clusterflow refine_bare {input.relax:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
