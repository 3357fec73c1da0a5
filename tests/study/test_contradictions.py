"""Settings that contradict themselves: refused by the plan, with what to write."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import yaml

from clusterflow.errors import ConfigError
from clusterflow.library.find import package_data
from clusterflow.science.thermochemistry.formation import anchor_coefficients
from clusterflow.settings import load_study
from clusterflow.study.contradictions import find_contradictions
from clusterflow.study.plan import Plan
from tests.commands import call, call_here

BARRIERS = {
    "translation_barrier_ev": 0.2,
    "rotation_barrier_ev": 0.05,
    "site_density_per_cm2": 1.5e15,
    "rotational_minima": 6,
    "symmetry_number": 3,
}
# Made-up items: carbon monoxide under another name, and one that wants it liquid.
CARBONYL = """\
name: Carbonyl
source: "unpublished: x"
formula: CO
multiplicity: 1
forms:
  - name: c-down
    binding: [0]
    sites: [top]
    atoms:
      - [C, 0.000, 0.000, 0.000]
      - [O, 0.000, 0.000, 1.150]
"""
OWN_REACTION = """\
name: Own
source: "unpublished: x"
product: CO
equation: "CO2(g) + 2 H+ + 2 e- -> CO({phase}) + H2O({water})"
steps:
  - "* + CO2(g) + H+ + e- -> *COOH"
  - "*COOH + H+ + e- -> *{adsorbate} + H2O({water})"
  - "*{adsorbate} -> * + CO({phase})"
"""
SPRINGS = """\
name: springs
source: "unpublished: x"
engine: {calculator: "ase.calculators.lj:LennardJones", spinless: true}
"""


def own_library(adsorbate="CO", phase="g", water="l"):
    """Files of a library of one's own."""
    return {
        "structures/adsorbates/Carbonyl.yaml": CARBONYL,
        "structures/reactions/Own.yaml": OWN_REACTION.format(
            phase=phase, water=water, adsorbate=adsorbate
        ),
    }


