"""The networks of CO2 reduction: balance, routes, potentials; adsorbates they need."""

from __future__ import annotations

import re
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from clusterflow.errors import LibraryError
from clusterflow.library.find import Library, package_data
from clusterflow.science.geometry.bond_groups import drawn_molecules_of
from clusterflow.science.geometry.bonds import BROKEN, bond_graph
from clusterflow.science.reactions.che import equilibrium_potential
from clusterflow.science.reactions.evaluate import composition_of
from clusterflow.science.reactions.network import (
    build_network,
    check_balance,
    find_pathways,
    list_intermediates,
    parse_equation,
    read_surface,
    surface_composition,
)
from clusterflow.science.thermochemistry.formation import experimental_table

LIBRARY = Library((package_data() / "structures",))
REACTIONS = (
    "HER",
    "HER-Tafel",
    "CO2-to-CO",
    "CO2-to-HCOOH",
    "CO2-to-HCHO",
    "CO2-to-CH3OH",
    "CO2-to-CH4",
    "CO2-to-CH4-full",
    "CO2-to-CH4-by-CO",
    "CO2-to-C2H4",
    "CO2-to-C2H6",
    "CO2-to-CH3CHO",
    "CO2-to-C2H5OH",
    "CO2-to-CH3COOH",
    "CO2-to-H2C2O4",
    "CO2-to-carbonate",
)
C1 = "C CH CH2 CH3 CH2O CH2OH CHO CHOH CO CO2 COH COOH H H2O HCOOH O OCH3 OCHO OH"
C2 = (
    "OCCO OCCOH COCHO COCHOH COCO2H CCO CHCO CHCHO CH2CO CH2CHO CH3CHO OCH2CH3 C2H4 "
    "CO-H CO-CO H2C2O4 HC2O4 C2H4O CH2CH2O CH2CH2OCO2 C3H4O3"
)
ADSORBATES = f"{C1} {C2}".split()
# Formic acid and oxalic acid have tests of their own; the carbonate takes no electron.
NOT_IN_TABLE = {"CO2-to-HCOOH", "CO2-to-H2C2O4", "CO2-to-carbonate"}
TWO_MOLECULES = {"CO-H", "CO-CO"}

# kJ/mol and J/mol/K at 298.15 K: CODATA, and the CRC Handbook for the organic ones.
TABLE = {
    "H2(g)": (0.0, 130.680),
    "CO2(g)": (-393.51, 213.785),
    "H2O(l)": (-285.830, 69.95),
    "CO(g)": (-110.53, 197.660),
    "HCHO(g)": (-108.6, 218.8),
    "CH3OH(g)": (-201.0, 239.9),
    "CH4(g)": (-74.6, 186.3),
    "C2H4(g)": (52.4, 219.3),
    "C2H6(g)": (-84.0, 229.2),
    "CH3CHO(g)": (-166.2, 263.8),
    "C2H5OH(l)": (-277.6, 160.7),
    "CH3COOH(l)": (-484.3, 159.8),
}
FARADAY = 96.485332  # kJ/mol/eV
PH7_V = 7 * 8.314463e-3 * 298.15 * np.log(10) / FARADAY


def pathways(name: str) -> set[str]:
    network = build_network(LIBRARY.reaction(name), composition_of(LIBRARY))
    return {
        " > ".join(list_intermediates(network.overall, p)) for p in network.pathways
    }


def count(side: str) -> Counter[str]:
    """Atoms, sites and charge of one side, from the names of its terms alone."""
    total: Counter[str] = Counter()
    for term in side.split(" + "):
        digits, species = re.fullmatch(r"(?:(\d+) )?(\S+)", term.strip()).groups()
        n = int(digits or 1)
        if species in ("H+", "e-"):
            total["charge"] += n if species == "H+" else -n
            total["H"] += n * (species == "H+")
            continue
        total["site"] += n * species.startswith("*")
        name = species.removeprefix("*").partition("(")[0].replace("-", "")
        assert re.fullmatch(r"(?:[CHO]\d*)*", name), species
        for element, number in re.findall(r"([CHO])(\d*)", name):
            total[element] += n * int(number or 1)
    return total


