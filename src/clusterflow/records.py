"""What every stage leaves behind: one JSON record, with where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field

from clusterflow.models import Model
from clusterflow.specs import (
    BandEdge,
    IsomerMode,
    IsomerSearch,
    LevelSpec,
    Material,
    ReactionSpec,
    Role,
    SiteKind,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_VERSION: Final = 1

Vector = tuple[float, float, float]
# `ok` and `failed` judge a record; the others judge one minimum.
Status = Literal["ok", "failed"]
Fate = Literal[
    "intact",
    "desorbed",
    "dissociated",
    "became",
    "reconstructed",
    "ligand-migrated",
    "scf-failed",
    "not-converged",
]
# Where the start of a minimum came from.
Placed = Literal["site", "random", "offered", "kicked"]
# What the imaginary modes that are left make of a geometry, the worst of them counted:
# none; below 10 cm⁻¹; below 50 cm⁻¹; above.
StationaryPoint = Literal["minimum", "noise", "soft", "saddle"]
ThermoModel = Literal["electronic", "ideal-gas", "harmonic", "quasi-rrho", "hindered"]


class Provenance(Model):
    """Where a record comes from."""

    protocol: int
    settings: dict[str, Any] = {}
    inputs: dict[str, str] = Field(default={}, description="SHA-256 of each input file")
    versions: dict[str, str] = {}
    wall_time_s: float
    engine_time_s: float = Field(
        default=0.0, description="CPU time inside the engine: quantum chemistry"
    )
    n_gradients: int = 0
    scf_rungs: dict[str, int] = Field(
        default={}, description="Geometries by rung of the SCF ladder, if one failed"
    )
    scf_failures: dict[str, int] = Field(
        default={}, description="Geometries that a rung did not converge"
    )
    max_rss_mb: float = Field(default=0.0, description="Peak memory of the process")
    created: str


class Record(Model):
    """What all records share. `status` is failed where the science did not work."""

    schema_version: Literal[1] = SCHEMA_VERSION
    stage: str
    status: Status = "ok"
    reason: str = ""
    provenance: Provenance


class Structure(Model):
    """Atoms with the role of each, and the charge and multiplicity of the whole."""

    name: str = "main"
    symbols: tuple[str, ...]
    positions: tuple[Vector, ...] = Field(description="Å, shape (n_atoms, 3)")
    roles: tuple[Role, ...]
    charge: int
    multiplicity: int
    cell: tuple[Vector, Vector, Vector] | None = Field(
        default=None,
        description="Å; of a periodic support. The atoms stand side by side in it",
    )

    @property
    def xyz(self) -> NDArray[np.float64]:
        """Positions as an array of one's own, Å, shape (n_atoms, 3).

        Made anew each time, 4 µs for 26 atoms: one that is kept would outlive the
        positions in `model_copy`, and could not be compared by ``==``.
        """
        import numpy as np  # what only plans a study does not load it

        return np.array(self.positions, dtype=float).reshape(-1, 3)


class BuildRecord(Record):
    """Starting geometries of a cluster, and how to search for more."""

    stage: Literal["build"] = "build"
    cluster: str
    formula: str
    material: Material
    source: str
    sources: dict[str, str] = Field(
        default={}, description="By structure, where it is another one"
    )
    structures: tuple[Structure, ...]
    auto_multiplicity: bool = Field(
        default=False, description="Higher multiplicities are to be tried too"
    )
    search: IsomerSearch | None = None
    search_level: LevelSpec | None = Field(
        default=None, description="The cheap level that the search names"
    )


class SpinState(Model):
    """One multiplicity that was tried, and its energy where it has one.

    `relaxed` is false for a single point at the geometry of another multiplicity.
    """

    multiplicity: int
    energy_ev: float | None
    relaxed: bool = True
    reason: str = ""


class Probe(Model):
    """One trial of a level: a species after a few steps, and whether it is sane.

    `formation_ev` is its energy on the cluster from CO2, H2 and H2O at the level.
    """

    name: str
    converged: bool
    reason: str = ""
    energy_ev: float | None = None
    formation_ev: float | None = None
    sane: bool = True


class LevelAttempt(Model):
    """One level that was tried on a cluster, and what its probes said."""

    level: str
    accepted: bool
    reason: str
    probes: tuple[Probe, ...]


class LevelRecord(Record):
    """The level chosen for a cluster, and why."""

    stage: Literal["level"] = "level"
    cluster: str
    level: LevelSpec | None
    attempts: tuple[LevelAttempt, ...]
    accepted: tuple[LevelSpec, ...] = Field(
        default=(), description="All levels that passed, in order of preference"
    )


class Isomer(Model):
    """A relaxed geometry of a bare cluster."""

    structure: Structure
    energy_ev: float
    fmax_ev_per_a: float
    n_gradients: int
    homo_ev: float | None = None
    lumo_ev: float | None = None
    charges: tuple[float, ...] | None = None
    homo_by_role: dict[Role, float] | None = Field(
        default=None, description="Mulliken shares, of clusters on a support"
    )
    lumo_by_role: dict[Role, float] | None = None


class Candidate(Model):
    """An isomer that a search has found: a start for relaxation."""

    structure: Structure
    energy_ev: float = Field(description="At the level of the search, loosely relaxed")
    n_found: int = Field(description="Hops that ended in it")


class SearchResult(Model):
    """What a global search of isomers has come to."""

    level: LevelSpec
    n_hops: int
    failures: dict[str, int] = Field(
        default={}, description="Hops without a minimum, by reason"
    )
    n_isomers: int = Field(description="Distinct minima")
    candidates: tuple[Candidate, ...] = Field(description="Those kept, lowest first")
    n_gradients: int


class RelaxRecord(Record):
    """Relaxed isomers of a cluster, lowest first; those that failed are counted."""

    stage: Literal["relax"] = "relax"
    cluster: str
    level: LevelSpec | None
    isomers: tuple[Isomer, ...]
    failures: dict[str, str] = {}
    spin_states: tuple[SpinState, ...] = Field(
        default=(), description="Multiplicities tried, lowest energy first"
    )
    search: SearchResult | None = None


GAS_PHASE_FLAGS: Final = ("gas-phase", "vertical", "no-solvent", "no-exciton")


class EdgesRecord(Record):
    """Vertical ionisation energy and electron affinity of a cluster's lowest isomer.

    `level` is that of the geometry and the orbitals, `ip_ea_level` that of the three
    total energies. A value that is missing has its reason under its name. The
    fundamental gap IP − EA and the gap between orbitals are different quantities.
    """

    stage: Literal["edges"] = "edges"
    cluster: str
    level: LevelSpec | None
    ip_ea_level: LevelSpec
    isomer: str | None = None
    charge: int | None = None
    multiplicity: int | None = None
    energy_ev: float | None = Field(default=None, description="With N electrons")
    cation_energy_ev: float | None = Field(default=None, description="With N − 1")
    anion_energy_ev: float | None = Field(default=None, description="With N + 1")
    ip_ev: float | None = None
    ea_ev: float | None = None
    fundamental_gap_ev: float | None = Field(default=None, description="IP − EA")
    homo_ev: float | None = None
    lumo_ev: float | None = None
    orbital_gap_ev: float | None = Field(default=None, description="LUMO − HOMO")
    reasons: dict[str, str] = Field(
        default={}, description="Why a value is missing, by its name"
    )
    flags: tuple[str, ...] = GAS_PHASE_FLAGS


class GasRecord(Record):
    """A molecule at a level: energy, geometry and vibrations."""

    stage: Literal["gas"] = "gas"
    gas: str
    level: LevelSpec
    structure: Structure | None
    energy_ev: float | None
    symmetry_number: int
    linear: bool = False
    mass_amu: float | None = None
    moments_amu_a2: Vector | None = None
    frequencies_cm1: tuple[float, ...] = ()
    imaginary_cm1: tuple[float, ...] = ()
    fmax_ev_per_a: float | None = None
    hessian_asymmetry_ev_per_a2: float | None = None
    force_error_ev_per_a: float | None = Field(
        default=None,
        description="Force less slope of the energy along one random direction",
    )


class Site(Model):
    """A place on the surface; `multiplicity` counts all that are like it.

    Without symmetry `alike` lists the atoms and normals of the others.
    """

    kind: SiteKind
    atoms: tuple[int, ...]
    elements: tuple[str, ...]
    multiplicity: int
    position: Vector
    normal: Vector
    coordination_numbers: tuple[int, ...]
    generalized_coordination_number: float | None = Field(
        default=None,
        description=(
            "Over neighbours among the core atoms, as a share of those that such a "
            "site has in the bulk: of metals and II-VI clusters"
        ),
    )
    accessible_solid_angle_sr: float | None = None
    alike: tuple[tuple[tuple[int, ...], Vector], ...] = ()


class SitesRecord(Record):
    """Distinct sites of the lowest isomer of a cluster."""

    stage: Literal["sites"] = "sites"
    cluster: str
    isomer: str
    point_group: str
    distinct_by: Literal["symmetry", "environment"] = Field(
        default="symmetry",
        description="What makes sites one: an operation, or equal distances around",
    )
    symmetry_tolerance_a: float
    sites: tuple[Site, ...]


class Minimum(Model):
    """One relaxed complex and what became of it."""

    structure: Structure
    energy_ev: float
    fmax_ev_per_a: float
    n_gradients: int
    n_starts: int = Field(description="Starts that fell into this minimum")
    fate: Fate
    detail: str = Field(default="", description="Fragments, or the new species")
    core_intact: bool
    isomer: str
    form: str
    site_kind: SiteKind
    site_atoms: tuple[int, ...]
    placed: Placed = Field(
        default="site",
        description=(
            "`random`: not on a site; `offered`: where another adsorbate became this "
            "one. The site then is the atom it touched first. `kicked`: from a minimum "
            "that was moved a little; the site is that minimum's"
        ),
    )
    spin_states: tuple[SpinState, ...] = Field(
        default=(), description="Multiplicities tried, lowest energy first"
    )


class AdsorbRecord(Record):
    """All minima of an adsorbate on a cluster, lowest first."""

    stage: Literal["adsorb"] = "adsorb"
    cluster: str
    adsorbate: str
    level: LevelSpec | None
    minima: tuple[Minimum, ...]
    n_starts: int
    failures: dict[str, int] = Field(
        default={}, description="Starts without a minimum, by reason"
    )
    isomers_tried: tuple[str, ...] = Field(
        default=(), description="Isomers it was placed on, the cluster's own first"
    )


class PooledIsomer(Model):
    """An isomer of the bare cluster, and where it comes from.

    One found by stripping an adsorbate has its name, the round, and the index and fate
    of the minimum in that round's adsorb record.
    """

    isomer: Isomer
    round: int = Field(default=0, description="0: relaxed from a starting geometry")
    found_by: str | None = None
    minimum: int | None = None
    fate: Fate | None = None
    bonds: tuple[tuple[int, int], ...] = ()
    other_species: bool = Field(
        default=False, description="Not an isomer: other pieces, or ions bonded anew"
    )
    reason: str = Field(default="", description="Why it is left out")


class MinimumHost(Model):
    """A minimum of an adsorbate, and the bare isomers its energy is taken against.

    The host is what stays when the adsorbate is taken away and the rest relaxed: the
    isomer it was placed on where that kept its bonds. The fall from one to the other,
    host less placed on, is part of an energy against the isomer placed on.
    """

    adsorbate: str
    energy_ev: float = Field(description="Of the complex")
    placed_on: str
    host: str | None = Field(default=None, description="None, with a reason: unknown")
    fall_ev: float | None = None
    reason: str = ""


class Offer(Model):
    """A minimum in which an adsorbate became another: a start of that one."""

    adsorbate: str = Field(description="What it has become")
    found_by: str = Field(description="What was placed")
    placed_on: str = Field(description="Isomer")
    energy_ev: float
    structure: Structure = Field(
        description="Its atoms in the order of what was placed"
    )


class PoolRecord(Record):
    """Isomers of a cluster: the relaxed ones, and those adsorbates pushed it into."""

    stage: Literal["pool"] = "pool"
    cluster: str
    level: LevelSpec | None = None
    round: int = 1
    window_ev: float | None = None
    isomers: tuple[PooledIsomer, ...] = Field(description="In the pool, lowest first")
    left_out: tuple[PooledIsomer, ...] = Field(
        default=(), description="Found, but not in the pool, with the reason"
    )
    new: tuple[str, ...] = Field(
        default=(), description="Isomers that joined in this round, by name"
    )
    hosts: tuple[MinimumHost, ...] = ()
    offers: tuple[Offer, ...] = Field(
        default=(),
        description="Starts for the next round, of minima that are new in this one",
    )
    reconstructed_by: tuple[str, ...] = ()


class VibrateRecord(Record):
    """Vibrations of the best minimum of an adsorbate, cluster atoms frozen."""

    stage: Literal["vibrate"] = "vibrate"
    cluster: str
    adsorbate: str
    level: LevelSpec | None
    minimum: int | None = Field(description="Index into the adsorb record's minima")
    not_minima: tuple[int, ...] = Field(
        default=(),
        description="Those before it that an imaginary mode led to something else",
    )
    structure: Structure | None = Field(
        default=None, description="Relaxed again where a mode was imaginary"
    )
    energy_ev: float | None = None
    frequencies_cm1: tuple[float, ...] = ()
    imaginary_cm1: tuple[float, ...] = ()
    hessian_asymmetry_ev_per_a2: float | None = None
    fmax_ev_per_a: float | None = None
    n_repairs: int = Field(default=0, description="Imaginary modes that were followed")
    moving: tuple[int, ...] = Field(default=(), description="Atoms that vibrate")
    stationary_point: StationaryPoint | None = Field(
        default=None, description="By the worst imaginary mode that is left"
    )
    force_error_ev_per_a: float | None = Field(
        default=None,
        description="Force less slope of the energy along one random direction",
    )


class FreeEnergyTerms(Model):
    """The sum G = E + ZPE + ∫Cp dT − TS, term by term, in eV."""

    energy_ev: float
    zpe_ev: float
    thermal_ev: float
    minus_ts_ev: float
    gibbs_ev: float
    minus_ts_undamped_ev: float = Field(
        description="−TS with the low modes as computed, without the cut-off"
    )
    zpe_undamped_ev: float | None = Field(
        default=None, description="ZPE of all modes as harmonic oscillators"
    )
    thermal_undamped_ev: float | None = Field(
        default=None, description="∫Cp dT of all modes as harmonic oscillators"
    )
    model: ThermoModel | None = None
    fallback_reason: str = Field(
        default="", description="Why it is not the model the study asks for"
    )


class SpeciesFreeEnergy(Model):
    """Free energy of one species, or the reason why there is none.

    Names are those of reaction equations: ``*``, ``*COOH``, ``CO(g)``, ``H2O(l)``.
    `formation_ev` is relative to the clean cluster and the anchors, all gases.
    """

    name: str
    status: str
    reason: str = ""
    terms: FreeEnergyTerms | None = None
    layers: dict[str, float] = Field(
        default={}, description="Correction layers, eV, by name"
    )
    gibbs_ev: float | None = None
    formation_ev: float | None = None
    formation_uncorrected_ev: float | None = None
    de_placed_ev: float | None = Field(
        default=None,
        description="Electronic formation energy against the isomer placed on, eV",
    )
    de_host_ev: float | None = Field(
        default=None,
        description="The same against its own host, stripped and relaxed again, eV",
    )
    de_pool_ev: float | None = Field(
        default=None,
        description="The same against the lowest isomer of the pool, eV",
    )
    deviations: dict[str, float] = Field(
        default={}, description="Standard deviations, eV, by where they come from"
    )
    binding_element: str | None = None
    inherits: dict[str, float] = Field(
        default={}, description="Gas errors it carries, by molecule and count"
    )
    flags: tuple[str, ...] = ()


class MinimumEnergies(Model):
    """Electronic formation energies of one minimum, from anchors and a bare isomer.

    At the accuracy of the search; those of the species are at that of the vibrations.
    """

    adsorbate: str
    minimum: int
    fate: Fate
    placed_on: str
    host: str | None
    de_placed_ev: float | None
    de_host_ev: float | None
    de_pool_ev: float | None
    reason: str = ""


class IsomerWeight(Model):
    """An isomer of the bare cluster, and its share in equilibrium with the others.

    The share is that of electronic energies and spin multiplicities at the record's
    temperature; vibrations and rotations are left out.
    """

    isomer: str
    multiplicity: int
    energy_ev: float
    above_lowest_ev: float
    weight: float
    round: int = Field(default=0, description="0: relaxed from a starting geometry")
    found_by: str | None = Field(
        default=None, description="Adsorbate that pulled the cluster into it"
    )


class GasCorrection(Model):
    """A molecule's formation from the anchors: computed, measured, and the gap."""

    gas: str
    anchors: dict[str, float]
    computed_ev: float
    experiment_ev: float
    correction_ev: float
    is_anchor: bool
    source: str


