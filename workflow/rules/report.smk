rule report:
    """Write the report and the diagrams."""
    input:
        "results/{study}/collect.json",
    output:
        record="results/{study}/report.json",
        page=report(
            "results/{study}/report.html",
            caption="../report/page.rst",
            category="Page",
            labels={"page": "report"},
        ),
        diagrams=report(
            directory("results/{study}/diagrams"),
            patterns=["{cluster}/{reaction}.svg"],
            caption="../report/diagrams.rst",
            category="Diagrams",
            subcategory="{cluster}",
            labels={"reaction": "{reaction}"},
        ),
    log:
        "results/{study}/logs/report.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
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
