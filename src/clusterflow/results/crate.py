"""A finished study as an RO-Crate of the profile Workflow Run Crate.

A folder with the workflow, its config and all results, and `ro-crate-metadata.json`,
which says what each file is and which run made it (S. Leo et al., PLOS ONE 19,
e0309210, 2024, doi:10.1371/journal.pone.0309210).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from clusterflow.errors import ConfigError, RecordError
from clusterflow.library.find import package_data
from clusterflow.library.yaml_file import read_yaml
from clusterflow.records.files import read_record
from clusterflow.records.provenance import ReportRecord
from clusterflow.results.structure_files import refuse_full_folder
from clusterflow.stage_table import record_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from clusterflow.records.files import StudyRecords
    from clusterflow.records.provenance import Record

# The versions of these profiles that the validator of RO-Crates knows.
_RO_CRATE: Final = "1.1"
_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_SHA256: Final = "https://w3id.org/ro/terms/workflow-run#sha256"
_MIT: Final = "https://spdx.org/licenses/MIT"
# Whose the results are nobody has told the program.
_NO_LICENSE: Final = "Not stated: ask whoever ran the study"
_BIOSCHEMAS: Final = "https://bioschemas.org/profiles"
_FORMATS: Final = {
    "": "text/plain",
    ".csv": "text/csv",
    ".db": "application/vnd.sqlite3",
    ".html": "text/html",
    ".json": "application/json",
    ".log": "text/plain",
    ".rst": "text/plain",
    ".smk": "text/plain",
    ".svg": "image/svg+xml",
    ".yaml": "application/yaml",
}
# What the workflow hands out by name: parameter, file, what it is.
_OUTPUTS: Final = (
    ("report", "report.html", "The report, a page"),
    ("energies", "energies.csv", "Free energies, term by term"),
    ("steps", "steps.csv", "Steps of every pathway"),
    ("potentials", "potentials.csv", "Limiting potentials"),
    ("structures", "results.db", "Structures and energies, an ASE database"),
)


def write_crate(records: StudyRecords, folder: Path) -> Sequence[str]:
    """Write a crate into an empty folder; what is left out or to be filled in.

    Raises
    ------
    ConfigError
        If the package that writes crates is missing.
    RecordError
        If the study is not finished: it has no report, or a table is missing.
    OutputError
        If the folder holds something.
    """
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise ConfigError(
            "an RO-Crate needs rocrate; pip install 'clusterflow[rocrate]'"
        ) from None
    source = records.folder
    needed = ("report.json", *(file for _, file, _ in _OUTPUTS))
    if missing := [file for file in needed if not (source / file).is_file()]:
        raise RecordError(
            f"{source}: has no {', '.join(missing)} yet; finish the study first"
        )
    last = read_record(source / "report.json", ReportRecord)
    refuse_full_folder(folder)
    begin, end = _find_times([*records.records, last])

    crate = ROCrate(version=_RO_CRATE)
    crate.metadata.extra_terms["sha256"] = _SHA256
    crate.name = f"clusterflow study {source.name}"
    crate.description = (
        "Free-energy profiles of reactions on nanoclusters: records, tables, diagrams "
        f"and report of the study {source.name}, with the workflow that made them"
    )
    crate.license = _NO_LICENSE
    crate.datePublished = end
    crate.root_dataset["conformsTo"] = [
        _add(crate, url, "CreativeWork", name=name, version=url.rpartition("/")[2])
        for url, name in _PROFILES.items()
    ]
    _add_readme(crate)
    workflow = _add_workflow(crate, records)
    results = _add_results(crate, records)
    outputs = []
    for name, file, what in _OUTPUTS:
        parameter = _add_parameter(crate, name, what)
        results[file]["exampleOfWork"] = parameter
        outputs.append(parameter)
    workflow["output"] = outputs
    used, notes = None, [f'license of the results: "{_NO_LICENSE}"; fill it in']
    config = _find_config(source)
    if config is None:
        notes.append(f"left out: the config: none of study {source.name} is beside it")
    else:
        parameter = _add_parameter(crate, "config", "Settings of the study")
        file = _add_file(crate, config, "config.yaml", name="Settings")
        file["exampleOfWork"] = parameter
        workflow["input"] = parameter
        used = file
    crate.root_dataset["mentions"] = crate.add_action(
        workflow,
        identifier="#run",
        object=used,
        result=list(results.values()),
        properties={
            "name": f"Run of the study {source.name}",
            "description": "From the start of the first record to the end of the last",
            "startTime": begin,
            "endTime": end,
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    crate.write(folder)
    return notes


def _find_times(records: Sequence[Record]) -> tuple[str, str]:
    """When the first record was begun, and when the last was written."""
    ends = [datetime.fromisoformat(r.provenance.created) for r in records]
    begins = [
        end - timedelta(seconds=record.provenance.wall_time_s)
        for end, record in zip(ends, records, strict=True)
    ]
    return min(begins).isoformat(timespec="seconds"), max(ends).isoformat()


def _find_config(results: Path) -> Path | None:
    """The config in the folder that the study ran in, if it is that study's."""
    file = results.resolve().parent.parent / "config.yaml"
    if not file.is_file():
        return None
    content = read_yaml(file)
    name = content.get("study") if isinstance(content, dict) else None
    return file if (name or "default") == results.name else None


