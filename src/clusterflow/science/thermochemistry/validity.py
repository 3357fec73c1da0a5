"""Where a method is not to be trusted: which entries of the table hold for a number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.levels import DomainSpec, LevelSpec
    from clusterflow.records.structure import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the conditions of the table ask about one number.

    `elements`, `charge` and `hydrides` are the cluster's (none for a gas), except that
    hydrides of the adsorbate count too; `multiplicity` is that of the whole.
    """

    level: LevelSpec
    species: str = ""
    elements: Collection[str] = ()
    charge: int = 0
    multiplicity: int = 1
    hydrides: int = 0
    motifs: Mapping[str, float] = field(default_factory=dict)
    layers: Collection[str] = ()


def situation_of(
    level: LevelSpec,
    species: str,
    whole: Structure,
    *,
    host: Structure,
    adsorbate: AdsorbateSpec | None = None,
    molecules: Mapping[str, float] | None = None,
    layers: Collection[str] = (),
) -> Situation:
    """The situation of a cluster, bare or with an adsorbate.

    Parameters
    ----------
    whole
        What was computed: it has the multiplicity.
    host
        The bare cluster.
    molecules
        That the adsorbate is made of, as bonded.
    layers
        Correction layers that are on.
    """
    hydrides = sum(role == "hydride" for role in host.roles)
    if adsorbate is not None and adsorbate.forms:
        form = adsorbate.forms[0]
        hydrides += sum(form.atoms[b][0] == "H" for b in form.binding)
    return Situation(
        level=level,
        species=species,
        elements=frozenset(host.symbols),
        charge=host.charge,
        multiplicity=whole.multiplicity,
        hydrides=hydrides,
        motifs=molecules or {},
        layers=layers,
    )


def broken_limits(
    situation: Situation, table: Sequence[DomainSpec]
) -> list[DomainSpec]:
    """Entries of the domain table that hold here; their names are the flags."""
    return [entry for entry in table if _entry_holds(entry, situation)]


def _entry_holds(entry: DomainSpec, at: Situation) -> bool:
    sign = {"negative": at.charge < 0, "positive": at.charge > 0, None: True}
    return all(
        (
            not entry.methods or at.level.method in entry.methods,
            entry.orders_only in (None, not at.level.refines),
            all(set(group) & set(at.elements) for group in entry.elements),
            sign[entry.charge],
            not entry.species or at.species in entry.species,
            all(at.motifs.get(m, 0.0) >= n for m, n in entry.motifs.items()),
            at.hydrides >= entry.min_hydrides,
            at.multiplicity >= entry.min_multiplicity,
            entry.spin_polarised in (None, at.level.spin_polarised),
            entry.without_layer is None or entry.without_layer not in at.layers,
        )
    )
