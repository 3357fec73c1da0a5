"""Work in forks: order, errors, and forks that are ended from outside."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from clusterflow.errors import ClusterflowError, RecordError
from clusterflow.run.forks import doing_in_fork, map_in_forks


def end_process(_item=None):
    os.kill(os.getpid(), signal.SIGKILL)


def raise_error(_item=None):
    raise RecordError("Cu4.json: corrupt")


def test_results_keep_the_order_of_items_that_no_pickle_can_hold():
    items = [lambda n=n: n for n in range(40)]
    found = map_in_forks(lambda item: (item(), os.getpid()), items, 2)
    assert [number for number, _ in found] == list(range(40))
    assert os.getpid() not in {pid for _, pid in found}
    assert map_in_forks(lambda item: item(), items, 1) == list(range(40))


def test_where_libraries_do_not_survive_a_fork_all_is_done_here(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    done = []
    with doing_in_fork(lambda: done.append(os.getpid()), 2):
        assert not done
    assert map_in_forks(lambda item: (item, os.getpid()), [1, 2], 2) == [
        (item, os.getpid()) for item in (1, 2)
    ]
    assert done == [os.getpid()]
    with pytest.raises(RecordError, match="corrupt"):
        map_in_forks(raise_error, [1], 2)


@pytest.mark.parametrize("n_cores", [1, 2])
def test_work_beside_a_block_is_done_when_the_block_has_ended(tmp_path, n_cores):
    with doing_in_fork(lambda: (tmp_path / "done").touch(), n_cores):
        pass
    assert (tmp_path / "done").exists()


def test_an_error_in_a_fork_is_that_of_the_caller():
    with pytest.raises(RecordError, match="corrupt"):
        map_in_forks(raise_error, [1], 2)
    with pytest.raises(RecordError, match="corrupt"), doing_in_fork(raise_error, 2):
        pass


def test_a_fork_that_was_ended_is_named_in_one_line():
    with pytest.raises(ClusterflowError, match="ended"):
        map_in_forks(end_process, [1], 2)
    with pytest.raises(ClusterflowError, match="ended"), doing_in_fork(end_process, 2):
        pass
