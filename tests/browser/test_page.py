"""The report in a real browser, with the network cut."""

from __future__ import annotations

import hashlib
import json
from itertools import accumulate

import numpy as np
import pytest
from scipy.stats import linregress
from scipy.stats import t as student_t

from clusterflow.cli.app import main
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.report.page import render_page
from clusterflow.results.scan import scan
from clusterflow.results.temperatures import step_energies
from clusterflow.science.uncertainty.profile_deviations import HALF_WIDTH_90
from tests.records.study_records import instead
from tests.report.test_page import EVIL, make_failed_study, make_result, make_study

MEV = 1e-3
# Keys, as the WebDriver standard names them.
ENTER, RIGHT, SPACE = "\ue007", "\ue014", " "
SET = """
const [name, value] = arguments;
const node = document.querySelector(`[data-control="${name}"]`);
node.value = value;
node.dispatchEvent(new Event("input", {bubbles: true}));
node.dispatchEvent(new Event("change", {bubbles: true}));
"""
BARS = """
return [...arguments[0].querySelectorAll(".level")].map((bar) => [
  Number(bar.dataset.electrons), bar.dataset.state, Number(bar.dataset.ev),
  bar.querySelector(".bar").getBoundingClientRect().top]);
"""
PIXELS = "return document.querySelector('#viewer canvas').toDataURL()"


def diagram(browser, cluster, reaction):
    """The diagram of all pathways of a reaction on a cluster, unfolded."""
    (found,) = browser.find(
        f'[data-cluster="{cluster}"] .profile-block[data-name="{reaction}"]'
    )
    browser.run("arguments[0].closest('details').open = true", found)
    browser.wait(
        f'return document.querySelector(\'[data-cluster="{cluster}"] '
        f'.profile-block[data-name="{reaction}"] .live\') !== null'
    )
    browser.run("arguments[0].scrollIntoView({block: 'center'})", found)
    return found


def set_controls(browser, **values):
    """Set the one control of the page."""
    for name, value in values.items():
        browser.run(SET, name, value)


def test_the_page_opens_without_a_network_or_a_complaint(browser, results):
    browser.open(results / "report.html")
    assert browser.run("return navigator.onLine") is False
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    painted_ms = browser.run(
        "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    assert painted_ms < 2000
    browser.keep("desktop-light")
    for link in browser.find("nav a"):
        target = link.get_attribute("href").partition("#")[2]
        assert browser.run("return document.getElementById(arguments[0])", target)
    assert browser.complaints() == []


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1280, True)])
def test_no_screen_is_too_narrow(browser, results, width, dark):
    browser.open(results / "report.html", width, dark=dark)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    diagram(browser, "Cu4", "CO2-to-CO")
    browser.keep(f"diagram-{width}-{'dark' if dark else 'light'}")


def test_sliders_move_the_diagram_to_what_che_says(browser, results, capsys):
    potential, ph = -0.73, 4.2
    browser.open(results / "report.html")
    block = diagram(browser, "Cu4", "CO2-to-CO")
    before = browser.run(BARS, block)
    set_controls(browser, scale="she", potentialNumber=potential, phNumber=ph)
    show(browser, block, "all")
    after = browser.run(BARS, block)
    browser.keep("diagram-at-che")
    main(
        [
            *("che", str(results / "thermo/Cu4.json"), "--reaction", "CO2-to-CO"),
            *("--potential-v", str(potential), "--scale", "she", "--ph", str(ph)),
            "--json",
        ]
    )
    (result,) = json.loads(capsys.readouterr().out)["results"]
    expected = {
        (electrons, state): level
        for pathway in result["pathways"]
        for electrons, state, level in zip(
            count_electrons(pathway),
            pathway["states"],
            pathway["levels_ev"],
            strict=True,
        )
        if level is not None
    }
    found = {(electrons, state): level for electrons, state, level, _ in after}
    assert found == pytest.approx(expected, abs=MEV)
    # And on the screen: what is higher in energy is higher up.
    assert {bar[3] for bar in before} != {bar[3] for bar in after}
    levels, tops = np.array([(level, top) for *_, level, top in after]).T
    assert np.corrcoef(levels, tops)[0, 1] == pytest.approx(-1, abs=1e-3)
    verdict = block.find_element("css selector", ".verdict").text
    limit = result["limiting_potential_v_rhe"]
    assert f"U_L = {limit:+.3f}".replace("-", "−") in verdict


