"""What became of an adsorbate, on geometries made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.library.adsorbates import AdsorbateForm, AdsorbateSpec
from clusterflow.records.structure import Structure
from clusterflow.science.adsorption.outcome import (
    bonds_to_nonmetals,
    intended_graphs,
    judge_complex,
    why_other_bonds,
)

CU_CU = 2.22
HOST = [[0.0, 0, 0], [CU_CU, 0, 0]]
# bond lengths, Å: measured ones
CO, CO2, H2, CH, OH = 1.128, 1.16, 0.741, 1.09, 0.96


@pytest.fixture
def become(library, structure):
    """The verdict on an adsorbate with given atoms, above the first copper atom."""
    host = structure(["Cu", "Cu"], HOST)

    def run(spec, symbols, positions, host_after=None, others=("CO", "CO2", "COOH")):
        spec = library.adsorbate(spec) if isinstance(spec, str) else spec
        after = HOST if host_after is None else host_after
        complex_ = Structure(
            symbols=("Cu", "Cu", *symbols),
            positions=tuple(map(tuple, [*after, *np.array(positions, float).tolist()])),
            roles=("core",) * 2 + ("adsorbate",) * len(symbols),
            charge=0,
            multiplicity=1,
        )
        named = {name: library.adsorbate(name) for name in others}
        verdict = judge_complex(complex_, host, spec, named)
        return verdict.fate, verdict.detail, verdict.core_intact

    return run


def dihydrogen():
    return AdsorbateSpec(
        name="H2",
        source="unpublished: a test",
        formula="H2",
        multiplicity=1,
        forms=(
            AdsorbateForm(
                name="flat",
                atoms=(("H", -H2 / 2, 0, 0), ("H", H2 / 2, 0, 0)),
                binding=(0, 1),
                sites=("top",),
            ),
        ),
    )


def test_intact(become):
    assert become("CO", "CO", [[0, 0, 1.85], [0, 0, 1.85 + CO]]) == ("intact", "", True)


def test_bound_by_the_other_end_is_still_the_same_species(become):
    fate, _, _ = become("CO", "CO", [[0, 0, 1.9 + CO], [0, 0, 1.9]])
    assert fate == "intact"


@pytest.mark.parametrize(
    ("height", "fate"),
    # The adsorbate touches below 1.35 × (1.32 + 0.76) = 2.81 Å.
    [(1.85, "intact"), (2.75, "intact"), (2.85, "desorbed"), (5.0, "desorbed")],
)
def test_desorbed_beyond_reach(become, height, fate):
    found, detail, _ = become("CO", "CO", [[0, 0, height], [0, 0, height + CO]])
    assert found == fate
    assert bool(detail) is (fate == "desorbed")


def test_dissociated_with_its_fragments(become):
    carboxyl = [[0, 0, 1.9], [0, 0, 1.9 + CO], [CU_CU, 0, 1.85], [CU_CU, 0, 1.85 + OH]]
    assert become("COOH", "COOH", carboxyl) == ("dissociated", "CO + HO", True)


def test_dissociated_even_if_a_piece_has_left(become):
    far = [[0, 0, 1.9], [0, 0, 1.9 + CO], [0, 0, 9.0], [0, 0, 9.0 + OH]]
    assert become("COOH", "COOH", far)[:2] == ("dissociated", "CO + HO")


def test_hydrogen_that_leaves_together_is_one_fragment(become):
    # *CH2O falls into CO and H2; the library lists O, C, H, H.
    atoms = [[0, 0, 1.9 + CO], [0, 0, 1.9], [CU_CU, 0, 2.2], [CU_CU + H2, 0, 2.2]]
    assert become("CH2O", "OCHH", atoms)[:2] == ("dissociated", "CO + H2")


def test_a_dihydrogen_molecule_on_the_surface_is_intact(become):
    level = [[-H2 / 2, 0, 1.7], [H2 / 2, 0, 1.7]]
    assert become(dihydrogen(), "HH", level)[:2] == ("intact", "")
    (graph,) = intended_graphs(dihydrogen())
    assert graph.has_edge(0, 1)


def test_two_hydrides_are_not_a_molecule(become):
    apart = [[0, 0, 1.55], [CU_CU, 0, 1.55]]
    assert become(dihydrogen(), "HH", apart)[:2] == ("dissociated", "H + H")


@pytest.mark.parametrize(
    ("length", "fate"),
    # Intended bonds hold to 1.35 × 0.741 = 1.000 Å.
    [(0.741, "intact"), (0.95, "intact"), (0.995, "intact"), (1.005, "dissociated")],
)
def test_an_intended_bond_breaks_late(become, length, fate):
    atoms = [[-length / 2, 0, 1.6], [length / 2, 0, 1.6]]
    assert become(dihydrogen(), "HH", atoms)[0] == fate


def test_a_hydrogen_that_the_cluster_has_bonded_has_left(become):
    # O-H of 1.22 Å is within the band (0.97 × 1.35 = 1.31 Å) and counts as a bond...
    far = [[0, 0, 1.85], [0, 0, 1.85 + 1.22]]
    assert become("OH", "OH", far)[0] == "intact"
    # ...unless the hydrogen sits on copper, at the 1.6 Å of a hydride.
    shared = [[CU_CU - 1.22, 0, 1.6], [CU_CU, 0, 1.6]]
    assert become("OH", "OH", shared)[:2] == ("dissociated", "H + O")


@pytest.mark.parametrize(
    ("length", "fate"),
    # C-O: 0.76 + 0.66 = 1.42 Å; formed below 1.633, broken above 1.917.
    [(1.62, "intact"), (1.65, "intact"), (1.90, "intact"), (1.93, "dissociated")],
)
def test_hysteresis_of_a_carbon_oxygen_bond(become, length, fate):
    assert become("CO", "CO", [[0, 0, 1.9], [0, 0, 1.9 + length]])[0] == fate


def test_a_bond_that_was_not_meant_forms_early_or_not_at_all(become):
    # *OCHO whose H comes to an oxygen: 1.15 × (0.31 + 0.66) = 1.116 Å.
    def formate(gap):
        # O, O, C, H; the hydrogen stays bonded to carbon by the generous ratio.
        return [[-1.1, 0, 2.0], [1.1, 0, 2.0], [0, 0, 2.6], [1.1, 0, 2.0 + gap]]

    assert become("OCHO", "OOCH", formate(1.20))[0] == "intact"
    assert become("OCHO", "OOCH", formate(1.00))[0] == "became"


def test_became_another_species(become):
    # *OCHO turned to carboxyl: H left the carbon for an oxygen.
    z = 1.95
    atoms = [[1.1, 0, z + 0.8], [-1.0, 0, z + 0.6], [0, 0, z], [1.1 + OH, 0, z + 0.8]]
    assert become("OCHO", "OOCH", atoms)[:2] == ("became", "COOH")


def test_became_something_unlisted(become):
    # Formaldehyde turned to hydroxymethylene, which no one asked for.
    atoms = [[1.2, 0, 2.4], [0, 0, 1.9], [-0.9, 0, 2.5], [1.9, 0, 1.75]]
    assert become("CH2O", "OCHH", atoms)[:2] == ("became", "an unlisted isomer")
    assert become("CH2O", "OCHH", atoms, others=("CHOH",))[:2] == ("became", "CHOH")


def test_reconstructed(become):
    torn = [[0.0, 0, 0], [4.5, 0, 0]]
    fate, detail, core_intact = become(
        "CO", "CO", [[0, 0, 1.85], [0, 0, 1.85 + CO]], host_after=torn
    )
    assert (fate, core_intact) == ("reconstructed", False)
    assert detail


def test_a_stretched_cluster_is_not_reconstructed(become):
    # 1.35 × 2.64 = 3.56 Å
    atoms = [[0, 0, 1.85], [0, 0, 1.85 + CO]]
    for length, intact in ((3.5, True), (3.6, False)):
        after = [[0.0, 0, 0], [length, 0, 0]]
        assert become("CO", "CO", atoms, host_after=after)[2] is intact


def test_what_fell_apart_on_a_torn_cluster_says_both(become):
    torn = [[0.0, 0, 0], [4.5, 0, 0]]
    apart = [[0, 0, 1.9], [4.5, 0, 1.9]]
    assert become("CO", "CO", apart, host_after=torn) == ("dissociated", "C + O", False)


@pytest.mark.parametrize(
    ("gap", "fate"),
    # A bond between two hydrogens forms below 0.852 Å.
    [(H2, "became"), (0.84, "became"), (0.87, "intact")],
)
def test_hydrogen_that_takes_a_hydride_is_a_molecule(library, gap, fate):
    assert on_a_hydride(library, gap, lift=0.0).fate == fate


def test_a_molecule_made_with_a_hydride_may_leave_the_cluster(library):
    verdict = on_a_hydride(library, H2, lift=3.0)
    assert (verdict.fate, verdict.detail) == (
        "became",
        "H2 with hydrogen of the cluster",
    )
    assert not verdict.core_intact


def on_a_hydride(library, gap, lift):
    """Cu2H2 and a third H at a gap from a hydride, both lifted off the copper."""
    roles = ("core", "core", "hydride", "hydride")
    before = ((0.0, 0, 0), (CU_CU, 0, 0), (1.11, 1.2, 0), (1.11, -1.2, 0))
    host = Structure(
        symbols=("Cu", "Cu", "H", "H"),
        positions=before,
        roles=roles,
        charge=0,
        multiplicity=1,
    )
    y = 1.2 + lift
    after = (*before[:2], (1.11, y, 0), before[3], (1.11, y + gap, 0))
    complex_ = Structure(
        symbols=("Cu", "Cu", "H", "H", "H"),
        positions=after,
        roles=(*roles, "adsorbate"),
        charge=0,
        multiplicity=2,
    )
    return judge_complex(complex_, host, library.adsorbate("H"), {})


# A thiolate on one of two copper atoms, and the same on the other, Å.
THIOLATE = [[-0.6, -2.0, 0.0], [-0.6, -2.6, 1.2]]
MOVED = [[CU_CU + 0.6, -2.0, 0.0], [CU_CU + 0.6, -2.6, 1.2]]
BOUND_CO = [[0, 0, 1.85], [0, 0, 1.85 + CO]]


def under_a_thiolate(library, after, added, symbols, name="CO"):
    """The verdict on an adsorbate on Cu2SH whose atoms have moved."""
    roles = ("core", "core", "ligand", "ligand")

    def structure(positions, own=()):
        return Structure(
            symbols=("Cu", "Cu", "S", "H", *own),
            positions=tuple(map(tuple, np.array(positions, float).tolist())),
            roles=(*roles, *(["adsorbate"] * len(own))),
            charge=0,
            multiplicity=1,
        )

    return judge_complex(
        structure([*after, *added], symbols),
        structure([*HOST, *THIOLATE]),
        library.adsorbate(name),
        {},
    )


@pytest.mark.parametrize(
    ("after", "fate", "detail"),
    [
        ([*HOST, *THIOLATE], "intact", ""),
        ([*HOST, *MOVED], "ligand-migrated", "1 HS with other bonds"),
        # Off the cluster altogether, and broken in two.
        (
            [*HOST, [-5, -5, 0], [-5, -5, 1.34]],
            "ligand-migrated",
            "1 HS with other bonds",
        ),
        ([*HOST, THIOLATE[0], [-3, -5, 0]], "ligand-migrated", "1 HS with other bonds"),
        # The core goes before the ligands.
        ([HOST[0], [5.0, 0, 0], *THIOLATE], "reconstructed", "the cluster changed"),
        ([HOST[0], [5.0, 0, 0], *MOVED], "reconstructed", "the cluster changed"),
    ],
)
def test_a_ligand_that_migrated_is_told_from_a_changed_core(
    library, after, fate, detail
):
    verdict = under_a_thiolate(library, after, BOUND_CO, "CO")
    assert verdict.fate == fate
    assert verdict.detail.startswith(detail)
    assert verdict.core_intact is (fate == "intact")


def test_what_left_is_desorbed_though_a_ligand_moved(library):
    away = [[0, 0, 7.0], [0, 0, 7.0 + CO]]
    verdict = under_a_thiolate(library, [*HOST, *MOVED], away, "CO")
    assert (verdict.fate, verdict.core_intact) == ("desorbed", False)


def test_an_adsorbate_that_took_hydrogen_of_a_ligand_became_another(library):
    # The hydrogen of the thiolate sits on the carbon of CO.
    after = [*HOST, THIOLATE[0], [-0.9, -0.4, 2.1]]
    verdict = under_a_thiolate(library, after, BOUND_CO, "CO")
    assert (verdict.fate, verdict.detail) == (
        "became",
        "CHO with hydrogen of the cluster",
    )


# Å: C=Se of OCSe, and C on cadmium as in the soft minimum of *CO on Cd6Se6.
CARBON_SELENIUM, CARBON_CADMIUM = 1.69, 2.58


def on_cadmium_selenide(height, foot, symbols="CO", bond=CO, host=("Cd", "Se")):
    """A diatomic above one atom of a pair, which are 6 Å apart."""
    places = [[0, 0, 0], [6, 0, 0]]
    x, _, z = places[host.index(foot)]
    return Structure(
        symbols=(*host, *symbols),
        positions=(*map(tuple, places), (x, 0, z + height), (x, 0, z + height + bond)),
        roles=("core", "core", "adsorbate", "adsorbate"),
        charge=0,
        multiplicity=1,
    )


def test_a_carbonyl_selenide_is_no_carbon_monoxide(library):
    carbonyl = on_cadmium_selenide(CARBON_CADMIUM, "Cd")
    selenide = on_cadmium_selenide(CARBON_SELENIUM, "Se")
    assert bonds_to_nonmetals(carbonyl) == set()
    assert bonds_to_nonmetals(selenide) == {"C-Se"}
    co = library.adsorbate("CO")
    why = why_other_bonds(carbonyl, selenide, co)
    assert why == "has bonded to a nonmetal of the cluster: C-Se"
    back = why_other_bonds(selenide, carbonyl, co)
    assert back == "is bound by C-Cd, no longer by C-Se"


def test_a_move_on_the_metal_is_no_other_species(library):
    def on_copper(height, foot, symbols="CO"):
        return on_cadmium_selenide(height, foot, symbols, host=("Cu", "Au"))

    co = library.adsorbate("CO")
    here = on_copper(1.85, "Cu")
    assert why_other_bonds(here, on_copper(2.4, "Cu"), co) == ""
    assert bonds_to_nonmetals(here) == set()
    on_gold = why_other_bonds(here, on_copper(2.0, "Au"), co)
    assert on_gold == "is bound by C-Au, no longer by C-Cu"
    turned = here.model_copy(update=upside_down(here))
    by_oxygen = why_other_bonds(here, turned, co)
    assert by_oxygen == "is bound by O-Cu, no longer by C-Cu"


def upside_down(complex_):
    """The same atoms with the two ends of the molecule exchanged."""
    *host, near, far = complex_.positions
    return {"positions": (*host, far, near)}


def test_broken_bonds_of_its_own_make_another_species(library):
    whole = on_cadmium_selenide(1.85, "Cd")
    apart = on_cadmium_selenide(1.85, "Cd", bond=3.0)
    why = why_other_bonds(whole, apart, library.adsorbate("CO"))
    assert why == "has other bonds of its own"


def test_a_hydrogen_bond_to_an_anion_is_none_of_the_molecule():
    # H–Se at 1.74 Å, as that of *HCOOH on Cd13Se13.
    hydroxyl = on_cadmium_selenide(1.70, "Se", "HO", OH)
    assert bonds_to_nonmetals(hydroxyl) == set()
