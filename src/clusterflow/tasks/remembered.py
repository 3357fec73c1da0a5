"""Gradients kept in the scratch folder, so that a killed job computes none twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from clusterflow.models import Model

if TYPE_CHECKING:
    from clusterflow.tasks.scratch import Bundle, Scratch


class Gradient(Model):
    """Energy, eV, and forces, eV/Å, shape (n_atoms, 3), of one geometry."""

    energy_ev: float
    forces: tuple[tuple[float, float, float], ...]


class Remembered(Calculator):  # type: ignore[misc]
    """A calculator that looks in the scratch folder before it calculates.

    Gradients are found by the exact geometry and by `key`, which must hold all else
    that fixes them.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def __init__(self, inner: Calculator, scratch: Scratch | Bundle, *key: Any) -> None:
        super().__init__()
        self._inner = inner
        self._scratch = scratch
        self._key = key

    def calculate(
        self,
        atoms: Any = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Energy and forces, from the scratch folder or from the engine."""
        super().calculate(atoms, properties, system_changes)
        key = (
            self.atoms.get_chemical_symbols(),
            self.atoms.positions.tolist(),
            *self._key,
        )
        known = self._scratch.load(Gradient, *key)
        if known is None:
            probe = self.atoms.copy()
            probe.calc = self._inner
            forces = probe.get_forces()
            energy = float(probe.get_potential_energy())
            known = Gradient(energy_ev=energy, forces=forces.tolist())
            self._scratch.save(known, *key)
        self.results = {"energy": known.energy_ev, "forces": np.array(known.forces)}
