"""The first screen, the one control, what can be saved, and paper."""

from __future__ import annotations

import base64
import csv
import json
import zipfile
from io import BytesIO, StringIO
from itertools import product
from xml.etree import ElementTree

import ase.io
import numpy as np
import pytest

from clusterflow.cli.app import main
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.files import read_record
from clusterflow.report.page import render_page
from tests.report.test_page import make_che, make_result, make_study
from tests.results.results_folder import REACTIONS

from .test_page import ENTER, MEV, SPACE, count_electrons, diagram, set_controls

WIDTH, HEIGHT = 1400, 900
BOTTOM = "return arguments[0].getBoundingClientRect().bottom + scrollY"
LEVELS = """
return [...document.querySelectorAll("[data-diagram]")].flatMap((block) =>
  [...block.querySelectorAll(".level")].map((bar) => [
    block.dataset.name, bar.dataset.cluster, Number(bar.dataset.electrons),
    bar.dataset.state, Number(bar.dataset.ev)]));
"""


@pytest.fixture
def page(browser, results):
    browser.open(results / "report.html", WIDTH)
    return browser


def bottom(browser, selector):
    return browser.run(BOTTOM, browser.find(selector)[0])


def test_the_first_screen_answers(page):
    page.keep("first-screen")
    assert page.run("return scrollY") == 0
    for part in (
        "#answers .answer p",  # a sentence
        "#answers svg.strip .interval",
        "#answers .chip svg.atoms",  # a structure
        "#diagrams .profile-block svg.live",
    ):
        assert page.run("return arguments[0].checkVisibility()", page.find(part)[0])
        assert bottom(page, part) <= HEIGHT, part
    # One sentence, one strip and one diagram a reaction.
    n = len(page.find("#answers .answer"))
    assert (
        n == len(page.find("#answers svg.strip")) == len(page.find("#diagrams .live"))
    )
    assert n == 3
    first = page.find("#answers")[0].text
    for hidden in ("Gradients", "Computing time", "SHA", "Hash", "Jobs"):
        assert hidden not in first


def test_one_control_moves_all_diagrams_to_what_che_says(page, results, capsys):
    potential, ph = -0.61, 3.3
    diagram(page, "Cu8", "HER")
    set_controls(page, scale="she", potentialNumber=potential, phNumber=ph)
    found = {tuple(key): level for *key, level in page.run(LEVELS)}
    expected = {}
    for cluster, reaction in product(("Cu2", "Cu4", "Cu8"), REACTIONS):
        main(
            [
                *("che", str(results / f"thermo/{cluster}.json")),
                *("--reaction", reaction, "--potential-v", str(potential)),
                *("--scale", "she", "--ph", str(ph), "--json"),
            ]
        )
        for result in json.loads(capsys.readouterr().out)["results"]:
            paths = {p["name"]: p for p in result["pathways"]}
            best = paths[result["best_pathway"]]
            for n, state, level in zip(
                count_electrons(best), best["states"], best["levels_ev"], strict=True
            ):
                expected[result["reaction"], cluster, n, state] = level
    assert found == pytest.approx(expected, abs=MEV)
    # The diagrams of single clusters follow the same control.
    alone = page.run(
        "return [...document.querySelectorAll('[data-cluster=Cu8] "
        ".profile-block[data-name=HER] .level')]"
        ".map((bar) => [Number(bar.dataset.electrons), bar.dataset.state, "
        "Number(bar.dataset.ev)])"
    )
    for electrons, state, level in alone:
        wanted = expected["HER", "Cu8", electrons, state]
        assert level == pytest.approx(wanted, abs=MEV)


def test_one_cluster_alone_is_drawn_at_its_limit_too(page):
    block = diagram(page, "Cu4", "CO2-to-CO")
    told = block.find_element("css selector", ".verdict").text
    limit = float(told.split("U_L = ")[1].split(" V")[0].replace("−", "-"))
    levels = page.run(
        "return [...arguments[0].querySelectorAll('[data-limit-ev]')]"
        ".map((line) => Number(line.dataset.limitEv))",
        block,
    )
    set_controls(page, potentialNumber=limit)
    best = page.run(
        "return [...arguments[0].querySelectorAll('.level')]"
        ".map((bar) => Number(bar.dataset.ev))",
        block,
    )
    # The number in the verdict has three decimals, and two electrons pass.
    assert levels == pytest.approx(best[: len(levels)], abs=2 * MEV)
    page.run("document.querySelector('[data-control=limits]').click()")
    assert block.find_elements("css selector", "[data-limit-ev]") == []


def test_a_table_is_sorted_filtered_and_saved(page, tmp_path):
    page.run(
        "document.querySelectorAll('#provenance details')"
        ".forEach((part) => (part.open = true))"
    )
    page.wait(
        "return document.querySelector('#provenance [aria-label=Energies]')"
        ".previousElementSibling.matches('.tools')"
    )
    table = "#provenance [aria-label=Energies] table"
    columns = page.run(
        f"return [...document.querySelector('{table}').tHead.rows[0].cells]"
        ".map((cell) => cell.textContent)"
    )
    index = next(i for i, name in enumerate(columns) if name.startswith("gibbs"))
    read = (
        f"return [...document.querySelector('{table}').tBodies[0].rows]"
        ".filter((row) => !row.hidden)"
        ".map((row) => row.cells[arguments[0]].textContent)"
    )

    def numbers():
        return [
            float(cell.replace("−", "-"))
            for cell in page.run(read, index)
            if cell != "—"
        ]

    unsorted = numbers()
    head = page.find(f"{table} thead th")[index]
    head.send_keys(SPACE)
    assert numbers() == sorted(unsorted) != unsorted
    assert head.get_attribute("aria-sort") == "ascending"
    head.click()
    assert numbers() == sorted(unsorted, reverse=True)
    every = page.run(read, 0)
    field = page.find("#provenance input[type=search]")[-1]
    field.send_keys("Cu4 *COOH")
    n_left = len(page.run(read, 0))
    assert n_left in range(1, len(every))
    saved = page.saved("#provenance [aria-label='CSV of Energies']", folder=tmp_path)
    rows = list(csv.reader(StringIO(saved.read_text(encoding="utf-8"))))
    assert len(rows) == len(every) + 1, "what the filter hides is saved too"
    values = [float(row[index]) for row in rows[1:] if row[index]]
    assert values == pytest.approx(sorted(unsorted, reverse=True))


