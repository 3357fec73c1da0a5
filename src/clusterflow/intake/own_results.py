"""Records of a person's own energies in a results folder of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clusterflow.errors import ConfigError
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_record, sha256, write_record
from clusterflow.stage_table import STAGES, record_name

if TYPE_CHECKING:
    from pathlib import Path

    from clusterflow.intake.own_profiles import OwnStudy

_OF_OWN: Final = ("thermo", "che")
# A name that a file may have anywhere, and that `explain` can tell from a species.
_FILE_NAME: Final = re.compile(r"[^\x00-\x1f/\\.][^\x00-\x1f/\\]{0,99}")


def write_records(study: OwnStudy, folder: Path) -> None:
    """Write the records, in the place of those of an older table.

    Raises
    ------
    ConfigError
        If the folder holds a study, or a surface has no name for a file.
    OutputError
        If it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"--output {folder}: is a file; name a folder or a .json file"
        )
    for thermo in study.thermo:
        if not _FILE_NAME.fullmatch(thermo.cluster):
            where = thermo.own[-1].origin
            raise ConfigError(
                f"{where}: surface = {thermo.cluster!r}: its records need a file name; "
                "write 1 to 100 characters without / and \\, the first no dot"
            )
    _refuse_study(folder)
    names = set()
    for energies, profiles in zip(study.thermo, study.che, strict=True):
        paths = [folder / record_name(record) for record in (energies, profiles)]
        write_record(energies, paths[0])
        used = {"inputs": {str(paths[0]): sha256(paths[0])}}
        origin = profiles.provenance.model_copy(update=used)
        write_record(profiles.model_copy(update={"provenance": origin}), paths[1])
        names.update(paths)
    for stage in _OF_OWN:
        for path in (folder / stage).glob("*.json"):
            if path not in names:
                path.unlink()


def _refuse_study(folder: Path) -> None:
    """Records that were computed are not replaced by those of a table."""
    others = [
        name for name in STAGES if name not in _OF_OWN and (folder / name).is_dir()
    ]
    known = next((folder / "thermo").glob("*.json"), None)
    if known is not None and not others and not read_record(known, ThermoRecord).own:
        others = ["thermo"]
    if others:
        raise ConfigError(
            f"--output {folder}: holds records of a study ({others[0]}); name another "
            "folder"
        )
