"""Published tables, computed again: numbers that others printed, within 10 meV."""

from __future__ import annotations

import csv
import io
import json

import pytest
from ase import units
from ase.build import molecule
from ase.thermochemistry import HarmonicThermo, IdealGasThermo

from clusterflow.cli.app import main

TOLERANCE_EV = 0.010

# Formation energies from CO, H2 and H2O, eV, of the tutorial electrochemistry/HER of
# CatMAP (doi:10.1007/s10562-015-1495-6), on seven (111) surfaces.
METALS = ("Ag", "Au", "Cu", "Ni", "Pd", "Pt", "Rh")
ENERGIES = {
    "COOH": (0.195, 0.079, -0.112, -0.612, -0.547, -0.786, -0.995),
    "CO": (-0.005, -0.045, -0.546, -1.633, -1.742, -1.533, -1.762),
    "H": (0.309, 0.271, -0.052, -0.399, -0.444, -0.340, -0.403),
    "OCHO": (-0.695, -0.062, -0.961, -0.701, -0.540, -0.476, -1.141),
    "OH": (0.697, 1.426, 0.310, 0.114, 0.924, 1.079, 0.365),
    "O": (2.164, 2.652, 1.163, 0.451, 1.691, 1.947, 0.558),
}
GASES = {"CO": 0.0, "CO2": -0.4304, "H2": 0.0, "H2O": 0.0, "HCOOH": -0.6896}
# Wavenumbers, cm⁻¹; the adsorbates have one set for all metals.
MODES = {
    "CO": (2188.2,),
    "CO2": (2455.3, 1345.0, 631.4, 627.5),
    "H2": (4424.3,),
    "H2O": (3950.7, 3834.5, 1570.7),
    "HCOOH": (3801.1, 2925.4, 1849.6, 1361.5, 1211.4, 1079.8, 972.7, 633.0, 520.2),
    "*COOH": (
        *(3594.4, 1516.1, 1263.2, 1106.9, 682.5, 660.5),
        *(371.8, 273.0, 199.5, 150.8, 145.0, 102.7),
    ),
    "*CO": (2101.9, 305.8, 274.7, 242.8, 98.6, 72.5),
    "*H": (1041.6, 895.1, 651.9),
    "*OCHO": (
        *(2984.8, 1586.3, 1351.6, 1336.9, 998.1, 734.3),
        *(301.3, 291.9, 275.7, 110.1, 71.3, 20.6),
    ),
    "*OH": (3840.3, 678.4, 544.7, 382.0, 303.6, 120.6),
    "*O": (441.5, 399.5, 317.0),
}
# Of the model of CatMAP: temperature, symmetry numbers and shapes.
CATMAP_K = 300.0
SHAPES = {
    "CO": (1, "linear"),
    "CO2": (2, "linear"),
    "H2": (2, "linear"),
    "H2O": (2, "nonlinear"),
    "HCOOH": (1, "nonlinear"),
}


def write_csv(path, rows):
    stream = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path


def join(modes):
    return ";".join(map(str, modes))


