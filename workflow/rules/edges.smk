rule edges:
    """Compute the gas-phase band edges of a cluster's lowest isomer."""
    input:
        relax="results/{study}/relax/{cluster}.json",
        data=data_files("edges"),
    output:
        "results/{study}/edges/{cluster}.json",
    log:
        "results/{study}/logs/edges/{cluster}.log",
    threads: n_threads
    resources:
        mem_mb=memory,
        runtime=runtime("edges"),
    params:
        settings=settings("edges"),
    shell:
        r"""
        clusterflow edges {input.relax:q} \
            --settings {params.settings:q} \
            --output {output:q} \
            2>{log:q}
        """
