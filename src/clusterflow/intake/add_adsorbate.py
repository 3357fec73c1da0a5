"""Adding an adsorbate of one's own to the library, drawn from a structure file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import networkx as nx
from networkx.algorithms.isomorphism import categorical_node_match
from pydantic import ValidationError

from clusterflow.errors import LibraryError, StructureError
from clusterflow.figures.picture import picture_file
from clusterflow.formula import lowest_multiplicity, parse_formula
from clusterflow.library.adsorbates import AdsorbateForm, AdsorbateSpec, SiteKind
from clusterflow.library.find import Library, describe_error
from clusterflow.library.yaml_file import format_yaml
from clusterflow.records.files import write_atomic
from clusterflow.records.own_word import choose_claim
from clusterflow.records.structure import Structure
from clusterflow.records.structure_files import read_whole, split_frame
from clusterflow.science.adsorption.drawing import (
    PAIR_SITES,
    find_second_foot,
    list_usual_sites,
    solvation_by_rule,
    stand_on_atom,
    stand_on_pair,
)
from clusterflow.science.adsorption.outcome import intended_graphs
from clusterflow.science.clusters.cluster_formula import SUPERATOM_ELECTRONS
from clusterflow.science.geometry.bond_groups import as_adsorbate
from clusterflow.science.geometry.bonds import bond_graph, hill_formula
from clusterflow.stages.build import refuse_overlap, refuse_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from clusterflow.records.own_word import OwnWord

_RULE: Final = "10.1039/c0ee00071j"
# The rule knows no N-H, and water takes part in its hydrogen bonds.
_UNSURE_WATER_EV: Final = 0.25
_METAL_BELOW_A: Final = 2.0  # Cu-C 1.9, Cu-N 2.0, Cu-S 2.2 Å


@dataclass(frozen=True, slots=True, kw_only=True)
class AdsorbateClaims:
    """What is said of a new adsorbate.

    binding
        An element that occurs once, or atoms counted from 0, such as ``0`` or ``0,2``.
    formula
        What the file must hold; empty takes what it holds.
    sites
        Kinds of site, in the place of the usual ones.
    charge, multiplicity
        None takes what the file says, or else 0 and the lowest that the electrons
        allow.
    frame, trust
        As `add` takes them.
    """

    name: str
    binding: str
    formula: str = ""
    sites: tuple[str, ...] = ()
    charge: int | None = None
    multiplicity: int | None = None
    source: str = ""
    frame: str = ""
    trust: str = ""


def add_adsorbate(file: Path, claims: AdsorbateClaims) -> list[str]:
    """Write an adsorbate's YAML to ``structures/adsorbates/`` here.

    Returns
    -------
    What was written, drawn and assumed, line by line.

    Raises
    ------
    StructureError
        If the file cannot be read, or is no single molecule.
    LibraryError
        If the name is taken, the binding atom is none or buried, or formula and
        multiplicity do not fit.
    """
    library = Library.default()
    if claims.name in library.paths("adsorbates"):
        raise LibraryError(
            f"--name {claims.name}: there is an adsorbate of that name, which this one "
            "would shadow; choose another"
        )
    file, frame = split_frame(str(file), claims.frame)
    content = read_whole(file, frame)
    claims = _settle_claims(claims, content.said, file)
    atoms = content.atoms
    refuse_overlap(atoms, str(file))
    refuse_pieces(atoms, str(file))
    symbols = atoms.get_chemical_symbols()
    molecule = bond_graph(symbols, atoms.positions)
    if not nx.is_connected(molecule):
        raise StructureError(f"{file}: its bonds are too long for one molecule")
    formula = _check_formula(symbols, claims, file)
    same = _find_same_bonds(molecule, library)
    if same:
        raise LibraryError(
            f"{file}: it has the bonds of the adsorbate {same}, so nothing would tell "
            f"the two apart; use {same}"
        )
    feet = _find_feet(symbols, claims.binding, file)
    forms = _draw_forms(atoms.positions, molecule, feet, claims)
    spec = _make_spec(formula, forms, molecule, claims, file)
    path = Path("structures/adsorbates") / f"{spec.name}.yaml"
    write_atomic(path, _format_yaml(spec))
    picture = path.with_suffix(".svg")
    drawn = {form.name: _stand_on_metal(spec, form) for form in spec.forms}
    write_atomic(picture, picture_file(drawn, alt=f"*{spec.name}, form by form"))
    return [f"wrote {path} and {picture}", *_describe_spec(spec, library)]


def _stand_on_metal(spec: AdsorbateSpec, form: AdsorbateForm) -> Structure:
    """A form as drawn, with a copper atom below each binding atom to stand on."""
    feet = [form.atoms[i][1:] for i in form.binding]
    below = [(x, y, z - _METAL_BELOW_A) for x, y, z in feet]
    return Structure(
        name=form.name,
        symbols=(*(line[0] for line in form.atoms), *("Cu" for _ in below)),
        positions=(*(line[1:] for line in form.atoms), *below),
        roles=(*("adsorbate" for _ in form.atoms), *("core" for _ in below)),
        charge=spec.charge,
        multiplicity=spec.multiplicity,
    )


def _settle_claims(
    claims: AdsorbateClaims, said: OwnWord, file: Path
) -> AdsorbateClaims:
    """What is claimed, held against what the file says itself."""
    charge = choose_claim("charge", claims.charge, said, file, claims.trust)
    multiplicity = choose_claim(
        "multiplicity", claims.multiplicity, said, file, claims.trust
    )
    return replace(claims, charge=charge or 0, multiplicity=multiplicity)


def _check_formula(symbols: Sequence[str], claims: AdsorbateClaims, file: Path) -> str:
    found = hill_formula(symbols)
    if claims.formula and parse_formula(claims.formula) != parse_formula(found):
        raise LibraryError(
            f"--formula {claims.formula}: {file} holds {found}; correct one of them"
        )
    return claims.formula or found


def _find_same_bonds(molecule: nx.Graph, library: Library) -> str:
    same = categorical_node_match("element", "")
    for name, spec in library.adsorbates().items():
        if nx.is_isomorphic(molecule, intended_graphs(spec)[0], node_match=same):
            return name
    return ""


def _find_feet(symbols: Sequence[str], binding: str, file: Path) -> tuple[int, ...]:
    """The binding atoms that are meant, by element or by number."""
    if binding in symbols:
        found = [i for i, symbol in enumerate(symbols) if symbol == binding]
        if len(found) > 1:
            listed = ", ".join(map(str, found))
            raise LibraryError(
                f"--binding {binding}: atoms {listed} of {file} are {binding}, counted "
                "from 0; give a number, or two such as "
                f"{found[0]},{found[1]}"
            )
        return (found[0],)
    parts = binding.split(",")
    if not all(part.strip().isdecimal() for part in parts) or len(set(parts)) > 2:
        raise LibraryError(
            f"--binding {binding}: {file} holds {', '.join(sorted(set(symbols)))}; "
            "give one of them, or one or two atoms counted from 0"
        )
    feet = tuple(dict.fromkeys(int(part) for part in parts))
    if max(feet) >= len(symbols):
        raise LibraryError(
            f"--binding {binding}: {file} has {len(symbols)} atoms, counted from 0"
        )
    return feet


def _draw_forms(
    positions: np.ndarray,
    molecule: nx.Graph,
    feet: tuple[int, ...],
    claims: AdsorbateClaims,
) -> list[dict[str, Any]]:
    """The form that was asked for, and one with a second binding atom if there is."""
    sites = _check_sites(claims.sites)
    elements = [molecule.nodes[i]["element"] for i in range(len(positions))]
    forms = []
    if len(feet) == 1:
        foot = feet[0]
        try:
            drawn = stand_on_atom(positions, molecule, foot)
        except ValueError as error:
            raise LibraryError(
                f"--binding {claims.binding}: atom {foot} ({elements[foot]}): {error}; "
                "choose an outer one"
            ) from None
        usual = list_usual_sites(molecule, foot)
        name = f"{elements[foot].lower()}-down" if len(elements) > 1 else "atom"
        forms.append(_make_form(name, feet, sites or usual, elements, drawn))
        second = find_second_foot(positions, molecule, foot)
        feet = feet if second is None else (foot, second)
    if len(feet) == 2:
        try:
            drawn = stand_on_pair(positions, (feet[0], feet[1]))
        except ValueError as error:
            raise LibraryError(f"--binding {claims.binding}: {error}") from None
        pair = "".join(elements[i].lower() for i in feet)
        name = f"eta2-{pair}" if molecule.has_edge(*feet) else "bidentate"
        on_pair = tuple(site for site in sites if site != "hollow4") or PAIR_SITES
        forms.append(_make_form(name, feet, on_pair, elements, drawn))
    return forms


def _check_sites(sites: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [site for site in sites if site not in get_args(SiteKind)]
    if unknown:
        raise LibraryError(
            f"--sites {unknown[0]}: use some of {', '.join(get_args(SiteKind))}"
        )
    return sites


def _make_form(
    name: str,
    feet: tuple[int, ...],
    sites: Sequence[str],
    elements: Sequence[str],
    positions: np.ndarray,
) -> dict[str, Any]:
    lines = [
        [element, *(round(float(x), 3) + 0.0 for x in xyz)]
        for element, xyz in zip(elements, positions, strict=True)
    ]
    return {"name": name, "binding": list(feet), "sites": [*sites], "atoms": lines}


def _make_spec(
    formula: str,
    forms: list[dict[str, Any]],
    molecule: nx.Graph,
    claims: AdsorbateClaims,
    file: Path,
) -> AdsorbateSpec:
    value, groups = solvation_by_rule(molecule, forms[0]["binding"])
    water: dict[str, Any] = {
        "value": value,
        "source": _RULE,
        "note": f"{groups}; by the rule for water on Pt(111)",
    }
    if _has_amino_hydrogen(molecule):
        water |= {"uncertainty_ev": _UNSURE_WATER_EV}
        water["note"] += ", which knows no N-H"
    charge = claims.charge or 0
    lowest = lowest_multiplicity(parse_formula(formula), charge)
    content = {
        "name": claims.name,
        "description": f"Drawn from {file.name}.",
        "source": claims.source or f"unpublished: geometry of {file.name}",
        "formula": formula,
        "charge": charge,
        "multiplicity": lowest if claims.multiplicity is None else claims.multiplicity,
        "solvation_ev": water,
        "forms": forms,
    }
    try:
        return AdsorbateSpec.model_validate(content)
    except ValidationError as error:
        raise LibraryError(describe_error(error)) from None


def _has_amino_hydrogen(molecule: nx.Graph) -> bool:
    return any(
        {molecule.nodes[i]["element"], molecule.nodes[j]["element"]} == {"N", "H"}
        for i, j in molecule.edges
    )


def _format_yaml(spec: AdsorbateSpec) -> str:
    """As the library writes it: one atom a line."""
    content = spec.model_dump(mode="json", exclude_defaults=True)
    forms = content.pop("forms")
    text = format_yaml(content)
    lines = [text + "forms:"]
    for form in forms:
        lines += [
            f"  - name: {form['name']}",
            f"    binding: [{', '.join(map(str, form['binding']))}]",
            f"    sites: [{', '.join(form['sites'])}]",
            "    atoms:",
        ]
        lines += [
            f"      - [{s}, {x:.3f}, {y:.3f}, {z:.3f}]" for s, x, y, z in form["atoms"]
        ]
    return "\n".join(lines) + "\n"


def _describe_spec(spec: AdsorbateSpec, library: Library) -> list[str]:
    lines = [
        f"*{spec.name}: {spec.formula}, charge {spec.charge:+d}, multiplicity "
        f"{spec.multiplicity}"
    ]
    for form in spec.forms:
        feet = ", ".join(f"{form.atoms[i][0]}{i}" for i in form.binding)
        top = max(line[3] for line in form.atoms)
        lines.append(
            f"form {form.name}: {feet} down, {top:.2f} Å high, on "
            f"{', '.join(form.sites)}"
        )
    if spec.solvation_ev is not None:
        lines.append(
            f"water adds {spec.solvation_ev.value:+.2f} ± "
            f"{spec.solvation_ev.uncertainty_ev:.2f} eV: {spec.solvation_ev.note}"
        )
    metals = sorted(spec.counts.keys() & SUPERATOM_ELECTRONS.keys())
    if metals:
        lines.append(
            f"warning: it holds {', '.join(metals)}; if that is the surface it stood "
            "on, take it out of the file"
        )
    gas = _find_gas(spec, library)
    lines.append(
        f"its gas: {gas}(g) of the library"
        if gas
        else "no gas of the library has its bonds"
    )
    return [
        *lines,
        f"to compute it, name *{spec.name} in a reaction, or {spec.name} under "
        "`adsorbates` in config.yaml",
    ]


def _find_gas(spec: AdsorbateSpec, library: Library) -> str:
    same = categorical_node_match("element", "")
    drawn = intended_graphs(spec)[0]
    for name in library.paths("gases"):
        gas = library.gas(name)
        if gas.counts != spec.counts:
            continue
        structure = as_adsorbate(gas.atoms)
        graph = bond_graph(structure.symbols, structure.xyz)
        if nx.is_isomorphic(drawn, graph, node_match=same):
            return name
    return ""
