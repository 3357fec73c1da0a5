"""What is made from the code is what the code says, and no person's file is touched."""

from __future__ import annotations

import itertools
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clusterflow.science.clusters.builders import BUILDERS
from clusterflow.settings import Study, load_study
from clusterflow.study.template import SCHEMA, json_schema, scalar, study_yaml

# A module of docs/, which is no part of the package.
REFERENCE = runpy.run_path(str(Path(__file__).parents[2] / "docs/reference_pages.py"))
LIBRARY_TABLES = REFERENCE["LIBRARY_TABLES"]
FULL = study_yaml(Study(), full=True)


def test_the_committed_schema_is_up_to_date(root):
    committed = (root / SCHEMA).read_text(encoding="utf-8")
    assert committed == json_schema(), "run make generate"


def test_the_generator_writes_the_schema_and_nothing_else(tmp_path):
    """Not config.yaml, above all: that is the study of a person."""
    mine = "study: mine\nclusters: [Cu4]  # and no others\n"
    (tmp_path / "config.yaml").write_text(mine)
    (tmp_path / SCHEMA).parent.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "clusterflow.study.template"], cwd=tmp_path, check=True
    )
    assert (tmp_path / "config.yaml").read_text() == mine
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") == json_schema()
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {tmp_path / "config.yaml", tmp_path / SCHEMA}


@pytest.mark.parametrize("kind", LIBRARY_TABLES)
def test_a_table_has_a_row_for_every_item_and_a_place_on_a_page(root, library, kind):
    rows = re.findall(r"^\| `([\w-]+)`.* \|$", LIBRARY_TABLES[kind](), re.MULTILINE)
    assert rows == list(library.paths(kind))
    pages = (page.read_text(encoding="utf-8") for page in root.glob("docs/*.md"))
    assert "".join(pages).count(f"<!-- made from structures/{kind} -->") == 1


def test_the_tables_say_what_the_items_say(library):
    clusters, levels = LIBRARY_TABLES["clusters"](), LIBRARY_TABLES["levels"]()
    assert all(library.cluster(n).source in clusters for n in library.paths("clusters"))
    assert all(library.level(n).description in levels for n in library.paths("levels"))


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


def leaves(model, prefix=""):
    """Every key of a model below its sections, with its default."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if hasattr(value, "model_dump"):
            yield from leaves(value, f"{name}.")
        else:
            yield f"{prefix}{name}", value, field


def test_the_full_list_is_the_model():
    """Every key stands there, so that a person sees all there is to change."""
    content = yaml.safe_load(FULL)
    assert load_study(content) == Study()
    assert content.keys() == Study.model_fields.keys()
    for name, section in content.items():
        if hasattr(getattr(Study(), name), "model_dump"):
            assert section.keys() == type(getattr(Study(), name)).model_fields.keys()


def test_the_reference_has_every_key_with_its_reason_and_default():
    page = REFERENCE["configuration_page"]()
    rows = re.findall(r"^\| `(\S+)` \| (.+) \| `(.+)` \|$", page, re.MULTILINE)
    shown = {key: (about, default) for key, about, default in rows}
    wanted = {key: (field.description, v) for key, v, field in leaves(Study())}
    assert shown.keys() == wanted.keys()
    for key, (description, value) in wanted.items():
        about, default = shown[key]
        assert about.startswith(description.replace("|", r"\|")), key
        assert default == scalar(value), key


def test_every_key_has_a_comment_above_it():
    bare = []
    for before, line in itertools.pairwise(FULL.splitlines()):
        is_key = line.strip() and not line.lstrip().startswith("#")
        indent = len(line) - len(line.lstrip())
        if is_key and not before.startswith(" " * indent + "# "):
            bare.append(line)
    assert bare == []


def test_lines_fit_a_screen():
    assert max(map(len, FULL.splitlines())) <= 88


@pytest.mark.parametrize("section", ["relax", "thermo", "che"])
def test_the_schema_knows_every_key_and_refuses_others(root, section):
    schema = json.loads((root / SCHEMA).read_text(encoding="utf-8"))
    name = schema["properties"][section]["$ref"].rpartition("/")[2]
    part = schema["$defs"][name]
    assert part["additionalProperties"] is False
    assert part["properties"].keys() == getattr(Study(), section).model_dump().keys()