def own_potential(equation: str) -> float:
    """Standard potential against RHE, V; a proton and an electron are half an H2."""
    n_e = int(re.search(r"(\d+) e-", equation).group(1))
    total = 0.0
    for sign, side in zip((-1, 1), equation.split("->"), strict=True):
        for term in side.split(" + "):
            digits, species = re.fullmatch(r"(?:(\d+) )?(\S+)", term.strip()).groups()
            if species in ("*", "H+", "e-"):
                continue
            enthalpy, entropy = TABLE[species]
            total += sign * int(digits or 1) * (enthalpy - 298.15 * entropy / 1000)
    half = (TABLE["H2(g)"][0] - 298.15 * TABLE["H2(g)"][1] / 1000) / 2
    return -(total - n_e * half) / n_e / FARADAY


def library_potential(equation: str) -> float:
    overall = parse_equation(equation)
    gases = [s.partition("(")[0] for s in overall.species if s != "*"]
    table = experimental_table(gases, LIBRARY)

    def formation(term: str) -> float:
        name, _, phase = term.partition("(")
        return 0.0 if term == "*" else table.formation_ev(name, phase[0])

    return equilibrium_potential(overall, formation)


def test_all_species_of_the_networks_are_looked_at():
    named = set()
    for reaction in REACTIONS:
        network = build_network(LIBRARY.reaction(reaction), composition_of(LIBRARY))
        named |= {s[1:] for s in network.species if s.startswith("*")}
    assert named - {""} | {"COCO2H"} == set(ADSORBATES)


@pytest.mark.parametrize("name", REACTIONS)
def test_every_equation_is_balanced_by_the_names_of_its_terms(name):
    spec = LIBRARY.reaction(name)
    for equation in (spec.equation, *spec.steps):
        left, right = (count(side) for side in equation.split("->"))
        left.subtract(right)
        assert not any(left.values()), equation


@pytest.mark.parametrize("name", REACTIONS)
def test_every_step_takes_one_pair_or_none(name):
    for text in LIBRARY.reaction(name).steps:
        step = parse_equation(text)
        assert step.n_e == step.n_h
        assert step.n_e in (0, 1)


@pytest.mark.parametrize("name", REACTIONS)
def test_networks_stay_small_and_use_every_step(name):
    network = build_network(LIBRARY.reaction(name), composition_of(LIBRARY))
    assert 1 <= len(network.pathways) < 2000
    used = {step.name for path in network.pathways for step in path}
    assert used == {parse_equation(text).name for text in network.spec.steps}


@pytest.mark.parametrize("name", ADSORBATES)
def test_an_adsorbate_is_made_of_what_its_name_says(name):
    spec = LIBRARY.adsorbate(name)
    named = count(f"*{name}")
    named.subtract({"site": 1})
    assert {e: n for e, n in named.items() if n} == dict(spec.counts)


@pytest.mark.parametrize("name", ADSORBATES)
def test_forms_of_an_adsorbate_share_their_bonds_and_stay_above_the_surface(name):
    spec = LIBRARY.adsorbate(name)
    graphs = []
    for form in spec.forms:
        symbols = [line[0] for line in form.atoms]
        positions = np.array([line[1:] for line in form.atoms])
        graphs.append(bond_graph(symbols, positions))
        # No pair stands between bonded and not bonded.
        loose = bond_graph(symbols, positions, BROKEN)
        assert set(graphs[-1].edges) == set(loose.edges), form.name
        bound = positions[list(form.binding)]
        assert np.allclose(bound.mean(axis=0), 0, atol=2e-3), form.name
        assert np.allclose(bound[:, 1:], 0, atol=1e-3), form.name
        others = np.delete(positions, form.binding, axis=0)
        assert (others[:, 2] > 0.1).all(), form.name
    same = nx.algorithms.isomorphism.categorical_node_match("element", "")
    assert all(nx.is_isomorphic(g, graphs[0], node_match=same) for g in graphs)
    pieces = nx.number_connected_components(graphs[0])
    assert pieces == (2 if name in TWO_MOLECULES else 1)


