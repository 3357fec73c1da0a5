"""Atoms with their roles, as records hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from clusterflow.library.clusters import Role
from clusterflow.model import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vector = tuple[float, float, float]


class Structure(Model):
    """Atoms with the role of each, and the charge and multiplicity of the whole."""

    name: str = "main"
    symbols: tuple[str, ...]
    positions: tuple[Vector, ...] = Field(description="Å, shape (n_atoms, 3)")
    roles: tuple[Role, ...]
    charge: int
    multiplicity: int
    cell: tuple[Vector, Vector, Vector] | None = Field(
        default=None,
        description="Å; of a periodic support. The atoms stand side by side in it",
    )

    @property
    def xyz(self) -> NDArray[np.float64]:
        """Positions as an array of one's own, Å, shape (n_atoms, 3).

        Made anew each time, 4 µs for 26 atoms: one that is kept would outlive the
        positions in `model_copy`, and could not be compared by ``==``.
        """
        import numpy as np  # what only plans a study does not load it

        return np.array(self.positions, dtype=float).reshape(-1, 3)
