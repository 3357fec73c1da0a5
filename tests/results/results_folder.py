"""A results folder of a few clusters, its records made by hand down to thermo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.records.cluster_records import ClusterRecords
from clusterflow.records.files import write_record
from clusterflow.settings import CheSettings, ThermoSettings
from clusterflow.stage_table import record_name
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from clusterflow.stages.thermo import thermo
from tests.report.test_page import make_band_edges
from tests.stages.test_thermo import AD_EV, GAS_EV, HOST_EV, Study

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REACTIONS = ("HER", "CO2-to-CO", "CO2-to-HCOOH")


def write_results(
    folder: Path, study: Study, shifts_ev: Mapping[str, Mapping[str, float]]
) -> None:
    """Each cluster's adsorbates lie where `Study` has them, moved by its shifts."""
    gases = [study.gas(name) for name in GAS_EV]
    for gas in gases:
        write_record(gas, folder / record_name(gas))
    for cluster, shifts in shifts_ev.items():
        own = {"cluster": cluster}
        relaxed = study.relaxed(**own)
        adsorbed = [study.adsorbed(n, (_minimum(study, n),), **own) for n in AD_EV]
        vibrated = [
            study.vibrated(n, energy_ev=HOST_EV + AD_EV[n] + shifts.get(n, 0.0), **own)
            for n in AD_EV
        ]
        before = [relaxed, *adsorbed, *vibrated]
        for record in before:
            write_record(record, folder / record_name(record))
        paths = [folder / record_name(record) for record in (*before, *gases)]
        energies = thermo(
            ClusterRecords(
                relaxed=relaxed,
                adsorptions=adsorbed,
                vibrations=vibrated,
                gases=gases,
            ),
            ThermoSettings(correct=("gas", "solvation"), pressure_pa={"CO2": 2e4}),
            study.library,
            Job("thermo", inputs=paths),
        )
        profiles = che(
            energies,
            [study.library.reaction(name) for name in REACTIONS],
            CheSettings(),
            study.library,
            Job("che"),
        )
        profiles = profiles.model_copy(update={"edges": make_band_edges()})
        for record in (energies, profiles):
            write_record(record, folder / record_name(record))


def _minimum(study: Study, name: str):
    form = study.library.adsorbate(name).forms[0].name
    found = study.minimum(HOST_EV + AD_EV[name], name=name)
    return found.model_copy(update={"form": form})
