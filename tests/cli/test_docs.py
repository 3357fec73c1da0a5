"""What the pages show is what the commands do."""

from __future__ import annotations

import csv
import glob
import itertools
import json
import re
import runpy
import shlex
from pathlib import Path

import pytest
import yaml

from clusterflow.cli.app import command, main
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record, write_record
from clusterflow.results.tables import TABLES
from clusterflow.science.reactions.che import (
    Electrode,
    FreeEnergies,
    evaluate_pathway,
)
from clusterflow.science.reactions.network import parse_equation
from clusterflow.science.thermochemistry.partition_functions import (
    harmonic_adsorbate,
    with_spin,
)
from clusterflow.settings import THOROUGH_SEARCH, AdsorbSettings, SitesSettings
from clusterflow.settings import Study as Settings
from clusterflow.stage_table import STAGES
from clusterflow.stages.parts.job import Job
from clusterflow.stages.sites import sites
from tests.results.results_folder import write_results
from tests.results.test_database import ask
from tests.stages.test_thermo import Study

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "che.md").read_text(encoding="utf-8")
# A command, perhaps over several lines, a blank line, and what it prints.
BLOCK = re.compile(
    r"^    (clusterflow che --energies examples/(?:.*\\\n)*.*)\n\n((?:    .*\n)+)", re.M
)
SHOWN = [
    (re.sub(r"\\\n\s*", " ", command), re.sub(r"^    ", "", output, flags=re.M))
    for command, output in BLOCK.findall(PAGE)
]


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[c for c, _ in SHOWN])
def test_an_example_prints_what_the_page_shows(command, output, monkeypatch, capsys):
    monkeypatch.chdir(DOCS)
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out == output


def test_every_example_is_found():
    assert len(SHOWN) == PAGE.count("\n    clusterflow che --energies examples/") == 4


def test_the_tables_on_the_page_are_the_files():
    for name in ("pt-co2.csv", "h-totals.csv"):
        content = (DOCS / "examples" / name).read_text(encoding="utf-8")
        indented = "".join(f"    {line}\n" for line in content.splitlines())
        assert indented in PAGE, name


FIRST = re.findall(r"^    (clusterflow .*(?:mine|figure).*)$", PAGE, re.M)[:3]


def test_ten_rows_become_a_figure_in_three_commands(tmp_path, monkeypatch, capsys):
    sheet = DOCS / "examples" / "ten-rows.csv"
    rows = [r for r in sheet.read_text().splitlines() if not r.startswith("#")][1:]
    assert len(rows) == 10
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text(sheet.read_text())
    assert [shlex.split(c)[1] for c in FIRST] == ["che", "verify", "plot"]
    for typed in FIRST:
        assert main(shlex.split(typed)[1:]) == 0, typed
        assert capsys.readouterr().out
    assert Path("figure.pdf").read_bytes().startswith(b"%PDF")
    assert Path("results/mine/report.html").stat().st_size > 100_000


RESULTS = (DOCS / "results.md").read_text(encoding="utf-8")
VERBS = [
    command
    for command in re.findall(
        r"^    (clusterflow (?:plot|query|explain|export|new|status) .*)$",
        RESULTS,
        re.M,
    )
    # That is of a study with its report: tests/workflow/test_tiny.py.
    if "--format rocrate" not in command
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library, provenance, structure):
    """A folder with results of the names on the page."""
    here = tmp_path_factory.mktemp("study")
    shifts = {"Cd6Se6": {}, "Cu4": {"COOH": 0.2, "CO": 0.1}, "Cu8": {"COOH": 0.3}}
    study = Study(library, provenance, structure)
    results = here / "results" / "default"
    write_results(results, study, shifts)
    relaxed = read_record(results / "relax/Cu4.json", RelaxRecord)
    found = sites(relaxed, SitesSettings(), Job("sites"))
    write_record(found, results / "sites/Cu4.json")
    return here


@pytest.mark.parametrize("command", VERBS)
def test_a_verb_for_results_does_what_the_page_says(
    command, folder, monkeypatch, capsys
):
    monkeypatch.chdir(folder)
    words = shlex.split(command)[1:]
    assert main(words) == 0
    assert capsys.readouterr().out
    if words[0] == "export":
        assert Path(words[words.index("--output") + 1]).exists()
    elif "--output" in words:
        figure = Path(words[words.index("--output") + 1])
        assert figure.stat().st_size > 1000
        assert figure.with_suffix(".csv").read_text().startswith("cluster,level")


def test_every_verb_for_results_has_an_example():
    shown = {tuple(shlex.split(command)[1:2]) for command in VERBS}
    assert shown == {
        (v,) for v in ("plot", "query", "explain", "export", "new", "status")
    }
    kinds = {shlex.split(c)[2] for c in VERBS if c.startswith("clusterflow plot")}
    assert kinds == {"diagram", "volcano", "bands", "scaling", "structure", "sites"}


TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
# A command, and what it prints where the page says it.
TYPED = re.findall(
    r"^    (clusterflow .*|cd .*)\n(?:\n((?:    (?!clusterflow |cd ).+\n)+))?",
    TUTORIAL,
    re.MULTILINE,
)
NUMBER = re.compile(r"[-+−]?\d+\.\d+")


def same(shown, printed):
    """The same words, and numbers to 2 meV: machines differ in the last digits.

    Tables come with empty lines and spaces at the end of lines, which no page shows.
    """
    lines = (line.rstrip() for line in printed.splitlines())
    printed = "".join(f"{line}\n" for line in lines if line)
    assert NUMBER.sub("0", shown) == NUMBER.sub("0", printed)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (shown, printed)]
    assert numbers[0] == pytest.approx(numbers[1], abs=2e-3)


@pytest.mark.xtb
def test_the_tutorial_gives_the_profile_that_it_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    n_shown = 0
    for typed, output in TYPED:
        words = shlex.split(typed)
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            continue
        # A shell would do this.
        files = (sorted(glob.glob(word)) or [word] for word in words[1:])  # noqa: PTH207
        assert main(list(itertools.chain(*files))) == 0, typed
        printed = capsys.readouterr().out
        if output:
            same(re.sub(r"^    ", "", output, flags=re.M), printed)
            n_shown += 1
    assert n_shown == 3
    for picture in re.findall(r"\(pictures/(.+?)\)", TUTORIAL):
        assert Path(picture).is_file()

    assert main(["explain", "results/hand", "my-Cu2/COOH/dG", "--json"]) == 0
    terms = [t["ev"] for t in json.loads(capsys.readouterr().out)["terms"]]
    rows = re.findall(r"^\| .+? \| \**([+−].+?)\** \|$", TUTORIAL, re.MULTILINE)
    *table, total = (float(row.replace("−", "-")) for row in rows)
    assert sum(table) == pytest.approx(total, abs=2e-3)
    assert table == pytest.approx([t for t in terms if t], abs=2e-3)


DATABASE = (DOCS / "database.md").read_text(encoding="utf-8")