class OtherIsomers(Model):
    """Formation energies by the other choice of isomers, without further vibrations.

    Each minimum that the other choice takes has its own electronic energy and the
    vibrations of the one it stands beside.
    """

    isomers: IsomerMode
    formation_ev: dict[str, float] = {}
    reason: str = Field(default="", description="Why it is not offered")


class ThermoRecord(Record):
    """Free energies of everything on one cluster, at one level."""

    stage: Literal["thermo"] = "thermo"
    cluster: str
    level: LevelSpec | None
    temperature_k: float
    isomers: IsomerMode = "fixed_core_first"
    half_hydrogen_ev: float | None = Field(
        default=None,
        description="½ G°(H2) at 1 bar on the formation scale: the H⁺ + e⁻ pair at 0 V",
    )
    species: tuple[SpeciesFreeEnergy, ...]
    minima: tuple[MinimumEnergies, ...] = ()
    isomer_weights: tuple[IsomerWeight, ...] = Field(
        default=(), description="Of all isomers known, lowest first"
    )
    other_isomers: OtherIsomers | None = None
    gas_corrections: tuple[GasCorrection, ...] = ()


class Step(Model):
    """One elementary step of a pathway, as written and as a free energy."""

    name: str
    n_e: int
    n_h: int
    dg_ev: float | None = Field(description="At the stated potential")
    dg0_ev: float | None = Field(
        description="At 0 V and pH 0, where RHE and SHE are one"
    )
    turning_potential_v: float | None = Field(
        default=None,
        description=(
            "Where an electrochemical step is in balance, on the stated scale: a "
            "reduction is downhill below it"
        ),
    )
    turning_potential_v_rhe: float | None = None
    reason: str = ""
    flags: tuple[str, ...] = Field(
        default=(), description="Flags of its species, as `name: flag`"
    )


