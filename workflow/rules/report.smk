rule report:
    """Write the report and the diagrams."""
    input:
        "results/{study}/collect.json",
    output:
        record="results/{study}/report.json",
        page="results/{study}/report.html",
        diagrams=directory("results/{study}/diagrams"),
    log:
        "results/{study}/logs/report.log",
    params:
        settings=settings("report"),
        selection=PLAN.selection(),
    shell:
        r"""
        clusterflow report results/{wildcards.study:q} \
            --selection {params.selection:q} \
            --settings {params.settings:q} \
            --output {output.record:q} \
            2>{log:q}
        """
