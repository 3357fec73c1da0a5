"""What a person may give a verb: a record, a name of the library, or a file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from clusterflow.errors import RecordError, StructureError
from clusterflow.formula import lowest_multiplicity
from clusterflow.io import read_atoms, read_record
from clusterflow.library import Library, load_spec
from clusterflow.records import (
    AdsorbRecord,
    BuildRecord,
    GasRecord,
    LevelRecord,
    PoolRecord,
    RelaxRecord,
    VibrateRecord,
)
from clusterflow.specs import ClusterSpec, StartingStructure
from clusterflow.tasks.build import build, guess_material
from clusterflow.tasks.job import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clusterflow.config import RelaxSettings, SitesSettings
    from clusterflow.records import SitesRecord, Structure
    from clusterflow.tasks.adsorb import Round


def stage_of(path: Path) -> str | None:
    """The stage of a record file; None if it is no JSON record."""
    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordError(
            f"{path}: corrupt record ({error}); delete it and run again"
        ) from None
    return content.get("stage") if isinstance(content, dict) else None


def build_record(
    subject: str, charge: int = 0, multiplicity: int | None = None
) -> BuildRecord:
    """Starting geometries: from a record, the library, a YAML or a structure file.

    Charge and multiplicity count only for a structure file; the multiplicity is the
    lowest that parity allows unless given.
    """
    path = Path(subject)
    if stage_of(path) == "build":
        return read_record(path, BuildRecord)
    library = Library.default()
    if path.suffix in (".yaml", ".yml"):
        spec = load_spec(path, ClusterSpec)
        return build(spec, path.parent, library, Job("build", inputs=[path]))
    if path.is_file():
        spec = _spec_of_file(path, charge, multiplicity)
        return build(spec, path.parent, library, Job("build", inputs=[path]))
    if path.suffix:
        raise StructureError(f"{path}: no such file")
    found = library.path("clusters", subject)
    spec = library.cluster(subject)
    return build(spec, found.parent, library, Job("build", inputs=[found]))


def _spec_of_file(path: Path, charge: int, multiplicity: int | None) -> ClusterSpec:
    atoms = read_atoms(path)
    counts = Counter(atoms.get_chemical_symbols())
    return ClusterSpec(
        name="".join(c for c in path.stem if c.isalnum() or c == "-") or "cluster",
        formula="".join(f"{e}{n}" for e, n in sorted(counts.items())),
        charge=charge,
        material=guess_material(set(counts)),
        multiplicity=multiplicity or lowest_multiplicity(counts, charge),
        source=f"unpublished: {path.name}",
        structures=(StartingStructure(file=path.name),),
    )


def level_record(level: str, cluster: str) -> LevelRecord:
    """A level by name, or as a record chose it."""
    from clusterflow.config import LevelSettings

    path = Path(level)
    if stage_of(path) is not None:
        return read_record(path, LevelRecord)
    return LevelRecord(
        cluster=cluster,
        level=Library.default().level(level),
        attempts=(),
        reason="named by hand",
        provenance=Job("level", settings=LevelSettings().model_dump()).provenance(),
    )


def relax_record(subject: str) -> RelaxRecord:
    """A relax record from its file."""
    return read_record(Path(subject), RelaxRecord)


def bare_structure(subject: str) -> Structure:
    """A cluster's lowest isomer from a record, else its geometry as it is given.

    Raises
    ------
    StructureError
        If nothing of that name is found.
    """
    if stage_of(Path(subject)) is not None:
        isomers = relax_record(subject).isomers
        if not isomers:
            raise StructureError(f"{subject}: holds no relaxed isomer")
        return isomers[0].structure
    return build_record(subject).structures[0]


def relaxed_and_sites(
    subject: str,
    found: SitesRecord | None,
    level: str,
    settings: RelaxSettings,
    charge: int,
    multiplicity: int | None,
) -> tuple[RelaxRecord, SitesRecord]:
    """A relaxed cluster and its sites, computed where they are not given."""
    from clusterflow.config import SitesSettings
    from clusterflow.tasks.relax import relax
    from clusterflow.tasks.sites import sites

    if stage_of(Path(subject)) is not None:
        relaxed = relax_record(subject)
    else:
        built = build_record(subject, charge, multiplicity)
        chosen = level_record(level, built.cluster)
        relaxed = relax(built, chosen, settings, Job("relax"))
    return relaxed, found or sites(relaxed, SitesSettings(), Job("sites"))


def relaxed_or_as_given(
    subject: str,
    level: str,
    settings: RelaxSettings,
    charge: int,
    multiplicity: int | None,
) -> RelaxRecord:
    """A relax record, a cluster of the library relaxed, or a structure file as it is.

    A file is taken for a geometry that is finished; a cluster's starts are not.
    """
    from clusterflow.tasks.relax import relax

    path = Path(subject)
    if stage_of(path) is not None:
        return relax_record(subject)
    built = build_record(subject, charge, multiplicity)
    if path.is_file() and path.suffix not in (".yaml", ".yml"):
        # No force is above this limit, so that one gradient ends the relaxation.
        still = {"fmax_ev_per_a": inf, "rattle_a": 0.0}
        settings = settings.model_copy(update=still)
    return relax(built, level_record(level, built.cluster), settings, Job("relax"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRecords:
    """The records of one cluster, by stage."""

    relaxed: RelaxRecord
    adsorptions: tuple[AdsorbRecord, ...]
    vibrations: tuple[VibrateRecord, ...]
    gases: tuple[GasRecord, ...]
    pool: PoolRecord | None = None


def round_before(paths: Sequence[Path], sites: SitesSettings) -> Round | None:
    """The round before one of adsorption, from its two records; None without them.

    Raises
    ------
    RecordError
        If they are not one adsorb and one pool record.
    """
    from clusterflow.tasks.adsorb import Round

    if not paths:
        return None
    by_stage = {stage_of(path): path for path in paths}
    if set(by_stage) != {"adsorb", "pool"} or len(paths) != 2:
        names = ", ".join(map(str, paths))
        raise RecordError(f"{names}: give one adsorb and one pool record, of one round")
    return Round(
        adsorbed=read_record(by_stage["adsorb"], AdsorbRecord),
        pool=read_record(by_stage["pool"], PoolRecord),
        sites=sites,
    )


def sort_records(paths: Sequence[Path]) -> ClusterRecords:
    """Records of one cluster, sorted by the stage each names.

    Raises
    ------
    RecordError
        If the relax record is missing, there are two pool records, or two clusters
        are mixed.
    """
    by_stage: dict[str | None, list[Path]] = {}
    for path in paths:
        if not path.is_file():
            raise RecordError(f"{path}: no such record; run its stage first")
        by_stage.setdefault(stage_of(path), []).append(path)
    relaxed = [read_record(p, RelaxRecord) for p in by_stage.get("relax", [])]
    if len(relaxed) != 1:
        raise RecordError(f"{len(relaxed)} relax records among the inputs; give one")
    pools = [read_record(p, PoolRecord) for p in by_stage.get("pool", [])]
    if len(pools) > 1:
        raise RecordError(f"{len(pools)} pool records among the inputs; give one")
    found = ClusterRecords(
        relaxed=relaxed[0],
        adsorptions=tuple(
            read_record(p, AdsorbRecord) for p in by_stage.get("adsorb", [])
        ),
        vibrations=tuple(
            read_record(p, VibrateRecord) for p in by_stage.get("vibrate", [])
        ),
        gases=tuple(read_record(p, GasRecord) for p in by_stage.get("gas", [])),
        pool=pools[0] if pools else None,
    )
    partners: tuple[AdsorbRecord | PoolRecord | VibrateRecord, ...]
    partners = (*found.adsorptions, *found.vibrations, *pools)
    for record in partners:
        if record.cluster != found.relaxed.cluster:
            raise RecordError(
                f"{record.stage} record of {record.cluster} among those of "
                f"{found.relaxed.cluster}; give records of one cluster"
            )
    return found
