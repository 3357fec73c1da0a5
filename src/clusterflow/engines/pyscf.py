"""Density functional theory by PySCF, on a GPU where there is one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from clusterflow.engines.base import UP_TO_RADON, Engine, Rung, ScfOptions
from clusterflow.errors import EngineError
from clusterflow.formula import ATOMIC_NUMBERS
from clusterflow.library.levels import needs_core_potential
from clusterflow.units import HARTREE_EV

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ase.calculators.calculator import Calculator

    from clusterflow.library.levels import DftMethod, LevelSpec
    from clusterflow.records.scf import ScfReport

# Cerium to lutetium, for which PySCF has no def2 basis.
_LANTHANIDES = range(58, 72)
# What an SCF of accuracy 1 changes by in its last cycle, hartree.
_CONVERGED_HARTREE = 1e-8
_TIGHTEST_HARTREE = 1e-11


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
            if needs_core_potential(symbol) and not _load_ecp(method, symbol):
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
        from clusterflow.engines.pyscf_calculator import PyscfCalculator

        method = _get_method(level)
        _check_functional(level.name, method)
        _check_dispersion(level.name, method)
        tolerance = max(_CONVERGED_HARTREE * accuracy, _TIGHTEST_HARTREE)
        return PyscfCalculator(level, charge, multiplicity, tolerance)

    def equip(self, calculator: Calculator, options: ScfOptions) -> None:
        """Ghosts, checkpoint and neighbours."""
        calculator.options = options

    def climb(self, calculator: Calculator, rung: Rung) -> None:
        """Other settings of the SCF, and the density forgotten."""
        calculator.climb(rung)

    def copy_wavefunction(self, calculator: Calculator) -> Any:
        """The density, of which each calculation makes a new one."""
        return calculator.density

    def start_from(self, calculator: Calculator, wavefunction: Any) -> None:
        """The density as first guess."""
        calculator.density = wavefunction

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
    assert level.dft is not None, "a level of this engine has it"
    return level.dft


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

    from clusterflow.engines.pyscf_calculator import make_dispersion

    if method.dispersion is None:
        return
    pair = gto.M(atom="H 0 0 0; H 0 0 0.7", basis="sto-3g", verbose=0)
    try:
        make_dispersion(method, pair)
    except RuntimeError as error:
        raise EngineError(
            f"level {name!r}: {method.dispersion} is not parametrised for "
            f"{method.functional} ({error}); take another dispersion, or none"
        ) from None


ENGINE = PyscfEngine()
