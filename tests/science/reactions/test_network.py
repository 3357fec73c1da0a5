"""Equations, their balance, and pathways against a search that only counts."""

from __future__ import annotations

from collections import Counter

import pytest

from clusterflow.errors import LibraryError
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import (
    build_network,
    check_balance,
    find_pathways,
    list_intermediates,
    parse_equation,
)


def brute_force(overall, steps):
    """Every order of steps that ends in the products and visits no state twice."""

    def freeze(state):
        return frozenset((s, n) for s, n in state.items() if n)

    def walk(state, seen):
        if freeze(state) == goal:
            yield ()
            return
        for step in steps:
            after = dict(state)
            for species, n in step.reactants.items():
                after[species] = after.get(species, 0) - n
            if min(after.values()) < 0:
                continue
            for species, n in step.products.items():
                after[species] = after.get(species, 0) + n
            if freeze(after) not in seen:
                for rest in walk(after, seen | {freeze(after)}):
                    yield (step.name, *rest)

    start, end = dict(overall.reactants), dict(overall.products)
    for state in (start, end):
        state["*"] = max(state.get("*", 0), 1)
    goal = freeze(end)
    return set(walk(start, {freeze(start)}))


def names(paths):
    return {tuple(step.name for step in path) for path in paths}


@pytest.mark.parametrize(
    ("text", "reactants", "products", "n_e", "n_h"),
    [
        (
            "*COOH + H+ + e- -> *CO + H2O(l)",
            {"*COOH": 1, "H+": 1, "e-": 1},
            {"*CO": 1, "H2O(l)": 1},
            1,
            1,
        ),
        ("2 H+ + 2 e- -> H2(g)", {"H+": 2, "e-": 2}, {"H2(g)": 1}, 2, 2),
        ("*CO -> * + CO(g)", {"*CO": 1}, {"*": 1, "CO(g)": 1}, 0, 0),
        (
            "* + CO2(g) + H+ + 2 e- -> *HCOO-minus",
            {"*": 1, "CO2(g)": 1, "H+": 1, "e-": 2},
            {"*HCOO-minus": 1},
            2,
            1,
        ),
        ("H2(g) -> 2 H+ + 2 e-", {"H2(g)": 1}, {"H+": 2, "e-": 2}, -2, -2),
        ("*CO + *CO -> *OCCO + *", {"*CO": 2}, {"*OCCO": 1, "*": 1}, 0, 0),
        ("2 *H -> 2 * + H2(g)", {"*H": 2}, {"*": 2, "H2(g)": 1}, 0, 0),
    ],
)
def test_equations_are_read(text, reactants, products, n_e, n_h):
    equation = parse_equation(text)
    assert equation.reactants == Counter(reactants)
    assert equation.products == Counter(products)
    assert (equation.n_e, equation.n_h) == (n_e, n_h)
    assert equation.species == (reactants.keys() | products.keys()) - {"H+", "e-"}


def test_spaces_do_not_matter():
    loose = parse_equation("  *CO   +  H+  + e-   ->   *CHO ")
    assert loose.name == "*CO + H+ + e- -> *CHO"
    assert loose.reactants == parse_equation(loose.name).reactants


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("*CO + H+", "write it as reactants -> products"),
        ("*CO -> *CHO -> *CH2O", "write it as reactants -> products"),
        ("-> *CO", "write it as reactants -> products"),
        ("*CO ->", "write it as reactants -> products"),
        ("*CO+H+ -> *CHO", "cannot read"),
        ("CO -> *CO", "cannot read 'CO'"),
        ("CO(s) + * -> *CO", r"cannot read 'CO\(s\)'"),
        ("HCOO--(aq) + * -> *OCHO + e-", r"cannot read 'HCOO--\(aq\)'"),
        ("2*CO -> *OCCO", "cannot read"),
        ("1.5 H+ -> *H", "cannot read"),
        ("*CO + H+ + + e- -> *CHO", "cannot read"),
    ],
)
def test_what_is_no_equation(text, says):
    with pytest.raises(LibraryError, match=says):
        parse_equation(text)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("*COOH + H+ + e- -> *CO", r"\(H -2, O -1 on the right\)"),
        ("* + H+ -> *H", r"\(charge -1 on the right\)"),
        ("* + H+ + 2 e- -> *H", r"\(charge \+1 on the right\)"),
        ("*CO -> CO(g)", r"\(\* -1 on the right\)"),
        ("CO2(g) + * -> *CO", r"\(O -1 on the right\)"),
        ("* + 2 CO2(g) -> *CO2", r"\(C -1, O -2 on the right\)"),
    ],
)
def test_an_unbalanced_step_says_what_is_off(library, text, detail):
    with pytest.raises(LibraryError, match=f"reaction X: step .*{detail}"):
        check_balance(parse_equation(text), composition_of(library), "reaction X")


