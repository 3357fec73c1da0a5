"""One level for several clusters: which, and what becomes of those that refuse it."""

from __future__ import annotations

import pytest

from clusterflow.errors import ConfigError
from clusterflow.records.clusters import BuildRecord, LevelAttempt, LevelRecord
from clusterflow.science.clusters.shared_level import shared_level
from clusterflow.settings import RelaxSettings
from clusterflow.stages.inputs import Inputs
from clusterflow.stages.parts.job import Job
from clusterflow.stages.relax import relax
from clusterflow.study.plan import Plan

ORDER = ("gfn2-xtb", "gfn1-xtb", "emt")


@pytest.fixture
def found(library, provenance):
    """What the stage made of a cluster that accepts these levels of three."""

    def make(*accepted):
        levels = tuple(library.level(name) for name in ORDER if name in accepted)
        return LevelRecord(
            cluster="mine",
            level=levels[0] if levels else None,
            attempts=tuple(
                LevelAttempt(
                    level=name, accepted=name in accepted, reason="tried", probes=()
                )
                for name in ORDER
            ),
            accepted=levels,
            provenance=provenance,
        )

    return make


def test_without_peers_a_cluster_keeps_its_own(found):
    own = found("gfn1-xtb", "emt")
    assert shared_level(own, []) is own


def test_the_first_level_that_all_accept_is_shared(found):
    """Nobody's own first choice: gfn2 and emt would be taken alone."""
    one = found("gfn2-xtb", "gfn1-xtb")
    other = found("gfn1-xtb", "emt")
    assert one.level.name == "gfn2-xtb"
    assert shared_level(one, [other]).level.name == "gfn1-xtb"
    assert shared_level(other, [one]).level.name == "gfn1-xtb"


def test_preference_decides_between_levels_that_all_accept(found):
    assert shared_level(found(*ORDER), [found(*ORDER)]).level.name == "gfn2-xtb"


def test_one_cluster_that_no_level_suits_takes_none_from_the_others(found):
    assert shared_level(found("gfn1-xtb"), [found(), found("gfn1-xtb")]).level
    assert shared_level(found(), [found("gfn1-xtb")]).level is None


def test_who_refuses_what_most_accept_has_no_level_and_is_told_why(found):
    odd = found("emt")
    record = shared_level(odd, [found("gfn1-xtb"), found("gfn1-xtb")])
    assert (record.level, record.status) == (None, "failed")
    assert record.reason.startswith("2 of 3 clusters share gfn1-xtb, refused here")
    assert "level.scope = cluster would take emt" in record.reason


def test_a_cluster_is_relaxed_at_the_level_it_shares(found):
    own, peers = found("gfn1-xtb", "emt"), [found("emt")]
    build = Inputs.read("level", ["Cu4"]).one(BuildRecord)
    record = relax(build, own, RelaxSettings(), Job("relax"), peers)
    assert own.level.name == "gfn1-xtb" and record.level.name == "emt"
    assert record.status == "ok"


@pytest.mark.parametrize(
    ("scope", "peers"),
    [
        ("study", {"Cu8", "Cu2", "Cu2H", "Cu2H2", "Cd6Se6"}),
        ("material", {"Cu8", "Cu2", "Cu2H", "Cu2H2"}),
        ("cluster", set()),
    ],
)
def test_the_scope_says_who_shares_a_level(scope, peers):
    plan = Plan.from_config(
        {
            "clusters": ["Cu4", "Cu8", "Cu2H2", "Cu2H", "Cu2", "Cd6Se6"],
            "level": {"preferred": ["gfn2-xtb", "gfn1-xtb"], "scope": scope},
        }
    )
    assert set(plan.level_peers("Cu4")) == peers


def test_a_state_shares_the_level_of_its_cluster_in_any_scope():
    settings = {"preferred": ["gfn2-xtb", "gfn1-xtb"], "scope": "cluster"}
    plan = Plan.from_config({"clusters": ["Cu2H2", "Cu2H"], "level": settings})
    assert plan.level_peers("Cu2H") == ("Cu2H2",)


def test_one_listed_level_leaves_nothing_to_agree_upon():
    plan = Plan.from_config({"clusters": ["Cu4", "Cu8"]})
    assert plan.level_peers("Cu4") == ()


def test_an_unknown_scope_is_refused():
    with pytest.raises(ConfigError, match=r"level\.scope"):
        Plan.from_config({"level": {"scope": "class"}})
