"""Claims of a study: whether it computes what they name, and from which records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError, LibraryError
from clusterflow.formula import parse_formula
from clusterflow.science.reactions.claim_language import (
    Choice,
    Difference,
    read_claim,
)
from clusterflow.science.reactions.claimed_steps import (
    check_step,
    find_step,
    reduces_co2,
)
from clusterflow.science.reactions.network import (
    SITE,
    parse_equation,
    parse_network,
    read_change,
    read_surface,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from clusterflow.library.reactions import ReactionSpec
    from clusterflow.science.reactions.claim_language import Claim, Quantity
    from clusterflow.study.plan import Plan


def find_claim_problems(plan: Plan) -> list[str]:
    """What is wrong with the claims of a study, one line each."""
    problems = []
    for spec in plan.study.claims:
        try:
            claim = read_claim(spec).claim
        except ConfigError as error:
            problems.append(str(error))
            continue
        problems += [f"claims: {spec.name}: {one}" for one in _find_holes(plan, claim)]
    return problems


def records_of_claim(plan: Plan, name: str) -> list[str]:
    """Records that a claim is judged by, below a results folder."""
    (spec,) = (one for one in plan.study.claims if one.name == name)
    claim = read_claim(spec).claim
    found = []
    for cluster in claim.clusters:
        if isinstance(claim, Difference) and claim.is_of_lengths:
            found += [f"{one}/{cluster}.json" for one in ("relax", "pool", "thermo")]
            continue
        for prefix in ("", "refined_") if plan.refines else ("",):
            found.append(f"{prefix}che/{cluster}.json")
            found += [
                f"{prefix}thermo/{one}.json"
                for one in (cluster, *plan.cluster_states_of(cluster))
            ]
    return list(dict.fromkeys(found))


def _find_holes(plan: Plan, claim: Claim) -> Iterator[str]:
    """What a claim names that the study does not compute."""
    unknown = [c for c in claim.clusters if c not in plan.study.clusters]
    if unknown:
        yield _refuse("cluster", unknown[0], plan.study.clusters)
    elif isinstance(claim, Difference) and claim.is_of_lengths:
        for _, quantity in claim.terms:
            yield from _find_length_holes(plan, quantity)
    elif not plan.study.reactions:
        yield "a study without reactions has no free energies; name some"
    elif isinstance(claim, Choice):
        yield from _find_choice_holes(plan, claim)
    else:
        for _, quantity in claim.terms:
            yield from _find_quantity_holes(plan, quantity)


def _find_quantity_holes(plan: Plan, quantity: Quantity) -> Iterator[str]:
    if quantity.kind == "U_L":
        if quantity.of not in plan.study.reactions:
            yield _refuse("reaction", quantity.of, plan.study.reactions)
        return
    if quantity.kind == "loss":
        yield from _find_loss_holes(plan, quantity)
        return
    try:
        check_step(quantity, plan.library)
    except LibraryError as error:
        yield str(error)
        return
    known = _list_known_terms(plan, quantity.cluster)
    for term in sorted(quantity.equation.species - known):
        yield _refuse("species", term, sorted(t for t in known if t[0] == term[0]))


def _find_length_holes(plan: Plan, quantity: Quantity) -> Iterator[str]:
    """Whether a cluster has the elements of a bond."""
    formula = plan.library.cluster(quantity.cluster).formula
    missing = set(quantity.elements) - parse_formula(formula).keys()
    if missing:
        yield f"{quantity}: {formula} has no {', '.join(sorted(missing))}"


def _find_loss_holes(plan: Plan, quantity: Quantity) -> Iterator[str]:
    """Whether the reaction by which the ligand leaves, and what is left, are there."""
    try:
        reaction = plan.library.ligand_loss(quantity.of, quantity.route)
    except LibraryError as error:
        yield f"{quantity}: {error}"
        return
    if reaction.name not in plan.study.reactions:
        yield f"{quantity} needs {reaction.name}: add it to reactions"
    elif not plan.library.cluster_states(quantity.cluster, _read_loss(reaction)):
        yield (
            f"{quantity}: the library has no {quantity.cluster} without one "
            f"{quantity.of}; add one with parent and removed"
        )


def _read_loss(reaction: ReactionSpec) -> Counter[str]:
    """Atoms that a reaction takes from a cluster, as negative numbers."""
    products = parse_equation(reaction.equation).products
    changes = (read_surface(term)[0] for term in products if term.startswith(SITE))
    return read_change(next(changes, ""))


def _list_known_terms(plan: Plan, cluster: str) -> set[str]:
    """Species whose free energies a study has on a cluster."""
    networks = (parse_network(plan.library.reaction(n)) for n in plan.study.reactions)
    known = {f"*{name}" for name in plan.adsorbates_of(cluster)} | {SITE}
    known |= {f"{gas}(g)" for gas in plan.gases}
    for overall, steps in networks:
        for equation in (overall, *steps):
            known |= {t for t in equation.species if not t.startswith("*") or "[" in t}
    return known


def _find_choice_holes(plan: Plan, claim: Choice) -> Iterator[str]:
    if claim.of == "product":
        reactions = map(plan.library.reaction, plan.study.reactions)
        products = [
            spec.product
            for spec in reactions
            if reduces_co2(parse_equation(spec.equation))
        ]
        if claim.value not in products:
            yield _refuse("product of CO2", claim.value, products)
        elif len(set(products)) == 1:
            yield f"{claim.value} is the study's only product of CO2; add reactions"
        return
    if claim.reaction not in plan.study.reactions:
        yield _refuse("reaction", claim.reaction, plan.study.reactions)
        return
    _, steps = parse_network(plan.library.reaction(claim.reaction))
    try:
        find_step(claim, steps)
    except ConfigError as error:
        yield str(error)


def _refuse(what: str, name: str, known: Iterable[str]) -> str:
    return (
        f"{what} {name!r} is not computed in this study; it has "
        f"{', '.join(known) or 'none'}"
    )
