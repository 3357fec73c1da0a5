"""Other people's layouts: trees of outputs, databases and exports as they are."""

from __future__ import annotations

import json

import ase.db
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from clusterflow.errors import ConfigError
from clusterflow.intake.own_energies import read_energies
from clusterflow.intake.wavenumbers import read_wavenumbers

HEAD = """\
 POTCAR:    PAW_PBE Cu 22Jun2005
 POTCAR:    PAW_PBE H 15Jun2001
 POTCAR:    PAW_PBE Cu 22Jun2005
 POTCAR:    PAW_PBE H 15Jun2001
   ISPIN  =      1    spin polarized calculation?
   ions per type =               1   1
 --------------------------------------- Iteration      1(   1)  ---------------
"""
# As VASP writes a step: the cell, the positions, the energy.
STEP = """\
      direct lattice vectors                 reciprocal lattice vectors
    10.000000000  0.000000000  0.000000000     0.100000000  0.000000000  0.000000000
     0.000000000 10.000000000  0.000000000     0.000000000  0.100000000  0.000000000
     0.000000000  0.000000000 10.000000000     0.000000000  0.000000000  0.100000000

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -------------------------------------------------------------------------------
      0.00000      0.00000      0.00000         0.000000      0.000000      0.000000
      0.00000      0.00000      1.00000         0.000000      0.000000      0.000000
 -------------------------------------------------------------------------------

  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =      {0:.8f} eV

  energy  without entropy=      {0:.8f}  energy(sigma->0) =      {0:.8f}
"""
MODES = """\
   1 f  =   36.277 THz   227.94 2PiTHz 1210.10 cm-1   150.03 meV
   2 f  =   28.480 THz   178.95 2PiTHz  950.00 cm-1   117.79 meV
"""
THIRD = "   3 f  =   23.384 THz   146.92 2PiTHz  780.00 cm-1    96.70 meV\n"
IMAGINARY = "   3 f/i=    1.499 THz     9.42 2PiTHz   50.00 cm-1     6.20 meV\n"
ORCA = """\
                                 *****************
                                 * O   R   C   A *
                                 *****************
                         Program Version 5.0.3 -  RELEASE  -

---------------------------------
CARTESIAN COORDINATES (ANGSTROEM)
---------------------------------
  H      0.000000    0.000000    0.000000
  H      0.000000    0.000000    0.740000

-----------------------
VIBRATIONAL FREQUENCIES
-----------------------

Scaling factor for frequencies =  1.000000000 (already applied!)

     0:         0.00 cm**-1
     1:         0.00 cm**-1
     2:         0.00 cm**-1
     3:         0.00 cm**-1
     4:         0.00 cm**-1
     5:      4401.20 cm**-1


------------
NORMAL MODES
------------
"""


