"""Each verb by hand, as a person types it, and every wrong input in one line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clusterflow.cli.app import command, main
from tests.commands import call, call_here

DIMER = "2\ncopper dimer\nCu 0 0 0\nCu 0 0 2.22\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output_of(*arguments):
    done = call_here(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def json_of(*arguments):
    return json.loads(output_of(*arguments))


def test_help_names_every_stage(folder):
    text = output_of("--help")
    for verb in (
        "build",
        "level",
        "relax",
        "gas",
        "sites",
        "adsorb",
        "pool",
        "vibrate",
        "leaving",
    ):
        assert verb in text
    for verb in ("thermo", "che", "collect", "report", "check", "list", "add", "run"):
        assert verb in text
    assert "edges" in text


def test_what_is_said_of_a_file_is_unsaid_by_default():
    """A record as the subject refuses what is for a file, so no default may say it."""
    said = {
        (name, option.name): option.default
        for name, verb in command().commands.items()
        for option in verb.params
        if option.name in ("charge", "multiplicity", "frame", "trust")
    }
    assert ("refine", "charge") in said
    assert {key: value for key, value in said.items() if value not in (None, "")} == {}


@pytest.mark.xtb
def test_clusters_of_a_study_share_a_level(folder):
    """EMT suits the dimer of copper, but its peer holds sulphur."""
    level = json.dumps({"level": {"preferred": ["emt", "gfn1-xtb"], "probes": []}})
    for name in ("Cu2", "Cu2SH"):
        output_of("level", name, "--settings", level, "--output", f"{name}.json")
    own, peer = "Cu2.json", "Cu2SH.json"
    assert json.loads(Path(own).read_text())["level"]["name"] == "emt"
    relaxed = json_of("relax", "Cu2", peer, "--level", own)
    assert relaxed["level"]["name"] == "gfn1-xtb"


def test_version(folder):
    assert output_of("--version").startswith("clusterflow ")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("clusters", "Cd6Se6"),
        ("adsorbates", "COOH"),
        ("gases", "HCOOH"),
        ("reactions", "HER"),
        ("levels", "spgfn1-xtb-1000k"),
        ("ligands", "PET"),
        ("domain", "raw-co"),
    ],
)
def test_list(folder, kind, name):
    assert name in [row["name"] for row in json_of("list", kind, "--json")]
    assert name in output_of("list", kind)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 11 electrons of Au and Cu, 1 of H, 2 of Cd, 6 of Se; one s electron a metal
        # atom less one a hydride or thiolate, less the charge.
        ("Au20", (220, 20, False, "tetrahedron", None)),
        ("Au8-anion", (89, 9, False, "dodecahedron", None)),
        ("Cu2H2", (24, 0, False, "ring", None)),
        ("Cu2S2H2", (36, 0, True, "file + SH", None)),
        ("Cu2H", (23, 1, False, "Cu2H2 less 1 H", "Cu2H2")),
        # 13 NH3 bring 8 each. No metal sphere here, nor on a support.
        ("Cd13Se13-13NH3", (208, None, True, "core_at_cage + NH3", None)),
        ("Cu4-Ag111", (396, None, False, "rhombus on fcc111", None)),
    ],
)
def test_list_clusters_says_what_they_are(folder, name, expected):
    rows = {row["name"]: row for row in json_of("list", "clusters", "--json")}
    keys = ("valence_electrons", "superatom_electrons", "protected", "made_by")
    assert tuple(rows[name][key] for key in (*keys, "parent")) == expected
    lines = [line.split() for line in output_of("list", "clusters").splitlines()]
    line = next(words for words in lines if words[:1] == [name])
    assert {rows[name]["formula"], str(rows[name]["valence_electrons"])} <= {*line}
    assert rows[name]["status"] in line


def test_gas_prints_the_documented_keys(folder):
    values = json_of(
        *("gas", "H2", "--level", "gfn1-xtb", "--temperature-k", "298.15"),
        *("--pressure-pa", "100000", "--json"),
    )
    parts = values["energy_ev"] + values["zpe_ev"] + values["enthalpy_correction_ev"]
    entropy_term = 298.15 * values["entropy_j_per_mol_k"] / 96485.33
    assert values["gibbs_ev"] == pytest.approx(parts - entropy_term, abs=1e-5)
    assert values["symmetry_number"] == 2
    assert len(values["frequencies_cm1"]) == 1


def test_electrons_of_a_formula_a_cluster_and_a_file(folder):
    anion = json_of("electrons", "[Au25(SCH3)18]-", "--json")
    assert (anion["charge"], anion["n_superatom"], anion["multiplicity"]) == (-1, 8, 1)
    # 25 x 11 + 18 x (6 + 4 + 3) + 1
    assert (anion["n_valence"], anion["warning"]) == (510, None)
    assert json_of("electrons", "Cd6Se6", "--json")["n_valence"] == 48
    Path("dimer.xyz").write_text(DIMER)
    cation = json_of("electrons", "dimer.xyz", "--charge", "1", "--json")
    assert (cation["n_superatom"], cation["multiplicity"]) == (1, 2)
    assert "odd" in output_of("electrons", "Cu18H2(SR)15(PR3)6")


def test_a_cluster_by_hand_from_build_to_adsorption(folder):
    Path("dimer.xyz").write_text(DIMER)
    assert json_of("build", "Cu2")["structures"][0]["symbols"] == ["Cu", "Cu"]
    assert "accepted" in output_of("level", "dimer.xyz", "--levels", "gfn1-xtb")
    relaxed = json_of("relax", "dimer.xyz", "--level", "gfn1-xtb")
    first, second = relaxed["isomers"][0]["structure"]["positions"]
    length = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
    # GFN1-xTB was fitted to geometries: the measured bond is 2.219 Å.
    assert length == pytest.approx(2.22, abs=0.05)
    sites = json_of("sites", "dimer.xyz", "--json")
    assert {"kind", "atoms", "multiplicity", "position", "normal"} <= set(sites[0])
    assert {(s["kind"], s["multiplicity"]) for s in sites} == {
        ("top", 2),
        ("bridge", 1),
    }
    Path("relax.json").write_text(json.dumps(relaxed))
    adsorbed = json_of("adsorb", "relax.json", "H")
    assert adsorbed["minima"][0]["fate"] in ("intact", "reconstructed")


COVERED = """\
9
one copper atom under eight ligands
Cu 0 0 0
N 1.2 1.2 1.2
N -1.2 1.2 1.2
N 1.2 -1.2 1.2
N 1.2 1.2 -1.2
N -1.2 -1.2 1.2
N -1.2 1.2 -1.2
N 1.2 -1.2 -1.2
N -1.2 -1.2 -1.2
"""


def test_sites_as_table_record_and_pictures(folder):
    text = output_of("sites", "Cu38", "--html", "s.html", "--png", "s.png")
    assert "Cu38: Oh, 8 distinct sites of 170 by symmetry" in text
    rows = [line.split() for line in text.splitlines()]
    # The centre of a hexagon: nine neighbours, (6 · 6 + 3 · 12)/12.
    assert ["2", "top", "8", "Cu9", "9", "6.000"] in [row[:6] for row in rows]
    page = Path("s.html").read_text()
    assert page.count("<tr>") == 9
    assert "<svg" in page and "http-equiv" not in page and "src=" not in page
    assert Path("s.png").read_bytes().startswith(b"\x89PNG")
    output_of("sites", "Cu38", "--output", "sites.json")
    record = json.loads(Path("sites.json").read_text())
    assert (record["stage"], record["distinct_by"]) == ("sites", "symmetry")
    assert sum(site["multiplicity"] for site in record["sites"]) == 170


def test_a_covered_cluster_has_no_site_and_the_record_says_what_to_do(folder):
    Path("covered.xyz").write_text(COVERED)
    text = output_of("sites", "covered.xyz", "--output", "sites.json")
    record = json.loads(Path("sites.json").read_text())
    assert (record["status"], record["sites"]) == ("failed", [])
    assert "covered by 8 N" in record["reason"]
    assert "`removed: {ligand: N, count: 1}`" in record["reason"]
    assert "covered by 8 N" in output_of("sites", "covered.xyz")
    done = call_here("sites", "covered.xyz", "--json")
    assert json.loads(done.stdout) == []
    assert "covered by 8 N" in done.stderr
    assert text == ""


def test_a_structure_by_hand_is_what_its_records_say(folder):
    """Pool, vibrate and thermo take a structure, as well as the records before them."""
    Path("dimer.xyz").write_text(DIMER)
    for verb, *arguments in (
        ("relax", "dimer.xyz"),
        ("adsorb", "relax.json", "H"),
        ("vibrate", "adsorb.json", "--relax", "relax.json"),
    ):
        output_of(verb, *arguments, "--output", f"{verb}.json")
    for name in ("H2", "CO2", "H2O"):
        output_of("gas", name, "--output", f"{name}.json")
    records = ["relax.json", "adsorb.json", "vibrate.json"]
    by_record = json_of("thermo", *records, "CO2.json", "H2.json", "H2O.json")
    by_hand = json_of("thermo", "dimer.xyz", "--adsorbate", "H")
    assert [s["name"] for s in by_hand["species"]] == [
        s["name"] for s in by_record["species"]
    ]
    for one, other in zip(by_hand["species"], by_record["species"], strict=True):
        assert one["terms"]["gibbs_ev"] == pytest.approx(
            other["terms"]["gibbs_ev"], abs=1e-6
        )

    vibrated = json_of("vibrate", "dimer.xyz", "--adsorbate", "H")
    stored = json.loads(Path("vibrate.json").read_text())
    assert vibrated["frequencies_cm1"] == pytest.approx(
        stored["frequencies_cm1"], abs=0.1
    )
    pool = json_of("pool", "dimer.xyz")
    assert [p["isomer"]["structure"]["name"] for p in pool["isomers"]] == ["main"]


def test_edges_by_hand(folder):
    Path("water.xyz").write_text(
        "3\nwater\nO 0 0 0.119\nH 0 0.763 -0.477\nH 0 -0.763 -0.477\n"
    )
    found = json_of("edges", "water.xyz", "--ph", 0, "--json")
    # IPEA1-xTB; 12.6 eV measured.
    assert found["ip_ev"] == pytest.approx(13.78, abs=0.05)
    assert found["valence_v_she"] == pytest.approx(found["ip_ev"] - 4.44)
    assert found["valence_v_rhe"] == pytest.approx(found["valence_v_she"])
    potentials = {c["couple"]: c["potential_v_she"] for c in found["couples"]}
    assert potentials["H2"] == pytest.approx(0.0)
    assert potentials["O2-H2O"] == pytest.approx(1.229, abs=0.002)
    assert "no-exciton" in found["flags"]
    cation = json_of("edges", "water.xyz", "--charge", 1, "--json")
    assert cation["multiplicity"] == 2
    assert cation["ea_ev"] == pytest.approx(found["ip_ev"], abs=1e-3)
    text = output_of("edges", "water.xyz", "--ip-ea-level", "gfn2-xtb")
    assert "none: level gfn2-xtb has no ip_ea_offset_ev" in text
    output_of("edges", "water.xyz", "--output", "edges.json")
    assert json.loads(Path("edges.json").read_text())["stage"] == "edges"


def test_che_on_a_table(folder):
    Path("mine.csv").write_text(
        "species,state,surface,gibbs_ev\nH2,gas,,-6.0\n,clean,Pt,0\n".replace(
            ",clean", "slab,clean"
        )
        + "H,ads,Pt,-3.2\n"
    )
    answer = json_of("che", "--energies", "mine.csv", "--reaction", "HER", "--json")
    result = answer["surfaces"][0]
    # *H is 0.2 eV below ½ H2: taking it off costs 0.2 eV.
    assert [s["dg_ev"] for s in result["steps"]] == pytest.approx([-0.2, 0.2])
    assert result["limiting_potential_v"] == pytest.approx(-0.2)
    assert result["determining_step"].startswith("*H + H+")
    on_she = json_of(
        *("che", "--energies", "mine.csv", "--reaction", "HER", "--json"),
        *("--scale", "she", "--ph", "7", "--potential-v", "-0.5"),
    )
    # 59.16 mV a pH unit at 298.15 K.
    shift = 7 * 0.059159
    assert on_she["surfaces"][0]["limiting_potential_v"] == pytest.approx(
        -0.2 - shift, abs=1e-4
    )
    assert on_she["surfaces"][0]["steps"][1]["dg_ev"] == pytest.approx(
        0.2 - 0.5 + shift, abs=1e-4
    )


def test_a_network_without_electrons_shows_its_steps(folder):
    Path("mine.csv").write_text(
        "species,state,surface,gibbs_ev,energy_kind\n"
        "C2H4O,gas,,0.9,formation\nC3H4O3,gas,,0.5,formation\n"
        "C2H4O,ads,Zn,0.6,formation\nC3H4O3,ads,Zn,0.2,formation\n"
    )
    text = output_of("che", "--energies", "mine.csv", "--reaction", "CO2-to-carbonate")
    assert "-0.400 eV  *C2H4O + CO2(g) -> *C3H4O3" in text
    assert "no limiting potential: no step moves an electron" in text
    assert "largest chemical step +0.300 eV" in text


def test_add_writes_a_cluster_that_check_accepts(folder):
    Path("mine.xyz").write_text(DIMER)
    text = output_of(
        *("add", "mine.xyz", "--name", "MyCu2", "--charge", 0, "--multiplicity", 1),
        *("--source", "unpublished: a test"),
    )
    assert "structures/clusters/MyCu2" in text
    assert "MyCu2" in [r["name"] for r in json_of("list", "clusters", "--json")]
    assert "in order" in output_of("check")


@pytest.mark.parametrize("name", ["POSCAR", "cell.cif", "mine.vasp", "mine.extxyz"])
def test_add_reads_what_people_have(folder, name):
    from ase import Atoms
    from ase.io import write

    atoms = Atoms("Cu2", positions=[(0, 0, -1), (0, 0, 1.2)], cell=[12] * 3, pbc=True)
    atoms.wrap()  # half of the molecule on the other side of the cell
    write(name, atoms)
    output_of(
        *("add", name, "--name", "Cell", "--charge", 0, "--multiplicity", 1),
        *("--source", "10.1038/nmat1056"),
    )
    lines = Path("structures/clusters/Cell.xyz").read_text().splitlines()[2:]
    (x, y, z), (u, v, w) = ([float(c) for c in line.split()[1:]] for line in lines)
    assert abs(z - w) == pytest.approx(2.2, abs=1e-3)
    assert (x, y) == pytest.approx((u, v))


def test_add_keeps_the_roles_that_a_file_says(folder):
    Path("node.extxyz").write_text(
        "4\nProperties=species:S:1:pos:R:3:roles:S:1\n"
        "Cu 0 0 0 core\nCu 2.2 0 0 core\nZn 4.5 0 0 support\nZn 9 0 0 support\n"
    )
    text = output_of(
        *("add", "node.extxyz", "--name", "Held", "--charge", 0, "--multiplicity", 1),
        *("--source", "unpublished: a test"),
    )
    assert "roles: 2 core, 2 support" in text
    (structure,) = json_of("build", "Held")["structures"]
    assert structure["roles"] == ["core", "core", "support", "support"]


PIECES = "2\ntwo clusters\nCu 0 0 0\nCu 0 0 9\n"
PERIODIC = (
    '2\nLattice="9 0 0 0 9 0 0 0 9" pbc="T T T" '
    "Properties=species:S:1:pos:R:3\nCu 0 0 0\nCu 0 0 2.2\n"
)
OVERLAP = "2\noverlap\nCu 0 0 0\nCu 0 0 0.3\n"
TABLE = "species,state,surface,gibbs_ev\nH2,gas,,-6\nH,ads,Pt,-3\n"
BARRIERS = """\
thermo:
  adsorbate_model: hindered
  hindered:
    {}:
      translation_barrier_ev: 0.1
      rotation_barrier_ev: 0.1
      site_density_per_cm2: 1.5e+15
      rotational_minima: 4
      symmetry_number: 1
