rule gas:
    """Compute a molecule in the gas phase, with its vibrations."""
    input:
        gas=library_file("gases"),
        level=lambda wildcards: str(PLAN.library.path("levels", wildcards.level)),
    output:
        "results/{study}/gas/{level}/{gas}.json",
    log:
        "results/{study}/logs/gas/{level}/{gas}.log",
    resources:
        mem_mb=memory,
        runtime=runtime("gas"),
    params:
        settings=settings("gas"),
    shell:
        r"""
        clusterflow gas {input.gas:q} \
            --level {wildcards.level:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
