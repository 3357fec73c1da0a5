"""Redox couples against which band edges are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.library.reactions import BandEdge
from clusterflow.model import Model
from clusterflow.science.reactions.che import nernst_slope
from clusterflow.science.reactions.evaluate import standard_potential
from clusterflow.science.reactions.network import parse_equation

if TYPE_CHECKING:
    from clusterflow.library.find import Library
    from clusterflow.library.reactions import CoupleSpec


class Couple(Model):
    """A couple's potential at a pH, V against SHE."""

    name: str
    equation: str | None
    edge: BandEdge
    n_e: int
    n_h: int
    standard_potential_v_she: float
    ph: float
    potential_v_she: float
    source: str


def couples(library: Library, *, ph: float, temperature_k: float) -> list[Couple]:
    """All couples of the library, from the most negative to the most positive.

    E(pH) = E° − (n_H / n_e) kT ln10 pH / e.
    """
    found = [
        _evaluate_couple(library.couple(name), library, ph, temperature_k)
        for name in library.paths("couples")
    ]
    return sorted(found, key=lambda couple: couple.potential_v_she)


def _evaluate_couple(
    spec: CoupleSpec, library: Library, ph: float, temperature_k: float
) -> Couple:
    if spec.equation is not None:
        overall = parse_equation(spec.equation)
        n_e, n_h = overall.n_e, overall.n_h
        standard = standard_potential(overall, temperature_k, library)
    else:
        assert spec.electrons is not None and spec.protons is not None
        assert spec.standard_potential_v is not None
        n_e, n_h = spec.electrons, spec.protons
        standard = spec.standard_potential_v
    return Couple(
        name=spec.name,
        equation=spec.equation,
        edge=spec.edge,
        n_e=n_e,
        n_h=n_h,
        standard_potential_v_she=standard,
        ph=ph,
        potential_v_she=standard - n_h / n_e * nernst_slope(temperature_k) * ph,
        source=spec.source,
    )
