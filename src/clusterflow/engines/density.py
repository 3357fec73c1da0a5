"""Densities of DFT that are kept, and taken up by another calculation."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from clusterflow.records.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from clusterflow.science.geometry.bonds import FloatArray


@dataclass(frozen=True, slots=True)
class Density:
    """A density matrix, and what says of which basis functions it is.

    Parameters
    ----------
    symbols
        Of all atoms, in order; ghosts are written ``ghost-Cu``.
    basis, ecp
        Names of the basis, and of core potentials by element.
    matrix
        Shape (2, n_basis, n_basis): of both spins.
    """

    symbols: tuple[str, ...]
    basis: str
    ecp: dict[str, str]
    matrix: FloatArray

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        stream = io.BytesIO()
        np.savez(
            stream,
            symbols=np.array(self.symbols),
            basis=np.array(self.basis),
            ecp=np.array([*self.ecp.items()], dtype=str).reshape(-1, 2),
            matrix=self.matrix,
        )
        write_atomic(path, stream.getvalue())

    @staticmethod
    def load(path: Path | None) -> Density | None:
        """The density of a file; None if there is none that can be read."""
        if path is None or not path.is_file():
            return None
        try:
            with np.load(path) as kept:
                return Density(
                    symbols=tuple(str(s) for s in kept["symbols"]),
                    basis=str(kept["basis"]),
                    ecp={str(k): str(v) for k, v in kept["ecp"]},
                    matrix=kept["matrix"],
                )
        except (BadZipFile, EOFError, KeyError, OSError, ValueError):
            return None  # a guess that is lost costs cycles, and nothing else

    def project(self, mol: Any, rest: FloatArray) -> FloatArray | None:
        """This density in the basis of another molecule; None if they share no atom.

        Atoms are matched from the first as long as their elements agree, so that a
        complex takes up the density of its bare cluster, which stands first in it.
        Basis functions go with their atoms to where these are now. What is a ghost in
        one of the two is not matched.

        Parameters
        ----------
        mol
            The molecule of PySCF that needs a guess.
        rest
            Densities of both spins for atoms that are not matched, shape (2, n_basis,
            n_basis), such as that of free atoms.
        """
        from pyscf import gto

        own = [mol.atom_symbol(i) for i in range(mol.natm)]
        shared = []
        for index, (mine, theirs) in enumerate(zip(own, self.symbols, strict=False)):
            if _strip_ghost(mine) != _strip_ghost(theirs):
                break
            if mine == theirs and not gto.is_ghost_atom(mine):
                shared.append(index)
        if not shared:
            return None
        there = gto.M(
            # Where atoms are is of no weight for which functions they have.
            atom=[(s, (0.0, 0.0, 9.0 * i)) for i, s in enumerate(self.symbols)],
            **_make_arguments(self.basis, self.ecp),
        )
        if there.nao != self.matrix.shape[-1]:
            return None
        kept = _find_functions(there, shared)
        part = gto.M(
            atom=[(own[i], mol.atom_coord(i)) for i in shared],
            unit="Bohr",
            **_make_arguments(self.basis, self.ecp),
        )
        density = self.matrix[:, kept][:, :, kept]
        cross = gto.intor_cross("int1e_ovlp", mol, part)
        carry = np.linalg.solve(mol.intor("int1e_ovlp"), cross)
        projected = carry @ density @ carry.T
        free = [i for i in range(mol.natm) if i not in shared]
        functions = np.ix_(
            [0, 1], _find_functions(mol, free), _find_functions(mol, free)
        )
        projected[functions] += rest[functions]
        return projected


def _strip_ghost(symbol: str) -> str:
    return symbol.lower().removeprefix("ghost-")


def _make_arguments(basis: str, ecp: dict[str, str]) -> dict[str, Any]:
    """Of a molecule that is there for its basis functions alone."""
    return {"basis": basis, "ecp": ecp, "spin": None, "verbose": 0}


def _find_functions(mol: Any, atoms: list[int]) -> list[int]:
    """Numbers of the basis functions of some atoms."""
    slices = mol.aoslice_by_atom()
    return [n for i in atoms for n in range(slices[i][2], slices[i][3])]
