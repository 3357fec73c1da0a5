"""Make the pictures of README.md and of these pages: `make pictures`.

A figure is made by the command that a page shows for it, so that both agree. Its
numbers come beside it as CSV. The report and the clusters of the library are
photographed.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
COMMAND = re.compile(r"^    (clusterflow plot .* --output (\S+))$", re.MULTILINE)
# CSS pixels: narrow, so that the text is readable where a page shows it at 800, and
# wide enough for sentences and potentials to stand side by side.
WIDTH = 1160
# From the head of the page to the end of the two first diagrams, once they are drawn.
FIRST_SCREEN = """
const drawn = document.querySelectorAll("#diagrams svg.live");
if (drawn.length < 2) return null;
const height = drawn[0].getBoundingClientRect().bottom + scrollY;
return {x: 0, y: 0, width: innerWidth, height, scale: 1.25};
"""
# One of each kind in the library, without the words below its name.
SHOWN = (
    *("Cu8", "Ag13", "Cu55", "Cu12Ni", "Au25SH18", "Cu25H22-PH3"),
    *("Cd6Se6", "Cd13Se13", "Cd33Se33", "Cd20Se10Cl20", "Cd6Se6-Zr6", "Cu4-MoS2"),
)
CARDS = """
const cards = new Map([...document.querySelectorAll("figure")].map(c => [c.id, c]));
const shelf = cards.values().next().value.parentElement;
shelf.replaceChildren(...arguments[0].map(name => cards.get(name)));
shelf.style.gridTemplateColumns = "repeat(6, 1fr)";
for (const caption of shelf.querySelectorAll("figcaption"))
  caption.replaceChildren(caption.querySelector(".name"));
const box = shelf.getBoundingClientRect();
const {left: x, top, width, height} = box;
return {x, y: top + scrollY, width, height, scale: 1};
"""


def main(folders: list[Path]) -> int:
    """Make the pictures of these results; others stay as they are.

    The exit code is 2 where something is missing.
    """
    results = {folder.name: folder for folder in folders}
    missing = [folder for folder in folders if not (folder / "report.html").is_file()]
    if missing:
        print(f"error: {missing[0]}: no results with a report.html", file=sys.stderr)
        return 2
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        print(
            "error: photographs need Chromium and its driver: "
            "apt install chromium chromium-driver",
            file=sys.stderr,
        )
        return 2
    for words, file in list_figures():
        named = next(word for word in words if word.startswith("results/"))
        folder = results.get(Path(named).name)
        if folder is None:
            print(f"left as it is: {file}, for {named} was not given")
            continue
        swap = {named: str(folder), file: str(PICTURES / file)}
        call_verb(*(swap.get(word, word) for word in words))
    if "default" in results:
        page = results["default"] / "report.html"
        photograph(page, FIRST_SCREEN, PICTURES / "report.png", chromium, driver)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "clusters.html"
        call_verb("list", "clusters", "--html", str(page))
        photograph(page, CARDS, PICTURES / "clusters.png", chromium, driver)
    return 0


def list_figures() -> Iterator[tuple[list[str], str]]:
    """Each command of a page that also shows the figure: its words, and the file."""
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for command, file in COMMAND.findall(text):
            if f"(pictures/{file})" in text:
                yield shlex.split(command)[1:], file


def call_verb(*words: str) -> None:
    """Call a verb of clusterflow as a person would."""
    subprocess.run([sys.executable, "-m", "clusterflow", *words], check=True)


def photograph(page: Path, cut: str, output: Path, *programs: str) -> None:
    """Save the part of a page that a script names, in few colours."""
    chromium, driver = programs
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    container = ("no-sandbox", "disable-dev-shm-usage")
    for flag in (*container, "headless=new", "hide-scrollbars"):
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(executable_path=driver)
    browser = webdriver.Chrome(options=options, service=service)
    try:
        screen = {"width": WIDTH, "height": 900, "deviceScaleFactor": 1}
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**screen, "mobile": False}
        )
        browser.get(page.resolve().as_uri())
        clip = WebDriverWait(browser, 60).until(
            lambda tab: tab.execute_script(cut, SHOWN)
        )
        photo = browser.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
    finally:
        browser.quit()
    image = Image.open(io.BytesIO(base64.b64decode(photo["data"]))).convert("RGB")
    image.quantize(128, dither=Image.Dither.NONE).save(output, optimize=True)
    print(f"wrote {os.path.relpath(output)}")


if __name__ == "__main__":
    sys.exit(main([Path(word) for word in sys.argv[1:]]))
