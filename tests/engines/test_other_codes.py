"""The page on other codes: its levels, and what they tell the codes, without these."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from ase.calculators.calculator import CalculationFailed
from ase.config import Config
from ase.io import read

from clusterflow.engines import make_calculator
from clusterflow.library.levels import LevelSpec

PAGE = (Path(__file__).parents[2] / "docs/other-codes.md").read_text(encoding="utf-8")
BLOCKS = [
    yaml.safe_load(b) for b in re.findall(r"^```yaml\n(.+?)^```", PAGE, re.M | re.S)
]
LEVELS = {
    block["name"]: LevelSpec.model_validate(block)
    for block in BLOCKS
    if "engine" in block
}
# What ASE reads from a POTCAR: where the number of valence electrons stands.
POTCAR = """\
  PAW_PBE {symbol} 01Jan2000
   {valence}.0
   TITEL  = PAW_PBE {symbol} 01Jan2000
   LULTRA =        F    use ultrasoft PP ?
   IUNSCR =        1    unscreen: 0-lin 1-nonlin 2-no
   RPACOR =    1.500    partial core radius
   POMASS =    1.000; ZVAL   =   {valence}.000    mass and valenz
 End of Dataset
"""
# A program that keeps what it was given, and says a last word.
PROGRAM = """\
#!{python}
import pathlib, shutil
shutil.copytree(pathlib.Path.cwd(), {kept!r})
print({output!r})
raise SystemExit({status})
"""


@pytest.fixture
def cation(structure):
    """CuH⁺ off the origin, a doublet, 1.46 Å long."""
    from clusterflow.records.atoms import to_atoms

    return to_atoms(structure(["Cu", "H"], [[1, 2, 3], [1, 2, 4.46]]))


def write_program(folder: Path, output: str = "", status: int = 1) -> Path:
    """A stand-in for a code, whose input then lies in folder/kept."""
    path = folder / "program"
    text = PROGRAM.format(
        python=sys.executable, kept=str(folder / "kept"), output=output, status=status
    )
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_page_has_a_level_of_each_code():
    assert set(LEVELS) == {"pbe-gpaw", "pbe-d3-vasp", "pbe-d3-orca", "sevennet-0"}
    assert {n for n, level in LEVELS.items() if not level.refines} == {"sevennet-0"}
    compared = {n for n, level in LEVELS.items() if level.spin_polarised}
    assert compared == set(LEVELS) - {"sevennet-0"}


def test_vasp_is_told_box_charge_and_multiplicity(cation, tmp_path, monkeypatch):
    for symbol, valence in (("H", 1), ("Cu", 11)):
        folder = tmp_path / "potpaw_PBE" / symbol
        folder.mkdir(parents=True)
        text = POTCAR.format(symbol=symbol, valence=valence)
        (folder / "POTCAR").write_text(text)
    monkeypatch.setenv("VASP_PP_PATH", str(tmp_path))
    monkeypatch.setenv("ASE_VASP_COMMAND", str(write_program(tmp_path)))
    cation.calc = make_calculator(LEVELS["pbe-d3-vasp"], 1, 2)
    with pytest.raises(CalculationFailed, match=r"vasp.*1"):
        cation.get_potential_energy()
    lines = (tmp_path / "kept/INCAR").read_text().splitlines()
    incar = dict(map(str.strip, line.split("=")) for line in lines if "=" in line)
    assert float(incar["NELECT"]) == 11
    assert float(incar["NUPDOWN"]) == 1
    assert (incar["ISPIN"], incar["IVDW"]) == ("2", "12")
    assert incar["MAGMOM"] == "2*0.5000"
    assert (incar["GGA"], float(incar["ENCUT"]), incar["ISMEAR"]) == ("PE", 400, "0")
    placed = read(tmp_path / "kept/POSCAR")
    assert placed.get_distance(0, 1) == pytest.approx(1.46)
    assert (placed.positions >= 6).all()
    assert (placed.positions <= placed.cell.lengths() - 6).all()


@pytest.mark.parametrize(
    ("output", "status", "says"),
    [
        ("ORCA finished by error termination", 1, "exit status 1"),
        # Exit status 0, and no word that it is not right but in the text.
        (
            "Number of atoms                             ...      2\n"
            "CARTESIAN COORDINATES (ANGSTROEM)\n"
            "---------------------------------\n"
            "  Cu     1.000000    2.000000    3.000000\n"
            "  H      1.000000    2.000000    4.460000\n\n"
            "FINAL SINGLE POINT ENERGY (Wavefunction not fully converged!) -1.5\n"
            "****ORCA TERMINATED NORMALLY****",
            0,
            "the energy is not a finite number",
        ),
    ],
)
def test_orca_is_told_charge_and_multiplicity(
    cation, tmp_path, monkeypatch, output, status, says
):
    program = write_program(tmp_path, output, status)
    (tmp_path / "ase.ini").write_text(f"[orca]\ncommand = {program}\n")
    monkeypatch.setenv("ASE_CONFIG_PATH", str(tmp_path / "ase.ini"))
    # ASE reads it when it is imported.
    monkeypatch.setattr(
        "ase.calculators.genericfileio.GenericFileIOCalculator.cfg", Config.read()
    )
    cation.calc = make_calculator(LEVELS["pbe-d3-orca"], 1, 2)
    with pytest.raises(CalculationFailed, match=says):
        cation.get_potential_energy()
    text = (tmp_path / "kept/orca.inp").read_text()
    assert "*xyz 1 2" in text and "! PBE D3BJ def2-TZVP def2/J TightSCF" in text
    assert not (Path.cwd() / "orca.inp").exists()


def test_gpaw_makes_what_the_page_says():
    pytest.importorskip("gpaw", reason="needs GPAW: docs/other-codes.md")
    made = make_calculator(LEVELS["pbe-gpaw"], -1, 2)
    assert made.inner.inner.params.charge == -1
    assert "energy" in made.implemented_properties


def test_sevennet_has_its_weights_and_no_charge():
    pytest.importorskip("sevenn", reason="needs sevenn: docs/other-codes.md")
    from ase.build import molecule

    from clusterflow.errors import EngineError

    hydrogen = molecule("H2")
    hydrogen.calc = make_calculator(LEVELS["sevennet-0"], 0, 3)
    # PBE: 6.6 to 6.8 eV below the atoms without spin, which are its zero.
    assert -7 < hydrogen.get_potential_energy() < -6
    with pytest.raises(EngineError, match=r"takes no charge \+1"):
        make_calculator(LEVELS["sevennet-0"], 1, 2)