@pytest.mark.parametrize(
    ("name", "molecules"),
    [
        ("H2O", {"H2O": 1}),
        ("C2H4O", {"C2H4O": 1}),
        ("CH2CH2O", {}),
        ("C2H4", {"C2H4": 1}),
        ("CH3CHO", {"CH3CHO": 1}),
        ("CO-H", {"CO": 1}),
        ("CO-CO", {"CO": 2}),
        ("OCCO", {}),
        ("COCHO", {}),
    ],
)
def test_an_adsorbate_is_drawn_as_the_molecules_it_is(name, molecules):
    assert drawn_molecules_of(LIBRARY)(LIBRARY.adsorbate(name)) == molecules


@pytest.mark.parametrize("name", sorted(LIBRARY.paths("adsorbates")))
def test_every_adsorbate_says_what_water_adds_by_its_groups(name):
    """Peterson et al. 2010: *OH -0.5, a hydroxyl further out -0.25, M-C=O -0.1 eV."""
    spec = LIBRARY.adsorbate(name)
    form = spec.forms[0]
    symbols = [line[0] for line in form.atoms]
    positions = np.array([line[1:] for line in form.atoms])
    near = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    expected = 0.0
    for i in range(len(symbols)):
        bonded = [j for j in range(len(symbols)) if j != i and near[i, j] < 1.65]
        elements = sorted(symbols[j] for j in bonded)
        if symbols[i] == "O" and elements.count("H") == 1:
            expected += -0.5 if i in form.binding else -0.25
        # Bound by its carbon, the oxygen is the end of a double bond.
        if symbols[i] == "C" and i in form.binding:
            ends = [j for j in bonded if symbols[j] == "O" and j not in form.binding]
            ends = [j for j in ends if np.sum((near[j] > 0) & (near[j] < 1.65)) == 1]
            hydroxyls = [j for j in bonded if symbols[j] == "O" and j not in ends]
            expected += -0.1 if ends and not hydroxyls and name != "CO2" else 0.0
    assert spec.solvation_ev is not None
    assert spec.solvation_ev.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reaction", "route"),
    [
        (
            "CO2-to-CH4-full",
            "* > *COOH > *CO > *CHO > *CHOH > *CH > *CH2 > *CH3 > *",
        ),
        (
            "CO2-to-CH4-full",
            "* > *COOH > *CO > *COH > *C > *CH > *CH2 > *CH3 > *",
        ),
        (
            "CO2-to-CH4-full",
            "* > *COOH > *CO > *CHO > *CH2O > *OCH3 > *O > *OH > *",
        ),
        ("CO2-to-HCHO", "* > *COOH > *CO > *CO-H > *CHO > *CH2O > *"),
        (
            "CO2-to-C2H4",
            "* > *COOH > *CO > *CO + *COOH > 2 *CO > *CO-CO > *OCCO > *OCCOH > *CCO "
            "> *CHCO > *CHCHO > *CH2CHO > *O > *OH > *",
        ),
        (
            "CO2-to-C2H4",
            "* > *COOH > *CO > *CO + *COOH > 2 *CO > *CHO + *CO > *COCHO > *COCHOH "
            "> *CHCO > *CH2CO > *CH2CHO > *C2H4 + *O > *O > *OH > *",
        ),
        (
            "CO2-to-C2H5OH",
            "* > *COOH > *CO > *CO + *COOH > 2 *CO > *OCCO > *OCCOH > *CCO > *CHCO "
            "> *CHCHO > *CH2CHO > *CH3CHO > *OCH2CH3 > *",
        ),
        (
            "CO2-to-CH3COOH",
            "* > *COOH > *CO > *CO + *COOH > 2 *CO > *CHO + *CO > *COCHO > *COCHOH "
            "> *CHCO > *CH2CO > *",
        ),
        ("CO2-to-H2C2O4", "* > *COOH > *HC2O4 > *H2C2O4 > *"),
        ("CO2-to-H2C2O4", "* > *COOH > 2 *COOH > *H2C2O4 > *"),
        ("CO2-to-carbonate", "* > *C2H4O > *CH2CH2O > *CH2CH2OCO2 > *C3H4O3 > *"),
        ("CO2-to-carbonate", "* > *C2H4O > *C3H4O3 > *"),
        ("HER", "* > *H > *"),
        ("HER-Tafel", "* > *H > 2 *H > *"),
    ],
)
def test_known_routes_are_found(reaction, route):
    assert route in pathways(reaction)