def read_results(table, capsys, *words):
    assert main(["che", "--energies", str(table), *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["surfaces"]
    return {(r["surface"], r["reaction"]): r for r in found}


def read_steps(result):
    return {s["name"]: s["dg0_ev"] for p in result["pathways"] for s in p["steps"]}


def gas_by_ase(name):
    """As CatMAP computes it: ideal gas at 1 bar of ASE's molecule."""
    symmetry, shape = SHAPES[name]
    thermo = IdealGasThermo(
        [mode * units.invcm for mode in MODES[name]],
        shape,
        potentialenergy=GASES[name],
        atoms=molecule(name),
        symmetrynumber=symmetry,
        spin=0,
    )
    return thermo.get_gibbs_energy(CATMAP_K, 1e5, verbose=False)


def adsorbate_by_ase(name, energy):
    modes = [max(mode, 50.0) * units.invcm for mode in MODES[f"*{name}"]]
    low = [mode - max(mode, 50.0) for mode in MODES[f"*{name}"]]
    thermo = HarmonicThermo(modes, energy)
    # The zero-point energy takes a low mode as it is.
    return thermo.get_helmholtz_energy(CATMAP_K, verbose=False) + sum(low) * (
        units.invcm / 2
    )


def test_seven_metals_as_the_thermochemistry_of_catmap_has_them(tmp_path, capsys):
    kind = {"energy_kind": "formation from CO, H2, H2O"}
    rows = [
        {"species": n, "energy_ev": e, "frequencies_cm1": join(MODES[n]), **kind}
        | {"state": "gas", "surface": ""}
        for n, e in GASES.items()
    ]
    rows += [
        {"species": n, "energy_ev": e, "frequencies_cm1": join(MODES[f"*{n}"]), **kind}
        | {"state": "ads", "surface": metal}
        for n, energies in ENERGIES.items()
        for metal, e in zip(METALS, energies, strict=True)
    ]
    words = [w for n in ("HER", "CO2-to-CO", "CO2-to-HCOOH") for w in ("--reaction", n)]
    results = read_results(
        write_csv(tmp_path / "seven.csv", rows),
        *(capsys, *words, "--temperature-k", "300"),
    )
    gas = {name: gas_by_ase(name) for name in GASES}
    half = gas["H2"] / 2
    for column, metal in enumerate(METALS):
        ads = {n: adsorbate_by_ase(n, e[column]) for n, e in ENERGIES.items()}
        # Reactions without water: what its condensation adds is measured.
        expected = {
            ("HER", "* + H+ + e- -> *H"): ads["H"] - half,
            ("CO2-to-CO", "* + CO2(g) + H+ + e- -> *COOH"): (
                ads["COOH"] - gas["CO2"] - half
            ),
            ("CO2-to-CO", "*CO -> * + CO(g)"): gas["CO"] - ads["CO"],
            ("CO2-to-HCOOH", "* + CO2(g) + H+ + e- -> *OCHO"): (
                ads["OCHO"] - gas["CO2"] - half
            ),
        }
        for (reaction, step), value in expected.items():
            found = read_steps(results[metal, reaction])[step]
            assert found == pytest.approx(value, abs=TOLERANCE_EV), (metal, step)
        # The limiting potential of hydrogen: less the larger of two opposite steps.
        assert results[metal, "HER"]["limiting_potential_v_rhe"] == pytest.approx(
            -abs(ads["H"] - half), abs=TOLERANCE_EV
        )


# Cu(100): energies from CO, H2 and H2O, eV, wavenumbers, cm⁻¹, and free energies, eV,
# as published with doi:10.1021/acscatal.3c00228 in two tables for CatMAP.
CU100 = {
    "CO": (-0.530835, (228.8, 245.3, 311.0, 346.8, 355.9, 1765.7), 0.023802),
    "CHO": (
        0.149529,
        (92.6, 160.8, 197.0, 258.5, 436.6, 510.6, 1293.2, 1420.1, 2645.2),
        0.931352,
    ),
    "COH": (
        0.440256,
        (238.3, 282.5, 340.6, 362.0, 419.0, 449.8, 959.0, 1231.1, 3389.6),
        1.296926,
    ),
    "CHOH": (
        0.474698,
        (
            *(68.5, 190.8, 265.0, 299.6, 407.6, 470.8),
            *(769.8, 936.1, 1166.1, 1372.4, 3006.7, 3489.0),
        ),
        1.619806,
    ),
    "CH": (-0.179604, (331.1, 407.3, 453.4, 518.6, 583.7, 2925.8), 0.603324),
    "CH2": (
        -0.166899,
        (12.0, 219.8, 295.5, 377.8, 458.4, 596.2, 1258.1, 2868.0, 2981.1),
        0.796516,
    ),
    "CH3": (
        -1.372310,
        (
            *(12.0, 106.7, 168.7, 326.4, 495.4, 597.0),
            *(1100.0, 1380.0, 1434.7, 2888.9, 3023.6, 3089.2),
        ),
        -0.059580,
    ),
    "H": (0.105143, (449.1, 1097.4, 1136.8), 0.294523),
    "O": (0.528871, (226.7, 227.3, 326.1), 0.490472),
}
# The published free energies count half of H2 as 0.0264 eV below its electronic energy,
# as the row of H says; wavenumbers of H2 give 0.0178.
HYDROGEN_EV = -0.0528

NETWORK = """
name: COR
source: 10.1021/acscatal.3c00228
product: CH3
equation: "CO(g) + 5 H+ + 5 e- + * -> *CH3 + H2O(l)"
steps:
  - "* + CO(g) -> *CO"
  - "*CO + H+ + e- -> *CHO"
  - "*CO + H+ + e- -> *COH"
  - "*CHO + H+ + e- -> *CHOH"
  - "*COH + H+ + e- -> *CHOH"
  - "*CHOH + H+ + e- -> *CH + H2O(l)"
  - "*CH + H+ + e- -> *CH2"
  - "*CH2 + H+ + e- -> *CH3"
"""


def test_a_network_on_copper_as_it_was_published(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    reactions = tmp_path / "structures" / "reactions"
    reactions.mkdir(parents=True)
    (reactions / "COR.yaml").write_text(NETWORK)
    kind = {"energy_kind": "formation from CO, H2, H2O"}
    gas = {"state": "gas", "energy_ev": 0.0, **kind}
    rows = [
        {"species": "CO", "surface": "", "frequencies_cm1": "2115.0", **gas},
        {"species": "H2", "surface": "", "correction_ev": HYDROGEN_EV, **gas},
        {"species": "H2O", "surface": "", "frequencies_cm1": "1623.4;3753.9;3874.9"}
        | gas,
    ]
    rows += [
        {"species": name, "state": "ads", "surface": "Cu(100)", "energy_ev": energy}
        | {"frequencies_cm1": join(modes), **kind}
        for name, (energy, modes, _) in CU100.items()
    ]
    # The lowest wavenumber of the published table is 12.
    settings = json.dumps({"thermo": {"low_mode_cutoff_cm1": 12}})
    words = ["--reaction", "COR", "--reaction", "HER", "--settings", settings]
    results = read_results(write_csv(tmp_path / "cu100.csv", rows), capsys, *words)
    published = {name: gibbs for name, (_, _, gibbs) in CU100.items()}
    steps = read_steps(results["Cu(100)", "COR"])
    assert len(steps) == 8
    for step, value in steps.items():
        left, right = (
            sum(published.get(term.strip().lstrip("*"), 0.0) for term in side)
            for side in (part.split(" + ") for part in step.split(" -> "))
        )
        left = 0.0 if step.startswith("* + CO(g)") else left
        assert value == pytest.approx(right - left, abs=TOLERANCE_EV), step
    adsorbed = read_steps(results["Cu(100)", "HER"])["* + H+ + e- -> *H"]
    assert adsorbed == pytest.approx(published["H"], abs=TOLERANCE_EV)


# Oxide surfaces of OC22 (doi:10.1021/acscatal.2c05426): free energies of *OH, *O and
# *OOH from water and hydrogen, eV, the overpotential, V, and the number of the step
# that sets it, as in github.com/chemicallyGeeky/OCdataset_analysis_for_HER_OER, beside
# "Adsorption energies are necessary but not sufficient to identify good catalysts".
OXIDES = {
    "K4Ag4O8-011": (1.13644, 2.57884, 3.77136, 0.21240, 2),
    "Pd3Au3O6-10-2": (1.09067, 2.60636, 4.01080, 0.28569, 2),
    "Pd3Au3O6-10-2-other": (1.52975, 2.34960, 3.64161, 0.29975, 1),
    "Sc8Rh8O24-11-1": (1.08962, 2.37187, 3.38992, 0.30008, 4),
    "Ge6Sb4O18-100": (1.57381, 2.70476, 3.91791, 0.34381, 1),
    "Ag2Hg2O4-210": (1.47554, 2.28590, 3.87974, 0.36384, 3),
    "Cr4Ag4O14-1-1-1": (1.53744, 1.79080, 3.32239, 0.36761, 4),
    "RuPtO4-001": (0.39414, 2.07273, 3.53739, 0.44858, 2),
    "GeRhO4-211": (0.31852, 1.59431, 3.33460, 0.51029, 3),
    "Nb2Fe2O8-201": (2.39854, 4.48300, 6.33693, 1.16854, 1),
}
OER_STEPS = (
    "* + H2O(l) -> *OH + H+ + e-",
    "*OH -> *O + H+ + e-",
    "*O + H2O(l) -> *OOH + H+ + e-",
    "*OOH -> * + O2(g) + H+ + e-",
)


def test_oxygen_evolution_on_oxides_as_it_was_tabulated(tmp_path, capsys):
    kind = {"energy_kind": "formation from H2, H2O"}
    # Water vapour as high as the liquid, and oxygen from it by 4.92 eV, as there.
    gases = (("H2", 0.0, ""), ("H2O", 0.0, 3534), ("O2", 4.92, ""))
    rows = [
        {"species": n, "state": "gas", "surface": "", "gibbs_ev": g, "pressure_pa": p}
        | kind
        for n, g, p in gases
    ]
    rows += [
        {"species": n, "state": "ads", "surface": oxide, "gibbs_ev": g}
        | {"pressure_pa": "", **kind}
        for oxide, energies in OXIDES.items()
        for n, g in zip(("OH", "O", "OOH"), energies, strict=False)
    ]
    table = write_csv(tmp_path / "oxides.csv", rows)
    results = read_results(table, capsys, "--reaction", "OER")
    for oxide, (hydroxyl, oxygen, hydroperoxyl, overpotential, step) in OXIDES.items():
        result = results[oxide, "OER"]
        sums = (hydroxyl, oxygen - hydroxyl, hydroperoxyl - oxygen, 4.92 - hydroperoxyl)
        found = read_steps(result)
        for name, value in zip(OER_STEPS, sums, strict=True):
            assert found[name] == pytest.approx(value, abs=TOLERANCE_EV), (oxide, name)
        assert result["determining_step"] == OER_STEPS[step - 1]
        # Counted from 1.23 V there.
        above = result["limiting_potential_v_rhe"] - 1.23
        assert above == pytest.approx(overpotential, abs=TOLERANCE_EV), oxide
