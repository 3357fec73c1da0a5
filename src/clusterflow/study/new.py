"""Starting a study: a folder with settings, an own library and a first cluster."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from clusterflow.errors import ConfigError
from clusterflow.library.find import Library, package_data
from clusterflow.library.yaml_file import format_yaml
from clusterflow.model import NAME_PATTERN
from clusterflow.records.files import write_atomic
from clusterflow.settings import Study
from clusterflow.study.template import study_yaml, tour_yaml

if TYPE_CHECKING:
    from pathlib import Path

# The smallest cluster of the library, under a name of one's own.
_MODEL, _EXAMPLE = "Cu2", "my-Cu2"
_README = """\
# {study}

A study of clusterflow: `clusterflow check` looks it over, `clusterflow run -n` shows
what would run, `clusterflow run` runs it, `clusterflow status` says how far it is.
Settings are in `config.yaml`, clusters of your own in `structures/`; results go to
`results/{study}/`, first of all `report.html`.
"""


def new(folder: Path, *, full: bool = False, tour: bool = False) -> list[str]:
    """Write a study to a folder that is new or empty.

    Parameters
    ----------
    full
        With every setting, not only those that people change first.
    tour
        Of every small cluster of the library, in place of a first one of one's own.

    Returns
    -------
    What was written, and what to do next, line by line.

    Raises
    ------
    ConfigError
        If the folder holds anything, its name or place is taken by a file, or both
        kinds of study are asked for.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"new {folder}: is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"new {folder}: is not empty; name a folder that is")
    if full and tour:
        raise ConfigError("new: --full and --tour are two kinds of study; choose one")
    name = re.sub(r"[^A-Za-z0-9-]+", "-", folder.absolute().name).strip("-")[:60]
    study = name if re.fullmatch(NAME_PATTERN, name) else "first"
    files: dict[Path, str | bytes] = {
        **({} if tour else _first_cluster(folder / "structures" / "clusters")),
        folder / "README.md": _README.format(study=study),
        # Last: without it the folder is no study yet.
        folder / "config.yaml": (
            tour_yaml(study, _load_packaged_library())
            if tour
            else _first_study(study, full)
        ),
    }
    for path, content in files.items():
        write_atomic(path, content)
    return [
        *(f"wrote {path}" for path in files),
        f"next: cd {shlex.quote(str(folder))} && clusterflow run",
    ]


def _first_study(name: str, full: bool) -> str:
    study = Study(study=name, clusters=(_EXAMPLE,), reactions=("HER",))
    return study_yaml(study, full=full)


def _first_cluster(folder: Path) -> dict[Path, str | bytes]:
    return {
        folder / f"{_EXAMPLE}.xyz": _read_example_geometry(),
        folder / f"{_EXAMPLE}.yaml": _format_example_yaml(),
    }


def _load_packaged_library() -> Library:
    """The library of the package alone, whatever the working folder."""
    return Library((package_data() / "structures",))


def _read_example_geometry() -> bytes:
    library = _load_packaged_library()
    file = library.cluster(_MODEL).structures[0].file
    assert file is not None
    return (library.path("clusters", _MODEL).parent / file).read_bytes()


def _format_example_yaml() -> str:
    """The cluster's YAML, as `clusterflow add` would write it."""
    spec = _load_packaged_library().cluster(_MODEL)
    content = spec.model_dump(mode="json", exclude_defaults=True)
    content |= {"name": _EXAMPLE, "structures": [{"file": f"{_EXAMPLE}.xyz"}]}
    heading = (
        "# An example to change or delete; `clusterflow add` writes more of them.\n"
    )
    return heading + format_yaml(content)
