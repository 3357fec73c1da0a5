"""The stages before a verb, in memory, for a cluster that a person names by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from clusterflow.library import Library
from clusterflow.tasks.adsorb import Round, adsorb
from clusterflow.tasks.gas import gas
from clusterflow.tasks.job import Job
from clusterflow.tasks.pool import pool
from clusterflow.tasks.subjects import ClusterRecords, relaxed_and_sites
from clusterflow.tasks.vibrate import vibrate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.config import Study


def records_by_hand(
    subject: str,
    adsorbates: Sequence[str],
    verb: Literal["pool", "vibrate", "thermo"],
    study: Study,
    level: str,
    charge: int = 0,
    multiplicity: int | None = None,
) -> ClusterRecords:
    """What a verb needs of a cluster given by name, YAML, structure or relax record.

    Charge and multiplicity count only for a structure file.
    """
    library = Library.default()
    specs = [library.adsorbate(name) for name in adsorbates]
    everything = library.adsorbates()
    relaxed, sites = relaxed_and_sites(
        subject, None, level, study.relax, charge, multiplicity
    )
    before: list[Round | None] = [None] * len(specs)
    pooled = None
    for number in range(1, study.pool.rounds + 1):
        adsorptions = [
            adsorb(
                *(relaxed, sites, spec, everything, study.adsorb, study.relax),
                Job("adsorb"),
                earlier,
            )
            for spec, earlier in zip(specs, before, strict=True)
        ]
        # The verb itself makes the last one.
        if verb == "pool" and number == study.pool.rounds:
            break
        pooled = pool(
            relaxed, adsorptions, study.pool, study.relax, Job("pool"), pooled
        )
        before = [
            Round(adsorbed=found, pool=pooled, sites=study.sites)
            for found in adsorptions
        ]
    vibrations = []
    if verb != "pool":
        host = relaxed.isomers[0] if relaxed.isomers else None
        vibrations = [
            vibrate(
                *(found, host, spec, study.vibrate, study.relax, Job("vibrate")),
                isomers=study.thermo.isomers,
                pool=pooled,
            )
            for found, spec in zip(adsorptions, specs, strict=True)
        ]
    gases = []
    if verb == "thermo" and relaxed.level is not None:
        gases = [
            gas(library.gas(name), relaxed.level, study.gas, Job("gas"))
            for name in sorted(
                {*study.thermo.anchors, *library.motif_gases(adsorbates)}
            )
        ]
    return ClusterRecords(
        relaxed=relaxed,
        adsorptions=tuple(adsorptions),
        vibrations=tuple(vibrations),
        gases=tuple(gases),
        pool=pooled,
    )
