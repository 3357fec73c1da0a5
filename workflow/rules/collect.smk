rule collect:
    """Collect every record into one database and the tables."""
    input:
        of_study,
    output:
        record="results/{study}/collect.json",
        database="results/{study}/results.db",
        tables="results/{study}/tables.db",
        energies=report(
            "results/{study}/energies.csv",
            caption="../report/energies.rst",
            category="Tables",
            labels={"table": "energies"},
        ),
        minima="results/{study}/minima.csv",
        isomers="results/{study}/isomers.csv",
        steps="results/{study}/steps.csv",
        potentials=report(
            "results/{study}/potentials.csv",
            caption="../report/potentials.rst",
            category="Tables",
            labels={"table": "potentials"},
        ),
        rankings=report(
            "results/{study}/rankings.csv",
            caption="../report/rankings.rst",
            category="Tables",
            labels={"table": "rankings"},
        ),
        claims="results/{study}/claims.csv",
        edges="results/{study}/edges.csv",
        gas_corrections="results/{study}/gas_corrections.csv",
        records="results/{study}/records.csv",
        failures=report(
            "results/{study}/failures.csv",
            caption="../report/failures.rst",
            category="Checks",
            labels={"table": "failures"},
        ),
        gates=report(
            "results/{study}/gates.csv",
            caption="../report/gates.rst",
            category="Checks",
            labels={"table": "gates"},
        ),
    log:
        "results/{study}/logs/collect.log",
    # Sent to a queue, a second of work would wait longer than it runs.
    localrule: True
    threads: 2
    params:
        settings=settings("collect"),
        selection=PLAN.selection(),
    shell:
        # No argument of a program may be as long as that of a thousand clusters.
        r"""
        printf %s {params.selection:q} | clusterflow collect results/{wildcards.study:q} \
            --selection - \
            --cores {threads} \
            --settings {params.settings:q} \
            --output {output.record:q} \
            2>{log:q}
        """
