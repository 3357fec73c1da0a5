"""What a study answers: who leads for each reaction, how surely, what would decide."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from clusterflow.figures.text import signed
from clusterflow.science.reactions.che import THERMALLY_CLOSED_EV
from clusterflow.science.reactions.flags import CALIBRATED_FLAG, group_flags
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.reactions.pathways import no_potential_reason, order_pathways
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG
from clusterflow.science.uncertainty.comparison import LEADERS, ranking_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clusterflow.records.profiles import ReactionResult
    from clusterflow.results.ranking import LevelRanking, RankedResult, ReactionRanking

HER = "HER"
# Two clusters are told apart where one is the better with this probability.
TOLD_APART = 0.9
_MOST_NAMED = 4

Probabilities = dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reaction at one level of theory.

    A reaction that is refined by DFT has two answers: that of the composite level leads
    where it lacks no cluster that the level has a potential for, else the level's does
    and says so. The other one stands behind it, and both never in one ranking.

    `rows` come best first by the median, those without a potential last. `groups` are
    runs among the best of them, first and last, of which no two can be told apart.
    `her` has the result for hydrogen evolution of each cluster that has one.
    """

    reaction: str
    equation: str
    level: str
    level_hash: str
    composite: bool
    leads: bool
    rows: tuple[RankedResult, ...]
    groups: tuple[tuple[int, int], ...]
    her: Mapping[str, ReactionResult]
    sentence: str
    decides: str


def find_answers(
    rankings: Sequence[ReactionRanking], pairs: Iterable[Mapping[str, object]]
) -> tuple[Answer, ...]:
    """One answer a reaction and level, that which leads before the one behind it.

    Hydrogen evolution comes last.

    Parameters
    ----------
    rankings
        All results, by reaction and level.
    pairs
        Rows of the table of rankings: which cluster is the better, how probably.
    """
    known: dict[tuple[str, str], Probabilities] = {}
    for pair in pairs:
        found = known.setdefault((str(pair["reaction"]), str(pair["level_hash"])), {})
        one, other = str(pair["cluster"]), str(pair["other_cluster"])
        probability = float(str(pair["probability_better"]))
        found[one, other], found[other, one] = probability, 1.0 - probability
    her = {
        (group.level_hash, row.cluster): row.result
        for ranking in rankings
        if ranking.reaction == HER
        for group in ranking.levels
        for row in group.rows
    }
    answers = []
    for ranking in rankings:
        composites = {group.refines: group for group in ranking.levels if group.refines}
        for group in ranking.levels:
            if group.refines:
                continue
            own = _make_answer(ranking, group, known, her)
            answers.append(own)
            if group.level_hash not in composites:
                continue
            refined = composites[group.level_hash]
            better = _make_answer(ranking, refined, known, her)
            if why := _say_what_lacks(group, refined):
                answers[-1] = replace(own, sentence=f"{why} {own.sentence}")
                answers.append(replace(better, leads=False))
            else:
                answers[-1:] = [better, replace(own, leads=False)]
    return tuple(sorted(answers, key=lambda answer: answer.reaction == HER))


def _say_what_lacks(group: LevelRanking, refined: LevelRanking) -> str:
    """Why a composite level does not lead: clusters that it has no potential for."""
    results = {row.cluster: row.result for row in refined.rows}
    lacking = [
        row
        for row in group.rows
        if row.result.headline_v_rhe is not None
        and (row.cluster not in results or results[row.cluster].headline_v_rhe is None)
    ]
    if not lacking:
        return ""
    return (
        "By the level alone, as DFT leaves no potential on "
        f"{_join_names(lacking)}: the reasons stand under the numbers."
    )


def _make_answer(
    ranking: ReactionRanking,
    group: LevelRanking,
    known: Mapping[tuple[str, str], Probabilities],
    her: Mapping[tuple[str, str], ReactionResult],
) -> Answer:
    """The answer of one level, as if there were no other."""
    better = known.get((ranking.reaction, group.level_hash), {})
    rows = tuple(sorted(group.rows, key=_order))
    ranked = [row for row in rows if row.result.headline_v_rhe is not None]
    leaders = [row for row in ranked if not _is_behind(row, ranked[0], better)]
    own = {} if ranking.reaction == HER else her
    return Answer(
        reaction=ranking.reaction,
        equation=ranking.equation,
        level=group.level,
        level_hash=group.level_hash,
        composite=bool(group.refines),
        leads=True,
        rows=rows,
        groups=_find_groups(ranked[:LEADERS], better),
        her={
            row.cluster: own[group.level_hash, row.cluster]
            for row in rows
            if (group.level_hash, row.cluster) in own
        },
        sentence=_say_who_leads(rows, ranked, leaders, better),
        decides=_say_what_decides(ranked, leaders),
    )


