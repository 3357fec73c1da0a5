"""The study: every setting, its default and why one would change it.

This model is the truth: what ``clusterflow new`` writes, the reference of the
documentation and the JSON schema are made from it. It is long because each key carries
its reason, and one file because it is one study.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import unquote

from pydantic import Field, ValidationError, field_validator, model_validator

from clusterflow.errors import ClusterflowError, ConfigError, hide_passwords
from clusterflow.library.adsorbates import SiteKind
from clusterflow.library.claims import ClaimSpec
from clusterflow.library.clusters import IsomerMode
from clusterflow.library.find import describe_error, validate
from clusterflow.library.reactions import Pcet
from clusterflow.library.yaml_file import find_place, read_yaml
from clusterflow.model import Model, Name
from clusterflow.science.thermochemistry.anchors import FROM_CO2
from clusterflow.units import Scale, check_pressure, check_temperature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clusterflow.library.levels import LevelSpec

Layer = Literal["gas", "solvation", "level", "dft", "user"]


class LevelSettings(Model):
    """How the level of theory is chosen."""

    preferred: tuple[Name, ...] = Field(
        default=("gfn1-xtb",),
        min_length=1,
        description=(
            "Levels in order of preference; the first at which the probes converge is "
            "taken. `clusterflow list levels` names them. Numbers of two "
            "levels are never compared, so add a second one only as a fallback."
        ),
    )
    scope: Literal["cluster", "material", "study"] = Field(
        default="material",
        description=(
            "Which clusters share one level: those of one material, all of the study, "
            "or only a cluster and its states. What shares no level is not ranked "
            "together."
        ),
    )
    probes: tuple[Name, ...] = Field(
        default=("H", "CO", "COOH"),
        description=(
            "Adsorbates that must come to sane energies before a level is accepted, "
            "beside the bare cluster. More probes find a bad level earlier."
        ),
    )
    probe_steps: int = Field(
        default=20,
        ge=0,
        description=(
            "Optimiser steps given to each probe. A level often fails, or falls into "
            "nonsense, only on the way to a minimum."
        ),
    )


class RelaxSettings(Model):
    """How geometries are relaxed."""

    fmax_ev_per_a: float = Field(
        default=0.02,
        gt=0,
        le=0.5,
        description="Largest force left on an atom, eV/Å. Tighten for soft clusters.",
    )
    max_steps: int = Field(
        default=400,
        ge=1,
        description="Gradients before a relaxation is given up as not converged.",
    )
    rattle_a: float = Field(
        default=0.02,
        ge=0,
        le=0.2,
        description=(
            "Random displacement of a starting geometry, Å, so that a symmetric "
            "saddle point is not taken for a minimum."
        ),
    )


class EdgesSettings(Model):
    """How band edges are computed, and put on the scale of electrode potentials."""

    level: Name = Field(
        default="ipea1-xtb",
        description=(
            "Level of the vertical IP and EA, at the geometry of the study's level. "
            "One without an offset of its own gives holes."
        ),
    )
    absolute_she_v: float = Field(
        default=4.44,
        ge=3.5,
        le=5.5,
        description=(
            "Absolute potential of the standard hydrogen electrode, V; the value "
            "recommended by IUPAC. A change repeats no quantum chemistry."
        ),
    )


class GasSettings(Model):
    """How molecules in the gas phase are computed."""

    fmax_ev_per_a: float = Field(
        default=0.001,
        gt=0,
        le=0.05,
        description="Largest force left on a molecule, eV/Å, before its vibrations.",
    )
    displacement_a: float = Field(
        default=0.005,
        gt=0,
        le=0.1,
        description="Step of the finite differences, Å.",
    )


class SitesSettings(Model):
    """How adsorption sites are found."""

    symmetry_tolerance_a: float = Field(
        default=0.1,
        gt=0,
        le=0.5,
        description=(
            "Distance within which two atoms count as symmetry images, Å. A larger "
            "value merges sites of nearly symmetric clusters."
        ),
    )
    probe_radius_a: float = Field(
        default=1.0,
        gt=0.1,
        le=3.0,
        description=(
            "Radius of the ball that must be able to touch a site, Å. A larger one "
            "drops sites in narrow pockets."
        ),
    )
    kinds: tuple[SiteKind, ...] = Field(
        default=("top", "bridge", "hollow3", "hollow4", "pair", "hydride"),
        min_length=1,
        description="Kinds of site looked for; `pair` is a metal-anion bond.",
    )


class AdsorbSettings(Model):
    """How many starting geometries are tried, and how far: see THOROUGH_SEARCH."""

    screen_steps: int = Field(
        default=4,
        ge=0,
        description=(
            "Optimiser steps given to every start before the best are chosen; each "
            "halving gives twice as many to those that go on."
        ),
    )
    max_screened: int = Field(
        default=14,
        ge=1,
        description=(
            "Starts on sites for one adsorbate on one cluster, spread over sites and "
            "orientations. A thorough study uses 24."
        ),
    )
    random_starts: int = Field(
        default=4,
        ge=0,
        description=(
            "Further starts that come in from random directions in random "
            "orientations: they find what sites miss. A thorough study uses 12."
        ),
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="Fixes the random starts; another number gives others.",
    )
    halvings: int = Field(
        default=1,
        ge=0,
        le=6,
        description=(
            "How often the better half of the screened geometries takes further steps "
            "before the best are relaxed to the end. A thorough study uses 2."
        ),
    )
    window_ev: float = Field(
        default=1.0,
        gt=0,
        description=(
            "At a halving, geometries this far above the lowest are dropped, eV."
        ),
    )
    max_relaxed: int = Field(
        default=1,
        ge=1,
        description=(
            "Minima wanted that are still the intended species: screened starts, "
            "lowest first, are relaxed to the end until there are so many, and beyond "
            "that the lowest of each way to be bonded. A thorough study uses 4."
        ),
    )
    patience: int = Field(
        default=3,
        ge=1,
        description=(
            "Relaxations in a row that end above the lowest minimum, or in a known "
            "one, before the search stops."
        ),
    )
    kicks: int = Field(
        default=0,
        ge=0,
        description=(
            "Small random moves of the lowest minimum in a row that lead to no lower "
            "one before the search ends. A thorough study uses 6: they find what lies "
            "behind a low barrier."
        ),
    )
    freeze: Literal["none", "shell"] = Field(
        default="none",
        description=(
            "shell: of ligands only the atoms that bind them move under an adsorbate; "
            "for large ligand-protected clusters. Its energies have a flag."
        ),
    )


# Measured against brute force by benchmarks/adsorption.py.
THOROUGH_SEARCH = AdsorbSettings(
    max_screened=24, random_starts=12, halvings=2, max_relaxed=4, kicks=6
)
# Root mean square of the lowest minimum found less that of brute force, eV, in that
# benchmark: of an atom (3 pairs) and of a molecule (9 pairs), most thorough first. One
# pair, CO on Cd13Se13, makes nearly all of it.
_SEARCH_ERRORS_EV = (
    (THOROUGH_SEARCH, 0.005, 0.09),
    (AdsorbSettings(), 0.005, 0.11),
)


def search_error_ev(settings: Mapping[str, Any], *, is_atom: bool) -> float | None:
    """Standard deviation of the lowest energy that a minimum search finds, eV.

    Parameters
    ----------
    settings
        Of a search, by name, among others: as in the provenance of its record.

    Returns
    -------
    float or None
        The measured error of the most thorough search that this one does not fall
        short of; None if it falls short of the default.

    Examples
    --------
    >>> default = AdsorbSettings().model_dump()
    >>> search_error_ev(default, is_atom=True) < search_error_ev(default, is_atom=False)
    True
    >>> search_error_ev({**default, "max_screened": 2}, is_atom=False) is None
    True
    """
    for measured, of_atom_ev, of_molecule_ev in _SEARCH_ERRORS_EV:
        least = measured.model_dump(exclude={"seed", "freeze"})
        if all(settings.get(name, 0) >= value for name, value in least.items()):
            return of_atom_ev if is_atom else of_molecule_ev
    return None


class PoolSettings(Model):
    """Isomers that adsorbates push a cluster into."""

    rounds: int = Field(
        default=1,
        ge=1,
        le=5,
        description=(
            "Rounds of adsorption. With 1, isomers found by adsorbates are relaxed "
            "bare and reported. With 2, every adsorbate is then tried on every isomer "
            "of the pool; without new ones that costs nothing. Choose before the run: "
            "a change repeats the adsorption."
        ),
    )
    window_ev: float = Field(
        default=0.5,
        ge=0,
        le=5,
        description=(
            "Isomers up to this far above the lowest join the pool, eV. A larger "
            "window tries more of them."
        ),
    )
    relax: bool = Field(
        default=True,
        description=(
            "Strip and relax at all. Without it the energies against a host that "
            "changed are holes; that saves an eighth of the time on Cd13Se13."
        ),
    )
    ligated: bool = Field(
        default=False,
        description=(
            "Also strip and relax clusters with ligands or a support. Their shell "
            "moves easily, so that most adsorbates find some isomer."
        ),
    )


class VibrateSettings(Model):
    """How vibrations of adsorbates are computed."""

    displacement_a: float = Field(
        default=0.01,
        gt=0,
        le=0.1,
        description="Step of the central differences, Å.",
    )
    accuracy: float = Field(
        default=0.1,
        gt=0,
        le=1.0,
        description="SCF accuracy of the engine; smaller is tighter and slower.",
    )
    include_binding_atoms: bool = Field(
        default=False,
        description=(
            "Let the cluster atoms that bind the adsorbate vibrate too. Matters for "
            "light or strongly bound cluster atoms; costs six gradients an atom."
        ),
    )


class HinderedSettings(Model):
    """What an adsorbate meets as it slides and turns on the cluster."""

    # None of these has a default: they are the user's to know.
    translation_barrier_ev: float = Field(gt=0, le=5)
    rotation_barrier_ev: float = Field(gt=0, le=5)
    # Metal surfaces have 1.0e15 to 1.9e15.
    site_density_per_cm2: float = Field(ge=1e13, le=1e17)
    rotational_minima: int = Field(ge=1, description="Equal minima of a full turn")
    symmetry_number: int = Field(ge=1, description="Equal arms of the adsorbate")


class ThermoSettings(Model):
    """Conditions and corrections of the free energies."""

    temperature_k: float = Field(
        default=298.15,
        description="Temperature, K. A change repeats no quantum chemistry.",
    )
    isomers: IsomerMode = Field(
        default="fixed_core_first",
        description=(
            "Minima that diagrams are made of: `fixed_core_first` takes the lowest on "
            "the cluster's own isomer with its bonds kept, else the lowest on a "
            "changed one, flagged; `fixed_core` leaves a hole instead; `pool` takes "
            "the lowest on any isomer, against the lowest isomer, and only if every "
            "adsorbate was tried on all. A change repeats vibrations."
        ),
    )
    pressure_pa: dict[Name, float] = Field(
        default={},
        description=(
            "Partial pressures of gases, Pa, as {CO: 5562}; others are at 1 bar. "
            "The proton-electron pair always refers to H2 at 1 bar."
        ),
    )
    low_mode_cutoff_cm1: float = Field(
        default=50.0,
        ge=0,
        le=500,
        description=(
            "Adsorbate modes below this count as this, cm⁻¹, in the harmonic entropy; "
            "0 keeps them as they are. Both values stand in the record."
        ),
    )
    adsorbate_model: Literal["harmonic", "quasi-rrho", "hindered"] = Field(
        default="harmonic",
        description=(
            "Model of an adsorbate's modes: `harmonic` with the cut-off above; "
            "`quasi-rrho`, whose entropy goes over from oscillator to free rotor at "
            "the cut-off (Grimme takes 100); `hindered`, where the three lowest modes "
            "become sliding and turning over the barriers below."
        ),
    )
    hindered: dict[Name, HinderedSettings] = Field(
        default={},
        description=(
            "Barriers by adsorbate for `hindered`, as {CH3: {translation_barrier_ev: "
            "0.2, rotation_barrier_ev: 0.05, site_density_per_cm2: 1.5e+15, "
            "rotational_minima: 6, symmetry_number: 3}}, with numbers of your own: "
            "nothing is guessed. Adsorbates not named stay harmonic."
        ),
    )
    correct: tuple[Layer, ...] = Field(
        default=("gas", "solvation", "level"),
        description=(
            "Correction layers: `gas` moves molecules to experiment, and adsorbates "
            "by the bonds they share with them; `solvation` adds the hydrogen bonds "
            "of water that the adsorbates' files name (leave it out without water; "
            "at a level with a solvent the default leaves it out); `level` takes off "
            "the mean error of each bond to the cluster, measured against DFT, where "
            "it was measured; `dft` and `user` add the tables below, and `dft` takes "
            "the place of `level`. An empty list gives raw xTB."
        ),
    )
    dft: str | None = Field(
        default=None,
        description=(
            "Table for the layer `dft`: adsorption energies by DFT minus those of the "
            "level, as columns cluster, species, shift_ev, source. An edit repeats no "
            "quantum chemistry."
        ),
    )
    user: str | None = Field(
        default=None,
        description="Table for the layer `user`: shifts of your own, same columns.",
    )
    anchors: tuple[Name, ...] = Field(
        default=FROM_CO2,
        min_length=1,
        description=(
            "Gases taken as right, from which the others' corrections are measured; "
            "one for each element of the molecules."
        ),
    )

    @field_validator("temperature_k")
    @classmethod
    def _check_kelvin(cls, value: float) -> float:
        return _run_check(check_temperature, value, "temperature_k")

    @model_validator(mode="after")
    def _check_barriers(self) -> ThermoSettings:
        if self.adsorbate_model == "hindered" and not self.hindered:
            raise ValueError(
                "adsorbate_model = hindered needs barriers, and none are given: name "
                "adsorbates in `hindered`, or choose harmonic or quasi-rrho"
            )
        return self

    @field_validator("pressure_pa")
    @classmethod
    def _check_pascal(cls, value: dict[str, float]) -> dict[str, float]:
        for gas, pressure in value.items():
            _run_check(check_pressure, pressure, f"pressure_pa.{gas}")
        return value

    @model_validator(mode="after")
    def _check_layer_tables(self) -> Self:
        doubles = sorted({x for x in self.correct if self.correct.count(x) > 1})
        if doubles:
            raise ValueError(f"correct names {', '.join(doubles)} twice")
        for layer in ("dft", "user"):
            if layer in self.correct and getattr(self, layer) is None:
                raise ValueError(
                    f"correct names the layer {layer!r}, but {layer} names no table; "
                    f"add {layer}: FILE"
                )
        return self

    @property
    def tables(self) -> dict[str, str]:
        """File of each layer that is switched on and read from a table."""
        named = {"dft": self.dft, "user": self.user}
        return {k: v for k, v in named.items() if k in self.correct and v is not None}

    def at_level(self, level: LevelSpec) -> Self:
        """These settings without the layer `solvation` where the level has a solvent.

        Water counts once, whichever levels a study may choose.
        """
        if level.solvent is None:
            return self
        layers = tuple(layer for layer in self.correct if layer != "solvation")
        return self.model_copy(update={"correct": layers})

    def check_solvent(self, level: LevelSpec) -> None:
        """Refuse water that a person asks for twice: a level's solvent and the layer.

        Raises
        ------
        ConfigError
            If `correct` names the layer; the default does not ask for it.
        """
        asked = "correct" in self.model_fields_set and "solvation" in self.correct
        if level.solvent is not None and asked:
            raise ConfigError(
                f"thermo.correct: the layer 'solvation' and the solvent "
                f"'{level.solvent}' of level {level.name!r} both add water; "
                "leave out one of them"
            )


class RefineSettings(Model):
    """What is computed again by DFT, on the geometries that the study's level found."""

    species: Literal["none", "all", "chosen"] | tuple[Name, ...] = Field(
        default="none",
        description=(
            "Adsorbates whose energies are computed by DFT, by name, `all`, or "
            "`chosen`: those that narrow the limiting potentials most for their time. "
            "The bare clusters and all gases go with them. The others are calibrated "
            "by them. A second set of profiles then stands beside that of the level."
        ),
    )
    level: Name = Field(
        default="pbe-d3-tzvp",
        description=(
            "Level of these energies; pip install 'clusterflow[dft]'. pbe-d3-svp-cp "
            "takes a third of the time. Minutes to an hour for each of some points an "
            "adsorbate."
        ),
    )
    other_multiplicities: bool = Field(
        default=False,
        description=(
            "Compute each geometry with two unpaired electrons less and more too: the "
            "lowest energy counts. Twice the time, or three times."
        ),
    )
    relax: tuple[Name, ...] = Field(
        default=(),
        description=(
            "Adsorbates among them whose lowest minimum is relaxed at that level too, "
            "with the bare cluster and the gases, to measure what the geometries are "
            "off by. Ten to thirty times the time of the energy."
        ),
    )
    second_level: Name | None = Field(
        default=None,
        description=(
            "Another level of DFT, such as r2scan-d4-tzvp: energies on the same "
            "geometries, to measure what the choice of the functional does."
        ),
    )
    second_species: Literal["determining"] | tuple[Name, ...] = Field(
        default="determining",
        description=(
            "Adsorbates that get them, by name, or those of the steps that may "
            "determine U_L."
        ),
    )
    budget_h: float = Field(
        default=8.0,
        gt=0,
        allow_inf_nan=False,
        description=(
            "Of `chosen`: hours of DFT, of one core, gases and bare clusters included."
        ),
    )
    until_v: float = Field(
        default=0.15,
        gt=0,
        allow_inf_nan=False,
        description=(
            "Of `chosen`: enough once the 90 % interval of each limiting potential, "
            "of what is not computed by DFT yet, is narrower than this, V."
        ),
    )
    rounds: int = Field(
        default=6,
        ge=1,
        le=9,
        description=(
            "Of `chosen`: so many times is chosen, from what has been computed so far."
        ),
    )


