"""Gates on bookkeeping: electrons of structures, atoms of equations."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from ase.data import atomic_numbers

from clusterflow.science.checks.evidence import (
    judge_fit,
    judge_value,
    leave_open,
    list_found_isomers,
    list_minima,
    name_gas,
    name_vibrated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clusterflow.records.structure import Structure
    from clusterflow.science.checks.evidence import Evidence, Gate

# A surface term of a changed cluster, such as *[-H]OCHO, and the atoms of a formula.
STATE_TERM: Final = re.compile(r"\*\[(?P<sign>[+-])(?P<atoms>\w+)\](?P<rest>.*)$")
_ATOMS: Final = re.compile(r"([A-Z][a-z]?)(\d*)")


def parity(evidence: Evidence) -> Iterator[Gate]:
    """Charge and multiplicity fit the electrons, and complexes add up their charges."""
    name = "parity"
    for subject, structure in _list_structures(evidence):
        electrons = sum(atomic_numbers[s] for s in structure.symbols) - structure.charge
        unpaired = structure.multiplicity - 1
        fits = 0 <= unpaired <= electrons and (electrons - unpaired) % 2 == 0
        shown = f"{electrons} electrons, multiplicity {structure.multiplicity}"
        limit = "unpaired electrons as even or odd as all"
        yield judge_fit(name, subject, fits, value=shown, limit=limit)
    for subject, host_charge, adsorbate, found in _list_complex_charges(evidence):
        if host_charge is None or adsorbate not in evidence.adsorbates:
            yield leave_open(
                name, subject, f"no charge known of the cluster or {adsorbate}"
            )
            continue
        added = host_charge + evidence.adsorbates[adsorbate].charge
        detail = "charge of the complex less cluster and adsorbate, e"
        yield judge_value(name, subject, found - added, 0.0, detail)


def _list_structures(evidence: Evidence) -> Iterator[tuple[str, Structure]]:
    for build in evidence.builds:
        yield from ((f"{build.cluster}/{s.name}, built", s) for s in build.structures)
    for relaxed in evidence.relaxations:
        for isomer in relaxed.isomers:
            yield f"{relaxed.cluster}/{isomer.structure.name}", isomer.structure
    for pool, isomer in list_found_isomers(evidence):
        yield f"{pool.cluster}/{isomer.structure.name}", isomer.structure
    for gas in evidence.gases:
        if gas.structure is not None:
            yield name_gas(gas), gas.structure
    for subject, _, minimum in list_minima(evidence):
        yield subject, minimum.structure
    for vibrated in evidence.vibrations:
        if vibrated.structure is not None:
            yield name_vibrated(vibrated), vibrated.structure


def _list_complex_charges(
    evidence: Evidence,
) -> Iterator[tuple[str, int | None, str, int]]:
    """Subject, charge of the host, name of the adsorbate, charge of the complex."""
    hosts = {
        (relaxed.cluster, isomer.structure.name): isomer.structure.charge
        for relaxed in evidence.relaxations
        for isomer in relaxed.isomers
    }
    for pool, found in list_found_isomers(evidence):
        hosts[pool.cluster, found.structure.name] = found.structure.charge
    isomers = {}
    for subject, record, minimum in list_minima(evidence):
        isomers[record.cluster, record.adsorbate] = minimum.isomer
        host = hosts.get((record.cluster, minimum.isomer))
        yield subject, host, record.adsorbate, minimum.structure.charge
    for vibrated in evidence.vibrations:
        if vibrated.structure is not None:
            isomer = isomers.get((vibrated.cluster, vibrated.adsorbate), "")
            host = hosts.get((vibrated.cluster, isomer))
            charge = vibrated.structure.charge
            yield name_vibrated(vibrated), host, vibrated.adsorbate, charge


def read_equation(equation: str) -> Counter[str] | None:
    """How much of each term is made (positive) or used; None if it cannot be read."""
    total: Counter[str] = Counter()
    left, arrow, right = equation.partition("->")
    if not arrow:
        return None
    for sign, side in ((-1, left), (1, right)):
        for part in side.split(" + "):
            number, _, term = part.strip().rpartition(" ")
            if not term or (number and not number.isdigit()):
                return None
            total[term] += sign * int(number or 1)
    return total


def balance(evidence: Evidence) -> Iterator[Gate]:
    """Every equation of the networks keeps atoms, charge and sites."""
    for che in evidence.che:
        for network in che.networks:
            for equation in (network.equation, *network.steps):
                subject = f"{che.cluster}/{network.name}: {equation}"
                yield _judge_balance(subject, equation, evidence)


def _judge_balance(subject: str, equation: str, evidence: Evidence) -> Gate:
    terms = read_equation(equation)
    if terms is None:
        return judge_fit(
            "balance", subject, False, value=None, limit=0.0, detail="cannot be read"
        )
    total: Counter[str] = Counter()
    for term, number in terms.items():
        content = _count_content(term, evidence)
        if content is None:
            return leave_open("balance", subject, f"the library has no {term}")
        for what, n in content.items():
            total[what] += number * n
    off = {what: n for what, n in total.items() if n}
    shown = ", ".join(f"{what} {n:+d}" for what, n in sorted(off.items()))
    detail = f"made from nothing: {shown}" if off else "atoms, charge and sites kept"
    return judge_value("balance", subject, sum(map(abs, off.values())), 0.0, detail)


def _count_content(term: str, evidence: Evidence) -> Counter[str] | None:
    """Atoms, ``charge`` and ``site`` of a term; None if it is unknown."""
    fixed = {
        "*": {"site": 1},
        "H+": {"H": 1, "charge": 1},
        "OH-(aq)": {"O": 1, "H": 1, "charge": -1},
        "e-": {"charge": -1},
    }
    if term in fixed:
        return Counter(fixed[term])
    state = STATE_TERM.match(term)
    if state is not None:
        content = _count_content(f"*{state['rest']}", evidence)
        if content is not None:
            content.update(_count_gained_atoms(state["sign"], state["atoms"]))
        return content
    adsorbed = term.startswith("*")
    if adsorbed:
        substance = evidence.adsorbates.get(term[1:])
    else:
        name = term if term.endswith("(aq)") else term.partition("(")[0]
        substance = evidence.molecules.get(name)
    if substance is None:
        return None
    content = substance.counts
    content.update(charge=substance.charge, site=int(adsorbed))
    return content


def _count_gained_atoms(sign: str, atoms: str) -> Counter[str]:
    """What a cluster gained, or lost as negative numbers: ``-H2`` is two H less."""
    factor = -1 if sign == "-" else 1
    content: Counter[str] = Counter()
    for element, number in _ATOMS.findall(atoms):
        content[element] += factor * int(number or 1)
    return content
