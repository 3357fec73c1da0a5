rule collect:
    """Collect every record into one database and the tables."""
    input:
        of_study,
    output:
        record="results/{study}/collect.json",
        database="results/{study}/results.db",
        energies="results/{study}/energies.csv",
        minima="results/{study}/minima.csv",
        isomers="results/{study}/isomers.csv",
        steps="results/{study}/steps.csv",
        potentials="results/{study}/potentials.csv",
        rankings="results/{study}/rankings.csv",
        edges="results/{study}/edges.csv",
        gas_corrections="results/{study}/gas_corrections.csv",
        failures="results/{study}/failures.csv",
        gates="results/{study}/gates.csv",
    log:
        "results/{study}/logs/collect.log",
    params:
        settings=settings("collect"),
        selection=PLAN.selection(),
    shell:
        r"""
        clusterflow collect results/{wildcards.study:q} \
            --selection {params.selection:q} \
            --settings {params.settings:q} \
            --output {output.record:q} \
            2>{log:q}
        """
