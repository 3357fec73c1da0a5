"""The calculator of the engine pyscf; it loads PySCF, so it is imported where used."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes
from pyscf import dft, gto
from pyscf.scf.stability import uhf_internal

from clusterflow.engines.base import Rung, ScfOptions
from clusterflow.engines.density import Density
from clusterflow.errors import EngineError
from clusterflow.library.levels import needs_core_potential
from clusterflow.records.scf import ScfReport
from clusterflow.units import BOHR_A, HARTREE_EV

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from clusterflow.library.levels import DftMethod, LevelSpec
    from clusterflow.science.geometry.bonds import FloatArray

# What following an instability gains at least, hartree: 0.3 meV.
_DEGENERATE_HARTREE = 1e-5
# So often an instability is followed before the attempt has failed.
_MAX_FOLLOWED = 4


class PyscfCalculator(Calculator):  # type: ignore[misc]
    """Energies first; forces of the same geometry take up its field."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "charges"]

    def __init__(
        self, level: LevelSpec, charge: int, multiplicity: int, tolerance: float
    ) -> None:
        super().__init__()
        self._level = level
        assert level.dft is not None, "a level of the engine pyscf has it"
        self._method = level.dft
        self._charge = charge
        self._multiplicity = multiplicity
        self._tolerance = tolerance
        self.options = ScfOptions()
        self.note_progress: Callable[[], None] = lambda: None
        # The field on the CPU and, where that computes, on the GPU.
        self.field: Any = None
        self.report: ScfReport | None = None
        self._computing: Any = None
        # Of the last geometry: where the next one starts.
        self.density: FloatArray | None = None
        self._n_cycles = 0
        self._asked: Mapping[str, Any] = {}

    def climb(self, rung: Rung) -> None:
        """Take the settings of a rung, and forget the density."""
        self._asked = rung.parameters
        self.density = None

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Energy and charges, and forces where they are asked for.

        Raises
        ------
        ase.calculators.calculator.CalculationFailed
            If the SCF does not converge, or not to a stable field.
        EngineError
            If the multiplicity does not fit, or the atoms are periodic.
        """
        super().calculate(atoms, properties, system_changes)
        if self.atoms.pbc.any():
            raise EngineError(
                f"level {self._level.name!r}: pyscf computes no periodic cells here; "
                "take a cluster of it"
            )
        if system_changes or not self.results:
            self._converge()
        if "forces" in (properties or ()):
            self.results["forces"] = self._compute_forces()

    def _converge(self) -> None:
        start = time.perf_counter()
        self.field = self.report = None
        mol = self._build_molecule()
        field = self._build_field(mol)
        guess, density = self._choose_guess(mol)
        field, cycles = self._run_cycles(field, density)
        # Looking costs as much as the SCF. A field stays stable from geometry to
        # geometry, and that of a part as the basis functions of the rest come to it.
        is_known = guess == "last" or (guess == "neighbour" and self.options.ghosts)
        looks = self._multiplicity > 1 and not is_known
        more = n_followed = 0
        if looks:
            field, more, n_followed = self._follow_instabilities(field)
        self._computing = field
        self.field = field.to_cpu() if _is_of_gpu(field) else field
        density = np.asarray(self.field.make_rdm1())
        self.density = _split_spins(density)
        self._keep_density(self.density)
        dispersion = self._compute_dispersion(grad=False)["energy"] * HARTREE_EV
        energy = float(self.field.e_tot) * HARTREE_EV + float(dispersion)
        self.results = {
            "energy": energy,
            "charges": self.field.mulliken_pop(dm=density, verbose=0)[1],
        }
        self.report = ScfReport(
            n_basis=mol.nao,
            guess=guess,
            cycles=cycles + more,
            s2=float(self.field.spin_square()[0]) if self._multiplicity > 1 else 0.0,
            stable=True if looks else None,
            n_instabilities=n_followed,
            dispersion_ev=float(dispersion),
            on_gpu=_is_of_gpu(field),
            wall_s=round(time.perf_counter() - start, 3),
        )

    def _build_molecule(self) -> Any:
        numbers = self.atoms.numbers.copy()
        numbers[list(self.options.ghosts)] = 0
        n_electrons = int(numbers.sum()) - self._charge
        n_paired = n_electrons - (self._multiplicity - 1)
        if n_paired < 0 or n_paired % 2:
            raise EngineError(
                f"multiplicity = {self._multiplicity} with {n_electrons} electrons in "
                f"{self.atoms.symbols} of charge {self._charge:+d}: give one that fits"
            )
        places = self.atoms.positions / BOHR_A
        return gto.M(
            atom=list(zip(self._name_atoms(), places, strict=True)),
            unit="Bohr",
            basis=self._method.basis,
            ecp=self._name_ecp(),
            charge=self._charge,
            spin=self._multiplicity - 1,
            verbose=0,
        )

    def _name_atoms(self) -> list[str]:
        """Symbols, those of ghosts as PySCF has them."""
        return [
            f"ghost-{symbol}" if i in self.options.ghosts else symbol
            for i, symbol in enumerate(self.atoms.symbols)
        ]

    def _name_ecp(self) -> dict[str, str]:
        """Core potentials by element, of those that have one: others would warn."""
        symbols = set(self.atoms.symbols)
        return {s: str(self._method.ecp) for s in symbols if needs_core_potential(s)}

    def _build_field(self, mol: Any) -> Any:
        kind = dft.RKS if self._multiplicity == 1 else dft.UKS
        field = kind(mol, xc=self._method.functional)
        if self._method.density_fitting:
            field = field.density_fit(auxbasis=self._method.density_fitting)
        field.grids.level = self._method.grid
        field.conv_tol = self._tolerance
        field.chkfile = None  # densities are kept in a file of our own
        asked = self._asked
        field.max_cycle = asked.get("cycles", 60)
        field.level_shift = asked.get("level_shift", 0.0)
        field.damp = asked.get("damp", 0.0)
        second_order = asked.get("second_order")
        if _has_gpu() and not second_order:
            return field.to_gpu()
        if self._method.density_fitting:
            # Kept, these integrals are not computed anew in each cycle.
            field.with_df.build()
        return field.newton() if second_order else field

    def _choose_guess(self, mol: Any) -> tuple[Any, FloatArray]:
        """Where the first density comes from, and the density."""
        kind = self._asked.get("guess", "minao")
        free = _split_spins(np.asarray(dft.RKS(mol).get_init_guess(mol, kind)))
        name, chosen = kind, free
        if self._asked.get("keep", True):
            found = self._take_up_density(mol, free)
            if found is not None:
                name, chosen = found
        return name, chosen if self._multiplicity > 1 else chosen.sum(axis=0)

    def _take_up_density(
        self, mol: Any, free: FloatArray
    ) -> tuple[str, FloatArray] | None:
        if self.density is not None and self.density.shape == free.shape:
            return "last", self.density
        kept = [("checkpoint", self.options.checkpoint)]
        kept += [("neighbour", path) for path in self.options.neighbours]
        for name, path in kept:
            density = Density.load(path)
            if density is None:
                continue
            projected = density.project(mol, free)
            if projected is not None:
                return name, projected
        return None

    def _run_cycles(self, field: Any, density: Any) -> tuple[Any, int]:
        """A converged field from a first density, and the cycles it took."""
        if _is_of_gpu(field):
            import cupy

            density = cupy.asarray(density)
        before = self._n_cycles
        field.callback = self._keep_cycle
        field.kernel(dm0=density)
        field.callback = None
        if not field.converged:
            raise CalculationFailed(
                f"the SCF of {self._method} does not converge in {field.max_cycle} "
                "cycles"
            )
        return field, self._n_cycles - before

    def _follow_instabilities(self, field: Any) -> tuple[Any, int, int]:
        """A stable field of an open shell, cycles that took, and how often it fell.

        Second order goes down from the rotated orbitals, never back to where they
        came from. What gains next to nothing is no instability but a degeneracy, as
        of the hole of OH, which may turn about the axis.

        Raises
        ------
        ase.calculators.calculator.CalculationFailed
            If it is still unstable in the end.
        """
        cycles = 0
        for n_followed in range(_MAX_FOLLOWED + 1):
            on_gpu = _is_of_gpu(field)
            looked_at = _mirror_on_cpu(field) if on_gpu else _coarsen(field)
            # One root, loosely: its sign is all that is asked for.
            orbitals, is_stable = uhf_internal(
                looked_at,
                with_symmetry=False,
                return_status=True,
                nroots=1,
                tol=1e-5,
            )
            if is_stable:
                return field, cycles, n_followed
            density = np.asarray(looked_at.make_rdm1(orbitals, looked_at.mo_occ))
            second_order = (field.to_cpu() if on_gpu else field).newton()
            lower, more = self._run_cycles(second_order, density)
            cycles += more
            if field.e_tot - lower.e_tot < _DEGENERATE_HARTREE:
                return field, cycles, n_followed
            field, more = self._run_cycles(
                self._build_field(lower.mol), np.asarray(lower.make_rdm1())
            )
            cycles += more
        raise CalculationFailed(
            f"the SCF of {self._method} is unstable after {_MAX_FOLLOWED} "
            "instabilities were followed"
        )

    def _keep_cycle(self, cycle: dict[str, Any]) -> None:
        self._n_cycles += 1
        self.note_progress()
        if self.options.checkpoint is not None and "dm" in cycle:
            self._keep_density(_split_spins(_fetch_array(cycle["dm"])))

    def _keep_density(self, density: FloatArray) -> None:
        if self.options.checkpoint is None:
            return
        symbols = tuple(self._name_atoms())
        kept = Density(symbols, self._method.basis, self._name_ecp(), density)
        kept.save(self.options.checkpoint)

    def _compute_dispersion(self, *, grad: bool) -> dict[str, Any]:
        """Energy, hartree, and gradient, hartree/bohr, of all that is no ghost."""
        real = self._list_real_atoms()
        if self._method.dispersion is None:
            return {"energy": 0.0, "gradient": np.zeros((len(real), 3))}
        mol = self.field.mol
        if self.options.ghosts:
            mol = gto.M(
                atom=[(mol.atom_symbol(i), mol.atom_coord(i)) for i in real],
                unit="Bohr",
                basis=self._method.basis,
                ecp=self._name_ecp(),
                charge=self._charge,
                spin=self._multiplicity - 1,
                verbose=0,
            )
        found: dict[str, Any] = make_dispersion(self._method, mol).get_dispersion(
            grad=grad
        )
        return found

    def _compute_forces(self) -> FloatArray:
        """Forces, eV/Å, with what the grid adds as it moves with the atoms."""
        gradient = self._computing.nuc_grad_method()
        gradient.grid_response = True
        total = _fetch_array(gradient.kernel()).copy()
        total[self._list_real_atoms()] += self._compute_dispersion(grad=True)[
            "gradient"
        ]
        forces: FloatArray = -total * HARTREE_EV / BOHR_A
        return forces

    def _list_real_atoms(self) -> list[int]:
        return [i for i in range(len(self.atoms)) if i not in self.options.ghosts]


def make_dispersion(method: DftMethod, mol: Any) -> Any:
    """D3 without three-body terms, by s-dftd3, or D4 with them, by dftd4."""
    from pyscf.dispersion import dftd3, dftd4

    if method.dispersion == "d4":
        return dftd4.DFTD4Dispersion(mol, xc=method.functional)
    return dftd3.DFTD3Dispersion(mol, xc=method.functional, version=method.dispersion)


def _has_gpu() -> bool:
    """Whether gpu4pyscf is there, with a device, and allowed."""
    if os.environ.get("CLUSTERFLOW_GPU") == "0":
        return False
    try:
        import cupy
        import gpu4pyscf  # noqa: F401 - gives fields their `to_gpu`
    except ImportError:
        return False
    try:
        return bool(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def _fetch_array(array: Any) -> FloatArray:
    """An array of the GPU or of the CPU as one of numpy."""
    found: FloatArray = np.asarray(array.get() if hasattr(array, "get") else array)
    return found


def _split_spins(density: FloatArray) -> FloatArray:
    """Densities of both spins, shape (2, n, n), also from that of a closed shell."""
    return density if density.ndim == 3 else np.stack([density, density]) / 2


def _is_of_gpu(field: Any) -> bool:
    return type(field).__module__.startswith("gpu4pyscf")


def _coarsen(field: Any) -> Any:
    """A field for a stability analysis: its own Fock matrix, a response on few points.

    Of CHO on Cu2 that takes half of the time, and the lowest root moves by 0.1 % in PBE
    and 3 % in r2SCAN; the coarsest grid would move that by 20 %.
    """
    fock = field.get_fock()
    coarse = field.copy()
    coarse.get_fock = lambda *_, **__: fock
    coarse.grids = dft.Grids(field.mol)
    coarse.grids.level = 1
    coarse.grids.build()
    return coarse


def _mirror_on_cpu(field: Any) -> Any:
    """A field of the GPU for a stability analysis, whose work the GPU does.

    It is for the orbitals that it has: those of another density would respond as these.
    """
    import cupy

    mirror = field.to_cpu()
    respond = field.gen_response(hermi=1)
    mirror.get_fock = lambda *_, **__: _fetch_array(field.get_fock())
    mirror.gen_response = lambda *_, **__: (
        lambda change: _fetch_array(respond(cupy.asarray(change)))
    )
    return mirror
