"""Free energies of formation: from experiment, and from computed species.

Everything is measured from a set of anchor gases (by default CO2, H2 and H2O), so that
one number a species says how far up or down the diagram it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from clusterflow.errors import LibraryError
from clusterflow.records.energies import GasCorrection
from clusterflow.units import (
    STANDARD_TEMPERATURE_K,
    ev_from_kj_per_mol,
    ev_per_k_from_j_per_mol_k,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from clusterflow.library.find import Library
    from clusterflow.library.gases import ElementData, Experiment, GasSpec

_NEGLIGIBLE = 1e-9


def anchor_coefficients(
    counts: Mapping[str, int], anchors: Mapping[str, Mapping[str, int]]
) -> dict[str, float] | None:
    """How many of each anchor hold the atoms of a species; None if they cannot.

    >>> gases = {"CO2": {"C": 1, "O": 2}, "H2": {"H": 2}, "H2O": {"H": 2, "O": 1}}
    >>> anchor_coefficients({"C": 1, "O": 1}, gases)
    {'CO2': 1.0, 'H2': 1.0, 'H2O': -1.0}
    """
    made_of = tuple((name, frozenset(c.items())) for name, c in anchors.items())
    found = _solve_anchors(frozenset(counts.items()), made_of)
    return None if found is None else dict(found)


# Of a dozen adsorbates, on thousands of surfaces.
@cache
def _solve_anchors(
    atoms: frozenset[tuple[str, int]],
    made_of: tuple[tuple[str, frozenset[tuple[str, int]]], ...],
) -> tuple[tuple[str, float], ...] | None:
    counts, anchors = dict(atoms), [dict(content) for _, content in made_of]
    elements = sorted({e for c in (*anchors, counts) for e in c})
    matrix = np.array(
        [[anchor.get(e, 0) for anchor in anchors] for e in elements], dtype=float
    )
    wanted = np.array([counts.get(e, 0) for e in elements], dtype=float)
    solution = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    if np.abs(matrix @ solution - wanted).max() > 1e-6:
        return None
    return tuple(
        (name, round(float(x), 9))
        for (name, _), x in zip(made_of, solution, strict=True)
        if abs(x) > _NEGLIGIBLE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentalTable:
    """Measured free energies of formation of gases and liquids, in eV.

    The enthalpy and entropy of formation at 298.15 K are taken as constant, so that
    G(T) = H − TS; between 273 and 373 K the error is below 5 meV for the molecules of
    the library.
    """

    gases: Mapping[str, GasSpec]
    elements: Mapping[str, ElementData]

    def formation_ev(
        self, name: str, phase: str, temperature_k: float = STANDARD_TEMPERATURE_K
    ) -> float:
        """ΔfG of a gas (phase ``g``) or liquid (``l``) from the elements, eV.

        Raises
        ------
        LibraryError
            If the library holds no such data.
        """
        gas = self.gases[name]
        data = gas.experiment if phase == "g" else gas.liquid
        if data is None:
            raise LibraryError(
                f"gas {name!r} has no liquid data; add `liquid:` to its YAML "
                f"or write {name}(g)"
            )
        return self._compute_formation_ev(gas.counts, data, temperature_k)

    def condensation_ev(self, name: str, temperature_k: float) -> float:
        """ΔG of gas at 1 bar to liquid, eV (−0.089 for water at 298.15 K)."""
        return self.formation_ev(name, "l", temperature_k) - self.formation_ev(
            name, "g", temperature_k
        )

    def _compute_formation_ev(
        self, counts: Counter[str], data: Experiment, temperature_k: float
    ) -> float:
        entropy = data.entropy_j_per_mol_k - sum(
            n * self.elements[e].entropy_j_per_mol_k for e, n in counts.items()
        )
        return ev_from_kj_per_mol(
            data.enthalpy_kj_per_mol
        ) - temperature_k * ev_per_k_from_j_per_mol_k(entropy)


def gas_corrections(
    computed_ev: Mapping[str, float],
    table: ExperimentalTable,
    anchors: Sequence[str],
    temperature_k: float = STANDARD_TEMPERATURE_K,
) -> list[GasCorrection]:
    """What to add to each gas so that its formation from the anchors is the measured.

    Parameters
    ----------
    computed_ev
        Computed free energy of each gas at 1 bar, eV; must hold the anchors a gas
        needs, else that gas is left out.
    table
        Experiment.
    anchors
        Gases that carry no correction.
    temperature_k
        Of the computed values, K.
    """
    compositions = {a: table.gases[a].counts for a in anchors}
    corrections = []
    for name in computed_ev:
        parts = anchor_coefficients(table.gases[name].counts, compositions)
        if parts is None or any(a not in computed_ev for a in parts):
            continue
        computed = computed_ev[name] - sum(n * computed_ev[a] for a, n in parts.items())
        measured = table.formation_ev(name, "g", temperature_k) - sum(
            n * table.formation_ev(a, "g", temperature_k) for a, n in parts.items()
        )
        corrections.append(
            GasCorrection(
                gas=name,
                anchors=parts,
                computed_ev=computed,
                experiment_ev=measured,
                correction_ev=0.0 if name in anchors else measured - computed,
                is_anchor=name in anchors,
                source=table.gases[name].experiment.source,
            )
        )
    return corrections


def experimental_table(gases: Sequence[str], library: Library) -> ExperimentalTable:
    """Measured data of some gases and of the elements they are made of."""
    specs = {name: library.gas(name) for name in dict.fromkeys(gases)}
    elements = {e for spec in specs.values() for e in spec.counts}
    return ExperimentalTable(
        gases=specs, elements={e: library.element(e) for e in sorted(elements)}
    )