def count_electrons(pathway):
    steps = (step["n_e"] for step in pathway["steps"])
    return list(accumulate(steps, initial=0))


def test_the_scale_changes_the_number_and_not_the_diagram(browser, results):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu2", "HER")
    set_controls(browser, phNumber=7, potentialNumber=-0.4)
    on_rhe = browser.run(BARS, block)
    set_controls(browser, scale="she")
    for before, after in zip(on_rhe, browser.run(BARS, block), strict=True):
        assert after[2] == pytest.approx(before[2], abs=MEV)
        assert after[3] == pytest.approx(before[3], abs=0.5), "the axis stays too"
    (shown,) = browser.find('[data-control="potentialNumber"]')
    # kT ln10 · 7 at 298.15 K
    assert float(shown.get_attribute("value")) == pytest.approx(-0.4 - 0.4141, abs=MEV)


def test_temperatures_are_those_of_a_scan(browser, results):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu8", "CO2-to-CO")
    for index, temperature in enumerate((273.15, 298.15, 323.15, 348.15, 373.15)):
        set_controls(browser, temperature=index)
        (told,) = browser.find('[data-control="temperatureText"]')
        assert told.text == f"{temperature:g} K"
        (item,) = scan(
            [results],
            potential_v=[0.0],
            scale="rhe",
            ph=None,
            temperature_k=[temperature],
            reactions=["CO2-to-CO"],
            clusters=["Cu8"],
        )
        cells = browser.run(
            "return [...arguments[0].querySelectorAll('[data-dg-ev]')]"
            ".map((cell) => Number(cell.dataset.dgEv))",
            block,
        )
        assert max(cells) == pytest.approx(item.scan.highest_dg_ev[0, 0], abs=MEV)


def test_pathways_can_be_switched(browser, results):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu4", "CO2-to-CO")
    show(browser, block, "none")
    assert browser.run(BARS, block) == []
    show(browser, block, "first")
    states = [state for _, state, *_ in browser.run(BARS, block)]
    assert states == ["*", "*COOH", "*CO", "*"]
    # The other one has a state that nothing was computed for.
    show(browser, block, "last")
    assert [state for _, state, *_ in browser.run(BARS, block)] == ["*"]
    said = block.find_element("css selector", ".live").text.split()
    assert " ".join(said[said.index("*CO₂") :][:3]) == "*CO₂ no value"
    show(browser, block, "all")
    count = block.find_element("css selector", '[data-part="count"]')
    assert count.get_attribute("textContent") == "2 of 2 shown"


@pytest.mark.parametrize(
    ("reaction", "which"), [("CO2-to-HCOOH", "all"), ("CO2-to-CO", "last")]
)
def test_names_of_levels_cover_neither_one_another_nor_a_bar(
    browser, results, reaction, which
):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu4", reaction)
    for potential in (-1.0, 0.0, 0.3):
        set_controls(browser, potentialNumber=potential)
        show(browser, block, which)
        boxes = browser.run(
            """
            const box = (node) => { const b = node.getBoundingClientRect();
              return [b.left, b.right, b.top, b.bottom]; };
            return [".name", ".bar"].map(
              (kind) => [...arguments[0].querySelectorAll(kind)].map(box));
            """,
            block,
        )
        texts, bars = boxes
        assert len(texts) >= 3
        for index, one in enumerate(texts):
            assert not any(overlap(one, other) for other in texts[index + 1 :])
            assert not any(overlap(one, bar) for bar in bars)


def overlap(one, other):
    # A box of text is higher than its letters.
    return min(one[1], other[1]) - max(one[0], other[0]) > 1 and (
        min(one[3], other[3]) - max(one[2], other[2]) > 3
    )


