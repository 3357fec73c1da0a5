"""Claims of a study: refused before anything runs, and made of the right records."""

from __future__ import annotations

import json

import pytest
import yaml

from clusterflow.errors import ConfigError
from clusterflow.library.find import package_data
from clusterflow.study.claims import records_of_claim
from clusterflow.study.plan import Plan

STUDY = {"clusters": ["Cu4", "Cu8"], "reactions": ["HER", "CO2-to-CO", "CO2-to-HCOOH"]}


def plan(*claims, **more):
    written = [
        {"name": f"c{i}", "claim": text, "source": "unpublished: x"}
        for i, text in enumerate(claims)
    ]
    return Plan.from_config({**STUDY, "claims": written, **more})


def test_claims_over_what_is_computed_are_taken():
    found = plan(
        "U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)",
        "dG(*COOH, Cu4) < 0.5 eV",
        'dG("*CO -> * + CO(g)", Cu4) < 0.5 eV',
        'determining_step(CO2-to-CO, Cu4) = "*  + CO2(g) + H+ + e- -> *COOH"',
        "product(Cu4) = HCOOH",
    )
    assert json.loads(found.selection())["claims"] == ["c0", "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("U_L(HER, Au4) > 0 V", "cluster 'Au4' is not computed in this study; it has"),
        ("U_L(OER, Cu4) > 0 V", "reaction 'OER' is not computed in this study; it has"),
        (
            "dG(*OH, Cu4) > 0 eV",
            "species '*OH' is not computed in this study; it has *,",
        ),
        ('dG("*CO -> * + O2(g)", Cu4) > 0 eV', "is not balanced"),
        ('dG("*CO => *", Cu4) > 0 eV', "cannot read '*CO => *'"),
        ("dG(*a/b, Cu4) > 0 eV", "cannot read '*a/b'"),
        ('determining_step(OER, Cu4) = "x"', "reaction 'OER' is not computed"),
        ('determining_step(CO2-to-CO, Cu4) = "x"', "CO2-to-CO has no step 'x'"),
        (
            'determining_step(CO2-to-CO, Cu4) = "*CO -> * + CO(g)"',
            "has no step '*CO -> * + CO(g)' that moves electrons; it has * + CO2(g)",
        ),
        ("product(Cu4) = CH4", "product of CO2 'CH4' is not computed"),
        ("product(Cu4) = H2", "product of CO2 'H2' is not computed"),
        ("U_L(HER, Cu4) > 0", "a unit is missing"),
    ],
)
def test_what_the_study_does_not_compute_is_refused_in_one_line(claim, says):
    with pytest.raises(ConfigError) as caught:
        plan(claim)
    message = str(caught.value)
    assert message.startswith("claims: c0: ")
    assert says in message
    assert "\n" not in message


THIOLATES = {
    "clusters": ["Cu4", "Cu2S2H2"],
    "reactions": ["HER", "thiolate-loss"],
    "thermo": {"anchors": ["CO2", "H2", "H2O", "H2S"]},
}


def test_a_loss_over_what_is_computed_is_taken():
    found = plan("loss(SH, Cu2S2H2) > loss(HS, Cu2S2H2, acid) + 1 eV", **THIOLATES)
    assert "thermo/Cu2SH.json" in records_of_claim(found, "c0")


@pytest.mark.parametrize(
    ("claim", "says"),
    [
        ("loss(XY, Cu2S2H2) > 0 eV", "no ligand called 'XY'"),
        ("loss(PH3, Cu2S2H2) > 0 eV", "PH3 leaves as acid: it is neutral when free"),
        ("loss(SH, Cu4, neutral) > 0 eV", "SH leaves as neutral: it is a radical when"),
        (
            "loss(S2PH2, Cu4) > 0 eV",
            "S2PH2 leaves as acid: the library has no measured",
        ),
        ("loss(SCH3, Cu4, anion) > 0 eV", "no measured free energy .*; known is acid"),
        (
            "loss(SH, Cu2S2H2, radical) > 0 eV",
            "needs thiolate-loss-radical: add it to reactions",
        ),
        ("loss(SH, Cu4) > 0 eV", "the library has no Cu4 without one SH"),
        ("loss(SH, Au4) > 0 eV", "cluster 'Au4' is not computed in this study"),
    ],
)
def test_a_loss_that_the_study_does_not_compute_is_refused_in_one_line(claim, says):
    with pytest.raises(ConfigError, match=f"^claims: c0: .*{says}") as caught:
        plan(claim, **THIOLATES)
    assert "\n" not in str(caught.value)


