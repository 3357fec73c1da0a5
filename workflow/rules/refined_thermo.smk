rule refined_thermo:
    """Compute free energies of a cluster with the energies of DFT."""
    input:
        records=[
            "results/{study}/relax/{cluster}.json",
            "results/{study}/thermo/{cluster}.json",
            "results/{study}/refine_bare/{cluster}.json",
        ],
        adsorb=of_cluster("adsorb"),
        vibrate=of_cluster("vibrate"),
        leaving=leaving_if_any,
        gas=of_gases("gas"),
        refine=refined_of_cluster,
        refine_gas=of_gases("refine_gas"),
        again=second_ways,
        data=data_files("thermo"),
    output:
        "results/{study}/refined_thermo/{cluster}.json",
    log:
        "results/{study}/logs/refined_thermo/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("refined_thermo"),
    shell:
        r"""
        clusterflow refined_thermo \
            {input.records:q} {input.adsorb:q} {input.vibrate:q} \
            {input.leaving:q} {input.gas:q} {input.refine:q} {input.refine_gas:q} \
            {input.again:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
