"""A job in a process of its own, ended where it hangs or takes the memory.

Engines are compiled code, which may crash the process that it is in. So the work is
forked, and who watches stays to try again and to say what happened. Off Linux it is
done here: an error is caught all the same, but a crash ends the job, and nothing ends
one that hangs.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import sys
import time
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NoReturn

from clusterflow.errors import ClusterflowError
from clusterflow.run.fork_client import can_fork
from clusterflow.settings import WatchdogSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psutil

# The Snakefile puts the settings here, out of the sight of Snakemake: a job need not
# run again because another would have been given up later.
SETTINGS: Final = "CLUSTERFLOW_WATCHDOG"
# No pickle is this.
_DONE: Final = b"!"
GIVEN_UP: Final = "given up after"
_LOOK_S = 1.0
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a person or the machine has to mend, and no second try will.
_NOT_OF_THE_JOB = (ClusterflowError, OSError, KeyboardInterrupt)


def read_settings() -> WatchdogSettings | None:
    """What a run has set for its jobs; None by hand, where a person watches."""
    text = os.environ.get(SETTINGS)
    return WatchdogSettings.model_validate_json(text) if text else None


def watch(
    work: Callable[[Callable[[], None]], None], settings: WatchdogSettings
) -> str:
    """Do some work in a fork, where one can be made, and again where that fails.

    Parameters
    ----------
    work
        Is called with a function that it calls at each step of progress.
    settings
        When it is ended, and how often it is tried.

    Returns
    -------
    reason
        Why it was given up; empty where it was done.

    Raises
    ------
    ClusterflowError, OSError
        As `work` raises them: these are no failures of the job.
    """
    for _ in range(settings.tries):
        reason = _try_in_fork(work, settings) if can_fork() else _try_here(work)
        if not reason:
            return ""
        print(f"error: {reason}", file=sys.stderr)
    return f"{GIVEN_UP} {settings.tries} tries: {reason}; to try anew delete the record"


def _try_here(work: Callable[[Callable[[], None]], None]) -> str:
    """Why the work was not done; empty if it was."""
    try:
        work(lambda: None)
    except _NOT_OF_THE_JOB:
        raise
    except (Exception, SystemExit) as error:  # engines fail in any way
        traceback.print_exc()
        return _describe_error(error)
    return ""


def _try_in_fork(
    work: Callable[[Callable[[], None]], None], settings: WatchdogSettings
) -> str:
    """Why the work was not done; empty if it was."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _work_and_exit(work, writing)
    os.close(writing)
    try:
        with _pass_on_signals(pid):
            ended_for, said = _follow(pid, reading, settings)
            _, status = os.waitpid(pid, 0)
    finally:
        os.close(reading)
    return ended_for or _why_ended(os.waitstatus_to_exitcode(status), said)


def _work_and_exit(
    work: Callable[[Callable[[], None]], None], writing: int
) -> NoReturn:
    """In the fork: a dot for each step, in the end that it is done, or the error."""
    signal.signal(signal.SIGINT, _stop_once)
    for number in _STOPS[1:]:
        signal.signal(number, signal.SIG_DFL)
    os.set_blocking(writing, False)
    code = 0
    try:
        work(lambda: _note_step(writing))
        os.set_blocking(writing, True)
        with suppress(BrokenPipeError):
            os.write(writing, _DONE)
    except BaseException as error:
        code = 1
        if not isinstance(error, _NOT_OF_THE_JOB):
            traceback.print_exc()
        os.set_blocking(writing, True)
        with suppress(BrokenPipeError):
            os.write(writing, _pickle_error(error))
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _stop_once(_number: int, _frame: object) -> NoReturn:
    """A keyboard's interrupt comes twice: to the group, and passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _note_step(writing: int) -> None:
    try:
        os.write(writing, b".")
    except BlockingIOError:
        pass
    except BrokenPipeError:  # who watched was killed, and the run with it
        os._exit(1)


def _pickle_error(error: BaseException) -> bytes:
    try:
        found = pickle.dumps(error)
        pickle.loads(found)
    except Exception:  # an error of another package may refuse in any way
        return pickle.dumps(RuntimeError(_describe_error(error)))
    return found


def _follow(pid: int, reading: int, settings: WatchdogSettings) -> tuple[str, bytes]:
    """Wait until the fork has ended; why it had to be, and what it said of itself."""
    import psutil

    process = psutil.Process(pid)
    limit_mb = settings.memory_mb or psutil.virtual_memory().total / 2e6
    said, look_at = b"", 0.0
    moved = time.monotonic()
    while True:
        ready, _, _ = select.select([reading], [], [], _LOOK_S)
        now = time.monotonic()
        if ready:
            new = os.read(reading, 65536)
            if not new:
                return "", said
            # No pickle begins with a dot.
            said = (said + new).lstrip(b".")
            moved = now
        if now < look_at:
            continue
        look_at = now + _LOOK_S
        if process.status() == psutil.STATUS_ZOMBIE:  # children of its hold the pipe
            return "", said + _read_rest(reading)
        family = [process, *process.children(recursive=True)]
        used_mb = sum(map(_measure_memory_mb, family))
        if used_mb > limit_mb:
            used = f"it took {used_mb:.0f} MB of memory, {limit_mb:.0f} MB are allowed"
            reason = f"{used} (watchdog.memory_mb)"
        elif now - moved > 60 * settings.stalled_min:
            still = f"no step of progress in {settings.stalled_min:g} min"
            reason = f"{still} (watchdog.stalled_min)"
        else:
            continue
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        return reason, said


def _read_rest(reading: int) -> bytes:
    """What the fork has written between the last look at the pipe and its end."""
    os.set_blocking(reading, False)
    try:
        return os.read(reading, 65536).lstrip(b".")
    except BlockingIOError:
        return b""


def _measure_memory_mb(process: psutil.Process) -> float:
    import psutil

    try:
        return float(process.memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _why_ended(code: int, said: bytes) -> str:
    """Why a fork that ended by itself did not do its work; empty if it did."""
    if said == _DONE:
        return ""
    if said:
        error = pickle.loads(said)
        if isinstance(error, _NOT_OF_THE_JOB):
            raise error
        return _describe_error(error)
    if code >= 0:  # some end well where they mean to fail
        return f"the engine ended its process with exit code {code}, without a word"
    number = signal.Signals(-code)
    if number in _STOPS:  # a person's, and so is the end of who watched
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return f"the engine's process was ended by {number.name} ({_name_signal(number)})"


def _name_signal(number: signal.Signals) -> str:
    if number == signal.SIGKILL:
        return "killed from outside, as by a machine that runs out of memory"
    return signal.strsignal(number) or str(int(number))


def _describe_error(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


@contextmanager
def _pass_on_signals(pid: int) -> Iterator[None]:
    """What would end this process goes to the fork, whose end then ends this one."""

    def pass_on(number: int, _frame: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    before = {number: signal.getsignal(number) for number in _STOPS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup
                signal.signal(number, pass_on)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