class Pathway(Model):
    """A way through the network, with its limiting potential.

    Potentials are V on the scale that the result states; `_rhe` is always RHE.
    """

    name: str
    steps: tuple[Step, ...]
    levels_ev: tuple[float | None, ...] = Field(
        description="Cumulative free energy at the stated potential, first state 0"
    )
    states: tuple[str, ...]
    complete: bool
    reason: str = ""
    limiting_potential_v: float | None = None
    limiting_potential_v_rhe: float | None = None
    determining_step: str | None = None
    chemical_bottleneck_ev: float | None = None
    chemical_bottleneck_step: str | None = None


class Uncertainty(Model):
    """Distribution of a limiting potential, from sampled errors; V against RHE.

    `basis` is ``screening`` while the level's error is the default of its method and
    not the residual of a calibration.
    """

    basis: Literal["screening", "calibrated"] = "screening"
    median_v_rhe: float
    lower_v_rhe: float = Field(description="5th percentile")
    upper_v_rhe: float = Field(description="95th percentile")
    deviation_v: float
    determining_step_probability: dict[str, float]
    best_pathway_probability: float
    n_samples: int
    not_included: tuple[str, ...] = Field(
        default=(), description="Named deviations that nothing computed could give"
    )


# How the errors of the gases are dealt with: as the study does; on gases alone; from
# CO in the place of CO2; not at all.
ReferenceName = Literal["study", "no-inheritance", "other-anchors", "raw"]


