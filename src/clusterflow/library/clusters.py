"""What the YAML of a cluster or a ligand may say."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from clusterflow.errors import LibraryError
from clusterflow.formula import ATOMIC_NUMBERS, lowest_multiplicity, parse_formula
from clusterflow.library.common import AtomLine, Composed, GeometrySource, Spec
from clusterflow.model import Model, Name

Role = Literal["core", "ligand", "hydride", "support", "adsorbate"]

Material = Literal["metal", "ii-vi", "other"]
# Which isomers the minima of a diagram may sit on; see `ThermoSettings.isomers`.
IsomerMode = Literal["fixed_core_first", "fixed_core", "pool"]

SubstitutionPlace = Literal["vertex", "edge", "face", "core", "shell"]
SUBSTITUTE = "substitute"
# Parameter of builders that names an item of structures/ligands.
LIGAND = "ligand"


class Cap(Model):
    """Ligands put on the atoms of one element that have room for them."""

    ligand: str = Field(description="By name or alias; it needs `atoms`")
    element: str = Field(description="Element that is capped")
    count: int | None = Field(default=None, ge=1, description="All there is room for")
    coordination: int = Field(
        default=4, ge=1, description="Non-metal neighbours at which an atom is full"
    )


class Hydrides(Model):
    """Hydrides put into places of a cluster by rule, a given number of them."""

    count: int = Field(ge=1)
    neighbours: tuple[int, ...] = Field(
        default=(2, 3, 4, 5, 6), description="Metal atoms that one may touch"
    )
    apart_a: float = Field(default=2.0, gt=0, description="Closest two may be, Å")
    choices: int = Field(
        default=1, ge=1, description="Starting structures, of lowest energy first"
    )


class Substitution(Model):
    """Atoms of another cluster replaced in all distinct ways: builder `substitute`."""

    parent: Name
    isomer: Name | None = Field(default=None, description="All of the parent's")
    element: str
    count: int = Field(ge=1)
    replaces: str | None = Field(
        default=None, description="Element replaced; the only one of the parent's"
    )
    sites: tuple[SubstitutionPlace, ...] = Field(
        default=(), description="Places on the convex hull; everywhere unless given"
    )
    mirror_images: Literal["merged", "kept"] = "merged"
    choices: int | None = Field(
        default=None,
        ge=1,
        description="So many, new atoms farthest apart first; all unless given",
    )

    @field_validator("sites", mode="before")
    @classmethod
    def _wrap_single_site(cls, sites: object) -> object:
        return (sites,) if isinstance(sites, str) else sites


class Support(Model):
    """What a cluster lies on or in: frozen, without sites, behind the cluster's atoms.

    Unless `centre_a` says where, the cluster comes down along `direction` towards the
    middle of the host, until two atoms touch.
    """

    cluster: Name | None = Field(default=None, description="One of the library")
    builder: str | None = None
    parameters: dict[str, Any] = {}
    centre_a: tuple[float, float, float] | None = Field(
        default=None, description="Where the middle of the cluster is to be, Å"
    )
    direction: tuple[float, float, float] = Field(
        default=(0.0, 0.0, 1.0), description="From the host to the cluster"
    )
    contact: float = Field(
        default=1.0, gt=0.7, le=2.0, description="Touching, in sums of covalent radii"
    )

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if (self.builder is None) == (self.cluster is None):
            raise ValueError("a host needs either builder or cluster")
        if not any(self.direction):
            raise ValueError("direction of a host: must not be 0, 0, 0")
        return self


class StartingStructure(Model):
    """One starting geometry of a cluster: built by rule, or read from a file.

    The builder `substitute` gives as many as there are distinct ways.
    """

    name: Name = "main"
    source: GeometrySource | None = Field(
        default=None, description="Where it is not that of the whole cluster"
    )
    builder: str | None = None
    parameters: dict[str, Any] = {}
    file: str | None = None
    frame: str = Field(
        default="", description="`last` or a number from 0, of a file with several"
    )
    caps: tuple[Cap, ...] = ()
    host: Support | None = None
    hydrides: Hydrides | None = None

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if (self.builder is None) == (self.file is None):
            raise ValueError(f"structure {self.name!r} needs either builder or file")
        if self.frame and self.file is None:
            raise ValueError(f"structure {self.name!r}: frame is one of a file")
        if self.host and self.builder == SUBSTITUTE:
            raise ValueError(
                f"structure {self.name!r}: substitute in the cluster first, then give "
                "it a host from a file"
            )
        if self.builder == SUBSTITUTE:
            Substitution.model_validate(self.parameters)
        return self

    @property
    def substitution(self) -> Substitution | None:
        """What is replaced of another cluster, for the builder `substitute`."""
        if self.builder != SUBSTITUTE:
            return None
        return Substitution.model_validate(self.parameters)

    @property
    def ligands(self) -> tuple[str, ...]:
        """Ligands that are put on, by its builder and by caps."""
        own = self.parameters.get(LIGAND)
        caps = (cap.ligand for cap in self.caps)
        return (*([str(own)] if own is not None else []), *caps)


class IsomerSearch(Model):
    """A global search of a cluster's isomers, from each of its structures."""

    method: Literal["basin_hopping", "genetic"] = "basin_hopping"
    steps: int = Field(
        default=30, ge=1, le=10_000, description="Hops, or geometries, by structure"
    )
    seed: int = Field(default=0, ge=0)
    level: Name | None = Field(
        default=None, description="A cheap one to search at; the cluster's own if none"
    )
    keep: int = Field(default=3, ge=1, description="Lowest isomers that are relaxed")
    window_ev: float = Field(
        default=1.0, gt=0, description="Isomers higher than this are not kept, eV"
    )
    hop_ev: float = Field(
        default=0.5, gt=0, le=10, description="kT of the walk: how high it climbs, eV"
    )
    fmax_ev_per_a: float = Field(
        default=0.1, gt=0, description="Force at which a hop ends; loose is enough"
    )
    max_steps: int = Field(default=150, ge=1, description="Gradients of one hop")


