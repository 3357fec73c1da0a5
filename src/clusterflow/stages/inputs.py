"""What a job reads: records it is given, and those computed because it is given none.

A rule gives every record. A person gives a cluster by name, YAML or structure file, or
some records; what is missing is then computed by the same stages, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from clusterflow.errors import (
    ClusterflowError,
    ConfigError,
    RecordError,
    StructureError,
)
from clusterflow.library.find import Library, describe_error, validate
from clusterflow.records.clusters import BuildRecord, LevelRecord, RelaxRecord
from clusterflow.records.files import (
    read_json,
    read_record,
    refuse_wrong_name,
    sha256,
)
from clusterflow.records.provenance import Record
from clusterflow.records.structure_files import split_frame
from clusterflow.settings import LevelSettings, PoolSettings, Study
from clusterflow.stage_table import STAGES, Stage, record_name, stage_named
from clusterflow.stages.parts.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.model import Model
    from clusterflow.records.structure import Structure

M = TypeVar("M", bound="Model")
R = TypeVar("R", bound=Record)

YAML = (".yaml", ".yml")
# Stage, what it is of, and the round: 0 is the last one, -1 the one before it.
_Key = tuple[str, tuple[str, ...], int]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for, where no rule does.

    Attributes
    ----------
    subject
        A cluster by name, YAML or structure file.
    level
        By name; the first that a study prefers unless given.
    charge, multiplicity
        Of a structure file; unless given those that the file says, or else 0 and the
        lowest that parity allows.
    frame
        ``last`` or a number, where the file holds several structures.
    trust
        ``file`` or ``call``: whose charge and multiplicity count if the two differ.
    adsorbates, reactions
        By name, to be computed on the cluster.
    as_given
        The file is a finished geometry and is not relaxed.
    """

    subject: str | None = None
    level: str | None = None
    charge: int | None = None
    multiplicity: int | None = None
    frame: str = ""
    trust: str = ""
    adsorbates: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    as_given: bool = False


