"""Imports point down only, and planning a study loads no chemistry."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import clusterflow

SOURCE = Path(clusterflow.__file__).parent
# Bottom first. A module may import its own folder and what stands in a lower row.
LAYERS = (
    ("errors",),
    ("units", "formula", "model", "stage_table"),
    ("library",),
    ("records",),
    ("science",),
    ("settings",),
    ("engines", "figures", "run"),
    ("stages",),
    ("intake", "results", "study"),
    ("report",),
    ("api",),
    ("cli",),
    ("__main__",),
)
# The order inside science, read in the same way.
SCIENCE = (
    ("geometry",),
    ("clusters", "sites", "relaxation", "checks"),
    ("adsorption",),
    ("thermochemistry",),
    ("reactions",),
    ("uncertainty",),
)
HEIGHT = {name: (row, 0) for row, names in enumerate(LAYERS) for name in names}
HEIGHT |= {
    f"science.{name}": (HEIGHT["science"][0], row)
    for row, names in enumerate(SCIENCE)
    for name in names
}
# The Snakefile imports `study.plan` at every start.
PLAN_MAY_IMPORT = (
    "errors",
    "library.find",
    "science.reactions.network",
    "science.thermochemistry.anchors",
    "settings",
    "stage_table",
    "study.contradictions",
)
HEAVY = ("ase", "tblite", "xtb", "matplotlib", "pymatgen", "pandas", "scipy")


def imported(source: str) -> set[str]:
    """Modules of the package that a source imports, anywhere in it, without prefix."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they point"
            names = [node.module or ""]
            # `from clusterflow import units` names a module, not an attribute.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "clusterflow" and rest.partition(".")[0] in HEIGHT:
                found.add(rest)
    return found


def room(module: str) -> str:
    """The name in the table of the folder or file that a module belongs to."""
    first, second = (*module.split("."), "")[:2]
    inner = f"{first}.{second}"
    return inner if inner in HEIGHT else first


def upward(module: str, source: str) -> list[str]:
    """The arrows of a module that do not point down."""
    own = room(module)
    return sorted(
        f"{module} -> {other}"
        for other in imported(source)
        if (target := room(other)) != own and HEIGHT[target] >= HEIGHT[own]
    )


MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.parent != SOURCE or path.stem != "__init__"
}


def test_every_module_has_a_layer():
    assert {name.partition(".")[0] for name in MODULES} == {
        name for names in LAYERS for name in names
    }


def test_every_folder_of_science_has_a_place():
    folders = {path.name for path in (SOURCE / "science").iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == {name for names in SCIENCE for name in names}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    assert upward(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "arrow"),
    [
        (
            "science.sites.sites",
            "def late():\n    from clusterflow.stages import gas",
            "stages.gas",
        ),
        ("science.sites.sites", "from clusterflow import settings", "settings"),
        ("science.sites.sites", "import clusterflow.engines", "engines"),
        (
            "science.sites.sites",
            "if TYPE_CHECKING:\n    import clusterflow.cli",
            "cli",
        ),
        (
            "science.sites.sites",
            "from clusterflow.science.reactions.che import x",
            "science.reactions.che",
        ),
        ("engines.base", "from clusterflow.report.page import x", "report.page"),
        (
            "library.levels",
            "from clusterflow.records.adsorption import Site",
            "records.adsorption",
        ),
    ],
)
def test_an_upward_arrow_is_seen_wherever_it_hides(module, source, arrow):
    assert f"{module} -> {arrow}" in upward(module, source)


def test_an_arrow_down_is_not_upward():
    source = "from clusterflow.science.sites.sites import find_sites"
    assert upward("stages.gas", source) == []
    source = "from clusterflow.science.geometry import bonds"
    assert upward("science.sites.sites", source) == []


def test_planning_imports_only_what_it_needs():
    found = imported(MODULES["study.plan"].read_text(encoding="utf-8"))
    assert {name for name in found if name in MODULES} == set(PLAN_MAY_IMPORT)


@pytest.mark.parametrize(
    "module", ["", ".cli.app", ".study.plan", ".settings", ".library.find"]
)
def test_importing_is_free(module):
    code = (
        f"import sys, clusterflow{module}; "
        f"print(*(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
