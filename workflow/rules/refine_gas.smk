rule refine_gas:
    """Compute a molecule's energy by DFT."""
    input:
        gas="results/{study}/gas/{level}/{gas}.json",
        dft=dft_level_files(),
    output:
        "results/{study}/refine_gas/{level}/{gas}.json",
    log:
        "results/{study}/logs/refine_gas/{level}/{gas}.log",
    resources:
        mem_mb=dft_memory,
        runtime=dft_runtime,
    params:
        settings=settings("refine_gas"),
    shell:
        r"""
        clusterflow refine_gas {input.gas:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
