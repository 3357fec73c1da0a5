"""Version, container file and hosted checks agree with what `.ci/run` and make do."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def instructions(root) -> list[tuple[str, str]]:
    """Of the Dockerfile: (RUN, what it runs), (COPY, its arguments), ..."""
    text = (root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    return [(line.split()[0], line.partition(" ")[2]) for line in lines]


def test_version_and_date_are_those_of_the_newest_release(root, project):
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.findall(r"^## ([\d.]+) - (\S+)$", changes, re.MULTILINE)[0]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    page = (root / "docs/cluster.md").read_text(encoding="utf-8")
    metadata = json.loads((root / "codemeta.json").read_text(encoding="utf-8"))
    assert project["project"]["version"] == citation["version"] == version
    assert metadata["version"] == version
    assert str(citation["date-released"]) == metadata["datePublished"] == date
    assert set(re.findall(r"clusterflow:(\d[\d.]*\d)", page)) == {version}


def test_all_metadata_say_the_same(root, project):
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    metadata = json.loads((root / "codemeta.json").read_text(encoding="utf-8"))
    told = project["project"]
    assert told["name"] == citation["title"] == metadata["name"]
    assert metadata["license"].endswith(f"/{told['license']}")
    assert citation["license"] == told["license"]
    [author] = [entry["name"] for entry in told["authors"]]
    assert author == citation["authors"][0]["name"] == metadata["author"][0]["name"]
    assert citation["abstract"] == metadata["description"]
    assert citation["keywords"] == metadata["keywords"]
    pythons = [name for name in told["classifiers"] if re.search(r":: 3\.\d+$", name)]
    first, last = (name.rpartition(" ")[2] for name in (pythons[0], pythons[-1]))
    assert metadata["runtimePlatform"] == f"Python {first} to {last}"


# What conda calls otherwise.
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "snakemake": "snakemake-minimal",
    "tblite": "tblite-python",
}


def test_the_conda_recipe_asks_for_what_the_package_does(root, project):
    """One package for each Python takes no dependency that hangs on its version."""
    text = (root / "conda-recipe/recipe.yaml").read_text(encoding="utf-8")
    recipe, told = yaml.safe_load(text), project["project"]
    version = recipe["context"]["python_min"]
    needed = [f"python {told['requires-python']}"]
    for line in told["dependencies"]:
        if ";" not in line:
            name, limits = re.fullmatch(r"([\w-]+)(\W.*)", line).groups()
            needed.append(f"{CONDA_NAMES.get(name, name)} {limits}")
    asked = recipe["requirements"]["run"]
    assert [line.replace("${{ python_min }}", version) for line in asked] == needed
    assert project["build-system"]["requires"] == [
        line.replace(" ", "") for line in recipe["requirements"]["host"][2:]
    ]
    [(command, function)] = told["scripts"].items()
    assert recipe["build"]["python"]["entry_points"] == [f"{command} = {function}"]
    about = {key: recipe["about"][key] for key in ("summary", "license")}
    assert about == {"summary": told["description"], "license": told["license"]}
    assert recipe["context"]["version"] == told["version"]
    assert (root / recipe["about"]["license_file"]).is_file()


def test_the_changelog_has_one_line_for_a_change(root):
    lines = (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    begin = lines.index("## Unreleased")
    assert all(line.startswith(("#", "- ")) for line in lines[begin:] if line)


def test_each_step_of_the_container_is_one_that_the_checks_take(root, instructions):
    steps = [shlex.split(text)[0] for name, text in instructions if name == "RUN"]
    checks = (root / ".ci/run").read_text() + (root / ".ci/package").read_text()
    commands = re.findall(r"^\.ci/\w+", checks, re.MULTILINE)
    assert steps and set(steps) <= set(commands)
    assert all(os.access(root / step, os.X_OK) for step in steps)


def test_the_container_has_all_that_the_wheel_is_made_of(root, project, instructions):
    assert ("COPY", ". .") in instructions
    ignored = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    carried = {line[1:] for line in ignored if line.startswith("!")}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    packages = {path.partition("/")[0] for path in wheel["packages"]}
    read = {project["project"]["readme"], *project["project"]["license-files"]}
    needed = {".ci", "constraints.txt", "pyproject.toml", *packages, *read}
    assert carried == needed | wheel["force-include"].keys()
    assert all((root / name).exists() for name in carried)


def test_the_container_has_the_python_of_the_makefile(root, instructions):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    python = re.search(r"^PYTHON \?= python(.*)$", makefile, re.MULTILINE)[1]
    assert ("FROM", f"python:{python}-slim") in instructions


def test_the_container_is_nobodys_and_starts_the_command(instructions):
    last = dict(instructions)
    assert last["USER"] == "nobody"
    assert last["ENTRYPOINT"] == '["clusterflow"]'
    assert "OMP_NUM_THREADS=1" in last["ENV"]


def test_hosted_checks_run_the_same_on_every_python(root, project):
    text = (root / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    workflow = yaml.load(text, yaml.BaseLoader)  # which leaves the key `on` as it is
    assert workflow["on"].keys() == {"push", "pull_request"}
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert int(job["timeout-minutes"]) <= 60
    supported = [
        name.rpartition(" ")[2]
        for name in project["project"]["classifiers"]
        if re.search(r"Python :: 3\.\d+$", name)
    ]
    assert job["strategy"]["matrix"]["python"] == supported
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1] == ".ci/run"
    assert all(os.access(root / shlex.split(c)[-1], os.X_OK) for c in commands)
    actions = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in actions)


def test_the_catalog_of_snakemake_finds_what_it_asks_for(root):
    """For its list "standardized usage" (docs/about/adding_workflows.md of it)."""
    readme = (root / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme and "workflow" in readme
    told = yaml.safe_load((root / ".snakemake-workflow-catalog.yml").read_text())
    assert told["usage"].keys() == {"mandatory-flags", "software-stack-deployment"}
    assert told["usage"]["mandatory-flags"].keys() == {"desc", "flags"}
    deployed = told["usage"]["software-stack-deployment"]
    assert deployed.keys() == {"conda", "apptainer", "apptainer+conda", "report"}
    assert all(type(value) is bool for value in deployed.values())
    assert (root / "workflow/Snakefile").is_file()
    assert any(root.glob("workflow/rules/*.smk"))
    guide = (root / "config/README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((.+?)\)", guide)
    assert links and all((root / "config" / link).is_file() for link in links)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_clean_leaves_what_a_person_made(root, tmp_path):
    shutil.copy(root / "Makefile", tmp_path)
    kept = ("config.yaml", "results/first/report.html", "structures/clusters/Pt4.yaml")
    made = (".venv/bin/python", "build/docs/index.html", "dist/clusterflow.whl")
    cached = ("src/clusterflow/__pycache__/io.pyc", "tests/__pycache__/conftest.pyc")
    for name in (*kept, *made, *cached):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"Makefile", *kept}
