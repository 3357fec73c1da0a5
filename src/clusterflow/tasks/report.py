"""Stage report: the page and the diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusterflow.io import StudyRecords, write_atomic
from clusterflow.records import ReportRecord
from clusterflow.tables import energies, failures, rankings
from clusterflow.tasks.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from clusterflow.library import Library
    from clusterflow.tasks.job import Job


def report(
    records: StudyRecords, folder: Path, study: str, library: Library, job: Job
) -> ReportRecord:
    """Write ``report.html`` and every diagram as SVG and PNG."""
    from clusterflow.report import (
        draw_band_edges,
        draw_profile,
        render_page,
        save_figure,
    )

    # Snakemake expects the folder of a study without reactions as well.
    (folder / "diagrams").mkdir(parents=True, exist_ok=True)
    written = []
    figures = {}
    for che in records.che:
        for result in che.results:
            figure = draw_profile(result)
            figures[che.cluster, result.reaction] = figure
            for suffix in ("svg", "png"):
                name = f"diagrams/{che.cluster}/{result.reaction}.{suffix}"
                save_figure(figure, folder / name)
                written.append(name)
    edges = {che.cluster: che.edges for che in records.che if che.edges is not None}
    if edges:
        figure = draw_band_edges(edges)
        for suffix in ("svg", "png"):
            save_figure(figure, folder / f"diagrams/edges.{suffix}")
            written.append(f"diagrams/edges.{suffix}")
    page = render_page(
        records,
        study=study,
        domain=library.domain(),
        energies=list(energies(records)),
        failures=list(failures(records)),
        pairs=list(rankings(records)),
        gates=verify(records, library),
        figures=figures,
    )
    write_atomic(folder / "report.html", page)
    return ReportRecord(
        study=study,
        files=("report.html", *written),
        provenance=job.provenance(),
    )