class CheSettings(Model):
    """Computational hydrogen electrode."""

    potential_v: float = Field(
        default=0.0,
        ge=-5,
        le=5,
        description="Electrode potential of the diagrams, V, on the scale below.",
    )
    scale: Scale = Field(
        default="rhe",
        description=(
            "Scale of potential_v: rhe, or she, ag-agcl and sce (saturated KCl, "
            "298.15 K), on which the pH matters."
        ),
    )
    ph: float = Field(
        default=7.0,
        ge=-2,
        le=16,
        description="pH of the electrolyte; on the scale rhe it does not matter.",
    )
    pcet: Pcet = Field(
        default="combined",
        description=(
            "Whether a proton-electron transfer counts what the adsorption just before "
            "it climbs (`combined`), or each step is judged as written (`split`)."
        ),
    )


class CollectSettings(Model):
    """Where results go besides the study's own folder."""

    database: str | None = Field(
        default=None,
        description=(
            "A PostgreSQL database that takes in every structure too, for many studies "
            "in one place: postgresql://USER@HOST/NAME, without the password. "
            "`results.db` is written anyway."
        ),
    )
    parquet: bool = Field(
        default=False,
        description=(
            "Write each table as Parquet too, beside the CSV; needs the extra parquet."
        ),
    )

    @field_validator("database")
    @classmethod
    def _check_database_url(cls, url: str | None) -> str | None:
        # No ValueError: with that, pydantic's message would show the password.
        return None if url is None else check_url(url, "collect.database")


