"""A finished study: its tables, geometries, diagrams, and where a number is from."""

from __future__ import annotations

import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterflow.errors import RecordError, name_near
from clusterflow.library.find import Library
from clusterflow.records.files import read_records
from clusterflow.results.columns import COLUMNS, TABLE_COLUMNS
from clusterflow.results.database import rows
from clusterflow.results.explain import explain
from clusterflow.results.explain_refined import PREFIX, explain_refined
from clusterflow.results.query import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ase import Atoms
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from clusterflow.records.files import StudyRecords
    from clusterflow.results.explanation import Explanation


class Study:
    """The results of a study, read when they are first asked for.

    Parameters
    ----------
    folder
        Results folder, such as ``results/default``.

    Raises
    ------
    RecordError
        If there is no such folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise RecordError(
                f"{folder}: holds no records: no such folder; give the results of a "
                "study, such as results/default"
            )

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r})"

    @cached_property
    def records(self) -> StudyRecords:
        """Every record of the study; read once."""
        return read_records(self.folder)

    @property
    def clusters(self) -> tuple[str, ...]:
        """Names of the clusters."""
        return self.records.clusters

    @property
    def potentials(self) -> DataFrame:
        """Limiting potentials, V: a row a reaction and cluster."""
        return self.table("potentials")

    @property
    def energies(self) -> DataFrame:
        """Free energies with their terms, eV: a row a species and cluster."""
        return self.table("energies")

    @property
    def steps(self) -> DataFrame:
        """Steps of all pathways with their ΔG, eV; rank 1 is the best pathway."""
        return self.table("steps")

    def table(self, name: str) -> DataFrame:
        """A table by the name that ``clusterflow query`` has for it.

        A number that is missing is NaN, with its reason in the column ``reason``.

        Raises
        ------
        ConfigError
            If there is no such table.
        """
        import pandas as pd

        found = query(self.folder, name, Library.default())
        frame = pd.DataFrame(found, columns=None if found else TABLE_COLUMNS.get(name))
        numbers = [
            column
            for column in frame
            if column in COLUMNS and COLUMNS[column].kind == "number"
        ]
        return frame.astype(dict.fromkeys(numbers, float))

    def isomer(self, cluster: str, rank: int = 0) -> Atoms:
        """A relaxed bare cluster; rank 0 is the lowest.

        Returns
        -------
        Atoms
            Positions in Å, with the energy in eV as ``get_potential_energy()``. Its
            ``info`` says charge, multiplicity, level and record.

        Raises
        ------
        RecordError
            If there is none.
        """
        found = {
            keys["rank"]: (atoms, keys)
            for atoms, keys in self._list_geometries(cluster)
            if keys["kind"] == "cluster"
        }
        if rank not in found:
            raise RecordError(f"{cluster}: has {len(found)} isomers, no rank {rank}")
        return label_atoms(*found[rank])

    def minimum(self, cluster: str, adsorbate: str, rank: int | None = None) -> Atoms:
        """A minimum of an adsorbate on a cluster.

        Parameters
        ----------
        cluster, adsorbate
            By name; the star of the adsorbate may be left out.
        rank
            0 is the lowest in energy; by default the minimum that tables and diagrams
            are made of.

        Returns
        -------
        Atoms
            As of `isomer`. Its ``info`` also says what became of the adsorbate
            (``fate``), the kind of site, and of the chosen minimum ``formation_ev``.

        Raises
        ------
        RecordError
            If there is none.
        """
        adsorbate = adsorbate.removeprefix("*")
        every = [
            (atoms, keys)
            for atoms, keys in self._list_geometries(cluster)
            if keys["kind"] == "adsorbed"
        ]
        of_adsorbate = [pair for pair in every if pair[1]["adsorbate"] == adsorbate]
        if not of_adsorbate:
            known = {keys["adsorbate"] for _, keys in every}
            raise RecordError(
                f"{cluster}: has no minimum of {adsorbate!r}; "
                f"{name_near(adsorbate, known)}"
            )
        for atoms, keys in of_adsorbate:
            if keys["chosen"] if rank is None else keys["rank"] == rank:
                return label_atoms(atoms, keys)
        if rank is not None:
            raise RecordError(
                f"{cluster}/{adsorbate}: has {len(of_adsorbate)} minima, no rank {rank}"
            )
        fates = ", ".join(dict.fromkeys(keys["fate"] for _, keys in of_adsorbate))
        raise RecordError(
            f"{cluster}/{adsorbate}: no minimum stands for it ({fates}); name a rank"
        )

    def _list_geometries(self, cluster: str) -> Iterator[tuple[Atoms, dict[str, Any]]]:
        """Geometries of the level of a study, without the points by DFT."""
        if cluster not in self.clusters:
            raise RecordError(
                f"{self.folder}: has no cluster {cluster!r}; "
                f"{name_near(cluster, self.clusters)}"
            )
        every = rows(self.records.about(cluster))
        return ((atoms, keys) for atoms, keys in every if "chosen" in keys)

    def plot_diagram(
        self,
        reaction: str,
        *clusters: str,
        potential_v: float | None = None,
        scale: str | None = None,
        ph: float | None = None,
    ) -> Axes:
        """The figure of ``clusterflow plot diagram``; what is not on it is a warning.

        Parameters
        ----------
        reaction
            By name.
        clusters
            One with all its pathways, or up to five with the best of each; all by
            default.
        potential_v, scale, ph
            Conditions, V on ``rhe``, ``she``, ``ag-agcl`` or ``sce``; those of the
            study by default.

        Returns
        -------
        Axes
            ``axes.figure`` is the whole figure.

        Raises
        ------
        ClusterflowError
            If there is nothing to draw, or too much.
        """
        from clusterflow.figures.sheet import typeset
        from clusterflow.results.plots.common import Conditions, read_study_clusters
        from clusterflow.results.plots.diagram import plot_diagram

        conditions = Conditions(potential_v=potential_v, scale=scale, ph=ph)
        surfaces = read_study_clusters([self.folder], clusters)
        plot = plot_diagram(surfaces, reaction, conditions)
        for name, reason in plot.missing:
            warnings.warn(f"not shown: {name}: {reason}", stacklevel=2)
        typeset(plot.figure)
        return plot.figure.axes[0]

    def explain(self, name: str) -> Explanation:
        """What a number is made of; ``print`` shows it as ``clusterflow explain`` does.

        Parameters
        ----------
        name
            ``CLUSTER/SPECIES/dG``, ``CLUSTER/REACTION/U_L`` or a molecule such as
            ``CO(g)``; after ``refined/`` a number with DFT.

        Raises
        ------
        RecordError
            If there is no such number.
        """
        run = explain_refined if name.startswith(PREFIX) else explain
        return run(self.records, name, Library.default())


def label_atoms(atoms: Atoms, keys: dict[str, Any]) -> Atoms:
    """The atoms with what the database knows of them as ``info``."""
    known = {key: value for key, value in keys.items() if value not in (None, "")}
    known["charge"] = known.pop("net_charge")
    atoms.info.update(known)
    return atoms