class Removed(Model):
    """What a state lacks of its parent: `count` atoms of an element, or ligands."""

    element: str | None = None
    ligand: str | None = Field(default=None, description="By name or alias")
    count: int = Field(ge=1)
    keep_binding_atom: bool = Field(
        default=False,
        description="Of a ligand only the rest leaves; its binding atom joins the core",
    )

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if (self.element is None) == (self.ligand is None):
            raise ValueError("removed needs either element or ligand")
        if self.keep_binding_atom and self.ligand is None:
            raise ValueError("removed.keep_binding_atom is for a ligand")
        return self

    @property
    def what(self) -> str:
        """Element or ligand."""
        return str(self.element or self.ligand)


class ClusterSpec(Composed):
    """A cluster, or a state of one (a `parent` with something `removed`).

    ``multiplicity: auto`` in its YAML stands for the lowest that parity allows, with
    `auto_multiplicity` set: higher ones are then tried as well.
    """

    source: GeometrySource
    auto_multiplicity: bool = False
    material: Material = "other"
    structures: tuple[StartingStructure, ...] = ()
    parent: Name | None = None
    removed: Removed | None = None
    search: IsomerSearch | None = None
    roles: dict[Role, tuple[int, ...]] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_auto(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("multiplicity") != "auto":
            return content
        try:
            counts = parse_formula(str(content.get("formula", "")))
            lowest = lowest_multiplicity(counts, int(content.get("charge", 0)))
        except (LibraryError, TypeError, ValueError):
            lowest = 1  # formula or charge is refused by its own check
        return {**content, "multiplicity": lowest, "auto_multiplicity": True}

    @model_validator(mode="after")
    def _check_origin(self) -> Self:
        if bool(self.structures) == (self.parent is not None):
            raise ValueError(f"{self.name}: give either structures or a parent")
        if (self.parent is None) != (self.removed is None):
            raise ValueError(f"{self.name}: parent and removed go together")
        names = [structure.name for structure in self.structures]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: two structures share a name: {names}")
        return self

    @property
    def status(self) -> Literal["built", "imported", "searched", "state"]:
        """What its geometries are: by rule, from a file, looked for, or of a parent."""
        if self.parent is not None:
            return "state"
        if self.search is not None:
            return "searched"
        is_file = any(structure.file is not None for structure in self.structures)
        return "imported" if is_file else "built"

    @property
    def parents(self) -> tuple[str, ...]:
        """Clusters whose geometries this one is made from."""
        changed = (s.substitution for s in self.structures)
        own = () if self.parent is None else (self.parent,)
        hosts = (s.host.cluster for s in self.structures if s.host and s.host.cluster)
        return tuple(
            dict.fromkeys((*own, *(s.parent for s in changed if s is not None), *hosts))
        )

    @property
    def ligands(self) -> tuple[str, ...]:
        """Ligands that are put on or taken away, as the YAML names them."""
        put_on = [ligand for s in self.structures for ligand in s.ligands]
        removed = self.removed.ligand if self.removed else None
        return tuple(dict.fromkeys([*put_on, *([removed] if removed else [])]))


class LigandSpec(Spec):
    """A ligand, and the valence electrons it takes from a cluster's superatom.

    In `formula` the letter ``R`` is any monovalent group.
    """

    formula: str
    aliases: tuple[str, ...] = ()
    kind: Literal["X", "L"] = Field(description="X: a radical when free; L: a pair")
    electrons_withdrawn: int = Field(ge=0, le=4)
    atoms: tuple[AtomLine, ...] = Field(
        default=(),
        description="Binding atom first, at the origin, the rest towards +z; to cap",
    )

    @property
    def counts(self) -> Counter[str]:
        """Number of atoms by element, and of groups ``R``."""
        return parse_formula(self.formula, groups=True)

    @model_validator(mode="after")
    def _check_electrons(self) -> Self:
        try:
            electrons = sum(
                ATOMIC_NUMBERS.get(e, 1) * n for e, n in self.counts.items()
            )
        except LibraryError as error:
            raise ValueError(str(error)) from None
        if (electrons - self.electrons_withdrawn) % 2:
            raise ValueError(
                f"{self.name}: {self.formula} and {self.electrons_withdrawn} "
                "electrons is an open shell; correct formula or electrons_withdrawn"
            )
        return self

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        if self.atoms and Counter(line[0] for line in self.atoms) != self.counts:
            raise ValueError(f"{self.name}: atoms do not make up {self.formula}")
        if self.atoms and any(self.atoms[0][1:]):
            raise ValueError(f"{self.name}: the first atom binds: put it at 0, 0, 0")
        return self
