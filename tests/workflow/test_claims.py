"""A claim that is added to a study that has run: judged without repeating anything."""

from __future__ import annotations

import csv

from .conftest import EMT

CLAIM = {"name": "mine", "claim": "U_L(HER, Cu2) > -9 V", "source": "unpublished: x"}


def test_a_claim_repeats_nothing_and_runs_again_when_it_changes(copied):
    assert copied.rules_to_run() == set()
    copied.configure({"claims": [CLAIM]}, "claims.yaml")
    overlaid = ("--configfile", "config.yaml", "claims.yaml")
    assert copied.rules_to_run(*overlaid) == {"claims", "collect", "report"}
    done = copied.run("--configfile", "claims.yaml")
    assert done.returncode == 0, done.stderr

    results = copied.path / "results/tiny"
    with (results / "claims.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    # Nobody knows the errors of effective medium theory.
    assert (row["claim"], row["verdict"]) == ("mine", "not computed")
    assert row["reason"] == "the errors of Cu2 are not known"
    assert "the errors of Cu2 are not known" in (results / "report.html").read_text()

    other = {**CLAIM, "name": "other"}
    copied.configure({"claims": [CLAIM, other]}, "claims.yaml")
    jobs = copied.jobs_to_run(*overlaid)
    assert (jobs["claims"], jobs["che"]) == (1, 0)


def test_a_wrong_claim_ends_the_run_before_it_begins(folder):
    folder.configure({**EMT, "claims": [{**CLAIM, "claim": "U_L(HER, Cu4) > 0 V"}]})
    done = folder.snakemake("--dry-run")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert (
        "claims: mine: cluster 'Cu4' is not computed in this study; it has Cu2" in said
    )
