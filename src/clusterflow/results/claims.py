"""Claims of a study as rows and as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clusterflow.errors import ConfigError, name_near
from clusterflow.figures.text import signed
from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.claims import ClaimRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.profiles import CheRecord
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.science.adsorption.ways_of_binding import ways_of_binding
from clusterflow.science.reactions.claim_language import (
    UNITS,
    Choice,
    Difference,
    parse_claim,
)
from clusterflow.science.reactions.claimed_steps import reduces_co2
from clusterflow.science.reactions.network import (
    SITE,
    parse_equation,
    parse_network,
    read_surface,
)
from clusterflow.science.uncertainty.claims import name_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clusterflow.library.find import Library
    from clusterflow.records.claims import DecidingSpecies, Judgement, LevelVerdict
    from clusterflow.records.files import StudyRecords


def claims(records: StudyRecords) -> Iterator[dict[str, Any]]:
    """One row a claim and level: the verdict, how probable it is, what would decide."""
    for record in records.of(ClaimRecord):
        spec = record.claim
        for one in record.verdicts:
            found = one.judgement
            yield {
                "claim": spec.name,
                "statement": spec.claim,
                "claim_source": spec.source,
                "level": one.level,
                "composite": one.is_composite,
                "temperature_k": one.temperature_k,
                "verdict": found.verdict,
                "probability": found.probability,
                "quantities": record.quantities,
                "median": found.median,
                "p05": found.lower,
                "p95": found.upper,
                "unit": record.unit,
                "published": spec.published,
                "tolerance": spec.tolerance,
                "probability_published": found.published_probability,
                "uncertainty_basis": one.basis,
                "uncertainty_without": " ".join(found.not_included),
                "decided_by": "; ".join(map(_describe_deciding, found.deciding)),
                "dft_points": count_dft_points(records, one),
                "flags": "; ".join(one.flags),
                "reason": found.reason,
            }


def refuse_unknown_names(text: str, records: StudyRecords, library: Library) -> None:
    """Refuse a claim that names what no record of a study has.

    Raises
    ------
    ConfigError
        If it cannot be read, or names a cluster, a reaction, a product or a species
        that is not there.
    LibraryError
        If a term or a ligand is unknown.
    """
    claim = parse_claim(text)
    thermo, profiles = records.of(ThermoRecord), records.of(CheRecord)
    if not thermo:
        raise ConfigError(
            f"{records.folder}: holds no free energies; name the results of one study, "
            "such as results/default"
        )
    is_of_lengths = isinstance(claim, Difference) and claim.is_of_lengths
    clusters = [one.cluster for one in (thermo if is_of_lengths else profiles)]
    specs = [spec for che in profiles for spec in che.networks]
    reactions = [spec.name for spec in specs]
    asked = [("cluster", name, clusters) for name in claim.clusters]
    if isinstance(claim, Choice) and claim.of == "product":
        reduced = (s.product for s in specs if reduces_co2(parse_equation(s.equation)))
        asked.append(("product of CO2", claim.value, list(reduced)))
    elif isinstance(claim, Choice):
        asked.append(("reaction", claim.reaction, reactions))
    else:
        species = {s.name for one in thermo for s in one.species}
        for _, steps in map(parse_network, specs):
            species.update(*(step.species for step in steps))
        adsorbed = sorted(term for term in species if term[0] == SITE)
        for _, one in claim.terms:
            if one.kind == "U_L":
                asked.append(("reaction", one.of, reactions))
            elif one.kind == "loss":
                loss = library.ligand_loss(one.of, one.route)
                asked.append(("reaction", loss.name, reactions))
            elif one.kind == "dG":
                terms = sorted(t for t in one.equation.species if t[0] == SITE)
                asked += [("species", term, adsorbed) for term in terms]
    for what, name, known in asked:
        # Without any a stage has failed, and the verdict says why.
        if known and name not in known:
            raise ConfigError(
                f"{what} {name!r} is not in {records.folder}; "
                f"{name_near(name, list(dict.fromkeys(known)))}"
            )


def count_dft_points(records: StudyRecords, verdict: LevelVerdict) -> int | None:
    """Single points that the minima of the species take that would decide a claim.

    None where nothing is to be decided, or DFT has been used already. Bare clusters
    and molecules that `refine` computes beside them do not count.
    """
    deciding = verdict.judgement.deciding
    if not deciding or verdict.is_composite or deciding[0].needed_ev is None:
        return None
    counts = [_count_minima(records, one) for one in deciding]
    return None if None in counts else sum(n for n in counts if n is not None)


def _count_minima(records: StudyRecords, one: DecidingSpecies) -> int | None:
    """Ways in which a species binds; a molecule or a bare state is one."""
    if not one.cluster:
        return 1
    change, adsorbate = read_surface(one.species)
    if not adsorbate:
        return 1
    states = {che.cluster: che.states for che in records.of(CheRecord)}
    cluster = states.get(one.cluster, {}).get(change) if change else one.cluster
    of = (cluster, adsorbate)
    vibrated = next(
        (v for v in records.of(VibrateRecord) if (v.cluster, v.adsorbate) == of), None
    )
    for adsorbed in records.of(AdsorbRecord):
        if (adsorbed.cluster, adsorbed.adsorbate) == of:
            return len(ways_of_binding(adsorbed, vibrated))
    return None


def describe_claim(record: ClaimRecord, records: StudyRecords) -> str:
    """A claim and its verdicts, a line each, with the flags of what they rest on."""
    lines = [" ".join(record.claim.claim.split())]
    for one in record.verdicts:
        flags = f" Flags: {'; '.join(one.flags)}." if one.flags else ""
        lines.append(say_verdict(record, one, records) + flags)
    return "\n".join(lines)


def say_verdict(
    record: ClaimRecord, verdict: LevelVerdict, records: StudyRecords
) -> str:
    """The verdict at one level in a sentence, with what would decide it."""
    word = verdict.judgement.verdict.capitalize()
    return f"{word} {say_findings(record, verdict, records)}"


def say_findings(
    record: ClaimRecord, verdict: LevelVerdict, records: StudyRecords
) -> str:
    """The same without the word for the verdict: at which level, and the rest."""
    found = verdict.judgement
    if found.probability is None:
        return f"at {verdict.level}: {found.reason}."
    parts = [f"at {verdict.level}: {say_probability(found.probability)}."]
    if found.median is not None:
        what = f"{record.quantities} is"
        if not record.quantities.startswith((*UNITS, "−")):
            what = "It leads by"
        median, lower, upper = say_interval(record, found)
        parts.append(
            f"{what} {median} {record.unit} (90 % interval {lower} to {upper})."
        )
    if found.published_probability is not None:
        spec = record.claim
        parts.append(
            f"Within {spec.tolerance} of the published {spec.published}: "
            f"{say_probability(found.published_probability)}."
        )
    if found.verdict == "undecided" and record.unit == UNITS["bond_length"]:
        parts.append("Which isomer it is would decide it.")
    elif found.verdict == "undecided":
        parts.append(_say_what_decides(found, count_dft_points(records, verdict)))
    return " ".join(parts)


def say_interval(record: ClaimRecord, found: Judgement) -> tuple[str, str, str]:
    """Median and 90 % interval of a claim as text, lengths to a thousandth of an Å."""
    digits = 3 if record.unit == UNITS["bond_length"] else 2
    median, lower, upper = (
        signed(value, digits) for value in (found.median, found.lower, found.upper)
    )
    return median, lower, upper


def say_probability(probability: float) -> str:
    """A probability from some thousand samples, which is never one nor zero.

    >>> say_probability(0.567), say_probability(0.1004), say_probability(0.9999)
    ('P = 0.57', 'P = 0.1004', 'P > 0.99')
    """
    if not 0.005 <= probability < 0.995:
        return "P > 0.99" if probability > 0.5 else "P < 0.01"
    # As many digits as tell it from a limit that it does not reach.
    verdict = name_verdict(probability)
    digits = next(
        n for n in (2, 3, 4) if name_verdict(round(probability, n)) == verdict
    )
    return f"P = {probability:.{digits}f}"


def _say_what_decides(found: Judgement, n_points: int | None) -> str:
    if not found.deciding:
        return "No error of a species moves it."
    listed = _join(list(map(_describe_deciding, found.deciding)))
    if found.deciding[0].needed_ev is None:
        return (
            f"Its variance is that of {listed}; where the best estimates stand, no "
            "narrower errors of these decide it."
        )
    points = f": {n_points} DFT points" if n_points and n_points > 1 else ""
    points = ": one DFT point" if n_points == 1 else points
    return f"To decide it, if the best estimates stay: {listed}{points}."


def _describe_deciding(one: DecidingSpecies) -> str:
    where = f"{one.species} on {one.cluster}" if one.cluster else one.species
    share = f"{where} ({round(100 * one.share)} % of the variance"
    if one.needed_ev is None:
        return f"{share}, ±{one.deviation_ev:.2f} eV)"
    return f"{share}) to ±{one.needed_ev:.2f} eV, now ±{one.deviation_ev:.2f} eV"


def _join(parts: Sequence[str]) -> str:
    *first, last = parts
    return f"{'; '.join(first)}; and {last}" if first else last
