"""Hydrides of Cu2H2 with GFN1-xTB: a cluster that gives hydrogen and takes it back."""

from __future__ import annotations

import csv
import json
from math import log

import numpy as np
import pytest
from ase import units
from ase.thermochemistry import HarmonicThermo, IdealGasThermo
from ase.vibrations import Vibrations

from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record
from clusterflow.records.vibrations import GasRecord

pytestmark = pytest.mark.xtb
# −kT ln 2 of the unpaired electron that a hydride or a thiolate leaves behind.
DOUBLET_EV = -units.kB * 298.15 * log(2)

HYDRIDE = {
    "study": "hydride",
    "clusters": ["Cu2H2"],
    "reactions": ["CO2-to-HCOOH-hydride", "hydride-loss"],
    "adsorb": {"max_screened": 4, "max_relaxed": 1, "screen_steps": 3},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    from .conftest import Folder

    folder = Folder(tmp_path_factory.mktemp("hydride"))
    folder.configure(HYDRIDE)
    done = folder.run()
    assert done.returncode == 0, done.stderr
    return folder.path / "results/hydride"


def load(results, name):
    return json.loads((results / name).read_text())


def energy(results, cluster):
    return load(results, f"relax/{cluster}.json")["isomers"][0]["energy_ev"]


def free_energy_of_hydrogen(results):
    """By ASE's own statistical mechanics, at 1 bar."""
    found = read_record(results / "gas/gfn1-xtb/H2.json", GasRecord)
    gas = IdealGasThermo(
        vib_energies=[w * units.invcm for w in found.frequencies_cm1],
        geometry="linear",
        potentialenergy=found.energy_ev,
        atoms=to_atoms(found.structure),
        symmetrynumber=2,
        spin=0,
    )
    return gas.get_gibbs_energy(298.15, 1e5, verbose=False)


def vibrations_of(results, cluster, atoms, scratch):
    """Free energy of some atoms' vibrations by ASE, eV; none below 50 cm⁻¹."""
    from tblite.ase import TBLite

    isomer = read_record(results / f"relax/{cluster}.json", RelaxRecord).isomers[0]
    whole = to_atoms(isomer.structure)
    whole.calc = TBLite(method="GFN1-xTB", accuracy=0.1, verbosity=0)
    vibrations = Vibrations(whole, atoms, name=str(scratch / cluster), delta=0.01)
    vibrations.run()
    energies = vibrations.get_energies().real
    low = np.maximum(energies, 50 * units.invcm)
    thermal = HarmonicThermo(low).get_helmholtz_energy(298.15, verbose=False)
    return thermal - (low - energies).sum() / 2


def test_hydride_loss_by_hand(results, tmp_path):
    """Cu2H2 + ½ H2 -> Cu2H + H2, from energies, vibrations and the spin of Cu2H."""
    che = load(results, "che/Cu2H2.json")
    (loss,) = (r for r in che["results"] if r["reaction"] == "hydride-loss")
    hydrogen = free_energy_of_hydrogen(results)
    by_hand = energy(results, "Cu2H") + hydrogen / 2 - energy(results, "Cu2H2")
    by_hand += DOUBLET_EV
    # One is as good as the other.
    (group,) = load(results, "leaving/Cu2H2.json")["groups"]
    lost = vibrations_of(results, "Cu2H2", group["atoms"], tmp_path)
    assert lost == pytest.approx(0.128, abs=0.002)
    by_hand -= lost
    assert loss["steps"][0]["dg0_ev"] == pytest.approx(by_hand, abs=1e-3)
    assert loss["limiting_potential_v_rhe"] == pytest.approx(-by_hand, abs=1e-3)
    assert che["states"] == {"-H": "Cu2H"}


def test_the_lattice_gets_its_hydride_back(results):
    che = load(results, "che/Cu2H2.json")
    (formic,) = (r for r in che["results"] if r["reaction"] == "CO2-to-HCOOH-hydride")
    complete = [p for p in formic["pathways"] if p["complete"]]
    assert len(complete) == 2
    for pathway in complete:
        # Measured: +0.449 eV from CO2 and H2, whatever the cluster did in between.
        total = sum(step["dg0_ev"] for step in pathway["steps"])
        assert total == pytest.approx(0.449, abs=0.001)
    (hole,) = (p for p in formic["pathways"] if not p["complete"])
    assert "no state -H2 of Cu2H2" in hole["reason"]
    assert "*[-H]OCHO: cluster-state" in formic["flags"]


def test_a_state_is_computed_but_not_ranked(results):
    assert (results / "adsorb/Cu2H/OCHO.json").is_file()
    assert not (results / "che/Cu2H.json").exists()
    rows = list(csv.DictReader((results / "potentials.csv").open()))
    assert {row["cluster"] for row in rows} == {"Cu2H2"}
    gates = list(csv.DictReader((results / "gates.csv").open()))
    assert not [gate for gate in gates if gate["verdict"] == "FAIL"]
    page = (results / "report.html").read_text()
    assert "*[-H]" in page and 'id="checks"' in page


def test_a_thiolate_leaves_as_thiol(tmp_path):
    """Cu2(SH)2 + ½ H2 -> Cu2SH + H2S, with hydrogen sulfide as an anchor."""
    from .conftest import Folder

    folder = Folder(tmp_path)
    folder.configure(
        {
            "study": "thiolate",
            "clusters": ["Cu2S2H2"],
            "reactions": ["thiolate-loss"],
            "thermo": {"anchors": ["CO2", "H2", "H2O", "H2S"]},
            "claims": [
                {
                    "name": "loss",
                    "claim": "loss(SH, Cu2S2H2) > 0 eV",
                    "source": "unpublished: x",
                }
            ],
        }
    )
    done = folder.run()
    assert done.returncode == 0, done.stderr
    results = folder.path / "results/thiolate"
    che = load(results, "che/Cu2S2H2.json")
    assert che["states"] == {"-HS": "Cu2SH"}
    found = read_record(results / "gas/gfn1-xtb/H2S.json", GasRecord)
    thiol = IdealGasThermo(
        vib_energies=[w * units.invcm for w in found.frequencies_cm1],
        geometry="nonlinear",
        potentialenergy=found.energy_ev,
        atoms=to_atoms(found.structure),
        symmetrynumber=2,
        spin=0,
    ).get_gibbs_energy(298.15, 1e5, verbose=False)
    by_hand = (
        energy(results, "Cu2SH")
        + thiol
        - energy(results, "Cu2S2H2")
        - free_energy_of_hydrogen(results) / 2
        + DOUBLET_EV
        - vibrations_of(results, "Cu2S2H2", [2, 3], tmp_path)
    )
    (loss,) = che["results"]
    assert loss["steps"][0]["dg0_ev"] == pytest.approx(by_hand, abs=1e-3)
    (verdict,) = load(results, "claims/loss.json")["verdicts"]
    # Four standard deviations of the median of 10,000 samples, each off by 0.8 eV.
    assert verdict["judgement"]["median"] == pytest.approx(by_hand, abs=0.04)