class ReferenceResult(Model):
    """A reaction's best pathway with one way to correct the gases; V against RHE."""

    name: ReferenceName
    anchors: tuple[str, ...] = Field(description="Gases taken as right")
    limiting_potential_v_rhe: float | None = None
    determining_step: str | None = None
    chemical_bottleneck_ev: float | None = None
    best_pathway: str | None = None
    reason: str = ""


class ReactionResult(Model):
    """All pathways of one reaction on one surface, best first."""

    reaction: str
    equation: str
    product: str
    surface: str
    status: Status
    reason: str = ""
    potential_v: float
    scale: Literal["rhe", "she"]
    ph: float
    temperature_k: float
    equilibrium_potential_v_rhe: float | None = None
    limiting_potential_v: float | None = None
    limiting_potential_v_rhe: float | None = None
    overpotential_v: float | None = None
    determining_step: str | None = None
    chemical_bottleneck_ev: float | None = None
    her_limiting_potential_v_rhe: float | None = None
    selectivity_v: float | None = Field(
        default=None, description="U_L(product) − U_L(HER), V"
    )
    uncertainty: Uncertainty | None = None
    references: tuple[ReferenceResult, ...] = Field(
        default=(), description="The same energies with other gas references"
    )
    reference_spread_v: float | None = Field(
        default=None,
        description=(
            "Largest less smallest U_L of `study`, `no-inheritance` and "
            "`other-anchors`; not in the interval"
        ),
    )
    other_isomers_potential_v_rhe: float | None = Field(
        default=None,
        description="The limiting potential by the other choice of isomers",
    )
    best_pathway: str | None = None
    tied_pathways: tuple[str, ...] = Field(
        default=(),
        description=(
            "Others whose limiting potential is not told from the best one's: within "
            "one standard deviation of the difference, or equal where no error is known"
        ),
    )
    steps: tuple[Step, ...] = Field(default=(), description="Of the best pathway")
    pathways: tuple[Pathway, ...]
    flags: tuple[str, ...] = ()