def show(browser, block, which):
    """Switch pathways on and off; the list is made anew after each click."""
    browser.run(
        """
        const [block, which] = arguments;
        const boxes = () => [...block.querySelectorAll(".choice input")];
        boxes().forEach((_, index) => {
          const chosen = { first: index === 0, last: index === boxes().length - 1 };
          const wanted = which === "all" || Boolean(chosen[which]);
          const box = boxes()[index];
          if (box.checked !== wanted) box.click();
        });
        """,
        block,
        which,
    )


def test_intervals_are_drawn_as_wide_as_they_are(browser, results):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu4", "HER")
    (bar,) = block.find_elements("css selector", '.level[data-state="*H"]')
    thermo = json.loads((results / "thermo/Cu4.json").read_text())
    (hydrogen,) = [s for s in thermo["species"] if s["name"] == "*H"]
    half = HALF_WIDTH_90 * np.hypot.reduce([*hydrogen["deviations"].values()])
    assert float(bar.get_attribute("data-half-width")) == pytest.approx(half, abs=MEV)
    (line,) = bar.find_elements("css selector", ".interval")
    zero = block.find_elements("css selector", ".grid, .zero")
    tops = sorted(tick.rect["y"] for tick in zero)
    labels = sorted(
        float(t.text.replace("−", "-"))
        for t in block.find_elements("css selector", ".tick")
    )
    px_per_ev = (tops[-1] - tops[0]) / (labels[-1] - labels[0])
    assert line.rect["height"] == pytest.approx(2 * half * px_per_ev, abs=3)


def test_a_number_says_where_it_is_from(browser, results):
    browser.open(results / "report.html")
    cell = browser.find('[data-cluster="Cu4"] [data-record="thermo/Cu4.json"] td.main')[
        0
    ]
    browser.run(
        "for (let n = arguments[0]; n; n = n.parentElement) n.open = true", cell
    )
    cell.click()
    panel = browser.find("#source")[0]
    digest = hashlib.sha256((results / "thermo/Cu4.json").read_bytes()).hexdigest()
    assert "thermo/Cu4.json" in panel.text and digest in panel.text
    assert "gfn1-xtb" in panel.text and cell.text in panel.text
    # From the keyboard: the next number of the row, and a level of a diagram.
    cell.send_keys(RIGHT)
    focused = browser.driver.switch_to.active_element
    assert focused.tag_name == "td" and focused != cell
    focused.send_keys(ENTER)
    assert focused.text in panel.text
    block = diagram(browser, "Cu4", "CO2-to-CO")
    (level,) = block.find_elements("css selector", '.level[data-state="*COOH"]')[:1]
    level.send_keys(SPACE)
    assert (
        "adsorb/Cu4/COOH.json" in panel.text and "vibrate/Cu4/COOH.json" in panel.text
    )
    browser.keep("source")


def test_numbers_made_by_the_script_say_where_they_are_from(browser, results):
    browser.open(results / "report.html")
    panel = browser.find("#source")[0]
    block = diagram(browser, "Cu4", "CO2-to-CO")
    (cell, *_) = block.find_elements("css selector", "[data-dg-ev]")
    browser.run("arguments[0].closest('details').open = true", cell)
    cell.click()
    assert "che/Cu4.json" in panel.text and cell.text in panel.text
    (point, *_) = browser.find("figure[data-scaling] .point")
    point.send_keys(ENTER)
    assert f"thermo/{point.get_attribute('data-cluster')}.json" in panel.text
    # The table of energies is made of rows as they are; its numbers are numbers too.
    (energy, *_) = browser.find("#provenance [data-record] td.n")
    browser.run("arguments[0].closest('details').open = true", energy)
    energy.send_keys(ENTER)
    assert energy.text in panel.text and "thermo/" in panel.text


