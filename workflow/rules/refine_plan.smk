rule refine_plan:
    """Choose the adsorbates whose energies are worth the time of DFT."""
    input:
        records=planned_from,
        dft=dft_level_file,
        data=data_files("thermo"),
        reactions=data_files("che"),
    output:
        "results/{study}/refine_plan/{round}.json",
    log:
        "results/{study}/logs/refine_plan/{round}.log",
    # Sent to a queue, some seconds of work would wait longer than they run.
    localrule: True
    params:
        settings=settings("refine_plan"),
        selection=PLAN.selection(),
    shell:
        # No argument of a program may be as long as that of a thousand clusters.
        r"""
        printf %s {params.selection:q} | clusterflow refine_plan results/{wildcards.study:q} \
            --round {wildcards.round} \
            --selection - \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
