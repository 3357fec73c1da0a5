"""Who cannot see colours well, has no mouse, or listens to the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_page import BARS, ENTER, RIGHT, diagram

ESCAPE = "\ue00c"
# WCAG 2.1, success criterion 1.4.3, for text of any size.
CONTRAST = 4.5
FAINT = """
document.querySelectorAll("details").forEach((part) => (part.open = true));
const canvas = document.createElement("canvas");
const pixel = canvas.getContext("2d", { willReadFrequently: true });
const read = (color) => {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data];
};
const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) =>
  0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const color = read(getComputedStyle(node).backgroundColor);
    if (color[3] > 127) return color;
  }
  return [255, 255, 255];
};
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const faint = [];
let read_texts = 0;
while (texts.nextNode()) {
  const node = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !node.getClientRects().length) continue;
  const style = getComputedStyle(node);
  const ink = read(node.closest("svg") ? style.fill : style.color);
  const [high, low] = [luminance(ink), luminance(behind(node))].sort((a, b) => b - a);
  const contrast = (high + 0.05) / (low + 0.05);
  read_texts += 1;
  if (contrast < arguments[0]) faint.push([texts.currentNode.data, contrast]);
}
return [read_texts, faint];
"""
NAMELESS = """
const named = (node) =>
  node.getAttribute("aria-label") || node.labels?.length || node.textContent.trim();
return [...document.querySelectorAll("a, button, input, select, canvas, [role=button]")]
  .filter((node) => !named(node)).map((node) => node.outerHTML);
"""

AXE = """
const done = arguments[arguments.length - 1];
document.querySelectorAll("details").forEach((part) => (part.open = true));
const name = (rule) => [rule.id, rule.nodes.slice(0, 3).map((node) => node.html)];
axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
  rules: { "color-contrast": { enabled: false } },
}).then(
  (found) => done([found.passes.length, found.violations.map(name)]),
  (error) => done([0, String(error)]),
);
"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out(browser, results, dark):
    browser.open(results / "report.html", dark=dark)
    n_read, faint = browser.run(FAINT, CONTRAST)
    assert n_read > 500 and faint == []


def test_every_control_has_a_name_and_every_name_one_place(browser, results):
    browser.open(results / "report.html")
    assert browser.run(NAMELESS) == []
    ids = browser.run("return [...document.querySelectorAll('[id]')].map((n) => n.id)")
    assert len(ids) == len(set(ids))


def test_a_diagram_and_a_structure_need_no_mouse(browser, results):
    browser.open(results / "report.html")
    block = diagram(browser, "Cu4", "HER")
    before = browser.run(BARS, block)
    (slider,) = browser.find('[data-control="potential"]')
    slider.send_keys(RIGHT)
    after = browser.run(BARS, block)
    # One step of the slider, 0.01 V, moves *H by 0.01 eV.
    assert after[1][2] - before[1][2] == pytest.approx(0.01, abs=1e-6)
    (button, *_) = browser.find('[data-cluster="Cu4"] .gallery button.view')
    button.send_keys(ENTER)
    (canvas,) = browser.find("#viewer canvas")
    canvas.send_keys("n")
    assert "atom 0" in browser.find("#viewer output")[0].text
    canvas.send_keys(ESCAPE)
    assert not browser.find("#viewer")[0].is_displayed()
    assert browser.driver.switch_to.active_element == button


def test_axe_finds_nothing(browser, results):
    """By the rules of WCAG 2.1 A and AA; contrast is read above."""
    axe = pytest.importorskip("axe_core_python")
    browser.open(results / "report.html")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    browser.run(source)
    browser.driver.set_script_timeout(60)
    passes, violations = browser.driver.execute_async_script(AXE)
    assert passes > 20 and violations == []