def test_a_balanced_step_passes(library):
    for text in ("*COOH + H+ + e- -> *CO + H2O(l)", "2 *H -> 2 * + H2(g)"):
        check_balance(parse_equation(text), composition_of(library), "X")


@pytest.mark.parametrize(
    "reaction", ["HER", "CO2-to-CO", "CO2-to-HCOOH", "CO2-to-CH3OH", "CO2-to-CH4"]
)
def test_pathways_by_brute_force(library, reaction):
    network = build_network(library.reaction(reaction), composition_of(library))
    steps = [parse_equation(s) for s in library.reaction(reaction).steps]
    expected = brute_force(network.overall, steps)
    assert expected
    assert names(network.pathways) == expected
    assert len(network.pathways) == len(expected)


TOY = ["* + A(g) -> *A", "*A + B(g) -> *C", "*C -> * + C(g)", "A(g) + B(g) -> C(g)"]


def test_a_loop_is_not_walked_twice():
    steps = [
        parse_equation(s) for s in [*TOY, "*C -> *D", "*D -> *C", "*D -> * + C(g)"]
    ]
    overall = parse_equation("A(g) + B(g) -> C(g)")
    found = names(find_pathways(overall, steps))
    assert found == brute_force(overall, steps)
    assert len(found) == 3
    assert all(len(set(path)) == len(path) for path in found)


def test_side_products_count():
    steps = [parse_equation(s) for s in TOY]
    # Two A and one B: one A is left over, so the products are not reached.
    with pytest.raises(LibraryError, match="no pathway of the network leads to"):
        find_pathways(parse_equation("2 A(g) + B(g) -> C(g)"), steps)
    overall = parse_equation("2 A(g) + 2 B(g) -> 2 C(g)")
    assert names(find_pathways(overall, steps)) == brute_force(overall, steps)


def test_two_sites_and_coupling():
    steps = [
        parse_equation(s)
        for s in ["* + A(g) -> *A", "2 *A -> *AA + *", "*AA -> * + AA(g)"]
    ]
    overall = parse_equation("2 A(g) + 2 * -> AA(g) + 2 *")
    (path,) = find_pathways(overall, steps)
    assert [s.name for s in path] == [steps[i].name for i in (0, 0, 1, 2)]
    assert list_intermediates(overall, path) == ["*", "*A", "2 *A", "*AA", "*"]


def test_a_state_names_what_is_on_the_surface(library):
    network = build_network(library.reaction("CO2-to-CO"), composition_of(library))
    states = {
        tuple(list_intermediates(network.overall, list(p))) for p in network.pathways
    }
    assert states == {
        ("*", "*COOH", "*CO", "*"),
        ("*", "*CO2", "*COOH", "*CO", "*"),
    }


def test_a_network_without_end_is_refused():
    steps = [parse_equation("* + H+ + e- -> * + H+ + e- + A(g)")]
    with pytest.raises(LibraryError, match="more than 20000 states"):
        find_pathways(parse_equation("H+ + e- -> B(g)"), steps)


def test_an_unbalanced_network_is_refused(library):
    spec = library.reaction("CO2-to-CO")
    broken = spec.model_copy(update={"steps": (*spec.steps, "*CO -> * + CO2(g)")})
    with pytest.raises(LibraryError, match="reaction CO2-to-CO: step"):
        build_network(broken, composition_of(library))


def test_an_unknown_species_is_named_with_its_step(library):
    spec = library.reaction("CO2-to-CO")
    broken = spec.model_copy(update={"steps": (*spec.steps, "*CO -> *XYZ")})
    with pytest.raises(
        LibraryError, match=r"reaction CO2-to-CO: step '\*CO -> \*XYZ': no adsorbate"
    ):
        build_network(broken, composition_of(library))


@pytest.mark.parametrize(
    "steps",
    [
        ("* + CO(g) -> *CO",),
        ("*COOH -> *OCHO", "*OCHO -> *COOH"),
        ("*CO + H2O(g) -> *HCOOH", "*HCOOH -> *CO + H2O(g)", "H2O(l) -> H2O(g)"),
    ],
)
def test_a_cycle_of_chemical_steps_is_refused(library, steps):
    spec = library.reaction("CO2-to-CO")
    broken = spec.model_copy(update={"steps": (*spec.steps, *steps)})
    with pytest.raises(LibraryError, match=r"CO2-to-CO: chemical steps form a cycle"):
        build_network(broken, composition_of(library))


def test_an_electrochemical_way_back_is_no_chemical_cycle(library):
    spec = library.reaction("CO2-to-CO")
    back = "*COOH -> *CO2 + H+ + e-"
    wider = spec.model_copy(update={"steps": (*spec.steps, back)})
    assert build_network(wider, composition_of(library)).pathways
