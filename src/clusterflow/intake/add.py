"""Adding a cluster of one's own to the library."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from clusterflow.errors import LibraryError
from clusterflow.formula import n_electrons
from clusterflow.intake.importing import Choices, import_cluster
from clusterflow.library.clusters import ClusterSpec
from clusterflow.library.find import Library, describe_error
from clusterflow.library.yaml_file import format_yaml
from clusterflow.records.files import write_atomic
from clusterflow.records.own_word import choose_claim
from clusterflow.stages.build import (
    assign_roles,
    guess_material,
    refuse_overlap,
    refuse_pieces,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

    from clusterflow.intake.importing import Imported
    from clusterflow.records.own_word import OwnWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Name, charge, multiplicity, source and material of a new cluster.

    trust
        ``file`` or ``call``: whose charge and multiplicity count if the two differ.
    """

    name: str
    charge: int
    multiplicity: int | Literal["auto"]
    source: str
    material: str = ""
    trust: str = ""


def add(file: Path, claims: Claims, choices: Choices) -> list[str]:
    """Write a cluster's YAML and structure to ``structures/clusters/`` here.

    Returns
    -------
    What was written, chosen and assumed, line by line.

    Raises
    ------
    StructureError
        If the file cannot be read, holds more than was chosen, or atoms overlap.
    LibraryError
        If the name is taken, the source is neither DOI nor `unpublished:`, or charge
        and multiplicity do not fit.
    """
    if claims.name in Library.default().paths("clusters"):
        raise LibraryError(
            f"--name {claims.name}: there is a cluster of that name; choose another"
        )
    found = import_cluster(file, choices)
    claims = _settle_claims(claims, found.said, file)
    atoms = found.atoms
    refuse_overlap(atoms, str(file))
    counts = Counter(atoms.get_chemical_symbols())
    notes = [*found.notes, *_list_warnings(counts, claims)]
    spec = _make_spec(found, claims, notes)
    support = set(spec.roles.get("support", ()))
    free = [i for i in range(len(atoms)) if i not in support]
    refuse_pieces(atoms[free], str(file))
    folder = Path("structures/clusters")
    # The structure first: a YAML without its file would break every later run.
    write_atomic(folder / f"{spec.name}.xyz", _format_xyz(atoms, spec.source))
    write_atomic(folder / f"{spec.name}.yaml", _format_yaml(spec))
    roles = Counter(assign_roles(atoms, spec))
    return [
        f"wrote {folder / spec.name}.yaml and {folder / spec.name}.xyz",
        f"{spec.formula}: {len(atoms)} atoms, charge {spec.charge:+d}, "
        f"multiplicity {spec.multiplicity}"
        f"{' and higher are tried' if spec.auto_multiplicity else ''}, "
        f"material {spec.material}",
        *notes,
        "roles: " + ", ".join(f"{n} {role}" for role, n in roles.items()),
        f"to compute it, add {spec.name} to `clusters` in config.yaml",
    ]


def _settle_claims(claims: Claims, said: OwnWord, file: Path) -> Claims:
    """What is claimed, held against what the file says itself."""
    charge = choose_claim("charge", claims.charge, said, file, claims.trust) or 0
    if claims.multiplicity == "auto":
        return replace(claims, charge=charge)
    multiplicity = claims.multiplicity
    chosen = choose_claim("multiplicity", multiplicity, said, file, claims.trust)
    return replace(claims, charge=charge, multiplicity=chosen or multiplicity)


def _list_warnings(counts: Counter[str], claims: Claims) -> list[str]:
    """What is legal, and yet often a mistake."""
    electrons = n_electrons(counts, claims.charge)
    if electrons % 2 == 0:
        return []
    return [
        f"warning: {electrons} electrons, an odd number: an open shell, or a formula, "
        "charge or count of hydrides that is misprinted; compare "
        f"`clusterflow electrons {claims.name}`"
    ]


def _make_spec(found: Imported, claims: Claims, notes: Sequence[str]) -> ClusterSpec:
    counts = Counter(found.atoms.get_chemical_symbols())
    content = {
        "name": claims.name,
        "description": " ".join(f"{note}." for note in notes),
        "formula": "".join(
            f"{e}{n if n > 1 else ''}" for e, n in sorted(counts.items())
        ),
        "material": claims.material or guess_material(counts),
        "charge": claims.charge,
        "multiplicity": claims.multiplicity,
        "source": claims.source,
        "structures": [{"name": "main", "file": f"{claims.name}.xyz"}],
        "roles": _group_by_role(found),
    }
    try:
        return ClusterSpec.model_validate(content)
    except ValidationError as error:
        raise LibraryError(describe_error(error)) from None


def _group_by_role(found: Imported) -> dict[str, list[int]]:
    """Atoms by role, where the file says it; of a host that was cut out too."""
    roles: dict[str, list[int]] = {"support": list(found.support)}
    if found.atoms.has("roles"):
        for index, role in enumerate(map(str, found.atoms.get_array("roles"))):
            if index not in found.support:
                roles.setdefault(role, []).append(index)
    return {role: atoms for role, atoms in roles.items() if role and atoms}


def _format_yaml(spec: ClusterSpec) -> str:
    content = spec.model_dump(mode="json", exclude_defaults=True)
    if content.pop("auto_multiplicity", False):
        content["multiplicity"] = "auto"
    return format_yaml(content)


def _format_xyz(atoms: Atoms, source: str) -> str:
    lines = [str(len(atoms)), source]
    lines += [
        f"{s:2} {x:12.6f} {y:12.6f} {z:12.6f}"
        for s, (x, y, z) in zip(
            atoms.get_chemical_symbols(), atoms.positions, strict=True
        )
    ]
    return "\n".join(lines) + "\n"
