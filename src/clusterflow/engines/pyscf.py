"""Density functional theory by PySCF, on a GPU where there is one."""

from __future__ import annotations

import os
import time
import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from clusterflow.engines.base import UP_TO_RADON, Engine, Rung, ScfOptions
from clusterflow.engines.density import Density
from clusterflow.errors import EngineError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.records.scf import ScfReport
from clusterflow.units import BOHR_A, HARTREE_EV

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import DftMethod, LevelSpec
    from clusterflow.science.geometry.bonds import FloatArray

# Behind krypton the basis sets of the def2 family go with core potentials, and without
# one there would be relativity to care for.
_LAST_ALL_ELECTRON = 36
# Cerium to lutetium, for which PySCF has no def2 basis.
_LANTHANIDES = range(58, 72)
# What an SCF of accuracy 1 changes by in its last cycle, hartree.
_CONVERGED_HARTREE = 1e-8
_TIGHTEST_HARTREE = 1e-11
# What following an instability gains at least, hartree: 0.3 meV.
_DEGENERATE_HARTREE = 1e-5
# So often an instability is followed before the attempt has failed.
_MAX_FOLLOWED = 4


class PyscfEngine(Engine):
    """Kohn-Sham DFT: restricted for singlets, else unrestricted.

    Open shells are looked at for internal instabilities, which are followed down. With
    gpu4pyscf and a device the GPU computes, unless ``CLUSTERFLOW_GPU=0`` says not to.
    """

    distribution = "pyscf"
    requirement = "'clusterflow[dft]'"
    rungs = (
        Rung(name="default"),
        Rung(name="fresh", parameters={"keep": False}),
        Rung(name="atom", parameters={"keep": False, "guess": "atom"}),
        Rung(
            name="shifted",
            # The shift, hartree, holds occupied and empty orbitals apart while they
            # would swap; the last cycle is without it.
            parameters={"keep": False, "level_shift": 0.3, "damp": 0.3, "cycles": 150},
        ),
        Rung(
            name="newton",
            # Each of its cycles takes the time of five and more.
            parameters={"keep": False, "second_order": True, "cycles": 30},
        ),
    )

    def elements(self) -> frozenset[str]:
        """Those of the def2 family; the basis of a level may have fewer."""
        return frozenset(
            s for s in UP_TO_RADON if ATOMIC_NUMBERS[s] not in _LANTHANIDES
        )

    def why_refused(self, level: LevelSpec, symbols: Iterable[str]) -> str:
        """Elements without a basis, a core potential or a fitting basis."""
        from pyscf.gto import basis
        from pyscf.lib.exceptions import BasisNotFoundError

        method = _get_method(level)
        lacks: dict[str, list[str]] = {}
        for symbol in sorted(set(symbols)):
            names = [("basis", method.basis)]
            if method.density_fitting:
                names.append(("fitting basis", method.density_fitting))
            for what, name in names:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # of another library to install
                        basis.load(name, symbol)
                except (BasisNotFoundError, KeyError):
                    lacks.setdefault(f"{what} {name}", []).append(symbol)
            if _needs_ecp(symbol) and not _load_ecp(method, symbol):
                what = f"core potential {method.ecp}" if method.ecp else "`ecp`"
                lacks.setdefault(what, []).append(symbol)
        reasons = [f"has no {what} for {', '.join(who)}" for what, who in lacks.items()]
        return " and ".join(reasons)

    def make(
        self, level: LevelSpec, *, charge: int, multiplicity: int, accuracy: float
    ) -> Calculator:
        """A calculator that keeps its density between calls.

        Raises
        ------
        EngineError
            If libxc has no such functional, or its dispersion is not parametrised.
        """
        method = _get_method(level)
        _check_functional(level.name, method)
        _check_dispersion(level.name, method)
        tolerance = max(_CONVERGED_HARTREE * accuracy, _TIGHTEST_HARTREE)
        return _make_calculator(level, charge, multiplicity, tolerance)

    def equip(self, calculator: Calculator, options: ScfOptions) -> None:
        """Ghosts, checkpoint and neighbours."""
        calculator.options = options

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Other settings of the SCF, and the density forgotten."""
        calculator.climb(rung)

    def why_failed(self, error: Exception) -> str | None:
        """Also two atoms at one place, and a basis that is linearly dependent."""
        if isinstance(error, np.linalg.LinAlgError) or str(error) == "Ill geometry":
            return f"the SCF broke down: {error}"
        return super().why_failed(error)

    def scf_report(self, calculator: Calculator) -> ScfReport | None:
        """Cycles, ⟨S²⟩ and the like of the last calculation."""
        report: ScfReport | None = calculator.report
        return report

    def frontier_orbitals(self, calculator: Calculator) -> tuple[float, float] | None:
        """HOMO and LUMO of both spins together, eV; no ionisation energies."""
        field = calculator.field
        if field is None:
            return None
        energies = np.ravel(field.mo_energy) * HARTREE_EV
        filling = np.ravel(field.mo_occ)
        if not filling.any() or filling.all():
            return None
        return float(energies[filling > 0].max()), float(energies[filling == 0].min())


def _get_method(level: LevelSpec) -> DftMethod:
    assert level.dft is not None, "a level of this engine says so"
    return level.dft


def _needs_ecp(symbol: str) -> bool:
    return ATOMIC_NUMBERS[symbol] > _LAST_ALL_ELECTRON


def _load_ecp(method: DftMethod, symbol: str) -> list[Any]:
    """The core potential of an element; empty where there is none of this name."""
    from pyscf.gto import basis

    if method.ecp is None:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: list[Any] = basis.load_ecp(method.ecp, symbol)
    except (KeyError, RuntimeError):
        return []
    return found


def _check_functional(name: str, method: DftMethod) -> None:
    from pyscf.dft import libxc

    try:
        libxc.parse_xc(method.functional)
    except (KeyError, ValueError):
        raise EngineError(
            f"level {name!r}: libxc has no functional {method.functional!r}; name one "
            "that it knows, such as PBE"
        ) from None


def _check_dispersion(name: str, method: DftMethod) -> None:
    """Try the dispersion on a molecule: a wrong name is no failure of an SCF."""
    from pyscf import gto

    if method.dispersion is None:
        return
    pair = gto.M(atom="H 0 0 0; H 0 0 0.7", basis="sto-3g", verbose=0)
    try:
        _make_dispersion(method, pair)
    except RuntimeError as error:
        raise EngineError(
            f"level {name!r}: {method.dispersion} is not parametrised for "
            f"{method.functional} ({error}); take another dispersion, or none"
        ) from None


def _make_dispersion(method: DftMethod, mol: Any) -> Any:
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


def _make_calculator(
    level: LevelSpec, charge: int, multiplicity: int, tolerance: float
) -> Calculator:
    from ase.calculators.calculator import CalculationFailed, all_changes
    from ase.calculators.calculator import Calculator as AseCalculator
    from pyscf import dft, gto
    from pyscf.scf.stability import uhf_internal

    method = _get_method(level)

    class PyscfCalculator(AseCalculator):  # type: ignore[misc]
        """Energies first; forces of the same geometry take up its field."""

        implemented_properties: ClassVar[list[str]] = ["energy", "forces", "charges"]

        def __init__(self) -> None:
            super().__init__()
            self.options = ScfOptions()
            # The field on the CPU and, where that computes, on the GPU.
            self.field: Any = None
            self.report: ScfReport | None = None
            self._computing: Any = None
            self._density: FloatArray | None = None
            self._rung = PyscfEngine.rungs[0]

        def climb(self, rung: Rung) -> None:
            self._rung = rung
            self._density = None

        def calculate(
            self,
            atoms: Any = None,
            properties: Any = None,
            system_changes: Any = all_changes,
        ) -> None:
            super().calculate(atoms, properties, system_changes)
            if self.atoms.pbc.any():
                raise EngineError(
                    f"level {level.name!r}: pyscf computes no periodic cells here; "
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
            field, more, n_followed = self._follow_instabilities(field)
            self._computing = field
            self.field = field.to_cpu() if _is_of_gpu(field) else field
            density = np.asarray(self.field.make_rdm1())
            self._density = _split_spins(density)
            self._keep_density(mol, self._density)
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
                s2=float(self.field.spin_square()[0]) if multiplicity > 1 else 0.0,
                stable=True if multiplicity > 1 else None,
                n_instabilities=n_followed,
                dispersion_ev=float(dispersion),
                on_gpu=_is_of_gpu(field),
                wall_s=round(time.perf_counter() - start, 3),
            )

        def _build_molecule(self) -> Any:
            numbers = self.atoms.numbers.copy()
            numbers[list(self.options.ghosts)] = 0
            n_electrons = int(numbers.sum()) - charge
            if (n_electrons - multiplicity) % 2 == 0 or n_electrons < multiplicity - 1:
                raise EngineError(
                    f"multiplicity = {multiplicity} with {n_electrons} electrons in "
                    f"{self.atoms.symbols} of charge {charge:+d}: give one that fits"
                )
            symbols = self.atoms.get_chemical_symbols()
            return gto.M(
                atom=[
                    (f"ghost-{symbol}" if i in self.options.ghosts else symbol, place)
                    for i, (symbol, place) in enumerate(
                        zip(symbols, self.atoms.positions / BOHR_A, strict=True)
                    )
                ],
                unit="Bohr",
                basis=method.basis,
                ecp=self._name_ecp(),
                charge=charge,
                spin=multiplicity - 1,
                verbose=0,
            )

        def _name_ecp(self) -> dict[str, str]:
            """Core potentials by element, of those that have one: others would warn."""
            symbols = set(self.atoms.symbols)
            return {s: str(method.ecp) for s in symbols if _needs_ecp(s)}

        def _build_field(self, mol: Any) -> Any:
            kind = dft.RKS if multiplicity == 1 else dft.UKS
            field = kind(mol, xc=method.functional)
            if method.density_fitting:
                field = field.density_fit(auxbasis=method.density_fitting)
            field.grids.level = method.grid
            field.conv_tol = tolerance
            field.chkfile = None  # densities are kept in a file of our own
            asked = self._rung.parameters
            field.max_cycle = asked.get("cycles", 60)
            field.level_shift = asked.get("level_shift", 0.0)
            field.damp = asked.get("damp", 0.0)
            if asked.get("second_order"):
                return field.newton()
            return field.to_gpu() if _has_gpu() else field

        def _choose_guess(self, mol: Any) -> tuple[Any, FloatArray]:
            """Where the first density comes from, and the density."""
            kind = self._rung.parameters.get("guess", "minao")
            free = _split_spins(np.asarray(dft.RKS(mol).get_init_guess(mol, kind)))
            name, chosen = kind, free
            if self._rung.parameters.get("keep", True):
                found = self._take_up_density(mol, free)
                if found is not None:
                    name, chosen = found
            return name, chosen if multiplicity > 1 else chosen.sum(axis=0)

        def _take_up_density(
            self, mol: Any, free: FloatArray
        ) -> tuple[str, FloatArray] | None:
            if self._density is not None and self._density.shape == free.shape:
                return "last", self._density
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
            field.callback = self._keep_cycle
            field.kernel(dm0=density)
            field.callback = None
            cycles = int(getattr(field, "cycles", 0))
            if not field.converged:
                raise CalculationFailed(
                    f"the SCF of {method} does not converge in {field.max_cycle} cycles"
                )
            return field, cycles

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
            if multiplicity == 1:
                return field, 0, 0
            for n_followed in range(_MAX_FOLLOWED + 1):
                looked_at = field.to_cpu() if _is_of_gpu(field) else field
                # One root, loosely: its sign is all that is asked for.
                orbitals, is_stable = uhf_internal(
                    looked_at,
                    with_symmetry=False,
                    return_status=True,
                    nroots=1,
                    tol=1e-3,
                )
                if is_stable:
                    return field, cycles, n_followed
                density = np.asarray(looked_at.make_rdm1(orbitals, looked_at.mo_occ))
                lower, more = self._run_cycles(looked_at.newton(), density)
                cycles += more
                if field.e_tot - lower.e_tot < _DEGENERATE_HARTREE:
                    return field, cycles, n_followed
                field, more = self._run_cycles(
                    self._build_field(lower.mol), np.asarray(lower.make_rdm1())
                )
                cycles += more
            raise CalculationFailed(
                f"the SCF of {method} is unstable after {_MAX_FOLLOWED} instabilities "
                "were followed"
            )

        def _keep_cycle(self, cycle: dict[str, Any]) -> None:
            if self.options.checkpoint is not None and "dm" in cycle:
                density = _split_spins(_fetch_array(cycle["dm"]))
                self._keep_density(cycle["mol"], density)

        def _keep_density(self, mol: Any, density: FloatArray) -> None:
            if self.options.checkpoint is None:
                return
            symbols = tuple(mol.atom_symbol(i) for i in range(mol.natm))
            kept = Density(symbols, method.basis, self._name_ecp(), density)
            kept.save(self.options.checkpoint)

        def _compute_dispersion(self, *, grad: bool) -> dict[str, Any]:
            """Energy, hartree, and gradient, hartree/bohr, of all that is no ghost."""
            real = self._list_real_atoms()
            if method.dispersion is None:
                return {"energy": 0.0, "gradient": np.zeros((len(real), 3))}
            mol = self.field.mol
            if self.options.ghosts:
                mol = gto.M(
                    atom=[(mol.atom_symbol(i), mol.atom_coord(i)) for i in real],
                    unit="Bohr",
                    basis=method.basis,
                    ecp=self._name_ecp(),
                    charge=charge,
                    spin=multiplicity - 1,
                    verbose=0,
                )
            found: dict[str, Any] = _make_dispersion(method, mol).get_dispersion(
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

    return PyscfCalculator()


def _is_of_gpu(field: Any) -> bool:
    return type(field).__module__.startswith("gpu4pyscf")


ENGINE = PyscfEngine()