def put(path, symbols, energy, **info):
    """An output of some atoms with an energy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atoms = Atoms(
        symbols, positions=[(0, 0, 1.5 * i) for i in range(len(Atoms(symbols)))]
    )
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    atoms.info.update(info)
    write(path, atoms)


def facts(rows):
    return {(r.species, r.state, r.surface, round(r.energy_ev, 6)) for r in rows}


def test_several_surfaces_stand_in_one_tree(tmp_path, library):
    for metal, energy in (("Cu", -3.0), ("Ag", -2.0)):
        put(tmp_path / f"{metal}111" / "slab" / "relax.traj", metal, energy)
        put(tmp_path / f"{metal}111" / "H" / "relax.traj", f"{metal}H", energy - 3.5)
    put(tmp_path / "gas" / "H2.extxyz", "H2", -6.77)
    assert facts(read_energies(tmp_path, library)) == {
        ("H2", "gas", "", -6.77),
        ("slab", "clean", "Cu111", -3.0),
        ("H", "ads", "Cu111", -6.5),
        ("slab", "clean", "Ag111", -2.0),
        ("H", "ads", "Ag111", -5.5),
    }


def test_the_folders_of_cathub(tmp_path, library):
    base = tmp_path / "VASP-6" / "BEEF-vdW"
    put(base / "gas" / "H2_gas.traj", "H2", -6.77)
    for facet in ("111", "211"):
        surface = base / "Cu_fcc" / facet
        put(surface / "empty_slab.traj", "Cu", -3.0)
        put(surface / "0.5H2gas_star__Hstar" / "Hstar.traj", "CuH", -6.5)
    put(base / "Cu_fcc" / "Cu_fcc_bulk.traj", "Cu4", -12.0)
    found = facts(read_energies(tmp_path, library))
    assert found == {
        ("H2", "gas", "", -6.77),
        *(("empty_slab", "clean", facet, -3.0) for facet in ("111", "211")),
        *(("H", "ads", facet, -6.5) for facet in ("111", "211")),
    }


def test_vibrations_in_a_folder_of_their_own(tmp_path, library):
    put(tmp_path / "H" / "relax.extxyz", "CuH", -6.5)
    (tmp_path / "H" / "vib").mkdir()
    (tmp_path / "H" / "vib" / "OUTCAR").write_text(MODES + THIRD)
    [row] = read_energies(tmp_path, library)
    assert row.frequencies_cm1 == (1210.1, 950.0, 780.0)
    assert row.energy_ev == pytest.approx(-6.5)


def test_finite_differences_give_the_energy_that_is_not_displaced(tmp_path, library):
    (tmp_path / "H").mkdir()
    steps = "".join(STEP.format(energy) for energy in (-6.5, -6.3, -6.2))
    twice = (MODES + THIRD) * 2  # VASP may print them again, by other masses
    (tmp_path / "H" / "OUTCAR").write_text(HEAD + steps + twice)
    [row] = read_energies(tmp_path, library)
    assert row.energy_ev == pytest.approx(-6.5)
    assert row.frequencies_cm1 == (1210.1, 950.0, 780.0)


def test_a_relaxation_gives_its_last_energy(tmp_path, library):
    (tmp_path / "H").mkdir()
    steps = "".join(STEP.format(energy) for energy in (-6.2, -6.5))
    (tmp_path / "H" / "OUTCAR").write_text(HEAD + steps)
    [row] = read_energies(tmp_path, library)
    assert (row.energy_ev, row.frequencies_cm1) == (pytest.approx(-6.5), None)


def test_an_imaginary_mode_is_refused(tmp_path, library):
    put(tmp_path / "H" / "relax.extxyz", "CuH", -6.5)
    (tmp_path / "H" / "vib").mkdir()
    (tmp_path / "H" / "vib" / "OUTCAR").write_text(MODES + IMAGINARY)
    with pytest.raises(ConfigError, match=r"OUTCAR: has an imaginary mode of 50 cm"):
        read_energies(tmp_path, library)


def test_translations_and_rotations_of_a_gas_are_left_out(tmp_path, library):
    put(tmp_path / "gas_H2" / "relax.extxyz", "H2", -6.77)
    (tmp_path / "gas_H2" / "freq").mkdir()
    stretch = MODES.replace("1210.10", "4401.20").replace("950.00", "60.00")
    (tmp_path / "gas_H2" / "freq" / "OUTCAR").write_text(stretch + IMAGINARY)
    [row] = read_energies(tmp_path, library)
    assert row.frequencies_cm1 == (4401.2,)


def test_wavenumbers_of_orca(tmp_path, library):
    pytest.importorskip("cclib")
    put(tmp_path / "gas_H2" / "relax.extxyz", "H2", -31.7)
    (tmp_path / "gas_H2" / "freq").mkdir()
    (tmp_path / "gas_H2" / "freq" / "h2.out").write_text(ORCA)
    [row] = read_energies(tmp_path, library)
    assert row.frequencies_cm1 == pytest.approx((4401.2,))


def test_keys_of_a_database_may_be_numbers_and_have_units(tmp_path, library):
    path = tmp_path / "mine.db"
    with ase.db.connect(path) as database:
        covered = Atoms("CuH", positions=[(0, 0, 0), (0, 0, 1.5)])
        covered.calc = SinglePointCalculator(covered, energy=-6.5)
        database.write(
            covered,
            key_value_pairs={"adsorbate": "H*", "facet": 111, "relaxed": True},
            data={"frequencies_mev": [150.0, 118.0, 97.0]},
        )
    [row] = read_energies(path, library)
    assert (row.species, row.state, row.surface) == ("H", "ads", "111")
    assert row.frequencies_cm1 == pytest.approx((1209.8, 951.7, 782.4), abs=0.1)
    assert str(row.origin) == f"{path}: id 1"


def reaction(reactants, products, energy, **more):
    return {
        "node": {
            "reactants": json.dumps(reactants),
            "products": json.dumps(products),
            "reactionEnergy": energy,
            "surfaceComposition": "Cu",
            "facet": "211",
            **more,
        }
    }


def export(tmp_path, *nodes):
    path = tmp_path / "reactions.json"
    path.write_text(json.dumps({"data": {"reactions": {"edges": nodes}}}))
    return path


def test_reactions_of_catalysis_hub(tmp_path, library):
    path = export(
        tmp_path,
        reaction({"H2gas": 0.5, "star": 1}, {"Hstar": 1}, 0.12, dftFunctional="RPBE"),
        reaction(
            {"CO2gas": 1, "H2gas": 0.5, "star": 1},
            {"COOHstar": 1},
            *(0.6,),
            sites='{"COOH": "bridge"}',
            dftFunctional="RPBE",
        ),
        reaction({"COstar": 1}, {"Cstar": 1, "Ostar": 1}, 1.5, dftFunctional="RPBE"),
    )
    hydrogen, carboxyl = read_energies(path, library)
    assert (hydrogen.species, hydrogen.surface, hydrogen.energy_ev) == (
        *("H", "Cu(211)"),
        0.12,
    )
    assert (carboxyl.site, carboxyl.level) == ("bridge", "RPBE")
    assert carboxyl.reference_set == ("CO2", "H2")


def test_reactions_that_make_no_adsorbate_are_no_energies(tmp_path, library):
    path = export(tmp_path, reaction({"COstar": 1}, {"Cstar": 1, "Ostar": 1}, 1.5))
    with pytest.raises(ConfigError, match="no reaction makes one adsorbate"):
        read_energies(path, library)


def test_a_molecule_under_another_name_says_which_file(tmp_path, library):
    """As in a folder of real outputs of Gaussian: ethane.out."""
    put(tmp_path / "gas" / "ethane.traj", "C2H6", -40.0)
    with pytest.raises(ConfigError, match=r"gas/ethane\.traj: 'ethane' is no gas"):
        read_energies(tmp_path, library)


def test_wavenumbers_that_cannot_be_read_are_not_passed_over(tmp_path):
    """NWChem's list of modes, cut off before what a reader needs."""
    pytest.importorskip("cclib")
    output = tmp_path / "C2H6.out"
    output.write_text(
        "              Northwest Computational Chemistry Package (NWChem) 6.8\n"
        "          NORMAL MODE EIGENVECTORS IN CARTESIAN COORDINATES\n"
        "                 (Frequencies expressed in cm-1)\n\n"
        "                    1           2\n Frequency        175.41      797.76\n"
    )
    try:
        modes = read_wavenumbers(output)
    except ConfigError as error:
        assert "holds wavenumbers that cclib cannot read" in str(error)
    else:
        assert modes
