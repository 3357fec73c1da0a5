"""The database of a study, asked by ASE's own command: a file, and a real server."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from clusterflow.cli.app import main
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_records
from clusterflow.results import database
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.results.database import KEYS, write_file
from clusterflow.results.tables import TABLES
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study


@pytest.fixture(scope="module")
def results(tmp_path_factory, library, provenance, structure):
    """A study of three clusters, under the name `default`."""
    folder = tmp_path_factory.mktemp("study") / "default"
    shifts = {"Cd6Se6": {}, "Cu4": {"COOH": 0.2}, "Cu8": {"COOH": 0.3}}
    write_results(folder, Study(library, provenance, structure), shifts)
    return folder


def ask(target, *arguments):
    """What `ase db` says; its own process would take a second to start."""
    from ase.cli.main import main as ase

    with contextlib.redirect_stdout(io.StringIO()) as said:
        ase(args=["db", str(target), *arguments])
    return said.getvalue()


def count(target, query):
    return int(ask(target, query, "--count").split()[0])


def test_a_person_finds_what_the_page_promises(results, tmp_path):
    write_file(read_records(results), "default", tmp_path / "results.db")
    shown = ask(
        tmp_path / "results.db",
        "cluster=Cd6Se6,adsorbate=COOH,chosen=True",
        *("--columns", "study,level,formation_ev,record"),
    )
    records = read_records(results)
    thermo = next(t for t in records.of(ThermoRecord) if t.cluster == "Cd6Se6")
    dg_ev = next(s.formation_ev for s in thermo.species if s.name == "*COOH")
    assert f"{dg_ev:.3f}" in shown and "adsorb/Cd6Se6/COOH.json" in shown
    assert "Rows: 1\n" in shown
    keys = shown.partition("Keys: ")[2].split()
    assert {key.strip(",") for key in keys} <= KEYS.keys()


def test_a_name_that_reads_as_a_number_is_still_a_name(results, tmp_path):
    write_file(read_records(results), "2024", tmp_path / "results.db")
    n_all = count(tmp_path / "results.db", "study=2024_")
    assert n_all == count(tmp_path / "results.db", "kind") > 0


@pytest.fixture(scope="module")
def socket():
    """Folder with the socket of a PostgreSQL server, which ends with the tests."""
    pytest.importorskip("ase_db_backends", reason="needs clusterflow[postgresql]")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    where = os.pathsep.join([*map(str, reversed(programs)), os.environ["PATH"]])
    initdb, pg_ctl = (shutil.which(name, path=where) for name in ("initdb", "pg_ctl"))
    if initdb is None or pg_ctl is None:
        pytest.skip("no initdb here: apt-get install postgresql")
    # Not tmp_path: the path of a socket has at most 107 characters, and a server
    # that may not run as root must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="clusterflow-pg-"))
    how = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        how |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = str(folder / "data")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    log = str(folder / "log")
    try:
        made = [initdb, "-D", data, "-A", "trust", "-U", "me", "--no-sync"]
        subprocess.run(made, **how)
        started = [pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start"]
        subprocess.run(started, **how)
        yield folder
    finally:
        stop = [pg_ctl, "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, **{**how, "check": False})
        shutil.rmtree(folder)


@pytest.fixture
def server(socket, request):
    """URL of an empty database of one test."""
    import psycopg2

    name = f"db{abs(hash(request.node.name))}"
    address = f"postgresql://me@/{{}}?host={socket}"
    with contextlib.closing(psycopg2.connect(address.format("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return address.format(name)


def collect(folder, url, capsys):
    """Exit code and what stands on standard error."""
    code = main(["collect", str(folder), "--database", url])
    return code, capsys.readouterr().err


def test_a_server_takes_in_studies_and_replaces_only_their_own(
    server, results, capsys, monkeypatch
):
    assert collect(results, server, capsys) == (0, "")
    n_rows = count(server, "study=default")
    assert n_rows == count(results / "results.db", "study=default") > 10
    assert collect(results, server, capsys) == (0, "")
    assert count(server, "study=default") == n_rows, "nothing is there twice"

    other = results.parent / "other"
    shutil.copytree(results, other)
    shutil.rmtree(other / "adsorb" / "Cu8")
    assert collect(other, server, capsys) == (0, "")
    fewer = count(server, "study=other")
    assert fewer < n_rows == count(server, "study=default")
    assert count(server, "kind") == fewer + n_rows
    assert "Rows: 2\n" in ask(server, "cluster=Cd6Se6,adsorbate=COOH")

    def fail(records):
        yield from list(whole(records))[:3]
        raise OSError("disk full")

    # Broken off in the middle: the study is as it was before.
    whole = database.rows
    monkeypatch.setattr(database, "rows", fail)
    with pytest.raises(OSError, match="disk full"):
        database.write_server(read_records(results), "default", server)
    assert count(server, "study=default") == n_rows
    monkeypatch.undo()

    monkeypatch.setattr(database, "SCHEMA", database.SCHEMA + 1)
    code, said = collect(results, server, capsys)
    assert code == 2 and len(said.splitlines()) == 1
    way_out = said.partition("take them out with: ")[2].partition(";")[0]
    assert "has rows of schema 1, this clusterflow writes 2" in said
    ask(*shlex.split(way_out)[2:])
    assert collect(results, server, capsys) == (0, "")
    assert count(server, "kind") == n_rows
    monkeypatch.undo()
    code, said = collect(results, server, capsys)
    assert code == 2 and "writes 1; update clusterflow" in said


def test_a_server_that_answers_is_in_order(server, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nobody = server.replace("?", "x?")
    config = "study: a\nclusters: [Cu2]\nreactions: []\nadsorbates: []\n"
    Path("config.yaml").write_text(f"{config}collect: {{database: '{server}'}}\n")
    assert main(["check"]) == 0
    assert "everything is in order" in capsys.readouterr().out
    Path("config.yaml").write_text(f"{config}collect: {{database: '{nobody}'}}\n")
    assert main(["check"]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert os.listdir() == ["config.yaml"]  # noqa: PTH208


def test_two_studies_at_once_do_not_mix(server, results):
    """ASE takes the last number in a table for its own: writers must wait."""
    import psycopg2

    records = read_records(results)
    # The keys of a row stand in a column of it, and again in a table beside.
    mixed = """
        SELECT count(*) FROM systems s JOIN text_key_values t ON s.id = t.id
        WHERE t.key = 'study' AND s.key_value_pairs->>'study' <> t.value
    """
    with ThreadPoolExecutor() as pool:
        names = ["one", "two", "three"]
        jobs = [pool.submit(database.write_server, records, n, server) for n in names]
        for job in jobs:
            job.result()
    with contextlib.closing(psycopg2.connect(server)) as connection:
        cursor = connection.cursor()
        cursor.execute(mixed)
        assert cursor.fetchone() == (0,)
    assert len({count(server, f"study={name}") for name in names}) == 1


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("ase_db_backends.postgresql", ["--database", "postgresql://x"], "postgresql"),
        ("pyarrow", ["--parquet"], "parquet"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    module, arguments, extra, results, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["collect", str(results), *arguments]) == 2
    assert f"pip install 'clusterflow[{extra}]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://me@host/x", "must be postgresql://USER@HOST/NAME"),
        ("postgresql://me:secret@host/x", "database: holds a password"),
        ("postgresql://me@/x?host=/nowhere", "cannot be written to"),
    ],
)
def test_a_database_that_cannot_be_is_one_clear_line(results, url, says, capsys):
    if "nowhere" in url:
        pytest.importorskip("ase_db_backends", reason="needs clusterflow[postgresql]")
    code, said = collect(results, url, capsys)
    assert code == 2
    assert says in said and "secret" not in said
    assert len(said.splitlines()) == 1


def test_every_column_of_every_table_is_documented(results):
    records = read_records(results)
    assert TABLE_COLUMNS.keys() == TABLES.keys()
    for name, make_rows in TABLES.items():
        for row in make_rows(records):
            assert tuple(row) == TABLE_COLUMNS[name], name
    assert set().union(*TABLE_COLUMNS.values()) == COLUMNS.keys()


def test_parquet_is_the_table_with_the_same_types_in_every_study(results, capsys):
    pytest.importorskip("pyarrow", reason="needs clusterflow[parquet]")
    assert main(["collect", str(results), "--parquet"]) == 0
    for name in TABLES:
        text = pd.read_csv(results / f"{name}.csv", dtype_backend="numpy_nullable")
        table = pd.read_parquet(results / f"{name}.parquet")
        assert list(table) == list(text) == list(TABLE_COLUMNS[name])
        assert len(table) == len(text)
        for column in table:
            kind = COLUMNS[column].kind
            wanted = {"text": "string", "number": "float64", "integer": "Int64"}
            assert str(table[column].dtype) == wanted.get(kind, "boolean"), column
            assert (table[column].isna() == text[column].isna()).all(), column
    number = pd.read_parquet(results / "energies.parquet")["formation_ev"]
    text = pd.read_csv(results / "energies.csv")["formation_ev"]
    assert number.to_numpy() == pytest.approx(text.to_numpy(), abs=1e-6, nan_ok=True)
    assert main(["collect", str(results)]) == 0
    assert not list(results.glob("*.parquet")), "no old table stays beside a new one"
