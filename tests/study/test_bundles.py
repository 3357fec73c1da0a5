"""Parts of a study: together the whole of it once, side by side or in turn."""

from __future__ import annotations

from itertools import chain

import pytest

from clusterflow.errors import ClusterflowError
from clusterflow.library.find import Library
from clusterflow.settings import load_study
from clusterflow.study import bundles
from clusterflow.study.bundles import bundle_records, parts_in_turn, split_study
from clusterflow.study.plan import Plan
from tests.workflow.conftest import EMT

STUDY = {**EMT, "clusters": ["Cu2", "Cu3", "Cu4"]}
CLAIM = {"name": "mine", "claim": "U_L(HER, Cu2) > -9 V", "source": "unpublished: x"}


def plan_of(**changes):
    return Plan(study=load_study({**STUDY, **changes}), library=Library.default())


@pytest.mark.parametrize("levels", [["emt"], ["emt", "gfn1-xtb"]])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_parts_are_the_whole_study_once(levels, number):
    plan = plan_of(level={"preferred": levels})
    parts = [bundle_records(plan, f"{i}/{number}") for i in range(number + 1)]
    together = [record for part in parts for record in part]
    assert len(together) == len(set(together))
    assert set(together) == set(map(str, plan.records("results/tiny")))
    shares_levels = any("/level/" in record for record in parts[0])
    assert shares_levels == (len(levels) > 1)


def test_states_stay_with_the_cluster_they_are_of():
    clusters = ["Cu2", "Au25SH18-anion", "Cu4"]
    plan = plan_of(clusters=clusters, reactions=["thiolate-loss"])
    states = plan.cluster_states_of("Au25SH18-anion")
    assert states
    (own,) = [b for b in split_study(plan, 3) if "Au25SH18-anion" in b]
    assert set(own) == {"Au25SH18-anion", *states}


def test_bundles_have_about_the_same_work():
    clusters = [f"Cu{n}" for n in range(2, 14)]
    bundles = split_study(plan_of(clusters=clusters), 3)
    assert sorted(name for bundle in bundles for name in bundle) == sorted(clusters)
    work = [sum(0.02 + 2.5e-5 * int(n[2:]) ** 3 for n in bundle) for bundle in bundles]
    assert max(work) < 1.1 * min(work)


@pytest.mark.parametrize("bundle", ["3", "4/3", "1/0", "-1/2", "1/2/3", "a/b", "1/9"])
def test_a_part_that_is_none_is_one_line(bundle):
    with pytest.raises(ClusterflowError, match="--bundle"):
        bundle_records(plan_of(), bundle)


@pytest.mark.parametrize(("species", "refined"), [("all", True), ("chosen", False)])
def test_what_is_chosen_among_all_clusters_waits_for_the_last_run(species, refined):
    plan = plan_of(reactions=["HER"], refine={"species": species})
    parts = [bundle_records(plan, f"{part}/3") for part in range(4)]
    stages = {path.split("/")[2] for part in parts for path in part}
    assert {"refine_gas", "refine_bare"} <= stages
    assert ({"refine", "refined_che"} <= stages) is refined
    assert "refine_plan" not in stages


def test_no_bundle_has_what_waits_for_all_clusters():
    plan = plan_of(claims=[CLAIM])
    parts = [bundle_records(plan, f"{part}/3") for part in range(4)]
    left = {*map(str, plan.records("results/tiny"))} - {*chain(*parts)}
    assert left == {"results/tiny/claims/mine.json"}


@pytest.mark.parametrize(
    ("jobs_at_once", "changes", "number"),
    [
        (100, {}, 0),
        (25, {}, 2),
        (10, {}, 3),
        (1, {}, 3),  # no more than clusters
        (10, {"clusters": ["Cu4"]}, 0),
        (10, {"refine": {"species": "all"}}, 3),
        (10, {"refine": {"species": "chosen"}}, 0),
    ],
)
def test_a_plan_that_is_too_large_is_made_in_parts(
    monkeypatch, jobs_at_once, changes, number
):
    monkeypatch.setattr(bundles, "_JOBS_AT_ONCE", jobs_at_once)
    parts = parts_in_turn(plan_of(**changes))
    expected = [f"{part}/{number}" for part in range(number + 1)]
    assert list(parts) == ([*expected, "tables"] if number else [])
