"""Imports point down only, and planning a study loads no chemistry."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import clusterflow

SOURCE = Path(clusterflow.__file__).parent
# Bottom first. A module may import its own package and what stands in a lower row; one
# that has a row of its own stands there, and not where its package does.
LAYERS = (
    ("errors",),
    ("units", "models", "formula", "protocol", "columns", "time_left"),
    ("specs",),
    ("records",),
    ("core",),
    ("library",),
    ("config",),
    ("io",),
    ("engines", "tables", "figures", "workflow", "generated"),
    ("tasks",),
    ("report",),
    ("tasks.report",),
    ("warm",),
    ("launch",),
    ("status",),
    ("cli_common",),
    ("cli_stages", "cli_energies", "cli_study", "cli_results"),
    ("cli",),
    ("warm_server",),
    ("__main__",),
)
HEIGHT = {name: row for row, names in enumerate(LAYERS) for name in names}
MAY_IMPORT = {
    # The Snakefile imports this one at every start.
    "workflow": {
        *("config", "core.anchors", "core.network", "errors", "library", "protocol"),
    },
    # What is drawn is of records, not of studies.
    "figures": {
        *("core.flags", "core.pathways", "core.scaling", "errors", "io", "records"),
    },
}
HEAVY = ("ase", "tblite", "xtb", "matplotlib", "pymatgen", "pandas", "scipy", "numpy")


def imported(source: str) -> set[str]:
    """Modules of the package that a source imports, anywhere in it, without prefix."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they point"
            names = [node.module or ""]
            # `from clusterflow import io` names a module, not an attribute.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "clusterflow" and rest.partition(".")[0] in HEIGHT:
                found.add(rest)
    return found


def layer(module: str) -> str:
    """The name a module stands under: its own, if that has a row, or its package's."""
    top, _, rest = module.partition(".")
    own = f"{top}.{rest.partition('.')[0]}"
    return own if own in HEIGHT else top


def upward(module: str, source: str) -> list[str]:
    """The arrows of a module that do not point down."""
    own = layer(module)
    return sorted(
        f"{module} -> {other}"
        for other in imported(source)
        if (target := layer(other)) != own and HEIGHT[target] >= HEIGHT[own]
    )


MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.parent != SOURCE or path.stem != "__init__"
}


def test_every_module_has_a_layer():
    assert {layer(name) for name in MODULES} == set(HEIGHT)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    assert upward(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "arrow"),
    [
        (
            "core.sites",
            "def late():\n    from clusterflow.tasks import gas",
            "tasks.gas",
        ),
        ("core.sites", "from clusterflow import io", "io"),
        ("core.sites", "import clusterflow.engines", "engines"),
        ("core.sites", "if TYPE_CHECKING:\n    import clusterflow.cli", "cli"),
        ("engines.base", "from clusterflow.report.page import x", "report.page"),
        ("core.species", "from clusterflow.config import ThermoSettings", "config"),
        ("tasks.plot", "from clusterflow.report.page import x", "report.page"),
        ("tasks.plot", "from clusterflow.tasks import report", "tasks.report"),
        ("report.page", "from clusterflow.tasks.report import report", "tasks.report"),
        ("figures.text", "from clusterflow.tasks.flags import Flag", "tasks.flags"),
        ("specs", "from clusterflow.records import Site", "records"),
    ],
)
def test_an_upward_arrow_is_seen_wherever_it_hides(module, source, arrow):
    assert f"{module} -> {arrow}" in upward(module, source)


def test_an_arrow_down_is_not_upward():
    assert upward("tasks.gas", "from clusterflow.core.sites import find_sites") == []
    assert upward("core.sites", "from clusterflow.core import topology") == []
    assert upward("report.page", "from clusterflow.tasks.flags import Flag") == []
    assert upward("tasks.report", "from clusterflow.report import render_page") == []


@pytest.mark.parametrize(("package", "others"), MAY_IMPORT.items())
def test_some_packages_import_only_what_they_need(package, others):
    sources = [
        path.read_text(encoding="utf-8")
        for name, path in MODULES.items()
        if layer(name) == package
    ]
    found = set().union(*map(imported, sources))
    modules = {name for name in found if name in MODULES and layer(name) != package}
    assert modules == others
    assert "io.StudyRecords" not in found


@pytest.mark.parametrize("module", ["", ".cli", ".workflow", ".config", ".library"])
def test_importing_is_free(module):
    code = (
        f"import sys, clusterflow{module}; "
        f"print(*(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
