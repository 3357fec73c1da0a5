"""Files made from the code are what the code would make, and say what they hold."""

from __future__ import annotations

import itertools
import json
import re
import runpy

import pytest
import yaml

from clusterflow.config import Study, load_study
from clusterflow.core.builders import BUILDERS
from clusterflow.generated import generated_files


def generated_pages(root):
    """Those of docs/, whose module is no part of the package."""
    return runpy.run_path(str(root / "docs/generate.py"))["generated_files"](root)


def test_committed_files_are_up_to_date(root):
    for path, content in (generated_files(root) | generated_pages(root)).items():
        assert path.read_text(encoding="utf-8") == content, f"run make generate: {path}"


def test_all_files_are_generated(root):
    names = {str(path.relative_to(root)) for path in generated_files(root)}
    schema = "workflow/schemas/config.schema.json"
    assert names == {"config.yaml", schema, "studies/tour.yaml"}
    pages = {str(path.relative_to(root)) for path in generated_pages(root)}
    assert pages == {"docs/levels.md", "docs/catalogue.md"}


def test_the_catalogue_has_a_row_for_every_cluster(root, library):
    page = (root / "docs/catalogue.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE))
    assert rows.keys() == library.paths("clusters").keys()
    for name, row in rows.items():
        assert library.cluster(name).source in row


def test_every_system_of_the_field_is_in_the_library_or_has_a_reason(root, library):
    page = (root / "docs/catalogue.md").read_text(encoding="utf-8")
    section = page.split("## Systems of the field")[1]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    rows = [row for row in rows if row[0] != "system"]
    assert len(rows) == 31
    known = library.paths("clusters").keys()
    for system, here, remarks in rows:
        names = re.findall(r"`([^`]+)`", here)
        assert set(names) <= known, system
        # `Cu1` to `Cu20` stands for all between.
        for metal, first, last in re.findall(r"`([A-Z][a-z])(\d+)` to `\1(\d+)`", here):
            assert {f"{metal}{n}" for n in range(int(first), int(last) + 1)} <= known
        assert names or re.search("import|odd-electron", remarks), system


def test_the_page_about_builders_names_each(root):
    page = (root / "docs/builders.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in BUILDERS)


def test_the_page_about_levels_names_every_limit_and_level(root, library):
    page = (root / "docs/levels.md").read_text(encoding="utf-8")
    for name in (*library.paths("domain"), *library.paths("levels")):
        assert f"`{name}`" in page


def test_the_default_configuration_is_the_default_study(root):
    content = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    assert load_study(content) == Study()
    # Every key stands there, so that a person sees all there is to change.
    assert content.keys() == Study.model_fields.keys()
    for name, section in content.items():
        if isinstance(section, dict):
            assert section.keys() == type(getattr(Study(), name)).model_fields.keys()


def test_every_key_has_a_comment_above_it(root):
    lines = (root / "config.yaml").read_text(encoding="utf-8").splitlines()
    bare = []
    for before, line in itertools.pairwise(lines):
        is_key = line.strip() and not line.lstrip().startswith("#")
        indent = len(line) - len(line.lstrip())
        if is_key and not before.startswith(" " * indent + "# "):
            bare.append(line)
    assert bare == []


def test_lines_fit_a_screen(root):
    lines = (root / "config.yaml").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 88


@pytest.mark.parametrize("section", ["relax", "thermo", "che"])
def test_the_schema_knows_every_key_and_refuses_others(root, section):
    path = root / "workflow/schemas/config.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    name = schema["properties"][section]["$ref"].rpartition("/")[2]
    part = schema["$defs"][name]
    assert part["additionalProperties"] is False
    assert part["properties"].keys() == getattr(Study(), section).model_dump().keys()
