"""Stage build: the starting geometries of a cluster."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
from ase import Atoms
from pydantic import ValidationError

from clusterflow.engines import check_elements, make_calculator
from clusterflow.errors import EngineError, RecordError, StructureError
from clusterflow.formula import lowest_multiplicity
from clusterflow.library.clusters import LIGAND, ClusterSpec, Role, StartingStructure
from clusterflow.library.find import describe_error, load_spec
from clusterflow.records.atoms import from_atoms, to_atoms
from clusterflow.records.clusters import BuildRecord
from clusterflow.records.own_word import choose_claim
from clusterflow.records.structure_files import read_atoms, read_whole
from clusterflow.science.clusters.atom_roles import guess_roles
from clusterflow.science.clusters.builders import build as build_shape
from clusterflow.science.clusters.derived_clusters import (
    derive_cluster_states,
    numbered,
    substitute,
)
from clusterflow.science.clusters.hydrides import place_hydrides
from clusterflow.science.clusters.ligands import add_ligands
from clusterflow.science.clusters.supports import bond_through_walls, put_beside
from clusterflow.science.geometry.bonds import clashes, count_pieces
from clusterflow.stages.inputs import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.clusters import Cap, Hydrides, Material, Support
    from clusterflow.library.find import Library
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.structure import Structure
    from clusterflow.stages.inputs import Inputs, Request
    from clusterflow.stages.parts.job import Job

_II, _VI = {"Zn", "Cd", "Hg", "Mn", "Co"}, {"O", "S", "Se", "Te"}
_METALS = {"Cu", "Ag", "Au", "Pd", "Pt", "Ni", "Fe", "Co", "Zn", "Al", "In", "Sn"}


def build(spec: ClusterSpec, folder: Path, library: Library, job: Job) -> BuildRecord:
    """Starting geometries of a cluster, checked against what its YAML claims.

    Parameters
    ----------
    spec
        The cluster.
    folder
        Where files named by the YAML are: beside it.
    library
        Where a state's parent is found.

    Raises
    ------
    StructureError
        If a geometry does not match the formula, or atoms overlap.
    """
    return BuildRecord(
        cluster=spec.name,
        formula=spec.formula,
        material=spec.material,
        source=spec.source,
        sources={s.name: s.source for s in spec.structures if s.source},
        structures=tuple(build_structures(spec, folder, library)),
        auto_multiplicity=spec.auto_multiplicity,
        search=spec.search,
        search_level=_find_search_level(spec, library),
        provenance=job.provenance(),
    )


def build_structures(
    spec: ClusterSpec, folder: Path, library: Library
) -> list[Structure]:
    """The geometries of a cluster or of a state of one.

    Raises
    ------
    StructureError
        If one does not match the formula, atoms overlap, or there is no room.
    LibraryError
        If a builder, a parent or a ligand is not there or refuses.
    """
    if spec.parent is not None:
        found = derive_cluster_states(
            spec, _build_named_cluster(spec.parent, library), library
        )
        _check_search(spec, found, library)
        _refuse_charged_cells(spec, found)
        return found
    found = []
    for start in spec.structures:
        if start.substitution is not None:
            parents = _build_named_cluster(start.substitution.parent, library)
            found += substitute(spec, start, parents)
        else:
            found += _build_start(spec, start, folder, library)
    _check_search(spec, found, library)
    _refuse_charged_cells(spec, found)
    return found


def _refuse_charged_cells(spec: ClusterSpec, structures: Sequence[Structure]) -> None:
    """Also for states and substitutions, which take the cell of their parent."""
    if spec.charge and any(s.cell is not None for s in structures):
        raise StructureError(
            f"{spec.name}: charge {spec.charge:+d} on a periodic support: a "
            "charged cell has no energy; use a finite host"
        )


def _refuse_walls(atoms: Atoms, n_own: int, who: str) -> None:
    """Refuse a cluster that is bonded across its cell, where no bond is looked for."""
    pair = bond_through_walls(atoms, n_own)
    if pair is not None:
        one, other = (f"{atoms.symbols[i]}{i}" for i in pair)
        raise StructureError(
            f"{who}: {one} reaches an image of {other} through the walls of the cell; "
            "give the host a larger size or vacuum_a, or put the cluster in its middle"
        )


def _find_search_level(spec: ClusterSpec, library: Library) -> LevelSpec | None:
    """The cheap level that a search names, checked against the cluster."""
    if spec.search is None or spec.search.level is None:
        return None
    level = library.level(spec.search.level)
    check_elements(level, spec.counts, f"{spec.name}: search")
    try:
        make_calculator(level, spec.charge, spec.multiplicity)
    except EngineError as error:
        raise StructureError(f"{spec.name}: search: {error}") from None
    return level


def _check_search(
    spec: ClusterSpec, structures: Sequence[Structure], library: Library
) -> None:
    """Refuse to hop with what has ligands: the moves know atoms, not molecules."""
    _find_search_level(spec, library)
    shell = {role for s in structures for role in s.roles} & {"ligand", "support"}
    if spec.search is not None and shell:
        raise StructureError(
            f"{spec.name}: search moves single atoms, and this cluster has a "
            f"{min(shell)}; leave `search` out and give its isomers as structures"
        )


def _build_named_cluster(name: str, library: Library) -> list[Structure]:
    """Starting geometries of a cluster of the library."""
    library.ancestors(name)  # refuses clusters that are made from themselves
    folder = library.path("clusters", name).parent
    return build_structures(library.cluster(name), folder, library)


def _build_start(
    spec: ClusterSpec, start: StartingStructure, folder: Path, library: Library
) -> list[Structure]:
    if start.builder is not None:
        parameters = _resolve_ligand(start.parameters, spec.name, library)
        atoms = build_shape(start.builder, parameters, spec.name)
    else:
        atoms = read_atoms(folder / str(start.file), start.frame)
    n_bare = len(atoms)
    said = atoms.get_array("roles") if atoms.has("roles") else [""] * n_bare
    for one in start.caps:
        atoms = _cap_cluster(atoms, one, spec.name, library)
    said = [*said, *["ligand"] * (len(atoms) - n_bare)]
    ways = _add_hydrides(atoms, start.hydrides, spec.name)
    names = numbered(start.name, len(ways))
    return [
        _finish_structure(
            own, _add_support(own, start.host, spec, library), spec, name, said
        )
        for name, own in zip(names, ways, strict=True)
    ]


def _finish_structure(
    own: Atoms, whole: Atoms, spec: ClusterSpec, name: str, said: Sequence[str]
) -> Structure:
    """A cluster, whole with the support behind its own atoms, and the roles of all.

    Own atoms behind those whose roles are `said` are hydrides.
    """
    check_geometry(whole, spec, len(own))
    said = [*said, *["hydride"] * (len(own) - len(said))]
    roles = assign_roles(own, spec, said)
    roles += ["support"] * (len(whole) - len(own))
    whole.set_array("roles", np.array(roles, dtype="U10"))
    return from_atoms(
        whole, charge=spec.charge, multiplicity=spec.multiplicity, name=name
    )


def _add_support(
    atoms: Atoms, wanted: Support | None, spec: ClusterSpec, library: Library
) -> Atoms:
    """A cluster with its support, if any, behind it, in the cell of the support."""
    if wanted is None:
        return atoms
    refuse_periodic(atoms, spec.name)
    if wanted.builder is not None:
        support = build_shape(wanted.builder, wanted.parameters, spec.name)
    else:
        support = to_atoms(_build_named_cluster(str(wanted.cluster), library)[0])
        del support.arrays["roles"]
    if wanted.centre_a is None:
        placed = put_beside(support, atoms, wanted.direction, wanted.contact)
    else:
        placed = atoms.copy()
        placed.positions += wanted.centre_a - atoms.positions.mean(axis=0)
    both = placed + support
    both.cell, both.pbc = support.cell, support.pbc
    _refuse_walls(both, len(atoms), spec.name)
    return both


def _add_hydrides(atoms: Atoms, wanted: Hydrides | None, who: str) -> list[Atoms]:
    if wanted is None:
        return [atoms]
    try:
        return place_hydrides(
            atoms,
            wanted.count,
            neighbours=wanted.neighbours,
            apart_a=wanted.apart_a,
            most=wanted.choices,
        )
    except ValueError as error:
        raise StructureError(f"{who}: hydrides: {error}") from None


def _resolve_ligand(
    parameters: Mapping[str, Any], who: str, library: Library
) -> dict[str, Any]:
    """Parameters of a builder, with the atoms of a ligand in place of its name."""
    if LIGAND not in parameters:
        return dict(parameters)
    name = str(parameters[LIGAND])
    return {**parameters, LIGAND: _load_ligand_atoms(name, who, library)}


def _load_ligand_atoms(name: str, who: str, library: Library) -> Atoms:
    ligand = library.ligand(name)
    if not ligand.atoms:
        raise StructureError(
            f"{who}: ligand {ligand.name} has no `atoms`, so it cannot be put anywhere"
        )
    return Atoms(
        [line[0] for line in ligand.atoms],
        positions=[line[1:] for line in ligand.atoms],
    )


def _cap_cluster(atoms: Atoms, wanted: Cap, who: str, library: Library) -> Atoms:
    ligand = _load_ligand_atoms(wanted.ligand, who, library)
    try:
        return add_ligands(
            atoms,
            ligand,
            element=wanted.element,
            count=wanted.count,
            coordination=wanted.coordination,
        )
    except ValueError as error:
        raise StructureError(f"{who}: caps: {error}") from None


def check_geometry(atoms: Atoms, spec: ClusterSpec, n_own: int) -> None:
    """Refuse a geometry that is not the cluster its YAML describes.

    Atoms behind the first `n_own` are its support, which alone may be periodic.

    Raises
    ------
    StructureError
        For a wrong formula, a periodic cell, or overlapping atoms.
    """
    symbols = atoms.get_chemical_symbols()
    if Counter(symbols) != spec.counts:
        raise StructureError(
            f"{spec.name}: the structure is {atoms.get_chemical_formula()}, "
            f"but the formula says {spec.formula}; correct one of them"
        )
    if n_own == len(atoms):
        refuse_periodic(atoms, spec.name)
    refuse_overlap(atoms, spec.name)
    # A cluster may stand free in the support that holds it.
    support = set(spec.roles.get("support", ()))
    refuse_pieces(atoms[[i for i in range(n_own) if i not in support]], spec.name)


def refuse_periodic(atoms: Atoms, who: str) -> None:
    """Refuse a periodic cell.

    Raises
    ------
    StructureError
        If any direction is periodic.
    """
    if atoms.pbc.any():
        raise StructureError(
            f"{who}: the structure is periodic; give an isolated cluster without cell"
        )


def refuse_overlap(atoms: Atoms, who: str) -> None:
    """Refuse atoms on top of each other.

    Raises
    ------
    StructureError
        Which names the closest pair and its distance.
    """
    close = clashes(atoms.get_chemical_symbols(), atoms.positions)
    if close:
        i, j = close[0]
        raise StructureError(
            f"{who}: atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) "
            f"overlap at {atoms.get_distance(i, j):.2f} Å; remove one of them"
        )


def refuse_pieces(atoms: Atoms, who: str) -> None:
    """Refuse a structure that is not one piece.

    Raises
    ------
    StructureError
        If no bond, however long, connects all atoms.
    """
    pieces = count_pieces(atoms.get_chemical_symbols(), atoms.positions)
    if pieces > 1:
        raise StructureError(
            f"{who}: the structure is {pieces} separate pieces; "
            "give one cluster, and check the unit of the coordinates (Å)"
        )


def assign_roles(
    atoms: Atoms, spec: ClusterSpec, said: Sequence[str] = ()
) -> list[Role]:
    """Role of each atom: as the YAML says, else as `said`, else by rule.

    Where `said`, one entry an atom, is empty, the rule decides, from the atoms about
    which nothing was said alone.

    Raises
    ------
    StructureError
        If a role is none, or the YAML names an atom twice or one that there is not.
    """
    said = said or [""] * len(atoms)
    unknown = [i for i, role in enumerate(said) if not role]
    rest = atoms[unknown]
    roles = [str(role) for role in said]
    guessed = guess_roles(rest.get_chemical_symbols(), rest.positions)
    for index, role in zip(unknown, guessed, strict=True):
        roles[index] = role
    for index, role in _read_named_roles(spec, len(atoms)).items():
        roles[index] = role
    return [_check_role(role, spec.name) for role in roles]


def _check_role(role: str, who: str) -> Role:
    for legal in get_args(Role):
        if role == legal:
            return cast("Role", role)
    raise StructureError(
        f"{who}: role {role!r} in the structure file; "
        f"choose from {', '.join(get_args(Role))}"
    )


def _read_named_roles(spec: ClusterSpec, n_atoms: int) -> dict[int, Role]:
    """The roles that the YAML gives, by atom."""
    named: dict[int, Role] = {}
    for role, indices in spec.roles.items():
        for index in indices:
            if not 0 <= index < n_atoms:
                raise StructureError(
                    f"{spec.name}: roles.{role} names atom {index}, "
                    f"but there are {n_atoms} (counted from 0)"
                )
            if named.setdefault(index, role) != role:
                raise StructureError(
                    f"{spec.name}: roles name atom {index} both {named[index]} "
                    f"and {role}; choose one"
                )
    return named


def guess_material(counts: Counter[str]) -> Material:
    """The material class of a cluster without one, by its elements.

    That of the metals that are most: gold doped with Cd under thiolates is a metal.
    """
    n_ii = sum(counts[element] for element in _II)
    n_others = sum(counts[element] for element in _METALS - _II)
    if n_ii > n_others and counts.keys() & _VI:
        return "ii-vi"
    return "metal" if counts.keys() & _METALS else "other"


def run(inputs: Inputs, job: Job) -> BuildRecord:
    """Build the cluster that a person or a rule names."""
    spec, path = cluster_spec(inputs.request, inputs.library)
    job.inputs = [path]
    return build(spec, path.parent, inputs.library, job)


def cluster_spec(request: Request, library: Library) -> tuple[ClusterSpec, Path]:
    """What is to be built of the cluster that a person names, and the file of it.

    Raises
    ------
    StructureError
        If there is no such file, or it is no structure.
    LibraryError
        If the name is in no library, or the YAML is wrong.
    """
    if request.subject is None:
        raise RecordError("0 build records among the inputs; give one")
    path = Path(request.subject)
    if path.suffix in YAML:
        return load_spec(path, ClusterSpec), path
    if path.is_file():
        return _make_file_spec(path, request), path
    if path.suffix:
        raise StructureError(f"{path}: no such file")
    return library.cluster(request.subject), library.path("clusters", request.subject)


def _make_file_spec(path: Path, request: Request) -> ClusterSpec:
    content = read_whole(path, request.frame)
    counts = Counter(content.atoms.get_chemical_symbols())
    said, trust = content.said, request.trust
    charge = choose_claim("charge", request.charge, said, path, trust) or 0
    multiplicity = choose_claim("multiplicity", request.multiplicity, said, path, trust)
    claims = {
        "name": make_name(path),
        "formula": "".join(f"{e}{n}" for e, n in sorted(counts.items())),
        "charge": charge,
        "material": guess_material(counts),
        "multiplicity": multiplicity or lowest_multiplicity(counts, charge),
        "source": f"unpublished: {path.name}",
        "structures": [{"file": path.name, "frame": request.frame}],
    }
    try:
        return ClusterSpec.model_validate(claims)
    except ValidationError as error:
        raise StructureError(f"{path}: {describe_error(error)}") from None


def make_name(path: Path) -> str:
    """A legal name after a file: é becomes e, ₃ becomes 3, the rest is left out."""
    plain = unicodedata.normalize("NFKD", path.stem)
    kept = "".join(c for c in plain if re.fullmatch(r"[A-Za-z0-9-]", c))
    return kept.strip("-")[:60] or "cluster"
