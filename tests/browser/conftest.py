"""A headless Chromium without a network, and a report to open in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from time import monotonic, sleep

import pytest

from clusterflow.records.files import read_records
from clusterflow.report.stage import report
from clusterflow.stages.parts.job import Job
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Where a person, or a CI that keeps them, looks at what the tests saw.
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
SHIFTS = {"Cu2": {}, "Cu4": {"CO": -0.2, "COOH": 0.1}, "Cu8": {"CO": 0.3}}


class Browser:
    """What the tests do with a page."""

    def __init__(self, driver) -> None:
        self.driver = driver

    def open(
        self, page: Path, width: int = 1280, *, dark: bool = False, height: int = 900
    ) -> None:
        """Load a page from a file and wait until its diagrams follow their sliders."""
        command = self.driver.execute_cdp_cmd
        size = {
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": False,
        }
        command("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        command("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.driver.get(page.as_uri())
        self.run("document.documentElement.style.scrollBehavior = 'auto'")
        self.wait(
            "return [...document.querySelectorAll('[data-diagram]:not(:has(.live))')]"
            ".some((block) => block.querySelector('svg'))",
            False,
        )

    def run(self, script: str, *arguments):
        """The value of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, wanted: bool = True) -> None:
        """Until a script's value is as truthy as wanted, ten seconds at the most."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 10).until(lambda _: bool(self.run(script)) == wanted)

    def find(self, selector: str):
        """Elements by a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def complaints(self) -> list[str]:
        """What the console holds since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def saved(self, click: str, *, folder: Path) -> Path:
        """The file that a click on an element saves, by a CSS selector."""
        folder.mkdir(exist_ok=True)
        self.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior",
            {"behavior": "allow", "downloadPath": str(folder)},
        )
        before = set(folder.iterdir())
        self.run("document.querySelector(arguments[0]).click()", click)
        end = monotonic() + 60
        while monotonic() < end:
            new = [p for p in folder.iterdir() if p not in before]
            if new and not any(p.suffix in (".crdownload", ".tmp") for p in new):
                return new[0]
            sleep(0.05)
        raise AssertionError(f"{click}: nothing was saved")

    def keep(self, name: str) -> None:
        """Save what is on the screen."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


@pytest.fixture(scope="session")
def browser():
    """Skips where there is no browser, and says how to get one."""
    webdriver = pytest.importorskip("selenium.webdriver")
    binary = next(filter(None, map(shutil.which, CHROMIUM)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("needs chromium and chromedriver: apt install chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # In a container, Chromium's own sandbox has not the rights it needs.
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    chrome = webdriver.Chrome(options=options, service=service)
    cut = {"offline": True, "latency": 0, "downloadThroughput": 0}
    chrome.execute_cdp_cmd("Network.enable", {})
    chrome.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {**cut, "uploadThroughput": 0}
    )
    yield Browser(chrome)
    chrome.quit()


@pytest.fixture(scope="session")
def results(tmp_path_factory, library, provenance, structure) -> Path:
    """A results folder of three clusters with its report."""
    folder = tmp_path_factory.mktemp("browser") / "results"
    write_results(folder, Study(library, provenance, structure), SHIFTS)
    report(read_records(folder), folder, "browser", library, Job("report"))
    return folder