def test_a_page_without_other_temperatures_says_why(browser, results, library):
    records = read_records(results)
    (che, *_) = records.of(CheRecord)
    partly = instead(records, AdsorbRecord)
    steps = {che.cluster: step_energies(che, partly, library)}
    page = results / "one-temperature.html"
    page.write_text(render_page(records, study="one", steps=steps))
    browser.open(page)
    block = diagram(browser, che.cluster, "HER")
    slider, reason = (
        browser.find(f'[data-control="{name}"]')[0]
        for name in ("temperature", "temperatureReason")
    )
    assert not slider.is_enabled() and "no record adsorb/" in reason.text
    assert block.find_elements("css selector", ".interval")


def test_structures_turn_and_tell_their_atoms(browser, results):
    browser.open(results / "report.html")
    button = browser.find('[data-cluster="Cu4"] .gallery button.view')[1]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    (canvas,) = browser.find("#viewer canvas")
    first = browser.run(PIXELS)
    colors = browser.run(
        "const c = document.querySelector('#viewer canvas');"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return new Set(new Uint32Array(d.buffer)).size"
    )
    assert colors > 50, "balls are shaded"
    browser.keep("structure")
    canvas.send_keys(RIGHT)
    assert browser.run(PIXELS) != first
    (place,) = browser.run(
        "return [openStructure.view.placed.reduce((a, b) => (b.z > a.z ? b : a))]"
    )
    x, y = place["x"] - canvas.rect["width"] / 2, place["y"] - canvas.rect["height"] / 2
    click_at(browser, canvas, x, y)
    atom = place["atom"]
    told = browser.find("#viewer output")[0].text
    assert told.startswith(f"{atom['symbol']}, atom {atom['index']}")
    assert told.endswith(atom["role"])
    turned = browser.run(PIXELS)
    browser.find("#viewer input")[0].click()
    assert browser.run(PIXELS) != turned, "labels are drawn"
    browser.find('#viewer [name="close"]')[0].click()
    assert browser.complaints() == []


def click_at(browser, element, x, y):
    from selenium.webdriver import ActionChains

    ActionChains(browser.driver).move_to_element_with_offset(
        element, round(x), round(y)
    ).click().perform()


def test_scaling_has_the_line_of_its_points(browser, results):
    browser.open(results / "report.html")
    (figure,) = browser.find("figure[data-scaling]")
    # It is drawn when the page has nothing else to do.
    browser.wait("return document.querySelector('[data-scaling] .point') !== null")
    assert len(figure.find_elements("css selector", ".point")) == 3
    data = json.loads(
        browser.run("return document.getElementById('scaling-0').textContent")
    )
    i, j = data["first"]
    x, y = np.array(data["values"]).T[[i, j]]
    slope, _ = np.polyfit(x, y, 1)
    fitted = linregress(x, y)
    half = student_t.ppf(0.95, 1) * fitted.stderr
    ends = [f"{slope + side * half:.2f}".replace("-", "−") for side in (-1, 1)]
    said = figure.find_element("css selector", "output").text
    assert f"= {slope:.2f} ".replace("-", "−") in said and "3 clusters" in said
    assert f"90 % interval of the slope {ends[0]} to {ends[1]}" in said
    assert "dashed: fewer than 5 clusters" in said
    (line,) = figure.find_elements("css selector", ".fit")
    assert line.get_attribute("stroke-dasharray")


def test_names_cannot_become_markup_or_leave_the_folder(browser, tmp_path):
    for name in (EVIL, '<img src=x onerror="window.hit = 1">', "../../up"):
        study = make_study(cluster=name, result=make_result(name, reaction=name))
        page = tmp_path / "page.html"
        page.write_text(render_page(study, study=name))
        browser.open(page)
        browser.find(".gallery button.view")[0].click()
        assert name in browser.find("#viewer-title")[0].text
        assert browser.run("return window.hit") is None
        assert browser.run("return document.querySelector('img')") is None
        assert browser.complaints() == []


def test_a_study_in_which_everything_failed_opens(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(render_page(make_failed_study(), study="failed"))
    browser.open(page)
    assert "Nothing succeeded" in browser.find("#answers")[0].text
    assert browser.find("#diagrams") == [] and browser.find("#numbers") == []
    assert browser.complaints() == []
    browser.keep("failed")
