"""Binding of CO by density functional theory, on the geometries of a finished study.

Compares the binding energy of *CO as the study has it (its level's own CO(g), as an
adsorbate that carries the correction of CO has it) with PBE-D3(BJ) single points:

    pip install pyscf dftd3
    clusterflow run                       # the default study
    cd benchmarks/reference
    python co_binding_dft.py ../../results/default Cu4
    python co_binding_dft.py ../../results/default Cd6Se6 --basis def2-svp

Rows go to co_binding_dft.csv beside it. Basis def2-TZVP unless another is named, with
effective core potentials from rubidium on, and density fitting. The counterpoise
column takes cluster and molecule in the basis of both, at the geometry of both, so
that it holds no deformation.

J. P. Perdew, K. Burke, M. Ernzerhof, doi:10.1103/PhysRevLett.77.3865 (PBE);
S. Grimme et al., doi:10.1002/jcc.21759 (D3(BJ)); F. Weigend, R. Ahlrichs,
doi:10.1039/b508541a (def2); S. F. Boys, F. Bernardi, doi:10.1080/00268977000101561.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from dftd3.interface import DispersionModel, RationalDampingParam
from pyscf import dft, gto

HARTREE_EV = 27.211386245988  # CODATA 2018
ANGSTROM_BOHR = 1.8897261246257702
Atoms = list[tuple[str, tuple[float, float, float]]]


def energy_ev(
    basis: str, atoms: Atoms, ghosts: Atoms = (), multiplicity: int = 1
) -> float:
    """PBE-D3(BJ) energy of the atoms, with the functions of the ghosts."""
    started = time.perf_counter()
    molecule = gto.M(
        atom=[*atoms, *((f"ghost-{symbol}", at) for symbol, at in ghosts)],
        basis=basis,
        # def2 replaces core electrons from rubidium on.
        ecp={symbol: basis for symbol, _ in atoms if gto.charge(symbol) > 36},
        spin=multiplicity - 1,
        verbose=0,
    )
    field = dft.RKS(molecule) if multiplicity == 1 else dft.UKS(molecule)
    field = field.density_fit()
    field.xc = "pbe,pbe"
    field.grids.level = 3
    field.conv_tol = 1e-6
    # Small gaps: without it the SCF of Cu4 jumps about.
    field.level_shift, field.max_cycle = 0.3, 200
    energy = field.kernel()
    if not field.converged:
        raise SystemExit(f"SCF of {molecule.tot_electrons()} electrons failed")
    model = DispersionModel(
        np.array([gto.charge(symbol) for symbol, _ in atoms]),
        np.array([at for _, at in atoms]) * ANGSTROM_BOHR,
    )
    damping = RationalDampingParam(method="pbe")
    energy += model.get_dispersion(damping, grad=False)["energy"]
    print(
        f"  {len(atoms)} atoms, {molecule.nao} functions: {energy:.6f} Eh, "
        f"{time.perf_counter() - started:.0f} s",
        file=sys.stderr,
    )
    return float(energy * HARTREE_EV)


def atoms_of(structure: dict) -> Atoms:
    """Symbols and positions, Å."""
    return list(
        zip(structure["symbols"], map(tuple, structure["positions"]), strict=True)
    )


def compare(results: Path, cluster: str, basis: str) -> dict[str, object]:
    """Binding energies of the lowest intact *CO of a study, by the level and by DFT."""
    adsorbed = json.loads((results / f"adsorb/{cluster}/CO.json").read_text())
    minimum = next(m for m in adsorbed["minima"] if m["fate"] == "intact")
    relaxed = json.loads((results / f"relax/{cluster}.json").read_text())
    level = adsorbed["level"]["name"]
    gas = json.loads((results / f"gas/{level}/CO.json").read_text())
    both = atoms_of(minimum["structure"])
    bare = atoms_of(relaxed["isomers"][0]["structure"])
    molecule = atoms_of(gas["structure"])
    n = len(bare)
    print(cluster, file=sys.stderr)
    spin = minimum["structure"]["multiplicity"]
    total = energy_ev(basis, both, multiplicity=spin)
    cluster_ev = energy_ev(basis, bare, multiplicity=spin)
    binding = total - cluster_ev - energy_ev(basis, molecule)
    # The superposition error: what each part gains from the functions of the other.
    error = (
        energy_ev(basis, both[:n], multiplicity=spin)
        - energy_ev(basis, both[:n], both[n:], multiplicity=spin)
        + energy_ev(basis, both[n:])
        - energy_ev(basis, both[n:], both[:n])
    )
    level_ev = minimum["energy_ev"] - relaxed["isomers"][0]["energy_ev"]
    return {
        "cluster": cluster,
        "adsorbate": "CO",
        "site": minimum["site_kind"],
        "level": level,
        "de_level_ev": round(level_ev - gas["energy_ev"], 3),
        "de_pbe_d3_ev": round(binding, 3),
        "de_pbe_d3_counterpoise_ev": round(binding + error, 3),
        "basis": basis,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("clusters", nargs="+")
    parser.add_argument("--basis", default="def2-tzvp")
    given = parser.parse_args()
    table = Path(__file__).with_suffix(".csv")
    with table.open(newline="") if table.is_file() else io.StringIO() as file:
        rows = {row["cluster"]: row for row in csv.DictReader(file)}
    for name in given.clusters:
        rows[name] = compare(given.results, name, given.basis)
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, next(iter(rows.values())), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    print(table.read_text(), end="")
