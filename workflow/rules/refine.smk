rule refine:
    """Compute the energy of each way an adsorbate binds by DFT."""
    input:
        records=[
            "results/{study}/relax/{cluster}.json",
            "results/{study}/adsorb/{cluster}/{adsorbate}.json",
            "results/{study}/vibrate/{cluster}/{adsorbate}.json",
            "results/{study}/refine_bare/{cluster}.json",
        ],
        dft=dft_level_file,
    output:
        "results/{study}/refine/{cluster}/{adsorbate}.json",
    log:
        "results/{study}/logs/refine/{cluster}/{adsorbate}.log",
    resources:
        mem_mb=dft_memory,
        runtime=dft_runtime,
    params:
        settings=settings("refine"),
    shell:
        r"""
        clusterflow refine {input.records:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
