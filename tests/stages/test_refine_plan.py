"""Which adsorbates get DFT energies, round by round, on records made up for it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from clusterflow.settings import CheSettings, RefineSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.refine_plan import StudyInputs, plan_round

from .test_refined_thermo import ABOVE, Refined
from .test_thermo import AD_EV, GAS_EV

MATTERS = ["CO", "COOH"]  # in CO2-to-CO


class Choosing(Refined):
    """A study of one cluster and one reaction, as far as rounds have got."""

    def inputs(self, refines=(), bare=None, **settings):
        base = self.thermo(**settings)
        reactions = [self.library.reaction("CO2-to-CO")]
        profiles = che(base, reactions, CheSettings(), self.library, Job("che"))
        return StudyInputs(
            relaxed=[self.relaxed()],
            gases=[self.gas(n) for n in GAS_EV],
            adsorptions=[self.adsorbed(n) for n in AD_EV],
            vibrations=[self.vibrated(n) for n in AD_EV],
            leaving=[],
            thermo=[base],
            profiles=[profiles],
            refined_gases=[self.refine_gas(n) for n in GAS_EV],
            refined_bare=[bare or self.refine_bare()],
            refined=list(refines),
            library=self.library,
        )

    def replay(self, **changes):
        """All rounds, and how often each adsorbate was computed."""
        settings = RefineSettings(species="chosen", **changes)
        plans, refines, computed = [], {}, Counter()
        for number in range(1, settings.rounds + 1):
            before = plans[-1] if plans else None
            inputs = self.inputs(refines.values())
            job = Job("refine_plan")
            plans.append(plan_round(number, inputs, before, settings, job))
            for name in chosen(plans[-1]) - refines.keys():
                computed[name] += 1
                refines[name] = self.refine(name)
        return plans, computed


def chosen(plan):
    return {one.adsorbate for one in plan.species if one.chosen_in is not None}


@pytest.fixture
def study(library, provenance, structure):
    return Choosing(library, provenance, structure)


def test_what_sets_the_potential_comes_first_and_the_rest_never(study):
    plans, computed = study.replay(rounds=4, until_v=0.02)
    assert chosen(plans[0]) and chosen(plans[0]) <= set(MATTERS)
    for before, after in pairwise(plans):
        assert chosen(before) <= chosen(after)
    # Two of five, each once.
    assert set(computed) <= set(MATTERS) and set(computed.values()) == {1}
    last = plans[-1]
    assert "narrower than 0.02 V" in last.ends
    (potential,) = last.potentials
    assert potential.width_v < 0.02 < plans[0].potentials[0].width_v
    for one in last.species:
        said = f"not chosen in round 4: each U_L is known to {last.until_v:g} V"
        assert (one.reason == said) == (one.chosen_in is None)
        assert one.expected_h > 0 and one.n_points == 1


def test_a_wide_interval_that_is_wide_enough_asks_for_nothing(study):
    plans, computed = study.replay(rounds=2, until_v=5.0)
    assert not computed and all("narrower than 5 V" in plan.ends for plan in plans)


def test_the_budget_ends_it(study):
    whole = study.replay(rounds=1)[0][0]
    prices = {one.adsorbate: one.expected_h for one in whole.species}
    assert whole.spent_h == 0.0
    plans, computed = study.replay(rounds=3, budget_h=0.9 * min(prices.values()))
    assert not computed
    assert "the budget of" in plans[0].ends and "is spent" in plans[0].ends
    reasons = {one.adsorbate: one.reason for one in plans[0].species}
    assert "of the budget of" in reasons["COOH"]
    # What is spent takes from it.
    point = study.point(study.complex("CO"), study.energy_of("CO"))
    point = point.model_copy(update={"wall_s": 3600.0})
    settings = RefineSettings(species="chosen", budget_h=1.0, until_v=0.01)
    inputs = study.inputs([study.refine("CO", point)])
    later = plan_round(2, inputs, None, settings, Job("refine_plan"))
    assert later.spent_h == pytest.approx(1.0) and not chosen(later)
    assert later.time_factor > 1


def test_without_the_bare_cluster_nothing_is_chosen(study):
    bare = study.refine_bare(None, "the SCF was killed")
    settings = RefineSettings(species="chosen")
    plan = plan_round(1, study.inputs(bare=bare), None, settings, Job("refine_plan"))
    assert not chosen(plan)
    assert plan.ends == "no reaction has a U_L at the composite level"
    assert all("the SCF was killed" in one.reason for one in plan.species)


def test_one_that_failed_is_not_tried_again(study):
    settings = RefineSettings(species="chosen", until_v=0.02, rounds=2)
    job = Job("refine_plan")
    first = plan_round(1, study.inputs(), None, settings, job)
    failed = [
        study.refine(n, study.point(study.complex(n), None, "killed"), status="failed")
        for n in chosen(first)
    ]
    failed = [one.model_copy(update={"reason": "killed"}) for one in failed]
    second = plan_round(2, study.inputs(failed), first, settings, job)
    again = {o.adsorbate for o in second.species if o.chosen_in == 2}
    assert chosen(first) and not again & chosen(first)


def test_what_dft_says_moves_the_interval_to_where_it_is(study, monkeypatch):
    monkeypatch.setitem(ABOVE, "host", -7.5)
    settings = RefineSettings(species="chosen", until_v=0.02)
    inputs = study.inputs([study.refine(n) for n in AD_EV])
    plan = plan_round(2, inputs, None, settings, Job("refine_plan"))
    (potential,) = plan.potentials
    assert potential.width_v == 0.0
    assert potential.best_probability == 1.0
    assert list(potential.determining_step_probability.values()) == [1.0]
