"""A calculator of another package, which gets systems as such codes want them."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import numpy as np
from ase.calculators.calculator import CalculationFailed, Calculator, all_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ase import Atoms

    from clusterflow.library.levels import Box


class PlacedCalculator(Calculator):  # type: ignore[misc]
    """Hands a system on in a box, with magnetic moments, and asks if all converged.

    Parameters
    ----------
    make
        Makes the calculator: anew after a failure, and where a geometry is to start
        from nothing. Jobs run side by side, so one that would write its files where
        they run has a folder of its own for as long as it lives, and one that stays
        where ``CLUSTERFLOW_DEBUG=1``.
    box
        The cell, if it needs one.
    unpaired
        Unpaired electrons that initial magnetic moments tell it of; None without any.
    """

    def __init__(
        self,
        make: Callable[[], Calculator],
        *,
        box: Box | None = None,
        unpaired: int | None = None,
    ) -> None:
        super().__init__()
        self._make = make
        self._box = box
        self._unpaired = unpaired
        self._folder: TemporaryDirectory[str] | None = None
        self.renew()
        self.implemented_properties = self.inner.implemented_properties

    def renew(self) -> None:
        """Forget all that was computed, its wavefunction and files too."""
        self.reset()
        self.inner = self._make()
        if str(getattr(self.inner, "directory", "")) == ".":
            self.inner.directory = type(self.inner.directory)(self._make_folder())

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] | None = None,
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """What the calculator says of the system, placed.

        Raises
        ------
        ase.calculators.calculator.CalculationFailed
            If it says by an attribute `converged` that it did not converge.
        """
        super().calculate(atoms, properties, system_changes)
        placed = self._place(self.atoms)
        for name in properties or ["energy"]:
            self.inner.get_property(name, placed)
        # ASE's Vasp only notes it.
        if getattr(self.inner, "converged", None) is False:
            raise CalculationFailed("its self-consistent field did not converge")
        self.results = dict(self.inner.results)

    def _place(self, atoms: Atoms) -> Atoms:
        placed = atoms.copy()
        if self._box is not None:
            put_in_box(placed, self._box)
        if self._unpaired is not None:
            moments = np.full(len(atoms), self._unpaired / len(atoms))
            placed.set_initial_magnetic_moments(moments)
        return placed

    def _make_folder(self) -> str:
        if os.environ.get("CLUSTERFLOW_DEBUG") == "1":
            return mkdtemp(prefix="clusterflow-")
        self._folder = TemporaryDirectory(prefix="clusterflow-")
        return self._folder.name


def put_in_box(atoms: Atoms, box: Box) -> None:
    """Give atoms a cell around them, and move them into its middle.

    Edges are even numbers of Å and the atoms move by whole ones, by rules that do not
    notice displacements as small as those of finite differences: all points of a
    vibration, and most species of one cluster, then stand alike on a grid of points.
    """
    low, high = atoms.positions.min(axis=0), atoms.positions.max(axis=0)
    # Half an Å is what rounding the centre may take.
    half = np.floor((high - low) / 2 + box.vacuum_a + 0.5) + 1
    atoms.set_cell(np.diag(2 * half))
    atoms.positions += half - np.round((low + high) / 2)
    atoms.pbc = box.periodic
