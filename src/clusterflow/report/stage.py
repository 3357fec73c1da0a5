"""Stage report: the page and the diagrams, or a page for each of many clusters."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import quote

from clusterflow.records.files import StudyRecords, sha256, write_atomic
from clusterflow.records.profiles import CheRecord
from clusterflow.records.provenance import ReportRecord
from clusterflow.records.refinements import RefinedCheRecord, RefinedThermoRecord
from clusterflow.results.explain_refined import compose_view
from clusterflow.results.table_file import read_table_of, stream_table_of
from clusterflow.results.tables import TABLES
from clusterflow.results.temperatures import StepEnergies, step_energies
from clusterflow.results.verify import run_gates
from clusterflow.run.forks import map_in_forks
from clusterflow.science.checks.evidence import Gate
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from clusterflow.library.find import Library
    from clusterflow.report.contents import ClusterView
    from clusterflow.results.tables import Row
    from clusterflow.stages.parts.job import Job

# Of a study with more clusters, each has a page of its own in this folder.
MOST_ON_ONE_PAGE = 50
PAGES = "pages"


def report(
    records: StudyRecords,
    folder: Path,
    study: str,
    library: Library,
    job: Job,
    *,
    most_on_one_page: int = MOST_ON_ONE_PAGE,
    n_cores: int = 1,
) -> ReportRecord:
    """Write ``report.html``, with every diagram as SVG or a page for each cluster.

    Of many clusters `n_cores` processes make the pages.
    """
    # Snakemake expects both folders of every study.
    for name in ("diagrams", PAGES):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if len(records.clusters) > most_on_one_page:
        written = _write_pages(records, folder, study, library, n_cores)
    else:
        written = _write_one_page(records, folder, study, library)
    _remove_old_pages(folder, written)
    return ReportRecord(study=study, files=written, provenance=job.provenance())


def _write_one_page(
    records: StudyRecords, folder: Path, study: str, library: Library
) -> tuple[str, ...]:
    """All clusters on one page, and their diagrams; the names of the files."""
    from clusterflow.figures.saving import svg_source
    from clusterflow.report.page import render_page

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
        energies=_list_rows("energies", folder, records),
        failures=_list_rows("failures", folder, records),
        pairs=_list_rows("rankings", folder, records),
        gates=_list_gates(folder, records, library),
        figures=sources,
        steps={
            che.cluster: step_energies(che, _find_own_records(che, records), library)
            for che in records.of(CheRecord)
        },
        refined_steps={
            refined.cluster: _find_refined_steps(refined, records, library)
            for refined in records.of(RefinedCheRecord)
        },
        hashes=_hash_records(records, folder),
    )
    write_atomic(folder / "report.html", page)
    return "report.html", *written


def _write_pages(
    records: StudyRecords, folder: Path, study: str, library: Library, n_cores: int
) -> tuple[str, ...]:
    """A page a cluster, and the page that leads to them; the names of the files."""
    from clusterflow.report.contents import cluster_views
    from clusterflow.report.page import render_cluster_page, render_summary

    domain, hashes = library.domain(), _hash_records(records, folder)
    profiles = {che.cluster: che for che in records.of(CheRecord)}
    refined = {one.cluster: one for one in records.of(RefinedCheRecord)}

    def find_steps(cluster: str, composite: bool = False) -> StepEnergies:
        if composite:
            return _find_refined_steps(refined[cluster], records, library)
        if cluster not in profiles:
            return StepEnergies()
        che = profiles[cluster]
        return step_energies(che, _find_own_records(che, records), library)

    def link_page(cluster: str) -> str:
        return f"{quote(file_name(cluster))}.html" if cluster else "../report.html"

    def write_page(view: ClusterView) -> str:
        page = render_cluster_page(
            view,
            records.about(view.name),
            study=study,
            domain=domain,
            steps=find_steps(view.name),
            hashes=hashes,
            link=link_page,
        )
        name = f"{PAGES}/{file_name(view.name)}.html"
        write_atomic(folder / name, page)
        return name

    def write_summary() -> str:
        summary = render_summary(
            records,
            study=study,
            domain=domain,
            failures=_list_rows("failures", folder, records),
            pairs=_list_rows("rankings", folder, records),
            gates=_list_gates(folder, records, library),
            find_steps=find_steps,
            hashes=hashes,
            link=lambda cluster: f"{PAGES}/{link_page(cluster)}",
        )
        write_atomic(folder / "report.html", summary)
        return "report.html"

    # The summary takes longest and so comes first.
    files: list[Callable[[], str]] = [write_summary]
    files += [partial(write_page, view) for view in cluster_views(records)]
    return tuple(map_in_forks(lambda write: write(), files, n_cores))


def _list_rows(name: str, folder: Path, records: StudyRecords) -> list[Row]:
    """A table as `collect` has written it, or else made anew."""
    found = read_table_of(folder, name, records)
    return list(TABLES[name](records)) if found is None else found


def _list_gates(
    folder: Path, records: StudyRecords, library: Library
) -> Iterator[Gate]:
    """The same of what the checks have said, which are too many to keep."""
    rows = stream_table_of(folder, "gates", records)
    first = next(rows, None)
    if first is None:
        yield from run_gates(records, library)
        return
    for row in chain((first,), rows):
        yield Gate(**row)  # type: ignore[arg-type]


def _find_refined_steps(
    refined: RefinedCheRecord, records: StudyRecords, library: Library
) -> StepEnergies:
    """The same of the composite level, from what its free energies are made of."""
    thermo = {one.cluster: one for one in records.of(RefinedThermoRecord)}
    if refined.cluster not in thermo:
        return StepEnergies(reason="no refined_thermo record")
    view = compose_view(records, thermo[refined.cluster], [refined])
    return step_energies(refined.profiles, view, library)


def _find_own_records(che: CheRecord, records: StudyRecords) -> StudyRecords:
    """Those of a cluster, of its states with other atoms, and of the gases."""
    return records.about(che.cluster, *che.states.values())


def _remove_old_pages(folder: Path, written: Sequence[str]) -> None:
    """Delete pages and diagrams of clusters that the study has no more."""
    kept = {folder / name for name in written}
    for old in (*folder.glob(f"{PAGES}/*.html"), *folder.glob("diagrams/**/*.svg")):
        if old not in kept:
            old.unlink()


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


def _hash_records(records: StudyRecords, folder: Path) -> Mapping[str, str]:
    """SHA-256 of the file of each record, by its name; without those not there."""
    if records.hashes:  # of the files that they were read from
        return records.hashes
    names = [record_name(record) for record in records.records]
    return {
        name.as_posix(): sha256(folder / name)
        for name in names
        if (folder / name).is_file()
    }
