"""What the engine pyscf costs beside PySCF, and what a neighbour's density saves.

    python benchmarks/dft.py results/default Cu4 CO COOH

For the bare cluster, and the lowest minimum of each adsorbate, from the records of a
finished study: CPU time of the engine and of the same calls to PySCF by hand, in turn,
and cycles from free atoms and from the density of the bare cluster.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from pyscf import dft, gto
from pyscf.dispersion import dftd3
from pyscf.scf.stability import uhf_internal

from clusterflow.engines import make_calculator
from clusterflow.engines.base import ScfOptions
from clusterflow.library.find import Library
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.atoms import to_atoms
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record
from clusterflow.units import HARTREE_EV

LEVEL = "pbe-d3-svp-cp"


def compute_by_hand(structure):
    """Energy, eV, and CPU time, s, of PBE-D3(BJ)/def2-SVP by PySCF alone."""
    began = time.process_time()
    heavy = {s for s in structure.symbols if gto.charge(s) > 36}
    mol = gto.M(
        atom=list(zip(structure.symbols, structure.xyz, strict=True)),
        basis="def2-svp",
        ecp=dict.fromkeys(heavy, "def2-svp"),
        charge=structure.charge,
        spin=structure.multiplicity - 1,
        verbose=0,
    )
    field = (dft.RKS if mol.spin == 0 else dft.UKS)(mol, xc="pbe")
    field = field.density_fit(auxbasis="def2-universal-jfit")
    field.conv_tol, field.max_cycle = 1e-8, 60
    field.kernel()
    if mol.spin:
        uhf_internal(field, with_symmetry=False, nroots=1, tol=1e-3)
    energy = field.e_tot + float(
        dftd3.DFTD3Dispersion(mol, xc="pbe").get_dispersion()["energy"]
    )
    return energy * HARTREE_EV, time.process_time() - began


def compute(structure, **options):
    """Energy, eV, report and CPU time, s, of the engine."""
    began = time.process_time()
    atoms = to_atoms(structure)
    atoms.calc = make_calculator(
        Library.default().level(LEVEL),
        structure.charge,
        structure.multiplicity,
        options=ScfOptions(**options),
    )
    energy = atoms.get_potential_energy()
    return energy, atoms.calc.scf_report(), time.process_time() - began


def main():
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("cluster")
    parser.add_argument("adsorbates", nargs="*")
    args = parser.parse_args()
    records = []
    for name in args.adsorbates:
        path = args.results / "adsorb" / args.cluster / f"{name}.json"
        records.append(read_record(path, AdsorbRecord))
    print(f"{'':12s}  basis  engine s  by hand s  cycles  after neighbour  same, µeV")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.npz"
        for name, structure in list_structures(args, records):
            energy, cold, cpu_s = compute(
                structure, checkpoint=bare if name == args.cluster else None
            )
            other, by_hand_s = compute_by_hand(structure)
            line = f"{name:12s}  {cold.n_basis:5d}  {cpu_s:8.1f}  {by_hand_s:9.1f}"
            warm, warm_cycles = energy, ""
            if name != args.cluster:
                warm, report, _ = compute(structure, neighbours=(bare,))
                warm_cycles = str(report.cycles)
            apart = 1e6 * max(abs(energy - other), abs(energy - warm))
            print(
                f"{line}  {cold.cycles:6d}  {warm_cycles:>15s}  {apart:9.1f}",
                flush=True,
            )


def list_structures(args, records):
    """The bare cluster, and each adsorbate's lowest minimum."""
    path = args.results / "relax" / f"{args.cluster}.json"
    relaxed = read_record(path, RelaxRecord)
    yield args.cluster, relaxed.isomers[0].structure
    for record in records:
        yield record.adsorbate, record.minima[0].structure


if __name__ == "__main__":
    main()
