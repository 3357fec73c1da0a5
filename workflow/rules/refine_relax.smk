rule refine_relax:
    """Relax some adsorbates of a cluster by DFT, and the bare cluster."""
    input:
        bare="results/{study}/refine_bare/{cluster}.json",
        refine=refined_of_cluster,
        dft=dft_level_file,
    output:
        "results/{study}/refine_relax/{cluster}.json",
    log:
        "results/{study}/logs/refine_relax/{cluster}.log",
    resources:
        mem_mb=dft_memory_of_all,
        runtime=dft_runtime_of_all(n_points=60),
    params:
        settings=settings("refine_relax"),
    shell:
        r"""
        clusterflow refine_relax {input.bare:q} {input.refine:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
