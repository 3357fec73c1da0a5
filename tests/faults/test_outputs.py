"""Files that cannot be written, and what is there in their place."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clusterflow.cli.app import main
from clusterflow.errors import OutputError
from clusterflow.records.files import check_output, read_records, write_atomic
from clusterflow.results.database import write_file
from tests.commands import call
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

BUILD = ["build", "Cu4", "--output"]


@pytest.fixture(scope="module")
def results(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("study") / "default"
    write_results(folder, Study(library, provenance, structure), {"Cd6Se6": {}})
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return call("clusterflow", *arguments)


def list_names(folder="."):
    return sorted(path.name for path in Path(folder).iterdir())


def list_bad_outputs():
    return {
        "a folder": "folder",
        "a name too long": f"{'x' * 300}.json",
        "below a file": "file/x.json",
        "below a device": "/dev/null/x.json",
        "where nothing can be": "/proc/clusterflow/x.json",
        "links in a circle": "circle",
        "a link into nothing": "nowhere",
        "a full disk": "/dev/full",
    }


@pytest.mark.parametrize("output", list_bad_outputs().values(), ids=list_bad_outputs())
def test_what_cannot_be_written_is_one_line(here, capsys, output):
    (here / "folder").mkdir()
    (here / "file").write_text("mine")
    (here / "circle").symlink_to("circle")
    (here / "nowhere").symlink_to("/proc/clusterflow/x.json")
    before = list_names()
    assert main([*BUILD, output]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"error: {output}: cannot be written (")
    assert said.err.count("\n") == 1
    assert list_names() == before and list_names("folder") == []
    assert (here / "file").read_text() == "mine"
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_refused_first(here):
    (here / "folder").mkdir(mode=0o555)
    with pytest.raises(OutputError, match="no right to write"):
        check_output(here / "folder/x.json")


@pytest.mark.parametrize(
    "arguments",
    [
        ["plot", "bands", "{results}", "--output", "{folder}"],
        ["plot", "bands", "{results}", "--output", "beside.svg"],
        ["list", "clusters", "--html", "/dev/full"],
        ["sites", "Cu4", "--html", "{folder}"],
        ["scan", "{results}", "--output", "{folder}"],
        ["che", "{results}/thermo/Cd6Se6.json", "--output", "/dev/full"],
        ["new", "circle"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_every_verb_that_writes_says_so(here, results, capsys, arguments):
    folder = here / "a.svg"
    folder.mkdir()
    (here / "circle").symlink_to("circle")
    (here / "beside.csv").mkdir()  # where the numbers of the figure would go
    names = {"results": results, "folder": folder}
    assert main([word.format(**names) for word in arguments]) == 2
    err = capsys.readouterr().err
    assert "cannot be written" in err and err.count("\n") == 1
    assert list_names() == ["a.svg", "beside.csv", "circle"]


def test_a_link_stays_one_and_its_target_is_replaced(here, capsys):
    (here / "far").mkdir()
    (here / "far/real.json").write_text("old")
    (here / "link.json").symlink_to("far/real.json")
    old = (here / "far/real.json").stat().st_ino
    assert main([*BUILD, "link.json"]) == 0
    assert (here / "link.json").readlink() == Path("far/real.json")
    assert json.loads((here / "far/real.json").read_text())["cluster"] == "Cu4"
    assert (here / "far/real.json").stat().st_ino != old, "whole or not at all"
    assert list_names("far") == ["real.json"]


@pytest.mark.parametrize("name", ["x" * 250 + ".json", os.fsdecode(b"\xff.json")])
def test_any_name_that_the_disk_takes_is_written(here, name):
    write_atomic(Path(name), "text")
    assert list_names() == [name]


def test_standard_output_gets_record_and_words_in_order(here):
    printed = run("build", "Cu4")
    assert json.loads(printed.stdout)
    assert json.loads(run(*BUILD, "/dev/stdout").stdout)["cluster"] == "Cu4"
    with Path("out.json").open("w") as stream:  # a shell's `> out.json`
        stream.write("# before\n")
        stream.flush()
        command = [sys.executable, "-m", "clusterflow", *BUILD, "/dev/stdout"]
        subprocess.run(command, stdout=stream, check=True)
        stream.write("# after\n")
    text = Path("out.json").read_text()
    assert text.startswith("# before\n{") and text.endswith("}\n# after\n")


@pytest.mark.parametrize("verb", ["build", "chain", "xyz"])
def test_a_pipe_is_written_into(here, results, verb):
    os.mkfifo("pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    words = [*BUILD, "pipe"]
    if verb != "build":
        words = ["export", str(results), "--format", verb, "--output", "pipe"]
    assert main(words) == 0
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    reader.join(timeout=30)
    starts = {"build": "{", "chain": "number,", "xyz": "2\n"}
    assert read[0].startswith(starts[verb])
    assert list_names() == ["pipe"]


def test_a_link_into_a_folder_that_is_not_there_makes_it(here):
    Path("link.json").symlink_to("new/real.json")
    assert main([*BUILD, "link.json"]) == 0
    assert json.loads(Path("new/real.json").read_text())["cluster"] == "Cu4"


def test_a_full_standard_output_is_one_line():
    for verb in (["list", "clusters"], ["electrons", "Cu4"]):  # more and less than 8 kB
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "clusterflow", *verb]
            ran = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert ran.returncode == 2
        assert ran.stderr == (
            "error: standard output: cannot be written (No space left on device)\n"
        )


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077])
def test_the_database_is_as_readable_as_other_files(results, tmp_path, umask):
    before = os.umask(umask)
    try:
        write_file(read_records(results), "default", tmp_path / "results.db")
    finally:
        os.umask(before)
    mode = (tmp_path / "results.db").stat().st_mode
    assert stat.S_IMODE(mode) == 0o666 & ~umask
    assert list_names(tmp_path) == ["results.db"]


def test_a_database_that_cannot_be_written_leaves_the_old_one(results, tmp_path):
    (tmp_path / "results.db").mkdir()
    with pytest.raises(OutputError, match=r"results\.db: cannot be written"):
        write_file(read_records(results), "default", tmp_path / "results.db")
    assert list_names(tmp_path) == ["results.db"]
