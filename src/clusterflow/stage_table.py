"""The stages of a study: one row each, in the order in which they run.

Whatever is true of a stage stands in its row. Where a record lies, which settings a
rule passes, what status counts, how much time and memory a job asks for, what is
computed for a cluster that a person names: all of it follows from here.

Nothing here imports records or ASE, so that planning and help stay fast.
"""

from __future__ import annotations

import importlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clusterflow.errors import ClusterflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


_PACKAGE = Path(__file__).parent
# What one record may be of; each is a wildcard of the rules.
SUBJECTS = ("cluster", "adsorbate", "gas", "level", "round", "claim")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage: rule, verb, module and record of one name.

    Attributes
    ----------
    name
        Of the rule, the verb, the module and the folder of records.
    summary
        What it does, for help.
    record
        Its record, as module and class in ``records/``.
    protocol
        Version of what it computes. Snakemake does not see edits of this package: raise
        it when a change alters results, and all that depends on the stage runs again.
    of
        What one record is of, in the order of its path. Empty: of the whole study.
    clusters
        Of which clusters: ``all``, those of the ``study`` without the states that
        reactions name, those that are ``profiled``: with reactions, ``parents``
        of states that reactions name, or those with adsorbates that are ``relaxed`` by
        DFT, or ``compared`` at two of its levels.
    refines
        Only of what the study refines by DFT: a part of it, or nothing.
    reads
        Stages whose records of the same cluster it reads.
    reads_before
        Those whose records of the round of adsorption before it reads.
    reads_peers
        Those whose records of other clusters it reads.
    sees
        The sections of the study it uses, or single keys of one. It sees no others, so
        that a changed temperature runs no relaxation again.
    gradients
        Of one job, in the worst case seen with the default settings; 0: a second or
        less, without quantum chemistry.
    example
        A command line, for help.
    module
        Where its ``run`` is, if not in ``stages/<name>``.
    """

    name: str
    summary: str
    record: str
    protocol: int
    of: tuple[str, ...] = ()
    clusters: Literal["all", "study", "profiled", "parents", "relaxed", "compared"] = (
        "all"
    )
    refines: bool = False
    reads: tuple[str, ...] = ()
    reads_before: tuple[str, ...] = ()
    reads_peers: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    gradients: int = 0
    example: str = ""
    module: str = ""

    @property
    def module_name(self) -> str:
        """Full name of the module that runs it."""
        return f"clusterflow.{self.module or f'stages.{self.name}'}"

    @property
    def model(self) -> Any:
        """The class of its records.

        Raises
        ------
        ClusterflowError
            If there is none, or it is of another stage.
        """
        module, _, name = self.record.partition(".")
        records = importlib.import_module(f"clusterflow.records.{module}")
        found = getattr(records, name, None)
        if found is None or found.model_fields["stage"].default != self.name:
            raise ClusterflowError(
                f"stage {self.name!r}: no class {self.record} in records/ with "
                f'stage: Literal["{self.name}"] = "{self.name}"'
            )
        return found

    @property
    def run(self) -> Callable[..., Any]:
        """What runs it: ``run(inputs, job)``.

        Raises
        ------
        ClusterflowError
            If its module has no such function.
        """
        module: Any = importlib.import_module(self.module_name)
        found: Callable[..., Any] | None = getattr(module, "run", None)
        if found is None:
            raise ClusterflowError(
                f"stage {self.name!r}: {self.module_name} has no function "
                "run(inputs, job)"
            )
        return found

    @property
    def give_up(self) -> Callable[..., Any] | None:
        """What makes the record of a job that crashed; None: the run then ends.

        A function of its module, ``give_up(inputs, job, reason)``.
        """
        module: Any = importlib.import_module(self.module_name)
        found: Callable[..., Any] | None = getattr(module, "give_up", None)
        return found

    def path(self, *subject: str) -> Path:
        """Where a results folder keeps the record of a subject.

        >>> STAGES["adsorb"].path("Cu4", "CO").as_posix()
        'adsorb/Cu4/CO.json'
        >>> STAGES["collect"].path().as_posix()
        'collect.json'
        """
        *folders, name = (self.name, *subject)
        return Path(*folders, f"{name}.json")

    def subject_of(self, record: Any) -> tuple[str, ...]:
        """What a record is of, in the order of its path."""
        values = (getattr(record, part) for part in self.of)
        return tuple(str(getattr(value, "name", value)) for value in values)

    def subjects(self, selection: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """What a study has records of.

        Parameters
        ----------
        selection
            What the study is made of: `adsorbates` by cluster, states among them,
            `clusters`, those `profiled` and the `parents`, `gases` and `levels`,
            `claims`; and `refined`, a selection of its own, with those `relaxed` and
            `compared`, and the numbers of its `rounds`.
        """
        if self.refines:
            selection = selection["refined"]
        if self.of == ("level", "gas"):
            return list(itertools.product(selection["levels"], selection["gases"]))
        if self.of == ("round",):
            return [(str(number),) for number in selection["rounds"]]
        adsorbates: Mapping[str, list[str]] = selection["adsorbates"]
        if self.of == ("cluster", "adsorbate"):
            return [(name, one) for name, all_ in adsorbates.items() for one in all_]
        if self.of == ("claim",):
            return [(name,) for name in selection["claims"]]
        if self.of == ("cluster",):
            key = {"all": "adsorbates", "study": "clusters"}
            names = selection[key.get(self.clusters, self.clusters)]
            return [(name,) for name in names]
        return [()]


_CLUSTER, _COMPLEX = ("cluster",), ("cluster", "adsorbate")

_ROWS = (
    Stage(
        name="build",
        summary="Build the starting geometries of a cluster.",
        record="clusters.BuildRecord",
        protocol=1,
        of=_CLUSTER,
        example="clusterflow build Cu4",
    ),
    Stage(
        name="level",
        summary="Choose the first level at which a cluster and its probes converge.",
        record="clusters.LevelRecord",
        protocol=2,
        of=_CLUSTER,
        reads=("build",),
        sees=("level",),
        gradients=100,
        example="clusterflow level Cd6Se6 --levels gfn2-xtb,gfn1-xtb",
    ),
    Stage(
        name="relax",
        summary="Relax a cluster's starting geometries and rank the isomers.",
        record="clusters.RelaxRecord",
        protocol=3,
        of=_CLUSTER,
        reads=("build", "level"),
        reads_peers=("level",),
        sees=("relax",),
        gradients=400,
        example="clusterflow relax mine.xyz --charge 1 --output relax.json",
    ),
    Stage(
        name="edges",
        summary="Compute the gas-phase band edges of a cluster's lowest isomer.",
        record="clusters.EdgesRecord",
        protocol=1,
        of=_CLUSTER,
        clusters="study",
        reads=("relax",),
        sees=("edges.level",),
        gradients=10,
        example="clusterflow edges Cd6Se6 --ph 7",
    ),
    Stage(
        name="gas",
        summary="Compute a molecule: energy, vibrations and ideal-gas free energy.",
        record="vibrations.GasRecord",
        protocol=2,
        of=("level", "gas"),
        sees=("gas",),
        gradients=100,
        example="clusterflow gas CO --level gfn1-xtb --temperature-k 350",
    ),
    Stage(
        name="sites",
        summary="Find the distinct adsorption sites of a cluster.",
        record="adsorption.SitesRecord",
        protocol=3,
        of=_CLUSTER,
        reads=("relax",),
        sees=("sites",),
        example="clusterflow sites Cu4",
    ),
    Stage(
        name="adsorb",
        summary="Find the minima of an adsorbate on a cluster.",
        record="adsorption.AdsorbRecord",
        protocol=5,
        of=_COMPLEX,
        reads=("relax", "sites"),
        reads_before=("adsorb", "pool"),
        sees=("adsorb", "relax", "sites"),
        gradients=500,
        example="clusterflow adsorb Cu4 COOH --output adsorb.json",
    ),
    Stage(
        name="pool",
        summary=(
            "Strip and relax what adsorbates have changed, and list a cluster's "
            "isomers."
        ),
        record="adsorption.PoolRecord",
        protocol=2,
        of=_CLUSTER,
        reads=("relax", "adsorb"),
        reads_before=("pool",),
        sees=("pool", "relax"),
        gradients=1000,
        example="clusterflow pool Cu4 --adsorbate H --adsorbate CO",
    ),
    Stage(
        name="vibrate",
        summary="Compute the vibrations of an adsorbate's best minimum.",
        record="vibrations.VibrateRecord",
        protocol=5,
        of=_COMPLEX,
        reads=("relax", "adsorb", "pool"),
        sees=("vibrate", "relax", "thermo.isomers"),
        gradients=200,
        example="clusterflow vibrate mine.xyz --adsorbate CO",
    ),
    Stage(
        name="leaving",
        summary="Compute the vibrations of groups that states of a cluster lack.",
        record="vibrations.LeavingRecord",
        protocol=1,
        of=_CLUSTER,
        clusters="parents",
        reads=("relax",),
        reads_peers=("relax",),
        sees=("vibrate",),
        gradients=200,
        example="clusterflow leaving relax/Cu2H2.json relax/Cu2H.json",
    ),
    Stage(
        name="thermo",
        summary="Compute free energies of everything on a cluster, with corrections.",
        record="energies.ThermoRecord",
        protocol=4,
        of=_CLUSTER,
        reads=("relax", "gas", "adsorb", "pool", "vibrate", "leaving"),
        sees=("thermo",),
        example="clusterflow thermo Cu2 --adsorbate H",
    ),
    Stage(
        name="che",
        summary="Compute reaction profiles and limiting potentials.",
        record="profiles.CheRecord",
        protocol=5,
        of=_CLUSTER,
        clusters="profiled",
        reads=("thermo", "edges"),
        reads_peers=("thermo",),
        sees=("che", "edges.absolute_she_v"),
        example="clusterflow che thermo.json --reaction HER --scale she --ph 7",
    ),
    Stage(
        name="refine_gas",
        summary="Compute a molecule's energy by DFT.",
        record="refinements.RefineGasRecord",
        protocol=1,
        of=("level", "gas"),
        refines=True,
        reads=("gas",),
        sees=("refine.level", "refine.relax", "refine.second_level"),
        gradients=10,
        example="clusterflow refine_gas gas/gfn1-xtb/CO.json",
    ),
    Stage(
        name="refine_bare",
        summary="Compute the energies of a cluster's isomers by DFT.",
        record="refinements.RefineBareRecord",
        protocol=1,
        of=_CLUSTER,
        refines=True,
        reads=("relax",),
        sees=("refine.level", "refine.other_multiplicities"),
        gradients=10,
        example="clusterflow refine_bare Cu4",
    ),
    Stage(
        name="refine_plan",
        summary="Choose the adsorbates whose energies are worth the time of DFT.",
        record="refine_plans.RefinePlanRecord",
        protocol=1,
        of=("round",),
        refines=True,
        reads=(
            *("relax", "gas", "adsorb", "vibrate", "leaving", "thermo", "che"),
            *("refine_gas", "refine_bare"),
        ),
        reads_before=("refine", "refine_plan"),
        sees=("refine",),
        example="clusterflow refine_plan results/default --round 1",
    ),
    Stage(
        name="refine",
        summary="Compute the energy of each way an adsorbate binds by DFT.",
        record="refinements.RefineRecord",
        protocol=1,
        of=_COMPLEX,
        refines=True,
        reads=("relax", "adsorb", "vibrate", "refine_bare", "refine_plan"),
        sees=("refine.level", "refine.other_multiplicities"),
        gradients=10,
        example="clusterflow refine Cu4 --adsorbate CO",
    ),
    Stage(
        name="refine_relax",
        summary="Relax some adsorbates by DFT, to see what geometries are off by.",
        record="refinements.RefineRelaxRecord",
        protocol=1,
        of=_CLUSTER,
        clusters="relaxed",
        refines=True,
        reads=("refine_bare", "refine"),
        sees=("refine.relax",),
        gradients=300,
        example="clusterflow refine_relax refine_bare/Cu4.json refine/Cu4/CO.json ...",
    ),
    Stage(
        name="refine_second",
        summary="Compute what decides at a second level of DFT.",
        record="refinements.RefineSecondRecord",
        protocol=1,
        of=_CLUSTER,
        clusters="compared",
        refines=True,
        reads=(
            *("relax", "gas", "adsorb", "vibrate", "leaving", "thermo", "che"),
            *("refine_gas", "refine_bare", "refine"),
        ),
        sees=("refine.second_level", "refine.second_species"),
        gradients=10,
        example="clusterflow refine_second thermo/Cu4.json che/Cu4.json ...",
    ),
    Stage(
        name="refined_thermo",
        summary="Compute free energies with the energies of DFT.",
        record="refinements.RefinedThermoRecord",
        protocol=2,
        of=_CLUSTER,
        refines=True,
        reads=(
            *("relax", "gas", "adsorb", "vibrate", "leaving", "thermo"),
            *("refine_gas", "refine_bare", "refine"),
            *("refine_relax", "refine_second"),
        ),
        example="clusterflow refined_thermo thermo/Cu4.json refine/Cu4/*.json ...",
    ),
    Stage(
        name="refined_che",
        summary="Compute reaction profiles and limiting potentials with DFT.",
        record="refinements.RefinedCheRecord",
        protocol=3,
        of=_CLUSTER,
        clusters="profiled",
        refines=True,
        reads=("refined_thermo", "che"),
        reads_peers=("refined_thermo",),
        example="clusterflow refined_che refined_thermo/Cu4.json che/Cu4.json",
    ),
    Stage(
        name="claims",
        summary="Judge a claim by the joint samples of all errors.",
        record="claims.ClaimRecord",
        protocol=1,
        of=("claim",),
        reads_peers=(
            *("relax", "pool", "thermo", "che"),
            *("refined_thermo", "refined_che"),
        ),
        sees=("claims",),
        example="clusterflow claims results/default "
        "'U_L(CO2-to-CO, Cu4) > U_L(CO2-to-CO, Cu8)'",
    ),
    Stage(
        name="collect",
        summary="Collect every record into results.db and tables.",
        record="provenance.CollectRecord",
        module="results.collect",
        protocol=1,
        sees=("collect",),
    ),
    Stage(
        name="report",
        summary="Write report.html and the diagrams.",
        record="provenance.ReportRecord",
        module="report.stage",
        protocol=1,
    ),
)


def check_rows(rows: Iterable[Stage]) -> dict[str, Stage]:
    """Rows by name, each whole and reading only what comes before it.

    Raises
    ------
    ClusterflowError
        Which names the row, and says what is missing and where it goes.
    """
    found: dict[str, Stage] = {}
    for row in rows:
        where = f"stage {row.name!r} in stage_table.py"
        if row.name in found:
            raise ClusterflowError(f"{where}: is there twice")
        if strangers := [part for part in row.of if part not in SUBJECTS]:
            raise ClusterflowError(
                f"{where}: of {strangers[0]!r}; choose from {', '.join(SUBJECTS)}"
            )
        # A round reads what comes after it in the round before.
        for other in (*row.reads, *row.reads_peers):
            if other not in found:
                raise ClusterflowError(f"{where}: reads {other!r}, no stage above it")
        record = row.record.partition(".")[0]
        for module, what in (
            (row.module_name, "a function run(inputs, job)"),
            (f"clusterflow.records.{record}", f"the class {row.record}"),
        ):
            file = _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
            if not file.is_file():
                raise ClusterflowError(
                    f"{where}: no module {module}; write it, with {what}"
                )
        found[row.name] = row
    return found


STAGES = check_rows(_ROWS)


def stage_named(name: str) -> Stage:
    """A stage by its name.

    Raises
    ------
    ClusterflowError
        If there is none; the message lists those there are.
    """
    if name not in STAGES:
        raise ClusterflowError(f"no stage {name!r}: choose from {', '.join(STAGES)}")
    return STAGES[name]


def record_paths(folder: Path, selection: Mapping[str, Any]) -> list[Path]:
    """The records of a selection, in the layout of the rules; older ones stay out.

    Those that are of the whole study are not among them: they are made from these.
    """
    return [
        folder / stage.path(*subject)
        for stage in STAGES.values()
        if stage.of
        for subject in stage.subjects(selection)
    ]


def list_plan_inputs(
    folder: Path, selection: Mapping[str, Any], number: int
) -> list[Path]:
    """The records that a round of stage refine_plan reads, of all clusters.

    After the first round the energies of the round before are among them.
    """
    row, refine = STAGES["refine_plan"], STAGES["refine"]
    paths = [
        folder / STAGES[name].path(*subject)
        for name in row.reads
        for subject in STAGES[name].subjects(selection)
    ]
    if number > 1:
        before = folder / "rounds" / str(number - 1)
        paths += [before / refine.path(*s) for s in refine.subjects(selection)]
        paths.append(folder / row.path(str(number - 1)))
    return paths


def record_name(record: Any) -> Path:
    """Where a results folder keeps a record."""
    stage = stage_named(record.stage)
    return stage.path(*stage.subject_of(record))


def read_name(path: Path) -> tuple[Stage, tuple[str, ...]]:
    """The stage and the subject of a record, by its path below a results folder.

    >>> stage, subject = read_name(Path("adsorb/Cu4/CO.json"))
    >>> stage.name, subject
    ('adsorb', ('Cu4', 'CO'))
    """
    name, *subject = path.with_suffix("").parts
    return stage_named(name), tuple(subject)
