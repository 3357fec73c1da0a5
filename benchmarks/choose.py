"""What choosing saves: the chooser replayed on a study that is refined whole.

    python benchmarks/choose.py results/STUDY [--until-v 0.15] [--rounds 5]

takes the DFT energies of a finished study with ``refine: {species: all}`` and gives
the chooser only those it asks for, round after round, each cluster as a study of its
own and then all together. Of each: points of adsorbates that were asked for, of all
that there are; the hours of all points, those of gases and bare clusters among them;
and for each reaction U_L and its determining step, chosen beside whole. Goals: the same
step, U_L within 0.1 V, with at most half of the points.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from clusterflow.library.find import Library
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.records.refinements import (
    RefineBareRecord,
    RefineGasRecord,
    RefineRecord,
)
from clusterflow.records.vibrations import GasRecord, LeavingRecord, VibrateRecord
from clusterflow.settings import CheSettings, RefineSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.refine_plan import StudyInputs, plan_round
from clusterflow.stages.refined_thermo import refined_thermo


def read_study(folder):
    """All records of a study, its adsorbates refined."""
    records = read_records(folder)
    names = {record.cluster for record in records.of(RefineBareRecord)}

    def own(model):
        return [r for r in records.of(model) if getattr(r, "cluster", None) in names]

    return StudyInputs(
        relaxed=own(RelaxRecord),
        gases=records.of(GasRecord),
        adsorptions=own(AdsorbRecord),
        vibrations=own(VibrateRecord),
        leaving=own(LeavingRecord),
        thermo=own(ThermoRecord),
        profiles=own(CheRecord),
        refined_gases=records.of(RefineGasRecord),
        refined_bare=own(RefineBareRecord),
        refined=own(RefineRecord),
        library=Library.default(),
    )


def take_clusters(study, names):
    """The study of some of its clusters."""
    parts = ("relaxed", "adsorptions", "vibrations", "leaving", "thermo", "profiles")
    parts += ("refined_bare", "refined")
    return replace(
        study,
        **{p: [r for r in getattr(study, p) if r.cluster in names] for p in parts},
    )


def replay(study, settings):
    """The refine records that were chosen, and the plans of the rounds."""
    plans, chosen = [], []
    for number in range(1, settings.rounds + 1):
        known = replace(study, refined=chosen)
        before = plans[-1] if plans else None
        plans.append(plan_round(number, known, before, settings, Job("refine_plan")))
        named = {
            (one.cluster, one.adsorbate)
            for one in plans[-1].species
            if one.chosen_in is not None
        }
        chosen = [r for r in study.refined if (r.cluster, r.adsorbate) in named]
    return chosen, plans


def find_potentials(study):
    """U_L and determining step by cluster and reaction."""
    found = {}
    for profiles in study.profiles:
        name = profiles.cluster
        thermo = next(t for t in study.thermo if t.cluster == name)
        refined = refined_thermo(
            study.records_of(name),
            thermo,
            study.refinements_of(name),
            study.library,
            Job("refined_thermo"),
        )
        result = che(
            refined.energies,
            profiles.networks,
            CheSettings.model_validate(profiles.provenance.settings),
            study.library,
            Job("refined_che"),
        )
        for one in result.results:
            found[name, one.reaction] = (
                one.limiting_potential_v_rhe,
                one.determining_step,
            )
    return found


def sum_hours(study):
    """Of all points, gases and bare clusters among them."""
    return sum(point.wall_s for point in study.list_points()) / 3600


def judge(study, settings):
    """Print a table."""
    chosen, plans = replay(study, settings)
    known = replace(study, refined=chosen)
    hours, whole = sum_hours(known), sum_hours(study)
    names = ", ".join(bare.cluster for bare in study.refined_bare)
    asked = sum(len(r.minima) for r in chosen)
    there = sum(len(r.minima) for r in study.refined)
    print(
        f"{names}: {asked} of {there} points of adsorbates ({asked / there:.0%}); "
        f"{len(known.list_points())} of {len(study.list_points())} with gases and bare "
        f"clusters, {hours:.2g} of {whole:.2g} h"
    )
    for plan in plans:
        now = [
            f"{s.cluster}/{s.adsorbate}"
            for s in plan.species
            if s.chosen_in == plan.round
        ]
        widest = max((p.width_v for p in plan.potentials), default=0.0)
        print(
            f"  round {plan.round}: widest U_L {widest:.2f} V; "
            f"{', '.join(now) or plan.ends}"
        )
    by_level = {
        (p.cluster, r.reaction): (r.limiting_potential_v_rhe, r.determining_step)
        for p in study.profiles
        for r in p.results
    }
    right, mine = find_potentials(study), find_potentials(known)
    for name, (potential, step) in right.items():
        own, own_step = mine[name]
        if potential is None or own is None:
            print(f"  {name[0]} {name[1]}: no U_L")
            continue
        print(
            f"  {name[0]:8s} {name[1]:14s} U_L {own:+.2f} of {potential:+.2f} V "
            f"({own - potential:+.2f}; the level alone {by_level[name][0]:+.2f}), "
            f"{'same step' if own_step == step else f'{own_step} for {step}'}"
        )


def main():
    """Each cluster alone, then all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    defaults = RefineSettings()
    parser.add_argument("--until-v", type=float, default=defaults.until_v)
    parser.add_argument("--rounds", type=int, default=defaults.rounds)
    args = parser.parse_args()
    study = read_study(args.results)
    settings = RefineSettings(
        species="chosen",
        level=study.refined_bare[0].dft_level.name,
        # Of the widths alone: what ends a round.
        budget_h=1e6,
        until_v=args.until_v,
        rounds=args.rounds,
    )
    names = [bare.cluster for bare in study.refined_bare]
    for group in [*([name] for name in names), *([names] if len(names) > 1 else [])]:
        judge(take_clusters(study, set(group)), settings)


if __name__ == "__main__":
    main()