class WatchdogSettings(Model):
    """When a job is ended that hangs or takes the memory, and given up."""

    stalled_min: float = Field(
        default=60,
        gt=0,
        description=(
            "Minutes without a gradient (with PySCF: without a cycle of the SCF) after "
            "which a job hangs. More than the longest gradient takes."
        ),
    )
    memory_mb: int | None = Field(
        default=None,
        ge=100,
        description=(
            "Memory that one job may take, with the programs that it starts, MB; null "
            "means half of the machine's."
        ),
    )
    tries: int = Field(
        default=2,
        ge=1,
        description=(
            "How often a job is tried that hangs, takes too much memory or crashes, "
            "each time from where it was; then its record is a hole with the reason."
        ),
    )


class Study(Model):
    """A whole study: what is computed, and how."""

    study: Name = Field(
        default="default",
        description="Name of the study; its results go to results/<study>/.",
    )
    clusters: tuple[Name, ...] = Field(
        default=("Cd6Se6", "Cd13Se13", "Cu4", "Cu8"),
        min_length=1,
        description=(
            "Clusters, by name; `clusterflow list clusters` shows all. Cu13 takes "
            "three minutes more on two cores."
        ),
    )
    reactions: tuple[Name, ...] = Field(
        default=("HER", "CO2-to-CO", "CO2-to-HCOOH", "CO2-to-CH3OH", "CO2-to-CH4"),
        description=(
            "Reactions, by name; `clusterflow list reactions` shows all. An empty list "
            "builds and relaxes the clusters, with their band edges."
        ),
    )
    adsorbates: tuple[Name, ...] | None = Field(
        default=None,
        description=(
            "Adsorbates to compute; null means all that the reactions name. A species "
            "left out becomes a hole in the diagrams."
        ),
    )
    claims: tuple[ClaimSpec, ...] = Field(
        default=(),
        description=(
            "Claims that the study judges, each with `name`, `claim`, `source` (a DOI) "
            "and, if wanted, `published` and `tolerance`: docs/claims.md."
        ),
    )
    level: LevelSettings = Field(
        default=LevelSettings(), description="Level of theory."
    )
    relax: RelaxSettings = Field(
        default=RelaxSettings(), description="Relaxation of clusters and adsorbates."
    )
    edges: EdgesSettings = Field(
        default=EdgesSettings(), description="Band edges, gas phase and vertical."
    )
    gas: GasSettings = Field(
        default=GasSettings(), description="Molecules in the gas phase."
    )
    sites: SitesSettings = Field(
        default=SitesSettings(), description="Adsorption sites."
    )
    adsorb: AdsorbSettings = Field(
        default=AdsorbSettings(), description="Search for adsorption minima."
    )
    pool: PoolSettings = Field(default=PoolSettings(), description="Isomer pool.")
    vibrate: VibrateSettings = Field(
        default=VibrateSettings(), description="Vibrations of adsorbates."
    )
    thermo: ThermoSettings = Field(
        default=ThermoSettings(), description="Free energies."
    )
    che: CheSettings = Field(
        default=CheSettings(), description="Potential of the diagrams."
    )
    refine: RefineSettings = Field(
        default=RefineSettings(), description="Energies by DFT where it is wanted."
    )
    collect: CollectSettings = Field(
        default=CollectSettings(), description="Database and tables."
    )
    watchdog: WatchdogSettings = Field(
        default=WatchdogSettings(), description="Jobs that hang or crash."
    )

    @model_validator(mode="after")
    def _check_pool_settings(self) -> Self:
        if self.pool.relax:
            return self
        asked = {
            "pool.rounds > 1": self.pool.rounds > 1,
            "thermo.isomers = pool": self.thermo.isomers == "pool",
        }
        for what, there in asked.items():
            if there:
                raise ValueError(f"{what} needs pool.relax: true")
        return self

    @field_validator("clusters", "reactions", "adsorbates")
    @classmethod
    def _refuse_doubles(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and len(set(names)) != len(names):
            doubles = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"named twice: {', '.join(doubles)}")
        return names

    @field_validator("claims")
    @classmethod
    def _refuse_double_claims(
        cls, claims: tuple[ClaimSpec, ...]
    ) -> tuple[ClaimSpec, ...]:
        cls._refuse_doubles(tuple(claim.name for claim in claims))
        return claims


