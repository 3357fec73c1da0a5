"""The notebook gives the output that it shows, and the page runs.

After a change, ``jupyter execute --inplace docs/notebook.ipynb`` writes the outputs
anew.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.cli.test_docs import same
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study as Records

DOCS = Path(__file__).resolve().parents[2] / "docs"


def run_cell(source: str, names: dict) -> tuple[str, object]:
    """What a cell prints, and the value of its last line, as in a notebook."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "cell", "exec"), names)
        value = eval(ast.unparse(last), names) if last else None
    return printed.getvalue(), value


def test_the_notebook_gives_what_it_shows(monkeypatch):
    monkeypatch.chdir(DOCS)
    notebook = json.loads(Path("notebook.ipynb").read_text(encoding="utf-8"))
    names: dict = {}
    figures = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        printed, value = run_cell("".join(cell["source"]), names)
        shown = {output["output_type"]: output for output in cell["outputs"]}
        same("".join(shown.get("stream", {}).get("text", "")), printed)
        result = shown.get("execute_result", {}).get("data", {})
        if isinstance(value, Figure):
            figures += 1
            assert value.axes[0].get_lines() and "image/png" in result
        elif value is not None:
            assert repr(value) == "".join(result["text/plain"])
    assert figures == 1


def test_every_line_of_the_page_runs(
    tmp_path, monkeypatch, library, provenance, structure
):
    shifts = {"Cd6Se6": {}, "Cu4": {"COOH": 0.2, "CO": 0.1}}
    study = Records(library, provenance, structure)
    write_results(tmp_path / "results" / "default", study, shifts)
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    names: dict = {}
    typed = re.findall(r"^    >>> (.+(?:\n    \.\.\. .+)*)", page, re.MULTILINE)
    assert len(typed) > 8
    for source in typed:
        if "search_minima(" not in source and "evaluate(" not in source:
            run_cell(re.sub(r"\n    \.\.\. ", "\n", source), names)
    assert Path("co.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["Study", "find_sites", "search_minima", "evaluate"])
def test_the_page_tells_of_everything(name):
    assert f"{name}(" in (DOCS / "python.md").read_text(encoding="utf-8")
