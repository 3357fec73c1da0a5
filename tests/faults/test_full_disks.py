"""Disks that are full: one line, and with more room the rest and the same numbers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.conftest import IS_LONG, Study
from tests.faults.test_kills import age_leftovers, check_kept


def mount(path, size):
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


PLACES = ("results", "the study", "temporary files")


@pytest.fixture(params=PLACES if IS_LONG else PLACES[:1])
def disk(request, tmp_path):
    """A study of which a part lies on a small disk, and where that is mounted."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root mounts file systems")
    if request.param == "the study":
        mount(tmp_path, "400k")
        study = Study(tmp_path)
        place = tmp_path
    else:
        study = Study(tmp_path)
        place = tmp_path / "results"
        if request.param == "temporary files":
            place = study.temporary
        place.mkdir(exist_ok=True)
        mount(place, "200k")
    yield study, place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_ends_the_run_and_more_room_ends_the_study(disk, undisturbed):
    study, place = disk
    if place == study.temporary:
        fill(place)
    done = study.run()
    said = done.stdout + done.stderr
    for log in study.results.glob("logs/**/*.log"):
        said += log.read_text(errors="replace")
    # With nowhere to keep temporary files a run may do without them.
    assert done.returncode != 0 or place == study.temporary, said
    assert "Traceback" not in said, said
    # Logs on that disk may have no room for their own errors.
    assert done.returncode == 0 or "kB of room; make more" in done.stderr, said
    before = study.stamp_records()
    subprocess.run(["mount", "-o", "remount,size=80m", place], check=True)
    (study.temporary / "filling").unlink(missing_ok=True)
    age_leftovers(study)
    done = study.run()
    assert done.returncode == 0, done.stdout + done.stderr
    check_kept(before, study.stamp_records(), str(place))
    assert study.read_numbers() == undisturbed.read_numbers()
    assert study.list_left_behind() == []


def fill(folder):
    try:
        with (folder / "filling").open("wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
    except OSError:
        pass
