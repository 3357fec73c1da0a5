"""YAML that other readers misread: refused with its place, or read right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from clusterflow.cli.app import main
from clusterflow.errors import ClusterflowError
from clusterflow.library.find import package_data
from clusterflow.library.own_tables import ShiftRow, read_rows
from clusterflow.library.yaml_file import read_yaml
from clusterflow.settings import load_study, read_config

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(10 * [f'*{before}'])}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
# Text or bytes, the place, and a word of the reason.
REFUSED = {
    "a key twice": ("b: {c: 2, c: 3}", "line 1, column 11", "'c' stands there twice"),
    "a section twice": ("a: {}\nb: {}\na: {}", "line 3, column 1", "twice"),
    "base 60": ("a: 1:30", "line 1, column 4", "base 60"),
    "base 60 with a fraction": ("a: 1:30.5", "line 1, column 4", "base 60"),
    "octal": ("a: 012", "line 1, column 4", "leading zero"),
    "a float too large": ("a: 1e400", "line 1, column 4", "too large"),
    "an integer too large": ("a: 1" + "0" * 400, "line 1, column 4", "too large"),
    "an integer far too large": ("a: 1" + "0" * 9999, "column 4", "too large"),
    "infinity": ("a: -.inf", "line 1, column 4", "no finite number"),
    "no number": ("a: .NaN", "line 1, column 4", "no finite number"),
    "yes": ("a: yes", "line 1, column 4", "true or false"),
    "off": ("a: [Off]", "line 1, column 5", "true or false"),
    "a tab": ("a:\n\tb: 1", "line 2, column 1", "a tab"),
    "a tag": ("a: !!python/name:os.system", "line 1, column 4", "tag"),
    "two documents": ("a: 1\n---\nb: 1", "line 2, column 1", "second document"),
    "an open bracket": ("a: [1", "line 2, column 1", "not valid YAML"),
    "a control character": ("a: 1\nb: \x01", "line 2", "control characters"),
    "aliases without end": (BOMB, "line 7", "aliases"),
    "an alias in itself": ("a: &a [*a]", "line 1, column 8", "no such anchor"),
    "deep brackets": ("[" * 100_000, "line 1", "nested"),
    "deep lists": ("- " * 100_000, "line 1", "nested"),
    "Latin-1": ("a: 1\nb: é".encode("latin-1"), "line 2", "save it as UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), "", "UTF-16"),
}
READ = {
    "a: NO": {"a": "NO"},
    "a: 'yes'": {"a": "yes"},
    "a: 2026-01-01": {"a": "2026-01-01"},
    "a: 1e-3": {"a": 0.001},
    "a: [0, -0.5, +2, .5]": {"a": [0, -0.5, 2, 0.5]},
    "a: 1.0.0": {"a": "1.0.0"},
    "a: 10**400": {"a": "10**400"},
    "a: &x {b: 1}\nc: *x": {"a": {"b": 1}, "c": {"b": 1}},
    "a: ~\nb:": {"a": None, "b": None},
    "\ufeffa: 1": {"a": 1},
    "": None,
    "# nothing": None,
}


@pytest.mark.parametrize(("text", "place", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_readers_disagree_about_is_refused(tmp_path, text, place, reason):
    path = tmp_path / "a.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ClusterflowError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert place in message and reason in message
    assert "\n" not in message and len(message) < len(str(path)) + 200


@pytest.mark.parametrize(("text", "content"), READ.items())
def test_the_rest_is_read_as_it_looks(tmp_path, text, content):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    assert read_yaml(path) == content


def test_the_library_reads_as_with_another_reader():
    root = package_data()
    paths = [*root.glob("structures/*/*.yaml"), *root.glob("studies/*.yaml")]
    assert len(paths) > 300
    for path in paths:
        other = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert read_yaml(path) == other, path


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("relax: {max_steps: true}", "relax.max_steps = True"),
        ("thermo: {pressure_pa: {CO: true}}", "thermo.pressure_pa.CO = True"),
        ("che: {ph: 1_x}", "che.ph"),
        ("clusters: [true]", "clusters.0"),
        ("thermo: {temperature_k: 10**400}", "thermo.temperature_k"),
    ],
)
def test_a_truth_value_is_no_number_and_no_name(tmp_path, text, key):
    path = tmp_path / "config.yaml"
    path.write_text(f"# a comment\n{text}\n")
    with pytest.raises(ClusterflowError) as caught:
        load_study(read_config([path]), [path])
    assert str(caught.value).startswith(f"{path}: line 2, column ")
    assert key in str(caught.value)


def test_a_truth_value_stays_where_one_is_asked_for(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("collect: {parquet: true}\n")
    assert load_study(read_config([path]), [path]).collect.parquet is True


def test_a_truth_value_is_no_shift(tmp_path):
    path = tmp_path / "shifts.yaml"
    path.write_text("- {cluster: Cu4, species: CO, shift_ev: true, source: 10.1/x}\n")
    with pytest.raises(ClusterflowError, match=r"row 1 .*shift_ev = True"):
        read_rows(path, ShiftRow)


@pytest.mark.parametrize("verb", [["check"], ["run", "-n"], ["status"]])
@pytest.mark.parametrize(
    "kind", ["folder", "pipe", "link to itself", "dangling link", "twice", "latin-1"]
)
def test_a_bad_config_is_one_line_for_every_verb(
    tmp_path, monkeypatch, capsys, verb, kind
):
    monkeypatch.chdir(tmp_path)
    config = Path("config.yaml")
    if kind == "folder":
        config.mkdir()
    elif kind == "pipe":
        os.mkfifo(config)
    elif kind == "link to itself":
        config.symlink_to(config)
    elif kind == "dangling link":
        config.symlink_to("nowhere.yaml")
        Path("results").mkdir()
    else:
        text = "study: a\nstudy: b\n" if kind == "twice" else "study: é\n"
        config.write_bytes(text.encode("latin-1"))
    assert main(verb) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: config.yaml: ") and said.err.count("\n") == 1


# Words after `run -n`, and how the error begins.
GIVEN = {
    "out of range": (
        ["--config", "relax={max_steps: -3}"],
        "--config: relax.max_steps = '-3'",
    ),
    "a key twice": (
        ["--config", "relax={max_steps: 3, max_steps: 4}"],
        "--config relax: line 1, column 16: key 'max_steps' stands there twice",
    ),
    "a setting twice": (
        ["--config", "study=a", "study=b"],
        "--config study: stands there twice",
    ),
    "an option twice": (
        ["--config", "study=a", "-C", "che={ph: 3}"],
        "--config stands there twice",
    ),
    "octal": (["--config=relax={max_steps: 012}"], "--config relax: line 1, column 13"),
    "no setting": (
        ["-C", "postgresql://me:hunter2@h/d"],
        "--config postgresql://me:***@h/d: ",
    ),
    "another folder": (["--directory", "elsewhere"], "run --directory: not taken"),
    "another workflow": (["-s", "mine.smk"], "run --snakefile: not taken"),
    "an option of Snakemake": (["--configfiles", "b"], "run --configfiles: not taken"),
    "a pipe": (["--configfile", "pipe"], "pipe: cannot be read (a pipe or device"),
    "a file for results": (["--config", "study=taken"], "results/taken/report.html: "),
}


@pytest.mark.parametrize(("words", "says"), GIVEN.values(), ids=GIVEN)
def test_the_command_line_is_read_as_strictly(
    tmp_path, monkeypatch, capsys, words, says
):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("study: mine\nrelax: {max_steps: 30}\n")
    os.mkfifo("pipe")
    Path("results").mkdir()
    Path("results/taken").touch()
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", "-n", *words]) == 2
    said = capsys.readouterr()
    (error,) = (line for line in said.err.splitlines() if line.startswith("error: "))
    assert error.startswith(f"error: {says}") and said.out == ""
    assert "hunter2" not in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_snakemake_by_itself_loses_no_section(tmp_path):
    """Its own reader keeps the last of two equal keys and says nothing."""
    config = tmp_path / "config.yaml"
    config.write_text("che: {ph: 3}\nche: {scale: rhe}\n")
    snakefile = package_data() / "Snakefile"
    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "-s", snakefile],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode != 0
    assert "config.yaml: line 2, column 1: key 'che' stands there twice" in ran.stdout
