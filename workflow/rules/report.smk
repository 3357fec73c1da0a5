rule report:
    """Write the report with the diagrams, or with a page for each of many clusters."""
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
        # Of many clusters each has a page here; of few the folder is empty.
        pages=directory("results/{study}/pages"),
    log:
        "results/{study}/logs/report.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    threads: 2
    params:
        settings=settings("report"),
        selection=PLAN.selection(),
    shell:
        # No argument of a program may be as long as that of a thousand clusters.
        r"""
        printf %s {params.selection:q} | clusterflow report results/{wildcards.study:q} \
            --selection - \
            --cores {threads} \
            --settings {params.settings:q} \
            --output {output.record:q} \
            2>{log:q}
        """
