"""Settings that contradict each other or the library, found before any job starts.

Only what is surely wrong stands here. Fractions, because planning loads no numpy.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.science.thermochemistry.anchors import EXACT, FROM_CO2
from clusterflow.units import WATER_CRITICAL_K, WATER_NUCLEATION_K, check_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.study.plan import Plan

    Composition = Mapping[str, int]


def find_contradictions(plan: Plan) -> list[str]:
    """What contradicts itself in a study, one line each, with what to write instead."""
    return [
        *_find_dependent_anchors(plan),
        *_find_unmade_species(plan),
        *_find_unused_pressures(plan),
        *_find_impossible_liquids(plan),
        *_find_idle_barriers(plan),
        *_find_shapeless_adsorbates(plan),
        *_find_scale_of_one_temperature(plan),
        *_find_idle_refinements(plan),
        *_find_wrong_claims(plan),
    ]


class _Span:
    """What some compositions can make, in any amounts, also negative ones."""

    def __init__(self, compositions: Iterable[Composition] = ()) -> None:
        # By the element of each row that later rows no longer have.
        self._rows: dict[str, dict[str, Fraction]] = {}
        for composition in compositions:
            self.add(composition)

    def remainder_of(self, composition: Composition) -> dict[str, Fraction]:
        """Atoms that are left over of a composition; empty if it can be made."""
        left = {element: Fraction(n) for element, n in composition.items()}
        for pivot, row in self._rows.items():
            share = left.get(pivot, Fraction())
            for element, n in row.items():
                left[element] = left.get(element, Fraction()) - share * n
        return {element: n for element, n in left.items() if n}

    def add(self, composition: Composition) -> bool:
        """Take one in; whether the others could not make it."""
        left = self.remainder_of(composition)
        if left:
            pivot = min(left)
            self._rows[pivot] = {e: n / left[pivot] for e, n in left.items()}
        return bool(left)


def _find_dependent_anchors(plan: Plan) -> list[str]:
    """Anchors that the other ones make: corrections then have more than one answer."""
    anchors = plan.study.thermo.anchors
    # Of dependent ones the default's stay.
    order = sorted(range(len(anchors)), key=lambda i: anchors[i] not in FROM_CO2)
    span = _Span()
    kept = {i for i in order if span.add(plan.library.gas(anchors[i]).counts)}
    if len(kept) == len(anchors):
        return []
    too_many = ", ".join(a for i, a in enumerate(anchors) if i not in kept)
    fewer = [a for i, a in enumerate(anchors) if i in kept]
    return [
        f"thermo.anchors = {_format_list(anchors)}: the others can make {too_many}, so "
        "corrections would have more than one answer; leave out one of them, as in "
        f"{_format_list(fewer)}"
    ]


def _find_unmade_species(plan: Plan) -> list[str]:
    """Species whose atoms the anchors cannot make: no free energy, so no profile."""
    anchors = plan.study.thermo.anchors
    span = _Span(plan.library.gas(name).counts for name in anchors)
    needed = _list_needed_compositions(plan)
    left = {name: span.remainder_of(counts) for name, counts in needed.items()}
    unmade = [name for name, remainder in left.items() if remainder]
    if not unmade:
        return []
    more = list(anchors)
    elements = {element for counts in needed.values() for element in counts}
    for gas in (*EXACT, *plan.gases, *plan.library.paths("gases")):
        if all(not span.remainder_of(counts) for counts in needed.values()):
            break
        counts = plan.library.gas(gas).counts
        if counts.keys() <= elements and span.add(counts):
            more.append(gas)
    enough = all(not span.remainder_of(counts) for counts in needed.values())
    missing = ", ".join(sorted({e for name in unmade for e in left[name]}))
    shown = ", ".join(unmade[:3]) + (" and others" if unmade[3:] else "")
    return [
        f"thermo.anchors = {_format_list(anchors)}: cannot make {shown} of this study; "
        f"add gases with {missing}"
        + (f", as in {_format_list(more)}" if enough else " to structures/gases")
    ]


def _list_needed_compositions(plan: Plan) -> dict[str, Composition]:
    """Atoms of molecules and adsorbates; by balance, what else there is follows."""
    gases = {name for name, _ in plan.fluids}
    return {
        **{name: plan.library.gas(name).counts for name in sorted(gases)},
        **{f"*{name}": plan.library.adsorbate(name).counts for name in plan.adsorbates},
    }


def _find_unused_pressures(plan: Plan) -> list[str]:
    """Pressures of gases that change nothing."""
    # Late, because planning rarely needs it.
    from difflib import get_close_matches

    named = {name for name, _ in plan.fluids}
    known = sorted({*named, *plan.study.thermo.anchors})
    # By lower case: the commonest slip is Co for CO.
    by_case = {name.lower(): name for name in known}
    lines = []
    for gas, pressure in plan.study.thermo.pressure_pa.items():
        if gas in known:
            continue
        near = get_close_matches(gas.lower(), by_case, n=1)
        meant = f"did you mean {by_case[near[0]]}?" if near else "leave it out;"
        lines.append(
            f"thermo.pressure_pa.{gas} = {pressure:g}: no reaction or anchor of this "
            f"study has the gas {gas}; {meant} There are {', '.join(known)}"
        )
    return lines


def _find_impossible_liquids(plan: Plan) -> list[str]:
    """Liquids without data, and water where it is none."""
    liquids = sorted(name for name, phase in plan.fluids if phase == "l")
    lines = [
        f"{plan.library.path('gases', name)}: a reaction of this study has {name}(l), "
        f"and there is no liquid data; add `liquid:`, or write {name}(g) in its YAML"
        for name in liquids
        if plan.library.gas(name).liquid is None
    ]
    temperature = plan.study.thermo.temperature_k
    if "H2O" in liquids and not WATER_NUCLEATION_K < temperature < WATER_CRITICAL_K:
        lines.append(
            f"thermo.temperature_k = {temperature:g}: a reaction of this study has "
            f"H2O(l), and water is no liquid below {WATER_NUCLEATION_K:g} or above "
            f"{WATER_CRITICAL_K:g} K; choose a temperature between, or write H2O(g) in "
            "a reaction of your own"
        )
    return lines


def _find_shapeless_adsorbates(plan: Plan) -> list[str]:
    """Adsorbates without a geometry: nothing can be placed."""
    return [
        f"{plan.library.path('adsorbates', name)}: *{name} has no forms, so a study "
        "cannot place it; add a geometry, or use it with energies of your own"
        for name in plan.adsorbates
        if not plan.library.adsorbate(name).forms
    ]


def _find_scale_of_one_temperature(plan: Plan) -> list[str]:
    """A reference electrode that is not known at the study's temperature."""
    try:
        check_scale(
            plan.study.che.scale, plan.study.thermo.temperature_k, "che.scale ="
        )
    except ConfigError as error:
        return [str(error)]
    return []


