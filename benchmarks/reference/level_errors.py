"""Errors of a level in each bond of adsorbates to clusters, against DFT.

The minima of a finished study that searched without reactions that decide (see
``level_errors.yaml``) are computed as single points at the level and at a reference,
on the same geometry, and their difference is put down to the bond that holds the
adsorbate. Everything lies in ``level_errors.extxyz``: geometry, charge, multiplicity
and the energies at each level, eV. What is there is not computed again, so a run may be
cut off at any time.

    clusterflow run --configfile benchmarks/reference/level_errors.yaml
    cd benchmarks/reference
    python level_errors.py collect ../../results/level-errors
    python level_errors.py compute pbe-d3-tzvp      # hours of CPU, minutes of a GPU
    python level_errors.py compute pbe0-d3-tzvp --adsorbates H CO COOH OCHO CHO OCH3
    python level_errors.py fit ../../results/level-errors

`fit` prints the table and writes ``structures/level_errors/``.

What counts as right
--------------------
DFT has errors of its own in molecules, PBE some 0.4 eV in O=C=O. So an adsorbate is
compared through the gas that has its backbone (*COOH through HCOOH, *CHO through HCHO,
...), whose free energy is the measured one:

    error = [E(complex) - E(host) + corrections]_level
          - [E(complex) - E(host) - E(backbone)]_DFT - G(backbone)_measured

with H2 and H2O on both sides for the atoms that differ, and with the corrections that
the product gives this very minimum. What is left is the error in the bond between
adsorbate and cluster, which is what the table holds.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from ase import Atoms
from ase.calculators.calculator import CalculationFailed
from ase.io import read, write

from clusterflow.engines.make import make_calculator
from clusterflow.library.find import Library, package_data
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.clusters import RelaxRecord
from clusterflow.records.files import read_record
from clusterflow.records.structure import Structure
from clusterflow.records.vibrations import GasRecord
from clusterflow.science.adsorption.surface_bonds import surface_bonds
from clusterflow.science.uncertainty.bond_errors import (
    Comparison,
    ErrorModel,
    Residual,
    compare_models,
    fit_bond_errors,
)
from clusterflow.settings import ThermoSettings
from clusterflow.stages.thermo import group_model_of, surroundings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.library.levels import LevelSpec

HERE = Path(__file__).parent
POINTS = HERE / "level_errors.extxyz"

# The gas with the backbone of each adsorbate; H2 and H2O make up the rest.
BACKBONE = {
    **{"H": "H2", "O": "H2O", "OH": "H2O", "CO": "CO", "CO2": "CO2"},
    **{"COOH": "HCOOH", "OCHO": "HCOOH", "HCOOH": "HCOOH"},
    **{"CHO": "HCHO", "CH2O": "HCHO"},
    **{"COH": "CH3OH", "CHOH": "CH3OH", "CH2OH": "CH3OH", "OCH3": "CH3OH"},
    **{"C": "CH4", "CH": "CH4", "CH2": "CH4", "CH3": "CH4"},
}
GASES = tuple(dict.fromkeys(["H2", "H2O", *BACKBONE.values()]))


def read_points() -> list[Atoms]:
    """All structures with the energies they have so far."""
    return read(POINTS, ":") if POINTS.exists() else []


def write_points(points: list[Atoms]) -> None:
    """Replace the file at once, so that a killed run leaves the old one."""
    ordered = sorted(points, key=lambda a: a.info["id"])
    draft = POINTS.with_suffix(".part")
    columns = ["symbols", "positions", "role"]
    write(draft, ordered, format="extxyz", columns=columns)
    draft.replace(POINTS)


def make_atoms(structure: Structure, **info: object) -> Atoms:
    """A structure as it stands in the file."""
    atoms = Atoms(structure.symbols, structure.positions)
    atoms.arrays["role"] = np.array(structure.roles)
    atoms.info = {
        **info,
        "charge": structure.charge,
        "multiplicity": structure.multiplicity,
    }
    return atoms


def make_structure(atoms: Atoms) -> Structure:
    """A structure as the product has it."""
    return Structure(
        name=str(atoms.info.get("isomer", "main")),
        symbols=tuple(atoms.get_chemical_symbols()),
        positions=tuple(map(tuple, atoms.positions.tolist())),
        roles=tuple(map(str, atoms.arrays["role"])),
        charge=int(atoms.info["charge"]),
        multiplicity=int(atoms.info["multiplicity"]),
    )


def column_of(level: str) -> str:
    """Under what name energies at a level stand in the file."""
    return f"energy_{level.replace('-', '_')}"


def collect(results: Path) -> None:
    """Add gases, bare clusters and the lowest minimum of each way of binding."""
    points = {a.info["id"]: a for a in read_points()}
    for path in sorted(results.glob("gas/*/*.json")):
        gas = read_record(path, GasRecord)
        if gas.gas in GASES and gas.structure is not None:
            key = f"gas/{gas.gas}"
            points.setdefault(key, make_atoms(gas.structure, id=key))
    for path in sorted(results.glob("relax/*.json")):
        relaxed = read_record(path, RelaxRecord)
        for isomer in relaxed.isomers:
            name = isomer.structure.name
            key = f"{relaxed.cluster}/{name}/bare"
            atoms = make_atoms(
                isomer.structure, id=key, cluster=relaxed.cluster, isomer=name
            )
            points.setdefault(key, atoms)
    for path in sorted(results.glob("adsorb/*/*.json")):
        for key, atoms in list_ways_of_binding(read_record(path, AdsorbRecord)):
            points.setdefault(key, atoms)
    write_points(list(points.values()))
    print(f"{len(points)} structures in {POINTS.name}")


def list_ways_of_binding(record: AdsorbRecord) -> Iterator[tuple[str, Atoms]]:
    """The lowest intact minimum of each set of bonds, however far up it lies."""
    seen = set()
    for index, minimum in enumerate(record.minima):
        bonds = surface_bonds(minimum.structure)
        if record.adsorbate not in BACKBONE or minimum.fate != "intact":
            continue
        if not bonds or bonds in seen:
            continue
        seen.add(bonds)
        key = f"{record.cluster}/{minimum.isomer}/{record.adsorbate}-{index}"
        yield (
            key,
            make_atoms(
                minimum.structure,
                id=key,
                cluster=record.cluster,
                isomer=minimum.isomer,
                adsorbate=record.adsorbate,
            ),
        )


def compute(level: str, adsorbates: list[str] | None) -> None:
    """Single points of everything that has none at a level; gases and hosts first."""
    points = read_points()
    column = column_of(level)
    spec = Library.default().level(level)
    todo = [
        a
        for a in points
        if column not in a.info
        and (not adsorbates or a.info.get("adsorbate", "") in ["", *adsorbates])
    ]
    for atoms in sorted(todo, key=lambda a: ("adsorbate" in a.info, len(a))):
        started = time.perf_counter()
        system = atoms.copy()
        system.calc = make_calculator(
            spec,
            charge=int(atoms.info["charge"]),
            multiplicity=int(atoms.info["multiplicity"]),
        )
        try:
            atoms.info[column] = float(system.get_potential_energy())
        except CalculationFailed as error:
            print(f"{atoms.info['id']:28} {error}", flush=True)
            continue
        write_points(points)
        seconds = time.perf_counter() - started
        print(f"{atoms.info['id']:28} {seconds:8.1f} s", flush=True)


def list_residuals(
    points: list[Atoms], level: LevelSpec, reference: str, gases: list[GasRecord]
) -> dict[tuple[str, ...], list[Residual]]:
    """Errors of a level by the elements of the cluster, eV."""
    library = Library.default()
    around = surroundings_of(level, gases, ThermoSettings(), library)
    model = group_model_of(around, library)
    of_gas = {c.gas: c.correction_ev for c in around.corrections()}
    by_id = {a.info["id"]: a for a in points}
    found = defaultdict(list)
    for atoms in points:
        adsorbate = atoms.info.get("adsorbate")
        if adsorbate is None:
            continue
        structure = make_structure(atoms)
        host = by_id[f"{atoms.info['cluster']}/{atoms.info['isomer']}/bare"]
        parts = balance(adsorbate, library)
        terms = [(atoms, 1.0), (host, -1.0)]
        terms += [(by_id[f"gas/{gas}"], -n) for gas, n in parts.items()]
        at_level = sum_energies(terms, column_of(level.name))
        right = sum_energies(terms, column_of(reference))
        correction = model.correction_of(structure).correction_ev
        if at_level is None or right is None or correction is None:
            continue
        carried = of_gas[BACKBONE[adsorbate]]
        bonds = "; ".join(map(str, surface_bonds(structure)))
        elements = tuple(sorted(set(host.get_chemical_symbols())))
        found[elements].append(
            Residual(
                structure=f"{atoms.info['cluster']}-{atoms.info['isomer']}",
                adsorbate=adsorbate,
                bond=bonds,
                error_ev=at_level - right + correction - carried,
            )
        )
    return found


def balance(adsorbate: str, library: Library) -> dict[str, float]:
    """The backbone gas of an adsorbate, and the H2 and H2O that make up the rest."""
    backbone = BACKBONE[adsorbate]
    rest = Counter(library.adsorbate(adsorbate).counts)
    rest.subtract(library.gas(backbone).counts)
    parts = Counter({backbone: 1.0})
    parts["H2O"] += rest["O"]
    parts["H2"] += (rest["H"] - 2 * rest["O"]) / 2
    return {gas: n for gas, n in parts.items() if n}


def sum_energies(terms: list[tuple[Atoms, float]], column: str) -> float | None:
    """A sum of energies, eV; None where one is missing."""
    if any(column not in atoms.info for atoms, _ in terms):
        return None
    return sum(n * float(atoms.info[column]) for atoms, n in terms)


def fit(results: Path, level: str, reference: str) -> None:
    """Write a table for each material, and print it with how it does held out.

    Two structures are too few to hold one out: their means stand with the widest
    deviation that any bond of the other materials has, and with their shares.
    """
    library = Library.default()
    spec, right = library.level(level), library.level(reference)
    gases = [read_record(p, GasRecord) for p in sorted(results.glob(f"gas/{level}/*"))]
    found = list_residuals(read_points(), spec, reference, gases)
    models = {
        elements: fit_bond_errors(residuals)
        for elements, residuals in found.items()
        if len({r.structure for r in residuals}) > 2
    }
    widest = max(b.deviation_ev for m in models.values() for b in m.bonds.values())
    errors = [r.error_ev for residuals in found.values() for r in residuals]
    rms = np.sqrt(np.mean(np.square(errors)))
    print(f"{len(errors)} errors of {level} against {reference}: rms {rms:.2f} eV")
    for elements, residuals in sorted(found.items()):
        if elements in models:
            model, compared = models[elements], compare_models(residuals)
        else:
            model, compared = make_wide_model(residuals, widest, models), None
        content = describe_model(spec, right, residuals, model, compared)
        name = f"{spec.name}-{''.join(elements)}"
        path = package_data() / "structures" / "level_errors" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        table = {"name": name, "elements": list(elements), **content}
        path.write_text(yaml.safe_dump(table, sort_keys=False, width=88))
        print_model(name, model, compared)


def make_wide_model(
    residuals: list[Residual], deviation_ev: float, others: dict[object, ErrorModel]
) -> ErrorModel:
    """Means of few structures, with the deviation of others for every bond."""
    means = fit_bond_errors(residuals, deviation_ev)
    return ErrorModel(
        bonds={
            bond: replace(entry, deviation_ev=deviation_ev)
            for bond, entry in means.bonds.items()
        },
        cluster_share=float(np.mean([m.cluster_share for m in others.values()])),
        bond_share=float(np.mean([m.bond_share for m in others.values()])),
    )


def describe_model(
    level: LevelSpec,
    reference: LevelSpec,
    residuals: list[Residual],
    model: ErrorModel,
    compared: Comparison | None,
) -> dict[str, object]:
    """What a table in ``structures/level_errors/`` says."""
    held_out = None
    if compared is not None:
        held_out = {
            "n_points": compared.n_points,
            "rms_ev": round(compared.left_ev, 3),
            "rms_raw_ev": round(compared.raw_ev, 3),
            "rms_shift_ev": round(compared.shift_ev, 3),
            "rms_shuffled_ev": round(compared.shuffled_ev, 3),
            "inside_1_sigma": round(compared.inside_1_sigma, 3),
            "inside_90": round(compared.inside_90, 3),
        }
    return {
        "source": "unpublished: clusterflow, benchmarks/reference/level_errors.py",
        "description": "Errors of bonds of adsorbates to clusters, and what is left.",
        "method": level.method,
        "electronic_temperature_k": level.electronic_temperature_k,
        "spin_polarization": level.spin_polarization,
        "reference": f"{reference.method}, single points on minima of {level.name}",
        "structures": sorted({r.structure for r in residuals}),
        "cluster_share": round(model.cluster_share, 3),
        "bond_share": round(model.bond_share, 3),
        "held_out": held_out,
        "bonds": [
            {
                "bond": bond,
                "mean_ev": round(entry.mean_ev, 3),
                "deviation_ev": round(entry.deviation_ev, 3),
                "n_points": entry.n_points,
                "n_structures": entry.n_structures,
            }
            for bond, entry in model.bonds.items()
        ],
    }


def print_model(name: str, model: ErrorModel, compared: Comparison | None) -> None:
    """The table of one material, for people."""
    print(f"\n{name}: cluster {model.cluster_share:.2f}, bond {model.bond_share:.2f}")
    if compared is not None:
        print(
            f"  held out by structure: {compared.n_points} points, "
            f"left {compared.left_ev:.2f} eV (raw {compared.raw_ev:.2f}, one shift "
            f"{compared.shift_ev:.2f}, shuffled {compared.shuffled_ev:.2f}); inside "
            f"1 sigma {compared.inside_1_sigma:.0%}, 90 % {compared.inside_90:.0%}"
        )
    for bond, entry in model.bonds.items():
        print(
            f"  {bond:24} {entry.mean_ev:+6.2f} ± {entry.deviation_ev:.2f} eV, "
            f"{entry.n_points} on {entry.n_structures}"
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    collecting = verbs.add_parser("collect")
    collecting.add_argument("results", type=Path)
    computing = verbs.add_parser("compute")
    computing.add_argument("level")
    computing.add_argument("--adsorbates", nargs="+")
    fitting = verbs.add_parser("fit")
    fitting.add_argument("results", type=Path)
    fitting.add_argument("--level", default="gfn1-xtb")
    fitting.add_argument("--reference", default="pbe-d3-tzvp")
    given = parser.parse_args()
    if given.verb == "collect":
        collect(given.results)
    elif given.verb == "compute":
        compute(given.level, given.adsorbates)
    else:
        fit(given.results, given.level, given.reference)


if __name__ == "__main__":
    main()