def check_url(url: str, where: str) -> str:
    """The URL of a PostgreSQL database, without a password in it.

    Raises
    ------
    ConfigError
        If it is of another kind, or holds a password: that would stand in records,
        logs and the list of processes.
    """
    plain = "".join(unquote(url).split())
    if hide_passwords(plain) != plain:
        raise ConfigError(
            f"{where}: holds a password; put it into ~/.pgpass or PGPASSWORD"
        )
    # What is no such URL may hold a password anywhere: it is not shown.
    if not url.startswith(("postgresql://", "postgres://")) or url.split() != [url]:
        raise ConfigError(f"{where}: must be postgresql://USER@HOST/NAME")
    return url


def _run_check(check: Any, value: float, where: str) -> float:
    try:
        return float(check(value, where))
    except ClusterflowError as error:
        raise ValueError(str(error)) from None


def load_study(
    config: Mapping[str, Any],
    sources: Sequence[str | Path] = ("config.yaml",),
    given: Mapping[str, Any] | None = None,
) -> Study:
    """A validated study from a merged configuration.

    Parameters
    ----------
    config
        Content of the configuration files, later ones overlaid on earlier ones.
    sources
        Their paths, for messages.
    given
        What the command line has overlaid on them, for messages.

    Raises
    ------
    ConfigError
        For the first unknown, missing or impossible setting, with the file it is in.
    """
    try:
        return validate(dict(config), Study)
    except ValidationError as error:
        first = error.errors()[0]
        # A key that is missing is in no file: its section is.
        place = first["loc"][:-1] if first["type"] == "missing" else first["loc"]
        raise ConfigError(
            f"{_find_setting(place, sources, given or {})}: {describe_error(error)}"
        ) from None


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """`overlay` on `base`: mappings merge, everything else is replaced.

    The same rule as Snakemake's ``--configfile``.

    >>> merge({"a": {"x": 1, "y": [1, 2]}}, {"a": {"y": [3]}})
    {'a': {'x': 1, 'y': [3]}}
    """
    merged = dict(base)
    for key, value in overlay.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def read_config(paths: Sequence[Path]) -> dict[str, Any]:
    """The merged content of configuration files.

    Raises
    ------
    ConfigError
        If one is missing or is not a YAML mapping.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        try:
            content = read_yaml(path)
        except ClusterflowError as error:
            raise ConfigError(str(error)) from None
        if content is not None and not isinstance(content, dict):
            raise ConfigError(f"{path}: must hold keys and values")
        merged = merge(merged, content or {})
    return merged


def _find_setting(
    place: tuple[int | str, ...],
    sources: Sequence[str | Path],
    given: Mapping[str, Any],
) -> str:
    """The command line or last file that sets the key at `place`; else all files."""
    if place and _holds_key(given, place):
        return "--config"
    for source in reversed(sources):
        try:
            content = read_yaml(_make_path(source))
        except ClusterflowError:
            continue
        if _holds_key(content, place):
            return f"{source}{find_place(_make_path(source), place)}"
    return ", ".join(str(source) for source in sources) or "configuration"


def _holds_key(content: Any, place: tuple[int | str, ...]) -> bool:
    for key in place:
        if isinstance(content, dict) and key in content:
            content = content[key]
        else:
            return isinstance(key, int)
    return True


def _make_path(source: str | Path) -> Path:
    from pathlib import Path

    return Path(source)
