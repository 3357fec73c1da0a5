"""What the engine pyscf costs beside PySCF, and what a neighbour's density saves.

    python benchmarks/dft.py results/default Cu4 CO COOH

For the bare cluster, and the lowest minimum of each adsorbate, from the records of a
finished study: CPU time of the engine and of the same calls to PySCF by hand, in turn;
then of whole points with their counterpoise correction, cycles of the complex, of the
cluster and of it in the whole basis, of the adsorbate and of it in the whole basis,
from free atoms, and from the densities of the bare cluster and of the parts.
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
from clusterflow.stages.parts.job import Job
from clusterflow.stages.parts.single_point import compute_single_point
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


class WatchedJob(Job):
    """A job that keeps its calculators, to be asked for their reports."""

    def calculator(self, *args, **keywords):
        """One more."""
        self.calculators = getattr(self, "calculators", [])
        self.calculators.append(super().calculator(*args, **keywords))
        return self.calculators[-1]


def compute_point(structure, scratch=None, neighbours=()):
    """A point of the stage, cycles of each of its fields, and CPU time, s."""
    began = time.process_time()
    job = WatchedJob("refine", scratch=scratch)
    point = compute_single_point(
        structure,
        Library.default().level(LEVEL),
        job,
        neighbours=neighbours,
        host_charge=0,
    )
    cpu_s = time.process_time() - began
    return point, [c.scf_report().cycles for c in job.calculators], cpu_s


def main():
    """Print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("cluster", help="without a charge")
    parser.add_argument("adsorbates", nargs="*")
    args = parser.parse_args()
    records = []
    for name in args.adsorbates:
        path = args.results / "adsorb" / args.cluster / f"{name}.json"
        records.append(read_record(path, AdsorbRecord))
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.npz"
        for name, structure in list_structures(args, records):
            energy, report, cpu_s = compute(
                structure, checkpoint=bare if name == args.cluster else None
            )
            other, by_hand_s = compute_by_hand(structure)
            print(
                f"{name}: {report.n_basis} functions, {report.cycles} cycles; engine "
                f"{cpu_s:.1f} s, by hand {by_hand_s:.1f} s, ratio "
                f"{cpu_s / by_hand_s:.3f}; {1e6 * (energy - other):+.1f} µeV",
                flush=True,
            )
            if name != args.cluster:
                print_points(structure, Path(folder) / name, bare)


def print_points(structure, scratch, bare):
    """A whole point from free atoms, and from the densities that there are."""
    cold, cold_cycles, cold_s = compute_point(structure)
    warm, warm_cycles, warm_s = compute_point(structure, scratch, (bare,))
    for how, cycles, cpu_s in (
        ("free atoms", cold_cycles, cold_s),
        ("densities", warm_cycles, warm_s),
    ):
        shown = " + ".join(map(str, cycles))
        print(f"  from {how}: {shown} = {sum(cycles)} cycles, {cpu_s:.1f} s")
    print(
        f"  ratio of cycles {sum(warm_cycles) / sum(cold_cycles):.2f}, of times "
        f"{warm_s / cold_s:.2f}; energies "
        f"{1e6 * (warm.energy_ev - cold.energy_ev):+.1f}"
        f" µeV, counterpoise "
        f"{1e6 * (warm.counterpoise_ev - cold.counterpoise_ev):+.1f} µeV",
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