REFUSED = {
    "dependent anchors": (
        {"thermo": {"anchors": ["CO2", "CO", "H2", "H2O"]}},
        {},
        ["thermo.anchors = [CO2, CO, H2, H2O]", "as in [CO2, H2, H2O]"],
    ),
    "an anchor twice": (
        {"reactions": ["HER"], "thermo": {"anchors": ["H2", "H2"]}},
        {},
        ["thermo.anchors = [H2, H2]", "as in [H2]"],
    ),
    "anchors without an element of a gas": (
        {"clusters": ["Cu2S2H2"], "reactions": ["thiolate-loss"]},
        {},
        ["thermo.anchors = [CO2, H2, H2O]", "H2S", "as in [CO2, H2, H2O, H2S]"],
    ),
    "anchors without an element of an adsorbate": (
        {"reactions": ["HER"], "adsorbates": ["CO"], "thermo": {"anchors": ["H2"]}},
        {},
        ["thermo.anchors = [H2]: cannot make *CO ", "as in [H2, CO2, H2O]"],
    ),
    "anchors without nitrogen": (
        {"reactions": ["N2-to-NH3"]},
        {},
        ["cannot make N2, NH3, *N and others", "as in [CO2, H2, H2O, N2]"],
    ),
    "too few anchors, though of all elements": (
        {"reactions": ["CO2-to-CO"], "thermo": {"anchors": ["CO2", "H2"]}},
        {},
        ["thermo.anchors = [CO2, H2]", "as in [CO2, H2, H2O]"],
    ),
    "cobalt for carbon monoxide": (
        {"thermo": {"pressure_pa": {"Co": 5562}}},
        {},
        ["thermo.pressure_pa.Co = 5562", "did you mean CO?"],
    ),
    "a pressure of what is not there": (
        {"reactions": ["HER"], "thermo": {"pressure_pa": {"N2": 100}}},
        {},
        ["thermo.pressure_pa.N2 = 100", "leave it out", "There are CO2, H2, H2O"],
    ),
    "water above its critical point": (
        {"thermo": {"temperature_k": 647.1}},
        {},
        ["thermo.temperature_k = 647.1", "H2O(l)", "write H2O(g)"],
    ),
    "water below where it can be liquid": (
        {"thermo": {"temperature_k": 200}},
        {},
        ["thermo.temperature_k = 200", "H2O(l)", "write H2O(g)"],
    ),
    "a liquid without data": (
        {"reactions": ["Own"]},
        own_library(phase="l"),
        ["CO.yaml", "CO(l)", "add `liquid:`", "write CO(g)"],
    ),
    "barriers of what is not there": (
        {
            "reactions": ["HER"],
            "thermo": {"adsorbate_model": "hindered", "hindered": {"CH3": BARRIERS}},
        },
        {},
        ["thermo.hindered.CH3", "choose among H"],
    ),
    "a refinement of what is not there": (
        {"reactions": ["HER"], "refine": {"species": ["CO"]}},
        {},
        ["refine.species", "no adsorbate CO", "choose among H"],
    ),
    "a relaxation by DFT of what is not refined": (
        {"reactions": ["HER"], "refine": {"species": "all", "relax": ["CO"]}},
        {},
        ["refine.relax: CO is not refined", "add it to refine.species"],
    ),
    "a refinement against the pool of isomers": (
        {
            "reactions": ["HER"],
            "refine": {"species": "all"},
            "thermo": {"isomers": "pool"},
        },
        {},
        ["thermo.isomers = pool", "take fixed_core_first"],
    ),
    "a second level of DFT that is the first": (
        {
            "reactions": ["HER"],
            "refine": {"species": "all", "second_level": "pbe-d3-tzvp"},
        },
        {},
        ["refine.second_level = pbe-d3-tzvp", "no second level of DFT"],
    ),
    "a refinement by the level itself": (
        {"reactions": ["HER"], "refine": {"species": "all", "level": "gfn1-xtb"}},
        {},
        ["refine.level = gfn1-xtb", "nothing is refined"],
    ),
    "a refinement by a potential": (
        {"reactions": ["HER"], "refine": {"species": "all", "level": "springs"}},
        {"structures/levels/springs.yaml": SPRINGS},
        ["refine.level = springs", "orders geometries", "choose a level of DFT"],
    ),
    "a choice without a potential": (
        {"reactions": [], "adsorbates": ["H"], "refine": {"species": "chosen"}},
        {},
        ["refine.species = chosen", "name reactions"],
    ),
    "a choice that cannot calibrate": (
        {
            "reactions": ["HER"],
            "thermo": {"correct": []},
            "refine": {"species": "chosen"},
        },
        {},
        ["refine.species = chosen", "add it to thermo.correct"],
    ),
    "no budget": (
        {"refine": {"species": "chosen", "budget_h": 0}},
        {},
        ["refine.budget_h = 0", "greater than 0"],
    ),
    "a budget that is no number": (
        {"refine": {"species": "chosen", "budget_h": float("nan")}},
        {},
        ["nan", "finite number"],
    ),
    "a width of nothing": (
        {"refine": {"species": "chosen", "until_v": -0.1}},
        {},
        ["refine.until_v = -0.1", "greater than 0"],
    ),
    "no rounds": (
        {"refine": {"species": "chosen", "rounds": 0}},
        {},
        ["refine.rounds = 0", "greater than or equal to 1"],
    ),
    "barriers of an atom": (
        {"thermo": {"adsorbate_model": "hindered", "hindered": {"H": BARRIERS}}},
        {},
        ["thermo.hindered.H", "a single atom does not turn"],
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(files):
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content)


@pytest.mark.parametrize(("settings", "files", "says"), REFUSED.values(), ids=REFUSED)
def test_the_plan_refuses(folder, settings, files, says):
    write(files)
    with pytest.raises(ConfigError) as error:
        Plan.from_config(settings, [])
    (line,) = str(error.value).splitlines()
    assert [part for part in says if part not in line] == [], line


@pytest.mark.parametrize(("settings", "files", "says"), REFUSED.values(), ids=REFUSED)
def test_check_says_so_in_one_line(folder, settings, files, says):
    write({**files, "config.yaml": yaml.safe_dump(settings)})
    assert_refused_in_one_line(call_here("check"), says)


def test_run_says_so_before_anything_starts(folder):
    settings, _, says = REFUSED["dependent anchors"]
    write({"config.yaml": yaml.safe_dump(settings)})
    assert_refused_in_one_line(call_here("run", "-n", "--cores", "1"), says)
    assert {path.name for path in folder.iterdir()} == {"config.yaml"}


def test_run_heeds_settings_of_its_command_line(folder):
    wrong = {"clusters": ["Cu2"], "thermo": {"pressure_pa": {"CO": 5562}}}
    overlay = yaml.safe_dump({"reactions": ["HER"], **wrong})
    # Files of comments alone are no files to Snakemake.
    nothing = {"config.yaml": "# clusters: [Cu4]\n", "empty.yaml": "# mine\n"}
    write({**nothing, "mine.yaml": overlay})
    overlays = ("--configfile", "empty.yaml", "--configfile", "mine.yaml")
    mended = ("--config", "reactions=[CO2-to-CO]")
    done = call("clusterflow", "run", "-n", "--cores", "1", *overlays, *mended)
    assert done.returncode == 0, done.stderr


def assert_refused_in_one_line(done, says):
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert [part for part in says if part not in done.stderr] == [], done.stderr


def test_plain_snakemake_says_so_too(folder):
    settings, _, says = REFUSED["dependent anchors"]
    write({"config.yaml": yaml.safe_dump(settings)})
    done = call("snakemake", "-n", "-s", str(package_data() / "Snakefile"))
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in said
    assert [part for part in says if part not in said] == [], said


def test_all_contradictions_are_said_at_once():
    settings = {
        "anchors": ["CO2", "CO", "H2", "H2O"],
        "pressure_pa": {"Co": 1},
        "temperature_k": 900,
    }
    with pytest.raises(ConfigError) as error:
        Plan.from_config({"thermo": settings}, [])
    lines = str(error.value).splitlines()
    assert [name for name in settings if not any(name in x for x in lines)] == []
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("settings", "files"),
    [
        ({"thermo": {"anchors": ["CO", "H2", "H2O"]}}, {}),
        # An element that nothing needs does no harm.
        ({"thermo": {"anchors": ["CH4", "O2", "H2", "N2"]}}, {}),
        # CO2 and ethylene oxide make the carbonate, and nothing needs more.
        (
            {
                "reactions": ["CO2-to-carbonate"],
                "thermo": {"anchors": ["CO2", "C2H4O"]},
            },
            {},
        ),
        ({"thermo": {"pressure_pa": {"CO": 5562, "H2O": 3500}}}, {}),
        ({"thermo": {"temperature_k": 647}}, {}),
        ({"thermo": {"temperature_k": 250}}, {}),
        ({"reactions": ["HER"], "thermo": {"temperature_k": 900}}, {}),
        (
            {"reactions": ["Own"], "thermo": {"temperature_k": 900}},
            own_library(water="g"),
        ),
        ({"reactions": ["Own"]}, own_library("Carbonyl")),
        ({"reactions": ["Own"], "thermo": {"correct": []}}, own_library("Carbonyl")),
        # An anchor carries no correction.
        (
            {"reactions": ["Own"], "thermo": {"anchors": ["CO", "H2", "H2O"]}},
            own_library("Carbonyl"),
        ),
        # Barriers may wait for the model that needs them.
        ({"reactions": ["HER"], "thermo": {"hindered": {"CH3": BARRIERS}}}, {}),
    ],
)
def test_what_may_be_right_is_not_refused(folder, settings, files):
    write(files)
    Plan.from_config(settings, [])