class CoupleDrive(Model):
    """A redox couple beside the band edge that is to drive it.

    The margin is how far the edge lies beyond the couple, V; negative: not driven.
    """

    couple: str
    edge: BandEdge
    potential_v_she: float
    driven: bool | None
    margin_v: float | None
    reason: str = ""


class ReactionDrive(Model):
    """The best pathway of a reaction at the potential of the conduction edge.

    `driven` says whether every electrochemical step is downhill there. Chemical steps
    do not move with the potential; the largest stands beside.
    """

    reaction: str
    driven: bool | None
    reason: str = ""
    steps: tuple[Step, ...] = Field(default=(), description="`dg_ev` is at the edge")
    highest_step: str | None = Field(
        default=None, description="Electrochemical step with the largest ΔG there"
    )
    highest_step_ev: float | None = None
    chemical_bottleneck_ev: float | None = None


class BandEdges(Model):
    """Gas-phase vertical band edges as electrode potentials, and what they can drive.

    On the SHE scale an edge does not move with the pH; couples do.
    """

    absolute_she_v: float
    ph: float
    temperature_k: float
    conduction_v_she: float | None = Field(description="EA/e less the absolute SHE")
    conduction_v_rhe: float | None
    valence_v_she: float | None = Field(description="IP/e less the absolute SHE")
    valence_v_rhe: float | None
    couples: tuple[CoupleDrive, ...]
    reactions: tuple[ReactionDrive, ...] = ()


class CheRecord(Record):
    """Reaction profiles on one cluster, and what its band edges can drive of them."""

    stage: Literal["che"] = "che"
    cluster: str
    level: LevelSpec | None
    isomers: IsomerMode = "fixed_core_first"
    other_isomers: IsomerMode | None = None
    other_isomers_reason: str = Field(
        default="", description="Why there are no numbers by the other choice"
    )
    networks: tuple[ReactionSpec, ...]
    results: tuple[ReactionResult, ...]
    states: dict[str, str] = Field(
        default={},
        description="Clusters that stand for changes of this one: -H, and its name",
    )
    edges: BandEdges | None = None


class CollectRecord(Record):
    """What was collected, and what is missing."""

    stage: Literal["collect"] = "collect"
    study: str
    tables: tuple[str, ...]
    n_records: int
    n_failures: int


class ReportRecord(Record):
    """The report that was written."""

    stage: Literal["report"] = "report"
    study: str
    files: tuple[str, ...]