@dataclass(kw_only=True)
class Inputs:
    """What one job of a stage reads.

    Attributes
    ----------
    stage
        The stage that reads.
    library
        Of clusters, adsorbates, gases and levels.
    request
        What a person names; without a subject or adsorbates, records are all there is.
    sections
        Settings by section, as far as they differ from the defaults.
    files
        Records that were given, whose hashes belong into the record.
    of
        What the job is of, as far as it is known: adsorbate, gas, level.
    """

    stage: Stage
    library: Library
    request: Request = Request()
    sections: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Path] = ()
    of: Mapping[str, str] = field(default_factory=dict)
    _given: list[tuple[Record, int]] = field(default_factory=list)
    _round: int = 0
    _computed: dict[_Key, Record] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        stage: str,
        subjects: Sequence[str],
        *,
        settings: Mapping[str, Any] | None = None,
        request: Request | None = None,
        of: Mapping[str, str] | None = None,
    ) -> Inputs:
        """What a stage reads of some subjects: record files, or one cluster.

        Raises
        ------
        RecordError
            If a record is missing, corrupt, changed, not the one of its name or not
            made from the others, or two clusters are named or mixed.
        ConfigError
            If adsorbates are named for records that have theirs.
        """
        row, request = stage_named(stage), request or Request()
        if request.adsorbates and len(subjects) > 1:
            raise ConfigError("--adsorbate is for one cluster; records have theirs")
        known = {Path(name): stage_of(Path(name)) for name in subjects}
        names = [name for name in subjects if known[Path(name)] is None]
        missing = [name for name in names if Path(name).suffix == ".json"]
        if len(names) > 1 or (missing and len(subjects) > 1):
            raise RecordError(
                f"{[*missing, *names][0]}: no such record; run its stage first, or "
                "name one cluster"
            )
        files = [Path(name) for name in subjects if name not in names]
        if request.level and (named := stage_of(Path(request.level))) is not None:
            files.append(Path(request.level))
            known[files[-1]] = named
        request = _name_subject(request, names[0] if names else None)
        named_file = Path(request.subject or "")
        found = cls(
            stage=row,
            library=Library.default(),
            request=request,
            sections=settings or {},
            files=[*files, *([named_file] if named_file.is_file() else [])],
            of=of or {},
        )
        for path in files:
            name = str(known[path])
            if name not in STAGES:
                raise RecordError(
                    f"{path}: is a record of {name!r}, which is no stage; delete it "
                    "and run again"
                )
            record = read_record(path, STAGES[name].model)
            if (below := _find_place(path)) is not None:
                refuse_wrong_name(record, path, below)
            before = record.stage in row.reads_before and record.stage not in row.reads
            found._given.append((record, -1 if before else 0))
        found._refuse_other_clusters()
        found._refuse_twice(files)
        found._refuse_changed_inputs(files)
        return found

    def _refuse_twice(self, files: Sequence[Path]) -> None:
        """Of two records of one thing, none is the right one."""
        seen = set()
        for path, (record, number) in zip(files, self._given, strict=True):
            name = record_name(record).with_suffix("").as_posix()
            if (name, number) in seen:
                raise RecordError(f"{path}: {name} is given twice; give one record")
            seen.add((name, number))

    def _refuse_changed_inputs(self, files: Sequence[Path]) -> None:
        """Records that were made from one another must be those that are there."""
        hashes = {str(path): sha256(path) for path in files}
        for path, (record, _) in zip(files, self._given, strict=True):
            for name, was in record.provenance.inputs.items():
                if hashes.get(name, was) != was:
                    raise RecordError(
                        f"{path}: was made from another {name} than the one there "
                        f"now; run stage {record.stage!r} again"
                    )

    def job(self, scratch: Path | None = None) -> Job:
        """A run of the stage on these inputs."""
        return Job(
            self.stage.name, inputs=self.files, scratch=scratch, edited=self.edited
        )

    @property
    def edited(self) -> tuple[str, ...]:
        """Records changed by hand, and accepted, that those given go back to."""
        names = (n for record, _ in self._given for n in record.provenance.edited)
        return tuple(dict.fromkeys(names))

    def _refuse_other_clusters(self) -> None:
        """Records of one cluster only, but for those that the stage compares."""
        if "cluster" not in self.stage.of:
            return
        for record, _ in self._given:
            name = getattr(record, "cluster", None)
            if name is None or record.stage in self.stage.reads_peers:
                continue
            if name != self.cluster:
                raise RecordError(
                    f"{record.stage} record of {name} among those of {self.cluster}; "
                    "give records of one cluster"
                )

    @property
    def by_hand(self) -> bool:
        """Whether a person named what is to be computed, in the place of records."""
        return self.request.subject is not None or bool(self.request.adsorbates)

    @property
    def level_name(self) -> str:
        """The level that is asked for, by name."""
        return self.request.level or self.settings(LevelSettings).preferred[0]

    @cached_property
    def cluster(self) -> str:
        """Name of the cluster that is named, or of the first record."""
        names = [getattr(record, "cluster", None) for record, _ in self._given]
        known = [str(name) for name in names if name is not None]
        if self.request.subject is not None or not known:
            return self._compute_stage(BuildRecord).cluster
        return known[0]

    def settings(self, model: type[M]) -> M:
        """One section of the settings, by its class.

        Raises
        ------
        ConfigError
            If a setting is wrong.
        """
        (name,) = (
            name for name, f in Study.model_fields.items() if f.annotation is model
        )
        try:
            return validate(self.sections.get(name, {}), model)
        except ValidationError as error:
            raise ConfigError(f"{name}: {describe_error(error)}") from None

    def one(self, model: type[R]) -> R:
        """The record of a stage: given, or computed.

        Raises
        ------
        RecordError
            If several are given, or none and it cannot be computed.
        """
        found = self._list_own_records(model)
        row = self._row_read(model)
        if not found and self._is_computable(row):
            return self._compute_stage(model)
        if len(found) != 1:
            raise RecordError(
                f"{len(found)} {row.name} records among the inputs; give one"
            )
        return found[0]

    def optional(self, model: type[R]) -> R | None:
        """The record of a stage, where it is given or a cluster is computed by hand."""
        return (
            self.one(model) if self._list_own_records(model) or self.by_hand else None
        )

    def every(
        self, model: type[R], of: Sequence[Mapping[str, str]] | None = None
    ) -> tuple[R, ...]:
        """All records of a stage: those given, then those computed by hand.

        Parameters
        ----------
        model
            Class of the records.
        of
            What those are of that a cluster by hand needs, part by part; each adsorbate
            that was named by default.
        """
        found = self._list_own_records(model)
        if not self.by_hand:
            return found
        row = self._row_read(model)
        subjects = [dict(zip(row.of, row.subject_of(r), strict=True)) for r in found]
        default = [{"adsorbate": name} for name in self.request.adsorbates]
        wanted = default if of is None else of
        more = (
            self._compute_stage(model, of=one)
            for one in wanted
            if not any(one.items() <= known.items() for known in subjects)
        )
        return (*found, *more)

    def before(self, model: type[R]) -> R | None:
        """The record of the round of adsorption before this one; None in the first."""
        self._row_read(model)
        for record, number in self._given:
            if isinstance(record, model) and number == self._round - 1:
                return record
        rounds = self.settings(PoolSettings).rounds if self.by_hand else 0
        if rounds + self._round <= 1:
            return None
        return self._compute_stage(model, at=self._round - 1)

    def of_study(self, model: type[R]) -> tuple[R, ...]:
        """All records of a stage that were given, of whatever cluster and round."""
        self._row_read(model)
        return tuple(record for record, _ in self._given if isinstance(record, model))

    def peers(self, model: type[R]) -> tuple[R, ...]:
        """Records of other clusters that were given, in their order."""
        return tuple(
            record
            for record, _ in self._given
            if isinstance(record, model)
            and getattr(record, "cluster", None) != self.cluster
        )

    def _row_read(self, model: type[Record]) -> Stage:
        """The row of a stage that is read: the table must say so.

        Raises
        ------
        ClusterflowError
            If it does not: what follows from the table would be wrong.
        """
        row, own = _get_row(model), self.stage
        if row.name not in (*own.reads, *own.reads_before, *own.reads_peers, own.name):
            raise ClusterflowError(
                f"stage {own.name!r} reads {row.name!r}, which its row in "
                "stage_table.py does not say"
            )
        return row

    def _list_own_records(self, model: type[R]) -> tuple[R, ...]:
        """Records that were given, of the own cluster and this round."""
        return tuple(
            record
            for record, number in self._given
            if isinstance(record, model)
            and number == self._round
            and self._is_of_own_cluster(record)
            and all(getattr(record, k, v) == v for k, v in self.of.items())
        )

    def _is_of_own_cluster(self, record: Record) -> bool:
        """Whether a record is of the cluster, or of none, as those of gases are."""
        name = getattr(record, "cluster", None)
        return name is None or name == self.cluster

    def _is_computable(self, row: Stage) -> bool:
        """Whether a stage follows from what is there; adsorbates are never guessed."""
        if self.by_hand:
            return self.request.subject is not None or row.name != "build"
        given = {record.stage for record, _ in self._given}
        return (
            row.of == ("cluster",)
            and row.reads != ()
            and all(
                name in given or self._is_computable(STAGES[name]) for name in row.reads
            )
        )

    def _compute_stage(
        self,
        model: type[R],
        *,
        at: int | None = None,
        of: Mapping[str, str] | None = None,
    ) -> R:
        """Run a stage on what it reads, once."""
        row = _get_row(model)
        at = self._round if at is None else at
        own = {k: v for k, v in {**self.of, **(of or {})}.items() if k in row.of}
        key = (row.name, tuple(own.values()), at)
        if key not in self._computed:
            inputs = replace(self, stage=row, of=own, _round=at)
            self._computed[key] = (
                # Whoever names a level has no need of probes.
                level_record(self.level_name, self.cluster)
                if row.name == "level"
                else row.run(inputs, Job(row.name, edited=self.edited))
            )
        found = self._computed[key]
        assert isinstance(found, model)
        return found