@pytest.mark.parametrize(
    ("reaction", "at_ph_7"),
    [("CO2-to-C2H4", -0.335), ("CO2-to-C2H5OH", -0.330), ("CO2-to-CH4", -0.245)],
)
def test_standard_potentials_at_ph_7_against_she(reaction, at_ph_7):
    equation = LIBRARY.reaction(reaction).equation
    assert library_potential(equation) - PH7_V == pytest.approx(at_ph_7, abs=1e-3)


@pytest.mark.parametrize(
    "reaction", [name for name in REACTIONS if name not in NOT_IN_TABLE]
)
def test_standard_potentials_agree_with_the_tables(reaction):
    equation = LIBRARY.reaction(reaction).equation
    expected = own_potential(equation)
    assert library_potential(equation) == pytest.approx(expected, abs=0.003)


def test_oxalic_acid_has_the_vapour_pressure_of_its_crystal():
    # Crystal: CRC Handbook; 2.34e-4 mmHg at 20 °C.
    data = LIBRARY.gas("H2C2O4").experiment
    enthalpy = data.enthalpy_kj_per_mol + 829.9
    entropy = data.entropy_j_per_mol_k - 109.8
    pressure_bar = 2.34e-4 * 133.322 / 1e5
    expected = -8.314463e-3 * 293.15 * np.log(pressure_bar)
    assert enthalpy - 293.15 * entropy / 1000 == pytest.approx(expected, abs=1)


# A cluster that gives its hydride to CO2 and takes it back from the electrolyte.
LATTICE = (
    "* + CO2(g) -> *[-H]OCHO",
    "*[-H]OCHO + H+ + e- -> *[-H]HCOOH",
    "*[-H]HCOOH -> *[-H] + HCOOH(g)",
    "*[-H] + H+ + e- -> *",
    "*[-H]OCHO + H+ + e- -> *OCHO",
    "*OCHO + H+ + e- -> *HCOOH",
    "*HCOOH -> * + HCOOH(g)",
)


def lattice_composition(term: str) -> tuple[Counter[str], int]:
    library = composition_of(LIBRARY)
    if not term.startswith("*"):
        return library(term)
    specs = {n: LIBRARY.adsorbate(n) for n in ("OCHO", "HCOOH")}
    return surface_composition(term, lambda n: (specs[n].counts, specs[n].charge))


def test_a_cluster_that_lost_an_atom_keeps_the_balance():
    for text in LATTICE:
        check_balance(parse_equation(text), lattice_composition, "lattice")
    wrong = parse_equation("* + CO2(g) + H+ + e- -> *[-H]OCHO")
    with pytest.raises(LibraryError, match="H -1"):
        check_balance(wrong, lattice_composition, "lattice")


def test_lattice_hydride_returns_after_or_before_the_product_leaves():
    overall = parse_equation("CO2(g) + 2 H+ + 2 e- -> HCOOH(g)")
    paths = find_pathways(overall, [parse_equation(text) for text in LATTICE])
    assert {" > ".join(list_intermediates(overall, p)) for p in paths} == {
        "* > *[-H]OCHO > *[-H]HCOOH > *[-H] > *",
        "* > *[-H]OCHO > *OCHO > *HCOOH > *",
    }


def test_a_ligand_leaves_with_a_proton_and_an_electron():
    text = "* + H+ + e- -> *[-CH3] + CH4(g)"
    check_balance(parse_equation(text), lattice_composition, "ligand")
    assert surface_composition("*[+H2]", lattice_composition) == (
        Counter({"*": 1, "H": 2}),
        0,
    )


@pytest.mark.parametrize(
    ("term", "parts"),
    [
        ("*", ("", "")),
        ("*CO", ("", "CO")),
        ("*[-H]", ("-H", "")),
        ("*[+H]CO-H", ("+H", "CO-H")),
    ],
)
def test_surface_terms_are_taken_apart(term, parts):
    assert read_surface(term) == parts


@pytest.mark.parametrize("term", ["*[H]", "*[-]", "*[-H", "*CO[-H]", "[-H]CO"])
def test_malformed_surface_terms_are_refused(term):
    with pytest.raises(LibraryError, match="cannot read"):
        parse_equation(f"* -> {term}")
