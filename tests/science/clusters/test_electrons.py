"""Electron counts against published ones, against tblite, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clusterflow.errors import ClusterflowError, LibraryError
from clusterflow.formula import ATOMIC_NUMBERS, valence_electrons
from clusterflow.library.clusters import LigandSpec
from clusterflow.stages.build import build_structures
from clusterflow.study.electrons import electrons


@pytest.fixture
def count(library):
    return lambda subject, charge=None: electrons(subject, charge, library)


# Charge, superatom electrons and multiplicity as published: Nanoscale Horiz. 2025, 10,
# 1250 and the sources there; counts of gold by 10.1073/pnas.0801001105.
PUBLISHED = [
    ("[Au25(SR)18]-", -1, 8, 1),
    ("[Au25(SR)18]0", 0, 7, 2),
    ("[Au25(SR)18]+", 1, 6, 1),
    ("[Au25(SCH3)18]-", -1, 8, 1),
    ("Au38(SR)24", 0, 14, 1),
    ("Au144(SR)60", 0, 84, 1),
    ("Pd1Au24(SR)18", 0, 6, 1),
    ("[Ag25(SR)18]-", -1, 8, 1),
    # 10.1073/pnas.0801001105, with the ligands that the clusters were made with.
    ("[Au25(PET)18]-", -1, 8, 1),
    ("Au102(pMBA)44", 0, 58, 1),
    ("Au102(SR)44", 0, 58, 1),
    ("[Au11(PPh3)8Cl2]+", 1, 8, 1),
    ("[Au13(dppe)5Cl2]3+", 3, 8, 1),
    ("[Au39(PPh3)14Cl6]-", -1, 34, 1),
    ("Au11(PPh3)7(SPy)3", 0, 8, 1),
    # 10.1038/nature12523, 10.1021/jacs.5b07088
    ("[Ag44(p-MBA)30]4-", -4, 18, 1),
    ("[Ag44(SR)30]4-", -4, 18, 1),
    ("[Ag25(SPhMe2)18]-", -1, 8, 1),
    # 10.1021/acs.chemrev.5b00703, 10.1002/anie.201410332
    ("Au36(TBBT)24", 0, 12, 1),
    ("Au28(S-c-C6H11)20", 0, 8, 1),
    ("Au20(TBBT)16", 0, 4, 1),
    ("Au133(TBBT)52", 0, 81, 2),
    ("[Au23(S-c-C6H11)16]-", -1, 8, 1),
    ("[Pt1Ag28(S-Adm)18(PPh3)4]2+", 2, 8, 1),
    ("[PtAg24(SPhCl2)18]2-", -2, 8, 1),
    ("[Cu25H10(SPhCl2)18]3-", -3, 0, 1),
    ("[Ag20{S2P(OiPr)2}12]2+", 2, 6, 1),
    ("[Ag21{S2P(OiPr)2}12]+", 1, 8, 1),
    ("[Cu32H20{S2P(OnPr)2}12]", 0, 0, 1),
    ("[Cu32H20(S2P(OR)2)12]", 0, 0, 1),
    ("[Cu25H22(PPh3)12]+", 1, 2, 1),
    ("[Cu26H11(DPPE)3(CF3CO2)8(CH3O)2(tBuC≡C)4]+", 1, 0, 1),
    ("[Cu6(MBD)6]", 0, 0, 1),
    ("[Cu14(SR)3(PR3)8H10]+", 1, 0, 1),
    ("[Au9(PPh3)8]3+", 3, 6, 1),
    ("Cd6Se6", 0, 0, 1),
    ("(CdSe)13(NH3)13", 0, 0, 1),
    # Formulas as they are printed, with ligands of more kinds; counts of
    # 10.1021/acs.chemrev.5b00703 where it has the cluster, else of the papers on it.
    ("[Au25(PPh3)10(SCH2CH2C6H5)5Cl2]2+", 2, 16, 1),
    ("[Au37(PPh3)10(SC2H4Ph)10Cl2]+", 1, 24, 1),
    ("Au103S2(S-Nap)41", 0, 58, 1),
    ("Au279(SPh-tBu)84", 0, 195, 2),
    ("Au30S(S-t-Bu)18", 0, 10, 1),
    ("[Au20(PP3)4]4+", 4, 16, 1),
    ("Au22(dppo)6", 0, 22, 1),
    ("[Au22H3(dppee)7]3+", 3, 16, 1),
    ("[Au13(NHC)9Cl3]2+", 2, 8, 1),
    ("[Au25(iPr2-bimy)10Br7]2+", 2, 16, 1),
    ("[Au19(PhC≡C)9(Hdppa)3]2+", 2, 8, 1),
    ("[Au23(C≡CBut)15]", 0, 8, 1),
    ("Au144(C≡CAr)60", 0, 84, 1),
    ("[Au80Ag30(C≡CPh)42Cl9]+", 1, 58, 1),
    ("[PdAu9(PPh3)8(CN)]2+", 2, 6, 1),
    ("[Pt(AuPPh3)8]2+", 2, 6, 1),
    ("Pd@Au24(SR)18", 0, 6, 1),
    ("Au11(PPh3)7(SCN)3", 0, 8, 1),
    ("[Ag29(BDT)12(TPP)4]3-", -3, 8, 1),
    ("Ag50(Dppm)6(TBBM)30", 0, 20, 1),
    ("[Ag32(DPPE)5(SC6H4CF3)24]2-", -2, 10, 1),
    ("[Ag62S12(SBut)32]2+", 2, 4, 1),
    ("[Cu14H12(phen)6(PPh3)4]2+", 2, 0, 1),
    ("[Cu29Cl4H22(Ph2phen)12]+", 1, 2, 1),
    ("[Cu20(CCPh)12(OAc)6]", 0, 2, 1),
    ("[Cu6(μ3-H)6(PPh3)6]", 0, 0, 1),
    ("(CuH)6(Ph3P)6", 0, 0, 1),
    ("[Cu43Al12](Cp*)12", 0, 67, 2),
    ("[Cd54Se32(SePh)48(dmf)4]4-", -4, 0, 1),
]

# With the counter-ions that they crystallise with, which imply the charge.
SALTS = [
    ("[TOA][Au25(PET)18]", -1, 8, {"TOA+": 1}),
    ("[N(C8H17)4]+[Au25(SCH2CH2Ph)18]-", -1, 8, {"TOA+": 1}),
    ("[Ag25(SPhMe2)18-][PPh4+]", -1, 8, {"PPh4+": 1}),
    ("(PPh4)4[Ag44(p-MBA)30]", -4, 18, {"PPh4+": 4}),
    ("Na4[Ag44(p-MBA)30]4-", -4, 18, {"sodium+": 4}),
    ("[nBu4N]2[PtAg24(SPhCl2)18]", -2, 8, {"TBA+": 2}),
    ("[Au13(dppe)5Cl2]Cl3", 3, 8, {"chloride-": 3}),
    ("[Au13(PMe2Ph)10Cl2](PF6)3", 3, 8, {"PF6-": 3}),
    ("[Au9(PPh3)8](NO3)3", 3, 6, {"nitrate-": 3}),
    ("[Ag33(PET)24(PPh3)4]SbF6", 1, 8, {"SbF6-": 1}),
    ("[Ag14(C≡CtBu)12Cl]OH", 1, 0, {"hydroxide-": 1}),
    ("[Au1Ag22(S-Adm)12](SbF6)2Cl", 3, 8, {"SbF6-": 2, "chloride-": 1}),
    ("[Cu23(PhSe)16(Ph3P)8(H)6]BF4", 1, 0, {"BF4-": 1}),
]


@pytest.mark.parametrize(
    ("formula", "charge", "n_superatom", "multiplicity"), PUBLISHED
)
def test_published_superatoms(count, formula, charge, n_superatom, multiplicity):
    found = count(formula)
    assert (found.charge, found.n_superatom) == (charge, n_superatom)
    assert found.multiplicity == multiplicity
    # Ligands are closed shells, so the parity of the superatom is that of the whole.
    assert found.multiplicity == 1 + n_superatom % 2
    assert (found.warning is None) == (multiplicity == 1)


@pytest.mark.parametrize(("formula", "charge", "n_superatom", "ions"), SALTS)
def test_counter_ions_of_a_formula_imply_its_charge(
    count, formula, charge, n_superatom, ions
):
    found = count(formula)
    assert (found.charge, found.n_superatom) == (charge, n_superatom)
    assert (found.multiplicity, found.counter_ions) == (1, ions)


def test_counter_ions_against_a_charge_are_refused(count):
    with pytest.raises(LibraryError, match=r"is -1, and TOA\+ × 2 .* say -2"):
        count("[TOA]2[Au25(SR)18]-")
    with pytest.raises(LibraryError, match=r"--charge \+0: .* says -1"):
        count("[TOA][Au25(SR)18]", 0)


def test_a_hydroxide_without_brackets_is_no_hydride(count):
    for formula in ("Cu8OH(PPh3)6", "[Cu4OH4(py)4]", "Au2SH(PPh3)"):
        found = count(formula)
        assert found.n_superatom is None
        assert "is a ligand is not said; put" in found.n_superatom_reason
    assert count("[Cu4(OH)4(py)4]").n_superatom == 0
    assert count("Ag14S(SPh)12(PPh3)8").n_superatom == 0


@pytest.mark.parametrize(
    ("name", "ligand"),
    [
        ("S(CH2)2Ph", "PET"),
        ("n-C6H13S", "SC6H13"),
        ("S-nC12H25", "SC12H25"),
        ("SBut", "StBu"),
        ("O^tBu", "OtBu"),
        ("PhSe", "SePh"),
        ("P(C6H5)2CH3", "PMePh2"),
        ("DpPe", "DPPE"),
        ("μ2-Cl", "chloride"),
        ("η2-dppm", "DPPM"),
    ],
)
def test_a_ligand_by_the_atoms_that_its_name_spells(count, library, name, ligand):
    (found,) = count(f"Au9({name})3").ligands
    counts = {one.name: one.counts for one in library.ligands()}
    assert counts[found] == counts[ligand]


def test_an_odd_count_as_printed_warns(count):
    found = count("[Cu18H2(SR)15(PPh3)6]")
    assert found.n_superatom == 1
    assert found.multiplicity == 2
    assert "odd" in found.warning


def test_valence_electrons_by_hand(count):
    # 25 Au of 11, 18 S of 6, 18 C of 4, 54 H, and one more for the charge.
    assert count("[Au25(SCH3)18]-").n_valence == 275 + 108 + 72 + 54 + 1
    # Filled d shells of Cd are core: 6 (2 + 6).
    assert count("Cd6Se6").n_valence == 48


def test_abbreviations_are_no_elements(count):
    """Propyl is no praseodymium: S, 3 C and 7 H have 25 valence electrons."""
    for name in ("SPr", "S-nPr", "SiPr", "S-iPr", "PrS", "SC3H7"):
        found = count(f"[Au25({name})18]-")
        assert (found.n_valence, found.n_superatom) == (275 + 18 * 25 + 1, 8)
    assert count("Pd(PPr3)4").n_superatom == 0
    for formula in ("Au25(SAr)18", "Au25(SeiPr)18", "Au25(SePr)18", "Au25(SnPrx)18"):
        with pytest.raises(LibraryError, match=r"unknown ligand|cannot read"):
            count(formula)
    with pytest.raises(LibraryError, match="SPr may hold propyl; put a ligand in"):
        count("Au25SPr18")
    assert count("Cu2Pr").n_valence == 22 + 3
    assert count("(CdSe)13").n_valence == count("Cd13Se13").n_valence


def test_a_hyphen_more_or_less_is_the_same_ligand(count):
    for name in ("S-c-C6H11", "ScC6H11", "SCy", "S-Cy", "CHT"):
        assert count(f"Au28({name})20").ligands == {"SCy": 20}
    assert count("Au2(S-tBu)2").ligands == count("Au2(StBu)2").ligands


def read_ligated(tmp_path, symbols, positions):
    path = tmp_path / "own.xyz"
    rows = [
        f"{s} {x:.4f} {y:.4f} {z:.4f}"
        for s, (x, y, z) in zip(symbols, positions, strict=True)
    ]
    path.write_text("\n".join([str(len(rows)), "own", *rows]) + "\n")
    return str(path)


def test_ligands_of_a_structure_are_found(count, library, tmp_path):
    """Clusters of the library as files: the counts of their formulas."""
    for name, formula in (
        ("Au25SCH318-anion", "[Au25(SCH3)18]-"),
        ("Ag25SH18-anion", "[Ag25(SH)18]-"),
        ("Cd13Se13", "Cd13Se13"),
        ("Cu2H2", "Cu2H2"),
    ):
        built = build_structures_of(name, library)
        path = read_ligated(tmp_path, built.symbols, built.positions)
        found, expected = count(path, built.charge), count(formula)
        assert found.n_superatom == expected.n_superatom
        assert found.n_valence == expected.n_valence


def build_structures_of(name, library):
    folder = library.path("clusters", name).parent
    return build_structures(library.cluster(name), folder, library)[0]


def test_what_is_no_ligand_of_a_structure_is_said(count, tmp_path):
    au, far = [(0, 0, 0), (2.8, 0, 0)], [(0, 9, 0), (0, 9, 1.1)]
    found = count(read_ligated(tmp_path, ["Au", "Au", "C", "O"], [*au, *far]))
    assert found.n_superatom is None
    assert "CO is bonded to no metal" in found.n_superatom_reason
    near = [(1.4, 1.6, 0), (1.4, 2.9, 0)]
    found = count(read_ligated(tmp_path, ["Au", "Au", "B", "O"], [*au, *near]))
    assert "BO is no ligand of the library" in found.n_superatom_reason
    # A thiolate that the library does not have, CF3S.
    cf3s = [
        (1.4, 1.9, 0),
        (1.4, 2.5, 1.7),
        (2.5, 3.1, 2),
        (0.3, 3.1, 2),
        (1.4, 1.5, 2.6),
    ]
    found = count(read_ligated(tmp_path, ["Au", "Au", "S", "C", *"FFF"], [*au, *cf3s]))
    assert (found.n_superatom, found.ligands) == (1, {"thiolate": 1})


def test_a_group_that_is_not_said_leaves_a_hole(count):
    found = count("Au25(SR)18")
    assert found.n_valence is None
    assert "R" in found.n_valence_reason


def test_a_metal_without_a_count_leaves_a_hole(count):
    found = count("Cu12Fe")
    assert found.n_superatom is None
    assert "Fe" in found.n_superatom_reason
    assert found.n_valence == 12 * 11 + 8


def test_atoms_that_may_be_ligands_are_not_guessed(count):
    found = count("Au25S18H18")
    assert found.n_superatom is None
    assert "brackets" in found.n_superatom_reason
    assert count("Au25(SH)18").n_superatom == 7


@pytest.mark.parametrize(
    ("formula", "charge"),
    [
        ("[Au25(SH)18]-", -1),
        ("[Au25(SH)18]⁻", -1),
        ("[Au25(SH)18]2-", -2),
        ("[Au25(SH)18]^2+", 2),
        ("[Au25(SH)18]²⁺", 2),
        ("Au25(SH)18^{2-}", -2),
        ("Au25(SH)18-", -1),
        ("Au25(SH)18", 0),
        ("[Au25(SH)18]⁰", 0),
        ("Au25(SH)18 2-", -2),
        ("Au25(SH)18 −", -1),
        ("Au25(SH)18 +1", 1),
        ("[Au25(SH)18]-2", -2),
        ("[Au25(SH)18](2-)", -2),
        ("[Au_{25}(SH)_{18}]^{-}", -1),
        ("$Au_25(SH)_18^{2+}$", 2),
        ("Au<sub>25</sub>(SH)<sub>18</sub><sup>2-</sup>", -2),
        ("Cu2+", 1),  # of Cu2: digits without a bracket count atoms
        ("Cu^2+", 2),
    ],
)
def test_ways_to_write_a_charge(count, formula, charge):
    found = count(formula)
    assert found.charge == charge
    assert found.ligands in ({"SH": 18}, {})


def test_nesting_does_not_matter(count):
    flat, nested = count("Au20(SH)16"), count("[(Au2[(SH)])10(SH)6]")
    assert flat.n_superatom == nested.n_superatom == 4
    assert flat.n_valence == nested.n_valence
    assert nested.ligands == {"SH": 16}


def test_the_charge_can_be_given_beside_the_formula(count):
    assert count("Au25(SR)18", -1).n_superatom == 8
    assert count("Cu4", 1).multiplicity == 2
    with pytest.raises(LibraryError, match=r"--charge \+1.*says -1"):
        count("[Au25(SR)18]-", 1)


def test_a_file_and_a_cluster_of_the_library(count, tmp_path):
    path = tmp_path / "mine.xyz"
    path.write_text("3\n\nCu 0 0 0\nCu 0 0 2.2\nH 0 1.5 1\n")
    found = count(str(path))
    assert (found.n_valence, found.n_superatom, found.multiplicity) == (23, 1, 2)
    assert count("Cd13Se13").n_superatom == 0
    with pytest.raises(ClusterflowError, match=r"none\.xyz: no such file"):
        count(str(tmp_path / "none.xyz"))


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("Au25(SXyz)18", r"unknown ligand 'SXyz'.*list ligands.*README"),
        ("Au25(C9H9S)18", "unknown ligand 'C9H9S'"),
        ("Au25(SR18", "never closed"),
        ("Au25SR18", "cannot read 'R18'"),
        ("Qq3", "cannot read 'Qq3'"),
        ("Au25(SH)18 2", "a blank between digits"),
        ("Au24.5Ag0.5(SR)18", "cannot read '.5Ag"),
        ("Cu8(SiMe3)2", "unknown ligand 'SiMe3'"),
        ("Au0", "count is 0"),
        ("+", "no atoms"),
        ("", "no atoms"),
    ],
)
def test_what_cannot_be_read_is_said(count, formula, says):
    with pytest.raises(LibraryError, match=says):
        count(formula)


def test_a_ligand_that_would_be_an_open_shell_is_refused():
    with pytest.raises(ValueError, match="open shell"):
        LigandSpec(
            name="wrong",
            source="10.1/x",
            formula="SCH3",
            kind="X",
            electrons_withdrawn=2,
        )


def test_no_two_ligands_share_a_name(library):
    names = [
        alias
        for ligand in library.ligands()
        for alias in {ligand.name, *ligand.aliases}
    ]
    assert len(set(names)) == len(names)


@pytest.mark.xtb
def test_valence_electrons_are_those_of_the_program():
    from tblite.interface import Calculator

    for symbol, number in list(ATOMIC_NUMBERS.items())[1:87]:
        unpaired = valence_electrons(symbol) % 2
        one = Calculator("GFN1-xTB", np.array([number]), np.zeros((1, 3)), uhf=unpaired)
        one.set("verbosity", 0)
        one.set("temperature", 0.03)
        filled = one.singlepoint().get("orbital-occupations").sum()
        assert valence_electrons(symbol) == pytest.approx(filled, abs=1e-6), symbol
