"""Who holds the folder of a study: a lease that every machine can read and judge.

Snakemake's own lock outlives a run that was killed and does not say whose it is. A
lease names host and process, and is renewed while Snakemake lives. On the machine that
it names it is over when the process is gone; for all others, who cannot look, when
nobody has renewed it for a while.

It holds on network file systems: it is made by a hard link, which one of two wins, and
its age is the difference of two times of the file server.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from clusterflow.errors import ClusterflowError
from clusterflow.model import Model
from clusterflow.records.files import write_atomic
from clusterflow.run import heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(".snakemake")
HOLDER = FOLDER / "clusterflow-run.json"

RENEW_S = 20.0
# Several renewals, and the minute for which a client of NFS may believe an old time.
EXPIRES_S = 180.0
# Of two that take over at once the later one wins; both look again after this time.
_SETTLE_S = 1.0
# A process number may be given out again: its start must agree too, within the
# accuracy with which the kernel's clock is known.
_START_TOLERANCE_S = 2.0


class RunHolder(Model):
    """The run that holds the folder; written when it starts, removed when it ends.

    `place` is the boot and the process table in which `pid` means something: nodes of a
    container may share their host's name. `bundle` is `2/12` where only that part of
    the study is run.
    """

    host: str
    pid: int
    create_time: float
    place: str = ""
    token: str = ""
    bundle: str = ""
    study: str = ""
    configfiles: tuple[str, ...] = ()
    cores: int | None = None


@dataclass(frozen=True)
class Lease:
    """A lease as it stands in the folder, and how long ago it was renewed, s."""

    path: Path
    holder: RunHolder
    age_s: float

    @property
    def is_here(self) -> bool:
        """Whether its process would be seen from here."""
        here = (platform.node(), find_place())
        return (self.holder.host, self.holder.place) == here

    @property
    def is_over(self) -> bool:
        """Whether its run is gone."""
        if self.is_here:
            return not _is_alive(self.holder)
        return self.age_s > EXPIRES_S

    def refuse(self) -> ClusterflowError:
        """What to tell who would like to have the folder."""
        pid = self.holder.pid
        if self.is_here:
            return ClusterflowError(
                f"{Path.cwd()}: a run is under way (process {pid}); "
                f"wait for it, or stop it with: kill -INT {pid}"
            )
        return ClusterflowError(
            f"{Path.cwd()}: held by a run on {self.holder.host} (process {pid}), last "
            f"heard of {self.age_s:.0f} s ago; wait for it or stop it there; if it is "
            f"gone, the folder is free {EXPIRES_S:.0f} s after its last word"
        )


def describe_run(pid: int, **note: object) -> RunHolder:
    """A holder: the run of a process here, and what else is to be known of it.

    Raises
    ------
    psutil.NoSuchProcess
        If it is gone.
    """
    import psutil

    values = {
        "host": platform.node(),
        "pid": pid,
        "create_time": psutil.Process(pid).create_time(),
        "place": find_place(),
        **note,
    }
    return RunHolder.model_validate(values)


def find_place() -> str:
    """Boot and process table of this machine, as Linux names them; else empty."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return f"{boot.strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def current_run() -> RunHolder | None:
    """The run that holds the current folder; the first of several bundles."""
    living = (lease.holder for lease in _read_leases() if not lease.is_over)
    return next(living, None)


@contextmanager
def hold_folder(bundle: str = "", wait_s: float = 0.0) -> Iterator[HeldFolder]:
    """Hold the current folder while the block lasts.

    Parameters
    ----------
    bundle
        ``2/12`` for that part of the study alone; other parts may then run beside.
    wait_s
        How long to wait for a run that may be gone.

    Raises
    ------
    ClusterflowError
        If another run holds it.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            held = _claim_folder(bundle)
            break
        except ClusterflowError:
            if time.monotonic() > until:
                raise
            time.sleep(min(5.0, wait_s))
    try:
        yield held
    finally:
        held.release()


class HeldFolder:
    """The folder of the study, while it is ours."""

    def __init__(self, path: Path, holder: RunHolder, *, taken_over: bool) -> None:
        self._path = path
        self._holder = holder
        self.taken_over = taken_over

    def note(self, pid: int, **note: object) -> None:
        """Say that this process runs the study, and what else others may ask."""
        import psutil

        own = {"token": self._holder.token, "bundle": self._holder.bundle}
        with suppress(psutil.NoSuchProcess):  # it failed at once
            self._holder = describe_run(pid, **own, **note)
            write_atomic(self._path, _to_text(self._holder))

    def release(self) -> None:
        """Leave the folder to others."""
        with suppress(OSError):
            if self._holder.token in self._path.read_text(encoding="utf-8"):
                self._path.unlink()

    @contextmanager
    def kept_alive(self, pid: int, pipe: int) -> Iterator[None]:
        """Renew the lease while the process group lives that has the pipe's end."""
        program = [sys.executable, "-I", "-S", heartbeat.__file__]
        path = str(self._path.absolute())
        # Elsewhere, and in a group of its own: it is no process of the study.
        process = subprocess.Popen(
            [*program, path, self._holder.token, str(pid), str(RENEW_S)],
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            cwd="/",
            process_group=0,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def _claim_folder(bundle: str) -> HeldFolder:
    FOLDER.mkdir(exist_ok=True)
    path = _name_lease(bundle)
    holder = describe_run(os.getpid(), token=uuid.uuid4().hex, bundle=bundle)
    taken_over = not _create_lease(path, _to_text(holder))
    if taken_over:
        _take_over(path, holder)
    held = HeldFolder(path, holder, taken_over=taken_over)
    # Whoever comes second sees the first; both may see each other and be refused.
    for lease in _read_leases():
        if lease.path == path or not _exclude(bundle, lease.holder.bundle):
            continue
        if not lease.is_over:
            held.release()
            raise lease.refuse()
        lease.path.unlink(missing_ok=True)
        held.taken_over = True
    return held


def _take_over(path: Path, holder: RunHolder) -> None:
    lease = _read_lease(path)
    if lease is not None and not lease.is_over:
        raise lease.refuse()
    write_atomic(path, _to_text(holder))
    time.sleep(_SETTLE_S)
    lease = _read_lease(path)
    if lease is not None and lease.holder.token != holder.token:
        raise lease.refuse()


def _exclude(one: str, other: str) -> bool:
    """Whether two parts of a study may not run at the same time.

    >>> _exclude("1/12", "2/12"), _exclude("1/12", "2/6"), _exclude("1/12", "")
    (False, True, True)
    >>> _exclude("0/12", "2/12")
    True
    """
    if not one or not other:
        return True
    (part, of), (other_part, other_of) = one.split("/"), other.split("/")
    return of != other_of or "0" in (part, other_part)


def _name_lease(bundle: str) -> Path:
    return HOLDER.with_stem(
        "-".join(("clusterflow-run", *bundle.split("/"))).strip("-")
    )


def _to_text(holder: RunHolder) -> str:
    return holder.model_dump_json() + "\n"


def _create_lease(path: Path, text: str) -> bool:
    """Whether the lease is ours; another one may be there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.chmod(0o644)
        try:
            os.link(temporary, path)
        except FileExistsError:
            # The answer of a file server to the first of two requests may be lost.
            return temporary.stat().st_nlink == 2
        except OSError:  # no hard links here
            try:
                with path.open("x", encoding="utf-8") as stream:
                    stream.write(text)
            except FileExistsError:
                return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _read_leases() -> list[Lease]:
    paths = sorted(FOLDER.glob(f"{HOLDER.stem}*.json"))
    return [lease for path in paths if (lease := _read_lease(path)) is not None]


def _read_lease(path: Path) -> Lease | None:
    """None if it is not there; of one that cannot be read the age alone counts."""
    try:
        # A file that is opened is asked for anew from a file server.
        with path.open("rb") as stream:
            content = stream.read()
            renewed = os.fstat(stream.fileno()).st_mtime
    except OSError:
        return None
    try:
        holder = RunHolder.model_validate_json(content)
    except ValidationError:
        holder = RunHolder(host="an unknown machine", pid=0, create_time=renewed)
    return Lease(path=path, holder=holder, age_s=_read_server_time() - renewed)


def _read_server_time() -> float:
    """The time of whoever keeps the files: clocks of machines may differ."""
    try:
        with tempfile.TemporaryFile(dir=FOLDER) as stream:
            return os.fstat(stream.fileno()).st_mtime
    except OSError:  # a reader without the right to write
        return time.time()


def _is_alive(holder: RunHolder) -> bool:
    import psutil

    try:
        process = psutil.Process(holder.pid)
        zombie = process.status() == psutil.STATUS_ZOMBIE
        off_s = abs(process.create_time() - holder.create_time)
    except psutil.NoSuchProcess:
        return False
    return bool(off_s < _START_TOLERANCE_S and not zombie)