def _find_idle_barriers(plan: Plan) -> list[str]:
    """Barriers of adsorbates that cannot turn or are not computed."""
    thermo = plan.study.thermo
    lines = []
    for name in thermo.hindered:
        if plan.library.adsorbate(name).n_atoms == 1:
            lines.append(
                f"thermo.hindered.{name}: a single atom does not turn; leave it out, "
                "and it is harmonic"
            )
        elif thermo.adsorbate_model == "hindered" and name not in plan.adsorbates:
            lines.append(
                f"thermo.hindered.{name}: this study has no adsorbate {name}; leave it "
                f"out, or choose among {', '.join(plan.adsorbates) or 'none'}"
            )
    return lines


def _find_idle_refinements(plan: Plan) -> list[str]:
    """Adsorbates to refine that are not computed, and levels that refine nothing."""
    refine = plan.study.refine
    if not plan.refines:
        return []
    lines = [
        f"refine.species: this study has no adsorbate {name}; leave it out, or choose "
        f"among {', '.join(plan.adsorbates) or 'none'}"
        for name in (() if isinstance(refine.species, str) else refine.species)
        if name not in plan.adsorbates
    ]
    if not plan.library.level(refine.level).refines:
        lines.append(
            f"refine.level = {refine.level}: is a potential, which orders geometries "
            "and refines nothing; choose a level of DFT, and name this one in "
            "level.preferred or in a cluster's search"
        )
    refined = {name for cluster in plan.clusters for name in plan.refined_of(cluster)}
    second = refine.second_species
    lines += [
        f"refine.{key}: {name} is not refined; add it to refine.species or leave it out"
        for key, names in (
            ("relax", refine.relax),
            ("second_species", () if isinstance(second, str) else second),
        )
        for name in names
        if name not in refined
    ]
    if refine.second_level in (refine.level, *plan.levels):
        lines.append(
            f"refine.second_level = {refine.second_level}: is no second level of DFT; "
            "choose another, such as r2scan-d4-tzvp, or leave it out"
        )
    if plan.study.thermo.isomers == "pool":
        lines.append(
            "thermo.isomers = pool: DFT energies are those of adsorbates on the "
            "cluster's own isomer, so all of a refined profile would be holes; take "
            "fixed_core_first, or refine.species: none"
        )
    if refine.level in plan.levels:
        lines.append(
            f"refine.level = {refine.level}: is a level of the geometries too, so "
            "nothing is refined; choose a level of DFT, or species: none"
        )
    if refine.species == "chosen":
        if not plan.study.reactions:
            lines.append(
                "refine.species = chosen: there is no limiting potential to choose by; "
                "name reactions, or species: all"
            )
        if "gas" not in plan.study.thermo.correct:
            lines.append(
                "refine.species = chosen: what is not refined is calibrated, which "
                "needs the layer gas; add it to thermo.correct, or species: all"
            )
    return lines


def _format_list(names: Sequence[str]) -> str:
    """As one writes it in YAML."""
    return f"[{', '.join(names)}]"


def _find_wrong_claims(plan: Plan) -> list[str]:
    """Claims that cannot be read, or are about what the study does not compute."""
    if not plan.study.claims:
        return []
    # Late, because the parser takes longer than all else that planning imports here.
    from clusterflow.study.claims import find_claim_problems

    return find_claim_problems(plan)
