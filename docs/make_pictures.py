"""Make the pictures of README.md from a finished default study: `make pictures`.

A free-energy diagram with its numbers beside it as CSV, and a cut of the report.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from pathlib import Path

from selenium import webdriver

PICTURES = Path(__file__).parent / "pictures"
REACTION = "CO2-to-CO"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# CSS pixels: narrow, so that the text is readable where a page shows it at 800, and
# wide enough for sentences and potentials to stand side by side.
WIDTH = 1100
CUT = """
const found = document.querySelector("#answers").getBoundingClientRect();
const edge = 12;
return {x: found.left - edge, y: found.top + scrollY - edge,
        width: found.width + 2 * edge, height: found.height + 2 * edge, scale: 1.5};
"""


def main(results: Path) -> int:
    """Make both pictures; the exit code is 2 where something is missing."""
    report = results / "report.html"
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if not report.is_file():
        print(f"error: {report}: no such file; `make run` makes it", file=sys.stderr)
        return 2
    if chromium is None or driver is None:
        print(
            "error: the cut of the report needs Chromium and its driver: "
            "apt install chromium chromium-driver",
            file=sys.stderr,
        )
        return 2
    if not draw_diagram(results):
        return 2
    cut_report(report, chromium, driver)
    return 0


def draw_diagram(results: Path) -> bool:
    """Draw a reaction's best pathway on each cluster; false if the verb cannot."""
    output = PICTURES / f"{REACTION}.svg"
    verb = [sys.executable, "-m", "clusterflow", "plot", "diagram"]
    command = [*verb, results, "--reaction", REACTION, "--output", output]
    return subprocess.run(command, check=False).returncode == 0


def cut_report(report: Path, chromium: str, driver: str) -> None:
    """Photograph the answers at the head of a report."""
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
        browser.get(report.resolve().as_uri())
        photo = browser.execute_cdp_cmd(
            "Page.captureScreenshot",
            {"captureBeyondViewport": True, "clip": browser.execute_script(CUT)},
        )
    finally:
        browser.quit()
    output = PICTURES / "report.png"
    output.write_bytes(base64.b64decode(photo["data"]))
    print(f"wrote {output}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
