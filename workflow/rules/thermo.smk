rule thermo:
    """Compute the free energies of everything on a cluster."""
    input:
        records=[
            "results/{study}/relax/{cluster}.json",
            "results/{study}/pool/{cluster}.json",
        ],
        adsorb=of_cluster("adsorb"),
        vibrate=of_cluster("vibrate"),
        leaving=leaving_if_any,
        gas=of_gases("gas"),
        data=data_files("thermo"),
    output:
        "results/{study}/thermo/{cluster}.json",
    log:
        "results/{study}/logs/thermo/{cluster}.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    resources:
        mem_mb=memory,
    params:
        settings=settings("thermo"),
    shell:
        r"""
        clusterflow thermo \
            {input.records:q} {input.adsorb:q} {input.vibrate:q} \
            {input.leaving:q} {input.gas:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