def test_every_reaction_of_the_library_is_in_order(library):
    # As their descriptions ask for.
    nitrogen = ("N2-to-NH3", "HNO3-to-NH3", "CO2-N2-to-urea", "CO2-HNO3-to-urea")
    thiolates = [f"thiolate-loss{way}" for way in ("", "-anion", "-radical")]
    chlorides = [f"chloride-loss{way}" for way in ("", "-anion", "-radical")]
    further = {
        **dict.fromkeys(nitrogen, "N2"),
        **dict.fromkeys([*thiolates, "methanethiolate-loss"], "H2S"),
        **dict.fromkeys(chlorides, "HCl"),
        **{"ammonia-loss": "NH3", "phosphine-loss": "PH3"},
    }
    for reaction in library.paths("reactions"):
        anchors = ["CO2", "H2", "H2O"]
        if reaction in further:
            anchors.append(further[reaction])
        study = load_study({"reactions": [reaction], "thermo": {"anchors": anchors}})
        assert find_contradictions(Plan(study, library)) == [], reaction


def test_anchors_are_refused_as_linear_algebra_in_floats_would(library):
    """Every choice of one, three or four of nine gases, for CO2 to CO."""
    gases = ("CO2", "CO", "H2", "H2O", "O2", "CH4", "CH3OH", "C2H4", "N2")
    species = ({"C": 1, "O": 2}, {"C": 1, "O": 1}, {"H": 2}, {"H": 2, "O": 1})
    seen = set()
    choices = (itertools.combinations(gases, n) for n in (1, 3, 4))
    for anchors in itertools.chain(*choices):
        counts = {name: library.gas(name).counts for name in anchors}
        matrix = [[c[e] for e in ("C", "H", "N", "O")] for c in counts.values()]
        dependent = np.linalg.matrix_rank(matrix) < len(anchors)
        settings = {"reactions": ["CO2-to-CO"], "thermo": {"anchors": anchors}}
        plan = Plan(load_study(settings), library)
        makes_all = all(
            anchor_coefficients(needed, counts) is not None for needed in species
        )
        said = find_contradictions(plan)
        assert any("more than one answer" in line for line in said) == dependent
        assert any("cannot make" in line for line in said) == (not makes_all)
        seen.add((bool(dependent), makes_all))
    assert len(seen) == 4
