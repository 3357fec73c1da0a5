"""Stage report: the page and the diagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from clusterflow.records.files import StudyRecords, sha256, write_atomic
from clusterflow.records.profiles import CheRecord
from clusterflow.records.provenance import ReportRecord
from clusterflow.results.tables import energies, failures, rankings
from clusterflow.results.temperatures import step_energies
from clusterflow.results.verify import verify
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.figure import Figure

    from clusterflow.library.find import Library
    from clusterflow.stages.parts.job import Job


def report(
    records: StudyRecords, folder: Path, study: str, library: Library, job: Job
) -> ReportRecord:
    """Write ``report.html`` and every diagram as SVG."""
    from clusterflow.figures.diagram import svg_source
    from clusterflow.report.page import render_page

    # Snakemake expects the folder of a study without reactions as well.
    (folder / "diagrams").mkdir(parents=True, exist_ok=True)
    written = []
    sources = {}
    # Drawn once for the file and the page; what is kept of each is its text.
    for key, name, figure in _draw_figures(records):
        sources[key] = svg_source(figure)
        write_atomic(folder / name, sources[key])
        written.append(name)
    page = render_page(
        records,
        study=study,
        domain=library.domain(),
        energies=list(energies(records)),
        failures=list(failures(records)),
        pairs=list(rankings(records)),
        gates=verify(records, library),
        figures=sources,
        steps={
            che.cluster: step_energies(che, records, library)
            for che in records.of(CheRecord)
        },
        hashes=_hash_records(records, folder),
    )
    write_atomic(folder / "report.html", page)
    return ReportRecord(
        study=study,
        files=("report.html", *written),
        provenance=job.provenance(),
    )


def _draw_figures(
    records: StudyRecords,
) -> Iterator[tuple[tuple[str, str], str, Figure]]:
    """Each diagram by cluster and reaction, with the name of its file."""
    from clusterflow.figures.band_edges import draw_band_edges
    from clusterflow.figures.diagram import draw_profile
    from clusterflow.report.contents import BAND_EDGES_FIGURE

    for che in records.of(CheRecord):
        for result in che.results:
            name = f"diagrams/{file_name(che.cluster)}/{file_name(result.reaction)}.svg"
            yield (che.cluster, result.reaction), name, draw_profile(result)
    edges = {
        che.cluster: che.edges for che in records.of(CheRecord) if che.edges is not None
    }
    if edges:
        yield BAND_EDGES_FIGURE, "diagrams/edges.svg", draw_band_edges(edges)


def file_name(name: str) -> str:
    """A name as part of a path, whatever it holds; that of a library stays as it is.

    >>> file_name("Cd6Se6"), file_name("../up"), file_name("..")
    ('Cd6Se6', '..%2Fup', '%2E%2E')
    """
    quoted = quote(name, safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _hash_records(records: StudyRecords, folder: Path) -> dict[str, str]:
    """SHA-256 of the file of each record, by its name; without those not there."""
    names = [record_name(record) for record in records.records]
    return {
        name.as_posix(): sha256(folder / name)
        for name in names
        if (folder / name).is_file()
    }