def _order(row: RankedResult) -> tuple[bool, bool, float, float, str]:
    return *ranking_key(row.result), row.cluster


def _is_closed(result: ReactionResult) -> bool:
    """Whether the best pathway has a chemical step that heat does not climb."""
    return (result.chemical_bottleneck_ev or 0.0) > THERMALLY_CLOSED_EV


def _is_behind(row: RankedResult, best: RankedResult, better: Probabilities) -> bool:
    """Whether a cluster is told apart from the best one."""
    if row is best:
        return False
    if _is_closed(row.result) != _is_closed(best.result):
        return True
    # Without known errors only equal numbers cannot be told apart.
    worse = row.result.headline_v_rhe != best.result.headline_v_rhe
    return better.get((best.cluster, row.cluster), float(worse)) >= TOLD_APART


def _find_groups(
    ranked: Sequence[RankedResult], better: Probabilities
) -> tuple[tuple[int, int], ...]:
    """Runs of rows as long as can be, of which no row is told apart from another."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranked)):
        last = first
        while last + 1 < len(ranked) and not any(
            _is_behind(ranked[last + 1], row, better)
            or better.get((ranked[last + 1].cluster, row.cluster), 0.0) >= TOLD_APART
            for row in ranked[first : last + 1]
        ):
            last += 1
        if last > first and not (found and found[-1][1] >= last):
            found.append((first, last))
    return tuple(found)


def _say_who_leads(
    rows: Sequence[RankedResult],
    ranked: Sequence[RankedResult],
    leaders: Sequence[RankedResult],
    better: Probabilities,
) -> str:
    """Which clusters lead, and how surely."""
    if not ranked:
        reason = no_potential_reason(rows[0].result)
        return f"No cluster has a limiting potential: {reason}."
    best, number = ranked[0], _say_potential(ranked[0].result)
    if len(ranked) == 1:
        return f"Only {best.cluster} has a limiting potential ({number})."
    if not better:
        return (
            f"{best.cluster} has the least negative potential ({number}); how surely "
            "is not known, as no errors are known at this level."
        )
    behind = [row for row in ranked if row not in leaders]
    odds = _say_range([_find_better(best, r, better) for r in leaders if r is not best])
    rest = _say_rest(best, behind, better)
    if not behind:
        return (
            f"No cluster can be told apart from {best.cluster} ({number}), which is "
            f"ahead with {odds}."
        )
    if len(leaders) == 1:
        return f"{best.cluster} leads ({number}){rest}."
    joint = ", " if len(leaders) > 2 else " and "
    return (
        f"{best.cluster} ({number}){joint}{_join_names(leaders[1:])} lead and cannot "
        f"be told apart ({odds}){rest}."
    )


def _say_rest(
    best: RankedResult, behind: Sequence[RankedResult], better: Probabilities
) -> str:
    """How surely the best is before those that are told apart from it."""
    closed = [row for row in behind if _is_closed(row.result)]
    open_ = [row for row in behind if row not in closed]
    parts = []
    if open_:
        odds = [_find_better(best, row, better) for row in open_]
        parts.append(f"ahead of {_join_names(open_)} with {_say_range(odds)}")
    if closed:
        # By its potential alone one of them may look better than what leads.
        number = _say_potential(closed[0].result)
        verb, which = ("meet", "best ") if len(closed) > 1 else ("meets", "")
        parts.append(
            f"{_join_names(closed)} ({which}{number}) {verb} a chemical step above "
            f"{THERMALLY_CLOSED_EV:.2f} eV that no potential helps over"
        )
    return "".join(f"; {part}" for part in parts)


def _find_better(
    best: RankedResult, row: RankedResult, better: Probabilities
) -> float | None:
    return better.get((best.cluster, row.cluster))


def _say_range(odds: Sequence[float | None]) -> str:
    known = [round(100 * value) for value in odds if value is not None]
    if not known:
        return "an unknown probability"
    low, high = min(known), max(known)
    return f"{low} %" if low == high else f"{low} to {high} %"


def _say_potential(result: ReactionResult) -> str:
    return f"U_L {signed(result.headline_v_rhe)} V"


def _say_what_decides(
    ranked: Sequence[RankedResult], leaders: Sequence[RankedResult]
) -> str:
    """The free energies that the lead rests on, and where DFT has to refine them."""
    clusters: dict[str, list[RankedResult]] = {}
    for row in leaders:
        species = _find_deciding_species(row.result)
        if species:
            clusters.setdefault(species, []).append(row)
    parts = [
        f"of {species} on {'all' if rows == ranked != rows[:1] else _join_names(rows)}"
        for species, rows in clusters.items()
    ]
    said = f"Would decide: a better ΔG {', '.join(parts)}." if parts else ""
    calibrated = [
        (species, rows)
        for species, leading in clusters.items()
        if (rows := [row for row in leading if _is_calibrated(species, row.result)])
    ]
    for species, rows in calibrated:
        said += f" {species} on {_join_names(rows)} has no DFT energy yet: refine it."
    rough = [row for row in leaders if _has_unmeasured_bond(row.result)]
    if rough:
        where = "there" if rough == leaders else f"on {_join_names(rough)}"
        said += f" Not all bonds {where} were measured: refine with DFT."
    return said.strip()


def _has_unmeasured_bond(result: ReactionResult) -> bool:
    """Whether the interval rests on an assumed error of a bond."""
    groups = dict(group_flags(result.flags))
    errors = result.uncertainty
    return (
        errors is not None and errors.basis == "screening" and UNMEASURED_FLAG in groups
    )


def _is_calibrated(species: str, result: ReactionResult) -> bool:
    """Whether a species of a composite level stands there without a DFT energy."""
    return species in dict(group_flags(result.flags)).get(CALIBRATED_FLAG, ())


def _find_deciding_species(result: ReactionResult) -> str:
    """The adsorbate that most often is in the determining step; "" for none."""
    odds = (
        result.uncertainty.determining_step_probability
        if result.uncertainty is not None
        else {result.determining_step: 1.0}
        if result.determining_step
        else {}
    )
    weights: dict[str, float] = {}
    for step, probability in odds.items():
        for term in _find_judged_terms(step, result):
            if term.startswith("*") and not term.endswith(("*", "]")):
                weights[term] = weights.get(term, 0.0) + probability
    return min(weights, key=lambda term: (-weights[term], term), default="")


def _find_judged_terms(name: str, result: ReactionResult) -> list[str]:
    """The terms whose energies are in a step as it is judged.

    What an adsorption gives and the step takes cancels where both are judged as one.
    """
    found = (
        pathway.climbs_before(step)
        for pathway in order_pathways(result)
        for step in pathway.steps
        if step.name == name
    )
    change: Counter[str] = Counter()
    for one in (name, *(step.name for step in next(found, ()))):
        read = parse_equation(one)
        change.update(read.products)
        change.subtract(read.reactants)
    return [term for term, n in change.items() if n]


def _join_names(rows: Sequence[RankedResult]) -> str:
    """Clusters in words: ``Cu4, Cu8 and Cd6Se6``, many as a few and a number."""
    names = [row.cluster for row in rows]
    if len(names) > _MOST_NAMED:
        names = [*names[: _MOST_NAMED - 1], f"{len(names) - _MOST_NAMED + 1} more"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def potential_range(answers: Iterable[Answer]) -> tuple[float, float]:
    """The ends of a scale that holds every potential and interval, V vs RHE."""
    values = [0.0]
    for answer in answers:
        results = [*(row.result for row in answer.rows), *answer.her.values()]
        for result in results:
            median = result.headline_v_rhe
            values += [] if median is None else [median]
            if result.uncertainty is not None:
                values += [
                    result.uncertainty.lower_v_rhe,
                    result.uncertainty.upper_v_rhe,
                ]
    return min(values), max(values)
