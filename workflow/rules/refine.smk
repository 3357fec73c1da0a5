rule refine:
    """Compute the energy of each way an adsorbate binds by DFT."""
    input:
        records=[
            "results/{study}/relax/{cluster}.json",
            "results/{study}/adsorb/{cluster}/{adsorbate}.json",
            "results/{study}/vibrate/{cluster}/{adsorbate}.json",
            "results/{study}/refine_bare/{cluster}.json",
        ],
        plan=plan_of_round,
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
        clusterflow refine {input.records:q} {input.plan:q} \
            --points results/{wildcards.study:q}/refine_points \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """


use rule refine as refine_round with:
    output:
        "results/{study}/rounds/{round}/refine/{cluster}/{adsorbate}.json",
    log:
        "results/{study}/logs/rounds/{round}/refine/{cluster}/{adsorbate}.log",
