"""A rule of a thousand clusters says more than an argument of a program may hold."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from clusterflow.library.find import package_data

LONGEST_ARGUMENT = 131_072  # bytes, of Linux
RULES = package_data() / "workflow" / "rules"


@pytest.mark.parametrize("rule", ["collect", "refine_plan", "report"])
def test_a_long_selection_reaches_its_command(rule, tmp_path):
    (command,) = re.findall(r'r"""(.*?)"""', (RULES / f"{rule}.smk").read_text(), re.S)
    long = "x" * 2 * LONGEST_ARGUMENT
    command = command.replace("{params.selection:q}", shlex.quote(long))
    (tmp_path / "script").write_text(re.sub(r"\{\w[\w.]*(:q)?\}", "1", command))
    program = tmp_path / "clusterflow"
    program.write_text('#!/bin/sh\n[ "$1" = "$RULE" ] && wc -c\n')
    program.chmod(0o700)
    found = subprocess.run(
        ["bash", "script"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "RULE": rule},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr[-300:]
    assert int(found.stdout) == len(long)