def _add(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    content = {"@type": kind, **properties}
    return crate.add(ContextEntity(crate, identifier, properties=content))


def _add_file(crate: Any, path: Path, identifier: str, **properties: Any) -> Any:
    if path.suffix in _FORMATS:
        properties["encodingFormat"] = _FORMATS[path.suffix]
    return crate.add_file(path, identifier, properties=properties)


def _add_parameter(crate: Any, name: str, description: str) -> Any:
    parameter = crate.add_formal_parameter(
        name, "File", identifier=f"#{name}", description=description
    )
    parameter["conformsTo"] = _add_profile(crate, "FormalParameter")
    return parameter


def _add_profile(crate: Any, name: str) -> Any:
    version = "1.0-RELEASE"
    return _add(
        crate,
        f"{_BIOSCHEMAS}/{name}/{version}",
        "CreativeWork",
        name=name,
        version=version,
    )


def _add_readme(crate: Any) -> None:
    """What the folder is, for a person who opens it."""
    text = (
        f"# {crate.name}\n\n{crate.description}.\n\nOpen `results/report.html`. To run "
        "it again, install clusterflow of the version that `ro-crate-metadata.json` "
        "names, and call `clusterflow run` here.\n"
    )
    properties = {"about": crate.root_dataset, "encodingFormat": "text/markdown"}
    crate.add_file(StringIO(text), "README.md", properties=properties)


def _add_workflow(crate: Any, records: StudyRecords) -> Any:
    """Snakefile and rules, and the programs that the records name."""
    source = package_data()
    workflow = crate.add_workflow(
        source / "Snakefile",
        "Snakefile",
        main=True,
        lang="snakemake",
        properties={
            "name": "clusterflow",
            "license": _MIT,
            "encodingFormat": "text/plain",
        },
    )
    workflow["conformsTo"] = _add_profile(crate, "ComputationalWorkflow")
    parts = []
    for file in sorted((source / "workflow").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(source).as_posix()
            parts.append(_add_file(crate, file, name, license=_MIT))
    workflow["hasPart"] = parts
    versions = {
        pair
        for record in records.records
        for pair in record.provenance.versions.items()
    }
    workflow["softwareRequirements"] = [
        _add(
            *(crate, f"#{name}-{version}", "SoftwareApplication"),
            **{"name": name, "softwareVersion": version},
        )
        for name, version in sorted(versions)
    ]
    own = {version for name, version in versions if name == "clusterflow"}
    workflow["version"] = ", ".join(sorted(own))
    return workflow


def _add_results(crate: Any, records: StudyRecords) -> dict[str, Any]:
    """Every file of the results, by its name below them."""
    told = {str(record_name(record)): record for record in records.records}
    added = {}
    for name, path in _list_files(records.folder):
        properties: dict[str, Any] = {"name": name}
        if name in records.hashes:
            properties["sha256"] = records.hashes[name]
        if name in told:
            record = told[name]
            properties["description"] = f"Record of stage {record.stage}"
            properties["dateCreated"] = record.provenance.created
        added[name] = _add_file(crate, path, f"results/{name}", **properties)
    return added


def _list_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files below a folder with their names there; hidden ones are scratch."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), path
