"""Small things that cut: passwords, formulas in cells, odd options, odd engines."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from clusterflow.cli.app import main
from clusterflow.errors import ClusterflowError, hide_passwords
from clusterflow.records.files import write_atomic
from clusterflow.results.tables import to_csv
from clusterflow.run.leftovers import sweep_pieces, sweep_sockets, sweep_temporaries
from clusterflow.run.start import fork_server
from clusterflow.settings import load_study
from clusterflow.stages.parts.scratch import Scratch

WITH_PASSWORDS = [
    "postgresql://me:hunter2@host/db",
    "postgres://me:hunter2@host/db",
    "mysql://me:hunter2@host/db",
    "postgresql://me:hunter2/hunter2@host/db",
    "postgresql://me:hunter2@hunter2@host/db",
    "postgresql://:hunter2@host/db",
    "postgresql://me@host/db?password=hunter2",
    "postgresql://me@host/db?PASSWORD=hunter2&x=y",
    "postgresql://me@host/db?p%61ssword=hunter2",
    "postgresql://me@host/db?sslpassword=hunter2",
    "postgresql://me@host/db?password=%27hunter2%27",
    "postgresql://me:hunter2 @host/db",
    "postgresql://me:%20hunter2@host/db",
    "host=h user=me password = hunter2",
]
# Of these nobody knows what is a password.
NO_URLS = ["postgresql:/me:hunter2@host/db", "me:hunter2@host/db", "hunter2"]


@pytest.mark.parametrize("url", [*WITH_PASSWORDS, *NO_URLS])
def test_a_password_is_refused_and_never_shown(tmp_path, monkeypatch, capsys, url):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(f"collect:\n  database: '{url}'\n")
    for verb in (["check"], ["run", "-n"], ["collect", ".", "--database", url]):
        assert main(verb) == 2
        said = capsys.readouterr()
        assert "hunter2" not in said.out + said.err
        says = "must be postgresql://USER" if url in NO_URLS else "holds a password"
        assert says in said.err and said.err.count("\n") == 1
    with pytest.raises(ClusterflowError) as caught:
        load_study({"collect": {"database": url}}, [])
    assert "hunter2" not in repr(caught.value)


def test_a_password_is_in_no_traceback(tmp_path):
    url = WITH_PASSWORDS[0]
    (tmp_path / "config.yaml").write_text(f"collect:\n  database: '{url}'\n")
    ran = subprocess.run(
        [sys.executable, "-m", "clusterflow", "check"],
        cwd=tmp_path,
        env=os.environ | {"CLUSTERFLOW_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" in ran.stderr and "hunter2" not in ran.stdout + ran.stderr


def test_an_url_without_a_password_stays_whole():
    for url in ("postgresql://me@host:5432/db", "postgresql:///db?host=/run/pg"):
        assert hide_passwords(url) == url
        assert load_study({"collect": {"database": url}}, []).collect.database == url


def test_texts_are_no_formulas_and_numbers_stay(tmp_path):
    texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "\r=1"]
    rows = [{"reason": text, "energy_ev": -1.5, "n_e": -2} for text in texts]
    read = list(csv.DictReader(io.StringIO(to_csv("failures", rows), newline="")))
    texts[-1] = " =1"  # a cell of one line
    assert [row["reason"] for row in read] == [f"'{text}" for text in texts]
    assert {(row["energy_ev"], row["n_e"]) for row in read} == {("-1.5", "-2")}
    plain = [{"species": "*CO", "reason": "it is −1 eV = too low", "gas": ""}]
    assert to_csv("x", plain).splitlines()[1] == "*CO,it is −1 eV = too low,"


def test_what_is_printed_is_whole_in_any_locale(tmp_path, monkeypatch):
    printed = io.BytesIO()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, "ascii"))
    assert main(["new", os.fsdecode("Å−".encode() + b"\xff")]) == 0
    assert "Å−".encode() + b"\xff/config.yaml" in printed.getvalue()


OPTIONS = {
    "ph": ["couples", "--ph", "nan"],
    "ph without end": ["couples", "--ph", "inf"],
    "temperature": ["couples", "--temperature-k", "nan"],
    "a list": ["build", "Cu4", "--settings", "[1]"],
    "a number": ["relax", "Cu4", "--settings", '{"relax": 3}'],
    "a number for all": ["gas", "CO", "--settings", '{"thermo": 3}'],
    "a truth value": ["relax", "Cu4", "--settings", '{"relax": {"max_steps": true}}'],
    "no number": ["relax", "Cu4", "--settings", '{"relax": {"rattle_a": NaN}}'],
    "a key twice": ["build", "Cu4", "--settings", '{"relax": {"a": 1, "a": 2}}'],
    "a section misspelt": ["build", "Cu4", "--settings", '{"relx": {}}'],
    "deep": ["build", "Cu4", "--settings", "[" * 100_000],
    "a selection": ["collect", ".", "--selection", "{}"],
    "a list for a selection": ["collect", ".", "--selection", "[1]"],
    "no selection on standard input": ["collect", ".", "--selection", "-"],
    "a section of lists": ["collect", ".", "--settings", '{"collect": [1]}'],
}


@pytest.mark.parametrize("arguments", OPTIONS.values(), ids=OPTIONS)
def test_odd_options_are_one_line(capsys, monkeypatch, arguments):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ") and said.err.count("\n") == 1


ENGINES = {
    "few forces": ("-1.0", "np.zeros((1, 3))", "the forces must be numbers of shape"),
    "flat forces": ("-1.0", "np.zeros(6)", "the forces must be numbers of shape"),
    "ragged forces": ("-1.0", "[[0, 0, 0], [0]]", "the forces must be numbers"),
    "text forces": ("-1.0", "[['a', 'b', 'c']] * 2", "the forces must be numbers"),
    "text energy": ("'-1.0'", "np.zeros((2, 3))", "the energy must be a number"),
    "complex energy": ("1j", "np.zeros((2, 3))", "the energy must be a number"),
    "two energies": ("[1.0, 2.0]", "np.zeros((2, 3))", "the energy must be a number"),
    "a masked energy": ("np.ma.masked", "np.zeros((2, 3))", "the energy is not a"),
    "masked forces": ("-1.0", "np.ma.masked_all((2, 3))", "the forces is not a finite"),
    "no energy": ("float('nan')", "np.zeros((2, 3))", "the energy is not a finite"),
}


@pytest.mark.parametrize(("energy", "forces", "reason"), ENGINES.values(), ids=ENGINES)
def test_an_engine_that_says_nonsense_is_a_failed_start(
    tmp_path, monkeypatch, capsys, energy, forces, reason
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    name = f"nonsense{abs(hash((energy, forces)))}"
    (tmp_path / f"{name}.py").write_text(
        "import numpy as np\n"
        "from ase.calculators.calculator import Calculator\n"
        "class Nonsense(Calculator):\n"
        "    implemented_properties = ['energy', 'forces']\n"
        "    def calculate(self, atoms=None, properties=None, system_changes=()):\n"
        "        super().calculate(atoms, properties, system_changes)\n"
        f"        self.results = {{'energy': {energy}, 'forces': {forces}}}\n"
    )
    folder = tmp_path / "structures/levels"
    folder.mkdir(parents=True)
    (folder / "nonsense.yaml").write_text(
        "name: nonsense\nsource: 'unpublished: A. Person'\ndescription: wrong\n"
        f"engine: {{calculator: '{name}:Nonsense', spinless: true}}\n"
    )
    assert main(["relax", "Cu2", "--level", "nonsense"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["isomers"] == [] and reason in json.dumps(record)


def test_a_list_of_forces_is_as_good_as_an_array(structure):
    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from clusterflow.engines.calculator import EngineCalculator
    from clusterflow.engines.import_path import OwnEngine
    from clusterflow.engines.make import Meter

    class Lists(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, *arguments):
            super().calculate(*arguments)
            self.results = {"energy": [-1], "forces": [[0, 0, 1], [0, 0, -1]]}

    atoms = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.2]])
    atoms.calc = EngineCalculator(Lists(), OwnEngine(own=None), Meter())
    assert atoms.get_potential_energy() == -1.0
    assert atoms.get_forces().tolist() == [[0, 0, 1], [0, 0, -1]]


@pytest.mark.skipif(sys.platform != "linux", reason="no forked jobs elsewhere")
def test_a_long_temporary_folder_leaves_room_for_the_socket(tmp_path, monkeypatch):
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with fork_server(dict(os.environ)) as environment:
        path = environment["CLUSTERFLOW_WARM_PROCESS"].partition(":")[2]
        until = time.monotonic() + 60
        while not os.path.exists(path) and time.monotonic() < until:  # noqa: PTH110
            time.sleep(0.1)
        assert os.path.exists(path)  # noqa: PTH110
        assert len(os.fsencode(path)) <= 107
    assert not os.path.exists(os.path.dirname(path))  # noqa: PTH110, PTH120


@pytest.mark.skipif(sys.platform != "linux", reason="no forked jobs elsewhere")
def test_the_socket_of_a_killed_run_goes_with_its_warm_process(tmp_path):
    """Who started it is gone, and with it the other end of its standard input."""
    path = tmp_path / "clusterflow-x/socket"
    path.parent.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "clusterflow", "--warm", str(path)],
        stdin=subprocess.PIPE,
    )
    process.stdin.close()
    assert process.wait(timeout=120) == 0
    assert list(tmp_path.iterdir()) == []


def test_sockets_that_nobody_answers_are_swept(tmp_path):
    old = time.time() - 3600
    with contextlib.ExitStack() as listening:
        for name in ("clusterflow-gone", "clusterflow-alive", "clusterflow-new"):
            folder = tmp_path / name
            folder.mkdir()
            one = listening.enter_context(socket.socket(socket.AF_UNIX))
            one.bind(str(folder / "socket"))
            if name == "clusterflow-alive":
                one.listen()
        (tmp_path / "clusterflow-mine").mkdir()
        (tmp_path / "clusterflow-mine/notes.txt").touch()
        for folder in tmp_path.iterdir():
            if folder.name != "clusterflow-new":
                os.utime(folder, (old, old))
        sweep_sockets(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"clusterflow-alive", "clusterflow-new", "clusterflow-mine"}


def test_what_killed_runs_leave_is_swept(tmp_path):
    relax = tmp_path / "relax"
    piece = load_study({}).relax  # any model
    for name in ("Cu4", "Cu8"):
        Scratch(Scratch.beside(relax / f"{name}.json")).save(piece, name)
    write_atomic(relax / "Cu4.json", "{}")  # killed between record and sweeping
    old = time.time() - 3600
    killed = [relax / ".Cu8.json.ab_cd012", tmp_path / ".results.db.abcdefgh-journal"]
    mine = [tmp_path / ".notes.markdown", tmp_path / ".results.db", relax / "Cu4.json"]
    for path in (*killed, *mine):
        path.write_text("")
        os.utime(path, (old, old))
    writing = relax / ".Cu9.json.abcdefgh"  # by a job of another machine, just now
    writing.write_text("")
    sweep_temporaries(tmp_path)
    assert not any(path.exists() for path in killed)
    assert all(path.exists() for path in (*mine, writing))
    assert (relax / ".Cu4.scratch").exists(), "the job may be run again from there"
    sweep_pieces(tmp_path)
    assert not (relax / ".Cu4.scratch").exists()
    assert (relax / ".Cu8.scratch").exists(), "an unfinished job goes on from there"


def test_temporary_names_are_those_that_are_swept(tmp_path, monkeypatch):
    """The name of a write that was killed, as the kernel saw it."""
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(tmp_path.iterdir()))
    write_atomic(tmp_path / "Cu4.json", "{}")
    (name,) = seen
    name.write_text("")
    os.utime(name, (0, 0))
    sweep_temporaries(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Cu4.json"]


@pytest.mark.parametrize("n_digits", [12, 18, 5000])
def test_a_number_of_atoms_beyond_all_bounds_is_one_line(tmp_path, capsys, n_digits):
    says = "9" * n_digits
    for path in (tmp_path / "mine.xyz", tmp_path / "outputs/clean.xyz"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{says}\nx\nCu 0 0 0\nCu 0 0 2\n")
    start = time.monotonic()
    assert main(["build", str(tmp_path / "mine.xyz")]) == 2
    own = ["--energies", str(tmp_path / "outputs"), "--reaction", "HER"]
    assert main(["che", *own]) == 2
    assert time.monotonic() - start < 10
    first, second = capsys.readouterr().err.splitlines()
    assert "mine.xyz" in first and "clean.xyz" in second
