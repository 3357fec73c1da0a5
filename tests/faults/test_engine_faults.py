"""Engines that lie, crash, hang or run wild: a hole with its reason, and no number."""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from clusterflow.cli.app import main
from clusterflow.run.watchdog import SETTINGS
from clusterflow.stages import relax  # noqa: F401 - once, before the forks

ENGINE = """
import ctypes, os, signal, sys, time
import numpy as np
from ase.calculators.calculator import Calculator, CalculationFailed
from ase.calculators.emt import EMT

class Faulty(EMT):
    implemented_properties = ["energy", "forces"]
    n_calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, ["energy", "forces"], system_changes)
        self.results = {k: self.results[k] for k in ("energy", "forces")}
        Faulty.n_calls += 1
        e, f, n = self.results["energy"], self.results["forces"], Faulty.n_calls
        FAULT
"""
RAISED = "raise {}"
# What the engine does, and a word of the reason; where it says nothing that can be
# seen, the numbers must be those of a sound engine, or none.
FAULTS = {
    "energy NaN": ("self.results['energy'] = float('nan')", "not a finite"),
    "energy infinite": ("self.results['energy'] = -float('inf')", "not a finite"),
    "energy a text": ("self.results['energy'] = '-1'", "must be a number"),
    "energy none": ("self.results['energy'] = None", "must be a number"),
    "energy complex": ("self.results['energy'] = 1j", "must be a number"),
    "energy a list": ("self.results['energy'] = [e, e]", "must be a number"),
    "energy missing": ("del self.results['energy']", ""),
    "forces NaN": ("f[0, 0] = np.nan", "not"),
    "forces infinite": ("f[0, 0] = np.inf", "not"),
    "forces of another shape": ("self.results['forces'] = f[:1]", "of shape"),
    "forces flat": ("self.results['forces'] = f.ravel()", "of shape"),
    "forces none": ("self.results['forces'] = None", "forces"),
    "forces missing": ("del self.results['forces']", ""),
    "forces without end": ("self.results['forces'] = 1e6 * (f + 1)", ""),
    "an error of its own": (
        "raise CalculationFailed('no convergence')",
        "no convergence",
    ),
    "a ValueError": ("raise ValueError('bad basis')", "bad basis"),
    "an error of many lines": (r"raise RuntimeError('one\ntwo\nthree')", "one"),
    "an error without words": ("raise Exception", ""),
    "no memory": ("raise MemoryError", ""),
    "deep recursion": ("self.calculate(atoms)", "recursion"),
    "sys.exit": ("sys.exit(0)", ""),
    "a late error": ("if n > 3: raise ValueError('late')", "late"),
    "SIGSEGV": ("ctypes.string_at(0)", "SIGSEGV"),
    "abort": ("os.abort()", "SIGABRT"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "exit of the process": ("os._exit(0)", "exit code 0"),
    "a hang": ("time.sleep(100)", "no step of progress"),
    "much memory": ("x = np.ones(80_000_000); time.sleep(100)", "MB are allowed"),
}
LEVEL = """
name: faulty
description: EMT with a fault.
source: "unpublished: a test"
engine: {calculator: "NAME:Faulty", spinless: true}
method: EMT
"""
WATCH = {"stalled_min": 1.0, "memory_mb": 600, "tries": 1}


def run_relax(fault: str) -> None:
    """A job of the workflow, in a process of its own that has imported everything."""
    faulthandler.disable()
    sys.path.insert(0, str(Path.cwd()))
    for number, path in ((1, "out"), (2, "err")):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    limits = WATCH | ({"stalled_min": 0.1} if fault == "a hang" else {})
    os.environ[SETTINGS] = json.dumps(limits)
    code = main(["relax", "Cu4", "--level", "faulty", "--output", "relax.json"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@pytest.mark.skipif(sys.platform != "linux", reason="no forked jobs elsewhere")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_engine_with_a_fault_is_a_hole_with_its_reason(tmp_path, monkeypatch, fault):
    does, says = FAULTS[fault]
    monkeypatch.chdir(tmp_path)
    name = f"engine_{abs(hash(fault))}"
    Path(f"{name}.py").write_text(ENGINE.replace("FAULT", does))
    levels = Path("structures/levels")
    levels.mkdir(parents=True)
    (levels / "faulty.yaml").write_text(LEVEL.replace("NAME", name))
    job = multiprocessing.get_context("fork").Process(target=run_relax, args=(fault,))
    job.start()
    job.join(120)
    assert job.exitcode == 0, Path("err").read_text()
    record = json.loads(Path("relax.json").read_text())
    assert record["isomers"] == [] and record["status"] == "failed"
    assert says in json.dumps(record["reason"]) or says in json.dumps(record), record
    assert record["reason"].strip() and "\n" not in record["reason"]
    left = {path.name for path in tmp_path.iterdir()}
    assert left - {"__pycache__", ".relax.scratch"} == {
        *("structures", "relax.json", "out", "err", f"{name}.py")
    }