def test_the_questions_to_a_database_have_answers(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (collect,) = re.findall(r"^    clusterflow (collect .* --parquet)$", DATABASE, re.M)
    pytest.importorskip("pyarrow", reason="needs clusterflow[parquet]")
    assert main(shlex.split(collect)) == 0
    capsys.readouterr()
    asked = re.findall(r"^    ase db (results/.*)$", DATABASE, re.MULTILINE)
    assert len(asked) == 3
    for question in asked:
        shown = ask(*shlex.split(question))
        assert int(shown.rpartition("Rows: ")[2].split()[0]) > 0, question
    for script in re.findall(r"^```python\n(.+?)^```", DATABASE, re.M | re.S):
        exec(script, {})


def test_the_reference_holds_every_setting_and_page():
    makers = runpy.run_path(str(DOCS / "reference_pages.py"))["PAGES"]
    pages = {name: make() for name, make in makers.items()}
    for name in pages:
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        assert page.count("<!-- made from the code -->") == 1
    for section in Settings.model_fields:
        assert f"## {section}" in pages["reference/configuration"] or (
            f"`{section}`" in pages["reference/configuration"]
        )
    assert "`thermo.temperature_k`" in pages["reference/configuration"]
    assert "(at least -5, at most 5)" in pages["reference/configuration"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_heading_and_a_page_of_theory(stage):
    index = (DOCS / "stages.md").read_text(encoding="utf-8")
    section = index.partition(f"\n### {stage}\n")[2].partition("\n#")[0]
    assert section, "no heading"
    # These only gather what others have computed.
    if stage not in ("collect", "report"):
        assert f"(theory/{stage}.md)" in section
        page = (DOCS / f"theory/{stage}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {stage}: ")
        theory = (DOCS / "theory/index.md").read_text(encoding="utf-8")
        assert f"[{stage}]({stage}.md)" in theory


def test_the_pictures_of_the_readme_show_the_default_study(library):
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    pictures = re.findall(r"^!\[.+?\]\((.+?)\)$", readme, re.MULTILINE)
    assert pictures == ["docs/pictures/CO2-to-CO.svg", "docs/pictures/report.png"]
    diagram, cut = (DOCS.parent / name for name in pictures)
    assert cut.read_bytes().startswith(b"\x89PNG")

    # matplotlib draws text as outlines, and says in a comment what they read.
    source = diagram.read_text(encoding="utf-8")
    found = re.findall(r"<!-- (.+?) -->", source)
    # A subscript is a letter of Unicode, or set as matplotlib does.
    plain = (text.replace("₂", "2").replace("U_L", "UL") for text in found)
    texts = {re.sub(r"\$[_^]{\\mathregular{(.+?)}}\$", r"\1", t) for t in plain}
    assert {"* + CO2(g)", "* + CO(g)", "+ H2O(l)"} <= texts, "the ends are whole"
    with diagram.with_suffix(".csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    inner = {row["state"] for row in rows} - {"*"}
    assert inner <= texts
    drawn = {row["step"] for row in rows} - {""}
    assert drawn <= {*library.reaction(diagram.stem).steps}
    assert {row["cluster"] for row in rows} == set(Settings().clusters)
    for row in rows:
        median = float(row["limiting_potential_median_v_rhe"])
        potential = f"{median:.2f}".replace("-", "−")
        name = f"{row['cluster']}: UL = {potential} V vs RHE"
        assert any(text.startswith(name) for text in texts), name


@pytest.mark.parametrize("page", ["gallery", "catalyst"])
def test_a_page_shows_what_its_commands_have_drawn(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    typed = map(shlex.split, re.findall(r"^    clusterflow (plot .+)$", text, re.M))
    kinds = set()
    for _, kind, _, *words in typed:
        kinds.add(kind)
        given = dict(zip(words[::2], words[1::2], strict=True))
        figure = DOCS / "pictures" / given["--output"]
        assert f"(pictures/{figure.name})" in text
        assert figure.is_file()
        with figure.with_suffix(".csv").open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        assert rows
        for name in ("--cluster", "--reaction"):
            # Of two levels a row says which: "Cu4, gfn1-xtb".
            column = {(row.get(name[2:]) or "").partition(",")[0] for row in rows}
            assert given.get(name) is None or column == {given[name]}
    assert page != "gallery" or kinds == set(CLI.commands["plot"].commands)


def test_the_tutorial_on_a_catalyst_tells_what_its_diagram_shows():
    text = (DOCS / "catalyst.md").read_text(encoding="utf-8").replace("−", "-")
    with (DOCS / "pictures/cdse-co.csv").open(encoding="utf-8") as stream:
        best = [row for row in csv.DictReader(stream) if row["pathway_rank"] == "1"]
    levels = [f"{float(row['level_ev']):+.2f} eV" for row in best[1:]]
    told = re.search(r"\*COOH at (.+?), \*CO at (.+?), CO at (.+?)\]", text)
    assert told is not None
    assert list(told.groups()) == levels
    median = float(best[0]["limiting_potential_median_v_rhe"])
    assert f"CO2-to-CO,{median}," in text
    assert f"\n{median:.2f} V against RHE, hydrogen" in text
    assert best[1]["determining"] == "True"


@pytest.mark.parametrize("page", ["README.md", "docs/stages.md"])
def test_every_table_of_a_study_is_on_the_page(page):
    text = (DOCS.parent / page).read_text(encoding="utf-8")
    rows = "".join(line for line in text.splitlines() if line.startswith("| `"))
    assert [name for name in (*TABLES, "gates") if f"`{name}.csv`" not in rows] == []


FORM = re.compile(r"\b(FILE|TABLE|NAME|FOLDER|DIR|VERB|LAYERS|MINE|PART)\b|\[--|\.\.\.")


def typed_on(page):
    """Commands of a page that stand on their own, and those within a sentence."""
    text = re.sub(r" \\\n\s*", " ", page.read_text(encoding="utf-8"))
    blocks = re.findall(r"^    (clusterflow .+)$", text, re.MULTILINE)
    inline = re.findall(r"`(clusterflow [^`\n]+)`", text)
    for lines, whole in ((blocks, True), (inline, False)):
        for line in (line.partition("  #")[0] for line in lines):
            if not FORM.search(line):
                for words in map(shlex.split, line.split(" && ")):
                    if words[0] == "clusterflow":
                        yield words[1:], whole


# Of its own: a verb that is parsed without its parents forgets `-h` for good.
CLI = command.__wrapped__()
PAGES_READ = [*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md"]


@pytest.mark.parametrize("page", PAGES_READ, ids=lambda page: page.stem)
def test_every_command_on_a_page_is_one(page):
    """Verbs and options exist; where it stands on its own, nothing is missing."""
    for words, whole in typed_on(page):
        verb, rest = CLI, words
        while hasattr(verb, "commands") and rest and not rest[0].startswith("-"):
            assert rest[0] in verb.commands, words
            verb, rest = verb.commands[rest[0]], rest[1:]
        known = set().union(*(p.opts for p in verb.params))
        options = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert options <= known or words[0] == "run", words
        if whole and verb is not CLI:
            verb.make_context("clusterflow", list(rest))


def test_the_page_shows_the_thorough_search_that_is_measured():
    page = (DOCS / "theory/adsorb.md").read_text(encoding="utf-8")
    (block,) = re.findall(
        r"^```yaml\n(adsorb:\n.+?)^```", page, re.MULTILINE | re.DOTALL
    )
    assert AdsorbSettings(**yaml.safe_load(block)["adsorb"]) == THOROUGH_SEARCH
    for key, field in AdsorbSettings.model_fields.items():
        named = re.search(r"A thorough study uses (\d+)", field.description or "")
        changed = getattr(THOROUGH_SEARCH, key) != field.default
        assert (named is not None) == changed, key
        assert named is None or int(named[1]) == getattr(THOROUGH_SEARCH, key)


def read_rows(page, heading):
    """The rows of the tables in a section of a page on theory, numbers as floats."""
    text = (DOCS / f"theory/{page}.md").read_text(encoding="utf-8").replace("−", "-")
    section = re.split(r"^##+ ", text.partition(f" {heading}\n")[2], flags=re.M)[0]
    rows = re.findall(r"^\| (.+) \|$", section, re.M)
    found = [[cell.strip("* ") for cell in row.split(" | ")] for row in rows]
    number = re.compile(r"[-+]?\d+(\.\d+)?")
    return section, [
        [float(cell) if number.fullmatch(cell) else cell for cell in row]
        for row in found
    ]


def test_the_free_energy_by_hand_is_what_the_code_adds_up():
    _, rows = read_rows("thermo", r"By hand: \*H on Cu4")
    modes = [row for row in rows if isinstance(row[0], float)]
    terms = {row[0]: row[1] for row in rows if len(row) == 2}
    found = harmonic_adsorbate(
        energy_ev=terms.pop(r"E(\*H)"),
        frequencies_cm1=[row[0] for row in modes],
        temperature_k=298.15,
        low_mode_cutoff_cm1=50.0,
    )
    zpe, heat, entropy = (sum(row[n] for row in modes) for n in (1, 2, 3))
    assert zpe == pytest.approx(found.zpe_ev, abs=1e-4)
    assert heat == pytest.approx(found.thermal_ev, abs=1e-4)
    assert -entropy == pytest.approx(found.minus_ts_ev, abs=1e-4)
    found = with_spin(found, 2, 298.15)
    shown = [terms.pop(name) for name in ("zero-point energy", "∫Cp dT", "-TS")]
    assert shown == pytest.approx(
        [found.zpe_ev, found.thermal_ev, found.minus_ts_ev], abs=1e-4
    )
    del terms["term"]
    total = terms.pop(r"ΔG_f(\*H)")
    assert found.gibbs_ev + sum(terms.values()) == pytest.approx(total, abs=2e-4)


def test_the_limiting_potential_by_hand_is_what_the_code_finds():
    text, rows = read_rows("che", "By hand: CO2 to CO on Cu4")
    known = {row[0].strip("`"): row[1] for row in rows if isinstance(row[1], float)}
    steps = [row for row in rows if "->" in row[0]]
    path = [parse_equation(row[0].strip("`")) for row in steps]
    energies = FreeEnergies(values=known, reasons={})
    overall = parse_equation("CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)")
    found = evaluate_pathway(overall, path, energies, Electrode())
    assert [step.dg0_ev for step in found.steps] == pytest.approx(
        [row[2] for row in steps], abs=1e-6
    )
    limiting = found.limiting_potential_v_rhe
    assert f"= {limiting:.3f} V, and the first one determines it" in text
    assert found.determining_step == path[0].name
    assert f"the overpotential -0.104 + 0.703 = {-0.104 - limiting:.3f} V" in text
    assert f"by a chemical step of {found.chemical_bottleneck_ev:+.3f} eV" in text


def test_the_errors_of_bonds_on_the_page_are_those_of_the_library(library):
    kept = {
        (one.bond, table.name.rpartition("-")[2]): one
        for table in library.level_errors()
        if table.name.startswith("gfn1-xtb-") and "1000k" not in table.name
        for one in table.bonds
    }
    _, rows = read_rows("thermo", "Errors by bond")
    columns = {
        "Cu": "Cu",
        "Cd": "CdSe",
        "Se": "CdSe",
        "Ag": "Ag",
        "Au": "Au",
        "S": "CdS",
    }
    n_shown = 0
    for kind, *cells in (row for row in rows if "±" in "".join(map(str, row))):
        for (element, material), cell in zip(columns.items(), cells, strict=True):
            one = kept.get((f"{kind} on {element}", material))
            n_shown += one is not None
            assert cell == (
                "–"
                if one is None
                else f"{one.mean_ev:+.2f} ± {one.deviation_ev:.2f} "
                f"({one.n_points}/{one.n_structures})"
            )
    # What is bonded to two elements at once is in the files alone.
    assert n_shown == sum("+" not in bond for bond, _ in kept)