def test_every_wrong_claim_is_named_at_once():
    with pytest.raises(ConfigError, match=r"claims: c0: (.|\n)*\nerror: claims: c1: "):
        plan("U_L(HER, Au4) > 0 V", "U_L(OER, Cu4) > 0 V")


def test_one_product_is_no_choice():
    with pytest.raises(ConfigError, match="CO is the study's only product of CO2"):
        plan("product(Cu4) = CO", reactions=["HER", "CO2-to-CO"])


def test_a_length_needs_elements_of_the_cluster_and_no_reaction():
    claim = "bond_length(Cd-S, Cd6S6) > bond_length(Cd-S, Cd3S3) + 0 A"
    bare = {"clusters": ["Cd6S6", "Cd3S3"], "reactions": []}
    records = records_of_claim(plan(claim, **bare), "c0")
    assert records[:3] == [f"{one}/Cd6S6.json" for one in ("relax", "pool", "thermo")]
    with pytest.raises(ConfigError, match=r"^claims: c0: .*Cd6S6 has no Se$"):
        plan("bond_length(Cd-Se, Cd6S6) > 2 A", **bare)


def test_a_study_without_reactions_has_no_free_energies():
    with pytest.raises(ConfigError, match="without reactions"):
        plan("dG(*CO, Cu4) > 0 eV", reactions=[])


def test_two_claims_of_one_name_are_refused():
    one = {"name": "a", "claim": "U_L(HER, Cu4) > 0 V", "source": "unpublished: x"}
    with pytest.raises(ConfigError, match=r"claims .*named twice: a"):
        Plan.from_config({**STUDY, "claims": [one, one]})


def test_a_job_sees_its_own_claim_and_no_other():
    found = plan("U_L(HER, Cu4) > 0 V", "U_L(HER, Cu8) > 0 V")
    settings = json.loads(found.settings("claims", "c1"))
    assert settings["claims"]["claim"] == "U_L(HER, Cu8) > 0 V"


def test_a_claim_is_made_of_the_records_of_its_clusters():
    found = plan("U_L(HER, Cu4) > 0 V", "U_L(HER, Cu4) > U_L(HER, Cu8)")
    assert records_of_claim(found, "c0") == ["che/Cu4.json", "thermo/Cu4.json"]
    assert len(records_of_claim(found, "c1")) == 4
    refined = plan("U_L(HER, Cu4) > 0 V", refine={"species": "all"})
    assert records_of_claim(refined, "c0") == [
        *("che/Cu4.json", "thermo/Cu4.json"),
        *("refined_che/Cu4.json", "refined_thermo/Cu4.json"),
    ]


def test_states_of_a_cluster_come_with_it():
    found = Plan.from_config(
        {
            "clusters": ["Cu2H2"],
            "reactions": ["HER", "hydride-loss"],
            "claims": [
                {
                    "name": "c",
                    "claim": "U_L(hydride-loss, Cu2H2) > -1 V",
                    "source": "unpublished: x",
                }
            ],
        }
    )
    assert "thermo/Cu2H.json" in records_of_claim(found, "c")


@pytest.mark.parametrize(
    "path", sorted((package_data() / "studies/claims").glob("*.yaml")), ids=str
)
def test_a_study_of_published_claims_computes_what_they_name(path):
    found = Plan.from_config(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert found.study.claims
    readme = path.with_name("README.md").read_text(encoding="utf-8")
    assert f"## {path.name}" in readme
