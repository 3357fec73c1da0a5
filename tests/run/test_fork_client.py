"""Commands in a fork of a warm process behave as if they had been started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from clusterflow.run.fork_client import ADDRESS, session_name
from clusterflow.run.start import fork_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks only on Linux")

# Only another process can run a verb for a command that cannot import this.
CRIPPLED = (
    "import sys; sys.modules['typer'] = None; from clusterflow.__main__ import main; "
    "sys.exit(main())"
)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with fork_server({**os.environ, "OMP_NUM_THREADS": "1"}) as warm:
        yield warm


def crippled(
    *arguments: str, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CRIPPLED, *arguments]
    return subprocess.run(
        command, env=env, cwd=cwd, capture_output=True, text=True, check=False
    )


def test_output_is_that_of_the_command_itself(environment) -> None:
    arguments = ("couples", "--ph", "7", "--json")
    cold = subprocess.run(
        [sys.executable, "-m", "clusterflow", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    warm = crippled(*arguments, env=environment)
    assert (warm.returncode, warm.stdout, warm.stderr) == (0, cold.stdout, "")


def test_wrong_input_keeps_its_line_and_its_code(environment) -> None:
    done = crippled("sites", "missing.xyz", env=environment)
    assert done.returncode == 2
    assert done.stderr == "error: missing.xyz: no such file\n"


def test_files_are_those_of_the_folder_of_the_command(environment, tmp_path) -> None:
    (tmp_path / "mine.xyz").write_text("2\n\nCu 0 0 0\nCu 0 0 2.2\n")
    done = crippled(
        "build", "mine.xyz", "--output", "b.json", env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.json").is_file()


def test_who_is_ended_before_it_asks_leaves_no_word(capfd) -> None:
    with fork_server({**os.environ, "OMP_NUM_THREADS": "1"}) as warm:
        path = Path(warm[ADDRESS].partition(":")[2])
        while not path.exists():
            time.sleep(0.05)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            socket.send_fds(connection, [b"\0"], [0, 1, 2])
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_an_interrupted_command_takes_its_work_with_it(environment) -> None:
    command = [sys.executable, "-c", CRIPPLED, "relax", "Cd13Se13"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    server = next(
        child for child in psutil.Process().children() if "--warm" in child.cmdline()
    )
    deadline = time.monotonic() + 30
    while not server.children() and time.monotonic() < deadline:
        time.sleep(0.05)
    (job,) = server.children()
    time.sleep(0.5)  # the job says its number when it starts, a moment after the fork
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) != 0
    psutil.wait_procs([job], timeout=10)
    assert not job.is_running() or job.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "change",
    [
        {ADDRESS: "1:/nowhere/socket"},
        {ADDRESS: f"{session_name()}:/nowhere/socket"},
        {"OMP_NUM_THREADS": "2"},
        {"APPTAINER_NAME": "clusterflow.sif"},
    ],
    ids=["another session", "nobody there", "more threads", "another image"],
)
def test_without_a_process_for_it_a_command_starts_by_itself(
    environment, change
) -> None:
    env = environment | change
    assert crippled("list", "levels", env=env).returncode != 0
    command = [sys.executable, "-m", "clusterflow", "list", "levels", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "gfn1-xtb" in done.stdout


def test_nothing_is_left_after_the_block() -> None:
    before = set(psutil.Process().children())
    with fork_server(dict(os.environ)) as warm:
        socket = Path(warm[ADDRESS].partition(":")[2])
        (server,) = set(psutil.Process().children()) - before
    assert not socket.parent.exists()
    assert not server.is_running()