def stage_of(path: Path) -> str | None:
    """The stage of a record file; None if it is no JSON record.

    Raises
    ------
    RecordError
        If it is JSON that cannot be read.
    """
    if path.suffix != ".json" or not path.is_file():
        return None
    content = read_json(path)
    return content.get("stage") if isinstance(content, dict) else None


def _find_place(path: Path) -> Path | None:
    """A record's path below ``results/STUDY``, and below a round; else None."""
    parts = path.parts
    if "results" not in parts[:-2]:
        return None
    start = len(parts) - parts[::-1].index("results") + 1
    below = parts[start:]
    below = below[2:] if below[:1] == ("rounds",) else below
    return Path(*below) if below and below[0] in STAGES else None


def _name_subject(request: Request, name: str | None) -> Request:
    """The request with its subject; what is said of a file is said of a file."""
    said = [
        f"--{key.replace('_', '-')} {value}"
        for key in ("charge", "multiplicity", "frame", "trust")
        if (value := getattr(request, key)) not in (None, "")
    ]
    if name is None or not is_structure_file(name):
        if said and (name is None or not Path(name).suffix or Path(name).is_file()):
            raise ConfigError(
                f"{said[0]}: is for a structure file; {name or 'a record'} has its own"
            )
        return replace(request, subject=name)
    path, frame = split_frame(name, request.frame)
    return replace(request, subject=str(path), frame=frame)


def is_structure_file(subject: str) -> bool:
    """Whether a subject is a file of a geometry, and neither YAML nor record."""
    path, _ = split_frame(subject)
    return path.is_file() and path.suffix not in YAML and stage_of(path) is None


def level_record(level: str, cluster: str) -> LevelRecord:
    """A level that a person names for a cluster."""
    return LevelRecord(
        cluster=cluster,
        level=Library.default().level(level),
        attempts=(),
        reason="named by hand",
        provenance=Job("level", settings=LevelSettings().model_dump()).provenance(),
    )


def bare_structure(inputs: Inputs) -> Structure:
    """A cluster's lowest isomer from a relax record, else its geometry as it is given.

    Raises
    ------
    StructureError
        If the record holds no isomer.
    """
    if inputs.by_hand:
        return replace(inputs, stage=STAGES["relax"]).one(BuildRecord).structures[0]
    relaxed = inputs.one(RelaxRecord)
    if not relaxed.isomers:
        raise StructureError(f"{relaxed.cluster}: its record holds no relaxed isomer")
    return relaxed.isomers[0].structure


def _get_row(model: type[Record]) -> Stage:
    return stage_named(str(model.model_fields["stage"].default))
