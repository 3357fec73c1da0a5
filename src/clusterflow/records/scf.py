"""What a self-consistent field of DFT was, and what it took."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clusterflow.model import Model


class ScfReport(Model):
    """One converged self-consistent field."""

    n_basis: int = Field(description="Basis functions, those of ghosts among them")
    guess: Literal["last", "checkpoint", "neighbour", "minao", "atom"] = Field(
        description="Where its first density came from"
    )
    cycles: int = Field(description="Of all attempts from that guess together")
    s2: float = Field(description="⟨S²⟩ of the determinant")
    stable: bool | None = Field(
        description="No internal instability; null where none was looked for"
    )
    n_instabilities: int = Field(description="Instabilities that were followed down")
    dispersion_ev: float = Field(description="Dispersion within the energy, eV")
    on_gpu: bool
    wall_s: float