def test_figures_are_saved_as_they_are_seen(page, tmp_path):
    block = "#diagrams .profile-block"
    source = page.saved(f"{block} [data-save=svg]", folder=tmp_path).read_text()
    root = ElementTree.fromstring(source)
    names = "".join(root.itertext())
    assert "number of (H⁺ + e⁻) transferred" in names and "V vs RHE; 298.15 K" in names
    assert "var(--" not in source.replace("--color: var(--", ""), (
        "styles are written out"
    )
    fills = {
        e.get("style", "").split("fill:")[1].split(";")[0]
        for e in root.iter()
        if "fill:" in e.get("style", "")
    }
    assert len(fills) > 3
    from PIL import Image

    picture = page.saved(f"{block} [data-save=png]", folder=tmp_path / "png")
    image = np.asarray(Image.open(picture).convert("RGB"))
    assert image.shape[1] > 1000 and len(np.unique(image.reshape(-1, 3), axis=0)) > 20
    assert page.complaints() == []


@pytest.mark.parametrize("suffix", ["xyz", "cif"])
def test_a_structure_is_saved_as_it_was_computed(page, results, tmp_path, suffix):
    page.find("[data-cluster=Cu4] .gallery button.view")[1].send_keys(ENTER)
    title = page.find("#viewer-title")[0].text
    adsorbate = (
        title.split()[0]
        .removeprefix("*")
        .translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))
    )
    saved = page.saved(f"#viewer [name={suffix}]", folder=tmp_path)
    atoms = ase.io.read(saved)
    path = results / f"adsorb/Cu4/{adsorbate}.json"
    (minimum, *_) = read_record(path, AdsorbRecord).minima
    assert tuple(atoms.get_chemical_symbols()) == minimum.structure.symbols
    xyz = minimum.structure.xyz
    wanted = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    # Each coordinate is rounded to 0.001 Å.
    assert atoms.get_all_distances() == pytest.approx(wanted, abs=2e-3)
    if suffix == "cif":
        assert atoms.pbc.all() and (atoms.cell.lengths() >= 10).all()
    else:
        assert atoms.info["charge"] == minimum.structure.charge
        assert atoms.info["total_energy_ev"] == pytest.approx(
            minimum.energy_ev, abs=1e-6
        )
    page.run("document.querySelector('#viewer').close()")


def test_everything_is_one_zip(page, tmp_path):
    saved = page.saved("[data-save=zip]", folder=tmp_path)
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        kinds = {name.partition("/")[0] for name in names}
        assert kinds == {"figures", "tables", "structures"}
        clusters = {"Cu2", "Cu4", "Cu8"}
        assert clusters <= {name.split("/")[1] for name in names if name[:3] == "str"}
        for name in names:
            content = archive.read(name)
            if name.endswith(".svg"):
                ElementTree.fromstring(content)
            elif name.endswith(".png"):
                assert content.startswith(b"\x89PNG")
            elif name.endswith(".csv"):
                widths = {len(row) for row in csv.reader(StringIO(content.decode()))}
                assert len(widths) == 1, name
            elif name.endswith(".xyz"):
                ase.io.read(StringIO(content.decode()), format="extxyz")
            else:
                ase.io.read(BytesIO(content), format="cif")
        # Reactions on all clusters, and each on each of the three.
        assert sum(name.endswith(".svg") for name in names) >= 3 + 3 + 9
    assert page.complaints() == []


def test_paper_has_every_column_and_no_row_twice(page):
    pdfium = pytest.importorskip("pypdfium2")
    printed = page.driver.execute_cdp_cmd(
        "Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True}
    )
    document = pdfium.PdfDocument(base64.b64decode(printed["data"]))
    width, height = document[0].get_size()
    assert width > height, "landscape"
    pages = []
    for sheet in document:
        text = sheet.get_textpage()
        # What lies outside of the sheet is not on the paper.
        pages.append(" ".join(text.get_text_bounded(0, 0, width, height).split()))
        boxes = [text.get_charbox(i) for i in range(text.count_chars())]
        assert all(box[0] >= 0 and box[2] <= width for box in boxes)
    paper = " ".join(pages)
    free = next(text for text in pages if "eV, undamped" in text)
    for heading in ("Species", "Status", "eV, corrected", "ZPE", "Model", "Flags"):
        assert heading in free
    for said in ("Adsorption minima", "How probably one is better", "Gas corrections"):
        assert said in paper
    # Folded again afterwards.
    assert page.find("main details[open]") == []


def test_one_cluster_and_sixty_open(browser, tmp_path):
    path = tmp_path / "page.html"
    for n in (1, 60):
        names = [f"Cu{k}" for k in range(2, 2 + n)]
        study = make_study(
            che=tuple(make_che(name, results=(make_result(name),)) for name in names)
        )
        path.write_text(render_page(study, study=f"{n} clusters"))
        browser.open(path, WIDTH)
        assert len(browser.find("#diagrams .level")) >= 4
        assert bottom(browser, "#diagrams .live") <= HEIGHT * 1.2
        browser.keep(f"clusters-{n}")
        assert browser.complaints() == []
