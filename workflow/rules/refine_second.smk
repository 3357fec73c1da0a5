rule refine_second:
    """Compute what decides on a cluster at a second level of DFT."""
    input:
        records=[
            "results/{study}/relax/{cluster}.json",
            "results/{study}/thermo/{cluster}.json",
            "results/{study}/che/{cluster}.json",
            "results/{study}/refine_bare/{cluster}.json",
        ],
        adsorb=of_cluster("adsorb"),
        vibrate=of_cluster("vibrate"),
        leaving=leaving_if_any,
        gas=of_gases("gas"),
        refine=refined_of_cluster,
        refine_gas=of_gases("refine_gas"),
        dft=dft_level_files(),
        data=data_files("thermo"),
        reactions=data_files("che"),
    output:
        "results/{study}/refine_second/{cluster}.json",
    log:
        "results/{study}/logs/refine_second/{cluster}.log",
    resources:
        mem_mb=dft_memory_of_all,
        runtime=dft_runtime_of_all(n_points=10),
    params:
        settings=settings("refine_second"),
    shell:
        r"""
        clusterflow refine_second \
            {input.records:q} {input.adsorb:q} {input.vibrate:q} \
            {input.leaving:q} {input.gas:q} {input.refine:q} {input.refine_gas:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
