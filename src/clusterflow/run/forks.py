"""Parts of a large job in forks, on other cores: they see what was read before."""

from __future__ import annotations

import gc
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

from clusterflow.errors import ClusterflowError
from clusterflow.run.fork_client import can_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

# Of a fork: what it was made for.
_tasks: Sequence[Callable[[], Any]] = ()


def map_in_forks(work: Callable[[T], R], items: Sequence[T], n_cores: int) -> list[R]:
    """What a function makes of each item, in their order.

    Parameters
    ----------
    work
        May be a closure over records: neither it nor the items are pickled, what it
        returns is.
    n_cores
        As many forks; with one, and off Linux, the work is done here.

    Raises
    ------
    ClusterflowError
        If a fork was ended from outside.
    Exception
        As `work` raises it.
    """
    if n_cores < 2 or not can_fork():
        return list(map(work, items))
    tasks = [lambda item=item: work(item) for item in items]
    with _open_pool(tasks, n_cores) as pool:
        return list(pool.map(_do_task, range(len(tasks)), chunksize=8))


@contextmanager
def doing_in_fork(work: Callable[[], None], n_cores: int) -> Iterator[None]:
    """Do some work beside what the block does; with one core, and off Linux, after it.

    Raises
    ------
    ClusterflowError
        If the fork was ended from outside.
    Exception
        As `work` raises it, when the block has ended well.
    """
    if n_cores < 2 or not can_fork():
        yield
        work()
        return
    with _open_pool([work], 1) as pool:
        future = pool.submit(_do_task, 0)
        yield
        future.result()


@contextmanager
def _open_pool(
    tasks: Sequence[Callable[[], Any]], n_forks: int
) -> Iterator[ProcessPoolExecutor]:
    # A collection would write to each page that holds an object, and so copy it.
    gc.freeze()
    try:
        with ProcessPoolExecutor(
            n_forks, get_context("fork"), initializer=_keep_tasks, initargs=(tasks,)
        ) as pool:
            yield pool
    except BrokenProcessPool:
        raise ClusterflowError(
            "a process that helped was ended, maybe for want of memory; --cores 1 "
            "needs none"
        ) from None
    finally:
        gc.unfreeze()


def _keep_tasks(tasks: Sequence[Callable[[], Any]]) -> None:
    global _tasks
    _tasks = tasks


def _do_task(number: int) -> Any:
    return _tasks[number]()