"""
SHIFTS = "cluster,species,shift_ev,source\nCu99,CO,0.1,10.1000/x\n"
REACTION = """\
name: R
source: "unpublished: a test"
product: CO
equation: "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)"
steps:
  - "* + CO2(g) + H+ + e- -> *COOH"
  - "*COOH + H+ + e- -> *CO + H2O(l)"
  - "*CO -> * + CO(g)"
  - "{}"
"""
ADD = ("--charge", "0", "--source", "unpublished: x")
OWN_LEVEL = "name: m\nsource: 'unpublished: x'\nengine: {calculator: 'no_such:X'}\n"
AUTO = (
    "name: A\nsource: 'unpublished: x'\nformula: Cu2\nmultiplicity: auto\n"
    "structures: [{file: d.xyz}]\n"
)


@pytest.mark.parametrize(
    ("files", "arguments", "says"),
    [
        ({}, ["relax", "missing.xyz"], "missing.xyz"),
        ({}, ["relax", "NoSuch"], "NoSuch"),
        ({}, ["gas", "H2", "--level", "gfn9"], "gfn9"),
        ({}, ["gas", "H2", "--temperature-k", "-5"], "-5"),
        ({}, ["gas", "H2", "--temperature-k", "25"], "Celsius|°C"),
        ({}, ["gas", "H2", "--pressure-pa", "0"], "0"),
        ({"o.xyz": OVERLAP}, ["relax", "o.xyz"], "overlap"),
        (
            {"o.xyz": OVERLAP},
            ["add", "o.xyz", "--name", "O2", "--multiplicity", "1", *ADD],
            "overlap",
        ),
        (
            {"d.xyz": DIMER},
            ["add", "d.xyz", "--name", "D", "--multiplicity", "2", *ADD],
            "multiplicity 2",
        ),
        (
            {"d.xyz": DIMER},
            ["add", "d.xyz", "--name", "Cu4", "--multiplicity", "1", *ADD],
            "Cu4",
        ),
        (
            {"d.xyz": DIMER},
            ["add", "d.xyz", "--name", "../evil", "--multiplicity", "1", *ADD],
            "evil",
        ),
        ({"d.xyz": "not a structure"}, ["relax", "d.xyz"], "d.xyz"),
        ({"r.json": "{half"}, ["sites", "r.json", "--output", "s.json"], "corrupt"),
        ({"o.xyz": OVERLAP}, ["sites", "o.xyz"], "atoms 0 .* and 1 .* overlap at 0.30"),
        ({"t.xyz": DIMER + DIMER}, ["sites", "t.xyz"], "t.xyz.*holds 2 structures"),
        ({"t.xyz": PIECES}, ["sites", "t.xyz"], "t.*2 separate pieces; give one"),
        (
            {"p.extxyz": PERIODIC},
            ["sites", "p.extxyz"],
            "p.*periodic; give an isolated",
        ),
        ({}, ["sites", "Cu2", "--png", "x.pdf"], "x.pdf: pictures of sites are"),
        ({"c.yaml": "relx: {}\n"}, ["check", "--config", "c.yaml"], "relx"),
        (
            {"c.yaml": "thermo: {temperature_k: -1}\n"},
            ["check", "--config", "c.yaml"],
            "c.yaml.*temperature_k.*-1",
        ),
        (
            {"c.yaml": "thermo: {adsorbate_model: hindered}\n"},
            ["check", "--config", "c.yaml"],
            "c.yaml.*hindered needs barriers, and none are given",
        ),
        (
            {"c.yaml": BARRIERS.format("NoSuch")},
            ["check", "--config", "c.yaml"],
            "NoSuch",
        ),
        (
            {"c.yaml": BARRIERS.format("H")},
            ["check", "--config", "c.yaml"],
            "thermo.hindered.H.*a single atom does not turn",
        ),
        ({"c.yaml": "clusters: [Nope]\n"}, ["check", "--config", "c.yaml"], "Nope"),
        ({"c.yaml": "a: [1\n"}, ["check", "--config", "c.yaml"], "c.yaml"),
        ({}, ["list", "planets"], "planets"),
        ({}, ["electrons", "Au25(SXy)18"], "unknown ligand 'SXy'.*README"),
        ({}, ["electrons", "[Au25(SR)18]-", "--charge", "1"], r"\+1.*says -1"),
        (
            {"structures/levels/m.yaml": OWN_LEVEL},
            ["relax", "Cu2", "--level", "m"],
            "'no_such:X'.*PYTHONPATH",
        ),
        (
            {"structures/clusters/A.yaml": AUTO, "structures/clusters/d.xyz": DIMER},
            ["relax", "A", "--level", "gfn1-xtb"],
            "A: multiplicity auto needs a spin-polarised level",
        ),
        ({}, ["che"], "energies"),
        ({}, ["edges", "missing.xyz"], "missing.xyz"),
        ({}, ["edges", "Cu2", "--ip-ea-level", "gfn9"], "gfn9"),
        ({}, ["edges", "Cu2", "--absolute-she-v", "0"], "absolute_she_v.*0"),
        ({}, ["edges", "Cu2", "--ph", "99"], "ph.*99"),
        ({"t.csv": TABLE}, ["che", "--energies", "t.csv", "--reaction", "X"], "X"),
        (
            {"t.csv": TABLE + "H,ads,Pt,-2\n"},
            ["che", "--energies", "t.csv", "--reaction", "HER"],
            "twice",
        ),
        (
            {"t.csv": TABLE.replace("gibbs_ev", "gibs_ev")},
            ["che", "--energies", "t.csv", "--reaction", "HER"],
            "gibs_ev",
        ),
        (
            {"t.csv": TABLE.replace("gibbs_ev", "energy")},
            ["che", "--energies", "t.csv", "--reaction", "HER"],
            "'energy' does not say its unit",
        ),
        (
            {
                "t.csv": "species,state,surface,energy_ev,frequencies_cm1\n"
                "H,ads,Pt,1,0.1\n"
            },
            ["che", "--energies", "t.csv", "--reaction", "HER"],
            "another unit",
        ),
        (
            {
                "t.csv": TABLE.replace("gibbs_ev", "gibbs_ev,level").replace(
                    "-6", "-6,A"
                )
            },
            ["che", "--energies", "t.csv", "--reaction", "Nope"],
            "Nope",
        ),
        (
            {"t.csv": "species,state,gibbs_ev,pressure_pa\nH2,gas,-6,0\n"},
            ["che", "--energies", "t.csv", "--reaction", "HER"],
            "pressure_pa = 0",
        ),
        (
            {"c.yaml": "thermo: {pressure_pa: {CO: 0}}\n"},
            ["check", "--config", "c.yaml"],
            "pressure_pa.CO = 0",
        ),
        (
            {"c.yaml": "thermo: {correct: [user], user: s.csv}\n", "s.csv": SHIFTS},
            ["check", "--config", "c.yaml"],
            "s.csv: row 1: no cluster called 'Cu99'",
        ),
        (
            {"structures/reactions/R.yaml": REACTION.format("*COOH + H+ + e- -> *CO")},
            ["check"],
            "reaction R: step .* is not balanced",
        ),
        (
            {"structures/reactions/R.yaml": REACTION.format("*COOH -> *XY")},
            ["check"],
            "reaction R: step .*no adsorbate called 'XY'",
        ),
        (
            {"structures/reactions/R.yaml": REACTION.format("* + CO(g) -> *CO")},
            ["check"],
            "reaction R: chemical steps form a cycle",
        ),
        ({"mine/x.txt": "x"}, ["new", "mine"], "mine: is not empty"),
        ({}, ["status", "nowhere"], "nowhere: no such folder"),
        ({"results/x/che/Cu2.json": "{}"}, ["status", "results/x"], "no study here"),
        ({"config.yaml": "clusters: [Nope]\n"}, ["status"], "Nope"),
        ({}, ["query", "nowhere", "best"], "nowhere: holds no records"),
        ({}, ["explain", "nowhere", "Cu2/CO"], "nowhere: holds no records"),
        ({}, ["plot", "bands", "nowhere", "--output", "b.svg"], "holds no records"),
        ({}, ["scan", "nowhere", "--potential-v", "-1:0:5"], "nowhere"),
        ({}, ["scan", ".", "--potential-v", "-1:0"], "-1:0: write A:B:N"),
        (
            {},
            ["scan", ".", "--potential-v", "0", "--scale", "nhe"],
            "must be rhe, she, ag-agcl, sce",
        ),
        ({}, ["relax", "Cu2", "--settings", "{"], "JSON"),
        ({}, ["relax", "Cu2", "--settings", '{"relax": {"x": 1}}'], "'x'"),
    ],
)
def test_wrong_input_is_one_clear_line(folder, files, arguments, says):
    import re

    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)
    done = call_here(*arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert re.search(says, done.stderr), done.stderr
    left = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert left == set(files), "nothing is half-written"


def test_a_structure_without_an_adsorbate_has_nothing_to_vibrate(folder):
    Path("dimer.xyz").write_text(DIMER)
    done = call_here("vibrate", "dimer.xyz")
    assert done.returncode == 2
    assert done.stderr == ("error: dimer.xyz: no adsorb record; name an --adsorbate\n")


def test_unknown_element_for_the_engine_is_said(folder):
    done = call_here("level", "Cd6Se6", "--levels", "emt")
    assert "Cd" in done.stdout and "emt" in done.stdout


def test_help_is_quick(folder):
    """The start imports nothing heavy; a slow machine gets ten times the limit."""
    start = time.perf_counter()
    call("clusterflow", "--help")
    assert time.perf_counter() - start < 3.0


def test_a_new_study_can_be_run_at_once(folder):
    output_of("new", "copper")
    done = subprocess.run(
        [sys.executable, "-m", "clusterflow", "run", "-n", "--cores", "1"],
        cwd=folder / "copper",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Of each stage one job, of gas three, and the rule that asks for them.
    assert "total" in done.stdout and " 16" in done.stdout, done.stdout
    assert "quantum chemistry: less than a minute of one core" in done.stderr


def verbs(group, path=()):
    """Path and command of every verb."""
    for name, verb in group.commands.items():
        yield from verbs(verb, (*path, name)) if hasattr(verb, "commands") else ()
        yield (*path, name), verb


VERBS = dict(verbs(command()))


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_says_what_it_does_with_an_example_that_is_right(path, capsys):
    assert main([*path, "-h"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert not re.search(r"<(str|int|float|list)\b", shown.out), "a type of Python"
    assert VERBS[path].help.splitlines()[0].endswith(".")
    if hasattr(VERBS[path], "commands"):
        return
    found = [e for e in re.split(r"\n\s*\n", VERBS[path].epilog or "") if e]
    assert found, "no example"
    own = ["clusterflow", *path]
    for example in found:
        # As the page has it, but for the breaks of lines.
        assert "".join(example.split()) in "".join(shown.out.split())
        words = shlex.split(example.partition(" && ")[0])
        assert words[: len(own)] == own
        # Unknown options, missing arguments and wrong types end here.
        VERBS[path].make_context("clusterflow", words[len(own) :])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_of_the_command_however_it_was_started(folder, shell):
    """The shell is named: a test has none above it to be found."""
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = _with(environment, "--show-completion", shell)
    assert "_CLUSTERFLOW_COMPLETE=" in script and "python" not in script
    asked = {
        "_CLUSTERFLOW_COMPLETE": "complete_bash",
        "COMP_WORDS": "clusterflow plot ",
        "COMP_CWORD": "2",
    }
    assert {"diagram", "volcano", "bands", "scaling"} < set(_with(asked).split())


def _with(environment, *arguments):
    import os

    done = subprocess.run(
        [sys.executable, "-m", "clusterflow", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_no_color_turns_colours_off_even_where_they_are_forced(folder):
    output_of("new", "copper")
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[" in _with(forced, "status", "copper")
    colours = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    for words in (["status", "copper"], ["--help"]):
        assert not colours.search(_with({**forced, "NO_COLOR": "1"}, *words))
