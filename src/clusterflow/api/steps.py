"""Single steps of a study: each does what its verb does, on ASE atoms or a table."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from clusterflow.api.study import Study, label_atoms
from clusterflow.errors import ClusterflowError, ConfigError
from clusterflow.intake.own_profiles import read_own_study
from clusterflow.intake.own_results import write_records
from clusterflow.intake.own_settings import take_own_settings
from clusterflow.library.find import Library
from clusterflow.records.files import StudyRecords
from clusterflow.results.database import rows
from clusterflow.settings import CheSettings, SitesSettings, ThermoSettings
from clusterflow.settings import Study as Settings
from clusterflow.stage_table import STAGES
from clusterflow.stages.inputs import Inputs, Request, bare_structure
from clusterflow.stages.sites import sites_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ase import Atoms

    from clusterflow.records.adsorption import Site

    Sections = Mapping[str, Mapping[str, Any]]


def find_sites(
    cluster: Atoms | str, *, settings: Sections | None = None
) -> tuple[Site, ...]:
    """The distinct adsorption sites of a geometry, as ``clusterflow sites`` finds them.

    Parameters
    ----------
    cluster
        Atoms, Å, or a cluster of the library by name; neither is relaxed.
    settings
        By section as in ``config.yaml``, such as ``{"sites": {"kinds": ["top"]}}``.

    Returns
    -------
    tuple of Site
        Each with kind, atoms, how many are like it, position in Å and normal.

    Raises
    ------
    ClusterflowError
        If the geometry or a setting is wrong.
    """
    with _name_cluster(cluster) as request:
        inputs = _read_inputs("sites", request, settings)
        return sites_on(bare_structure(inputs), inputs.settings(SitesSettings))[1]


def search_minima(
    cluster: Atoms | str,
    adsorbate: str,
    *,
    level: str | None = None,
    charge: int | None = None,
    multiplicity: int | None = None,
    settings: Sections | None = None,
) -> list[Atoms]:
    """Relax a cluster, and search the minima of an adsorbate on it.

    As ``clusterflow adsorb`` does: seconds to minutes.

    Parameters
    ----------
    cluster
        Atoms, Å, or a cluster of the library by name.
    adsorbate
        By name; the star may be left out.
    level
        By name; the first that a study prefers by default.
    charge, multiplicity
        Of atoms; by default those of ``atoms.info``, or else 0 and the lowest that
        parity allows.
    settings
        By section as in ``config.yaml``, such as ``{"adsorb": {"max_relaxed": 4}}``.

    Returns
    -------
    list of Atoms
        Lowest first, with the energy in eV as ``get_potential_energy()``. ``info`` says
        what became of the adsorbate (``fate``), and which one a study would take
        (``chosen``).

    Raises
    ------
    ClusterflowError
        If an input is wrong, or no minimum was found; the message says why.
    """
    name = adsorbate.removeprefix("*")
    said = {"level": level, "charge": charge, "multiplicity": multiplicity}
    with _name_cluster(cluster, **said) as request:
        inputs = _read_inputs("adsorb", request, settings, of={"adsorbate": name})
        record = inputs.stage.run(inputs, inputs.job())
    if record.status != "ok":
        raise ClusterflowError(f"{record.cluster}/{name}: {record.reason}")
    found = rows(StudyRecords(folder=Path(), records=(record,)))
    # Nothing was written, so that no file holds these records.
    return [label_atoms(atoms, {**keys, "record": None}) for atoms, keys in found]


def evaluate(
    energies: pd.DataFrame | str | Path,
    reactions: Sequence[str],
    output: str | Path,
    *,
    settings: Sections | None = None,
) -> Study:
    """Profiles and limiting potentials of energies of your own.

    As ``clusterflow che --energies`` does, without a page; docs/che.md says what may be
    in the table. Nothing is corrected unless ``thermo.correct`` asks for it.

    Parameters
    ----------
    energies
        A table, or the path of a table, a database or a folder of outputs.
    reactions
        By name.
    output
        Folder for the results.
    settings
        Of the sections ``che`` and ``thermo``, such as ``{"che": {"ph": 7.0}}``.

    Raises
    ------
    ConfigError
        If the table, a reaction or a setting is wrong.
    """
    inputs = Inputs(
        stage=STAGES["che"],
        library=Library.default(),
        sections=take_own_settings(settings or {}, "settings", "evaluate"),
    )
    with _name_table(energies) as path:
        study = read_own_study(
            path,
            reactions=reactions,
            settings=inputs.settings(CheSettings),
            thermo_settings=inputs.settings(ThermoSettings),
        )
        write_records(study, Path(output))
    return Study(output)


def _read_inputs(
    stage: str,
    request: Request,
    settings: Sections | None,
    of: Mapping[str, str] | None = None,
) -> Inputs:
    unknown = [name for name in settings or () if name not in Settings.model_fields]
    if unknown:
        raise ConfigError(
            f"settings: unknown section {unknown[0]!r}; "
            f"known: {', '.join(Settings.model_fields)}"
        )
    subject = str(request.subject)
    return Inputs.read(stage, [subject], settings=settings, request=request, of=of)


@contextmanager
def _name_cluster(cluster: Atoms | str, **said: Any) -> Iterator[Request]:
    """What a stage is asked for; atoms stand in a file as long as it runs."""
    if isinstance(cluster, str):
        yield Request(subject=cluster, **said)
        return
    for key in ("charge", "multiplicity"):
        if said.get(key) is None:
            said[key] = cluster.info.get(key)
    plain = cluster.copy()
    plain.info.clear()
    plain.calc = None
    name = cluster.get_chemical_formula()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.extxyz"
        plain.write(path)
        with _name_it(path, name):
            yield Request(subject=str(path), **said)


@contextmanager
def _name_table(energies: pd.DataFrame | str | Path) -> Iterator[Path]:
    """A file of energies; a table stands in one as long as it is read."""
    if not isinstance(energies, pd.DataFrame):
        yield Path(energies)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        energies.to_csv(path, index=False)
        with _name_it(path, "table"):
            yield path


@contextmanager
def _name_it(path: Path, name: str) -> Iterator[None]:
    """Messages name what a person gave, not the file that it was put into."""
    try:
        yield
    except ClusterflowError as error:
        raise type(error)(str(error).replace(str(path), name)) from None
