"""Records of sites, of the minima on them, and of the pool of isomers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clusterflow.library.adsorbates import SiteKind
from clusterflow.library.levels import LevelSpec
from clusterflow.model import Model
from clusterflow.records.clusters import Isomer, SpinState
from clusterflow.records.provenance import Record
from clusterflow.records.structure import Structure, Vector

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
    frozen: tuple[int, ...] = Field(
        default=(),
        description="Atoms of ligands that stayed as in the bare cluster, from 0",
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
        default_factory=dict, description="Starts without a minimum, by reason"
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


class MinimumIsomers(Model):
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
    hosts: tuple[MinimumIsomers, ...] = ()
    offers: tuple[Offer, ...] = Field(
        default=(),
        description="Starts for the next round, of minima that are new in this one",
    )
    reconstructed_by: tuple[str, ...] = ()
