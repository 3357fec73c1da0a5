"""Free energies of all species on one cluster, on one scale, with their corrections."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import hypot
from typing import TYPE_CHECKING

from clusterflow.errors import RecordError
from clusterflow.records.energies import (
    FreeEnergyTerms,
    GasCorrection,
    SpeciesFreeEnergy,
)
from clusterflow.science.adsorption.bare_isomers import (
    bare_energies,
    lowest_energy_ev,
    relaxed_of_mode,
)
from clusterflow.science.adsorption.chosen_minimum import (
    minimum_of_mode,
    why_no_minimum,
)
from clusterflow.science.adsorption.outcome import bonds_to_nonmetals
from clusterflow.science.geometry.bond_groups import drawn_molecules
from clusterflow.science.thermochemistry.adsorbate_models import adsorbate_terms
from clusterflow.science.thermochemistry.anchors import EXACT, FROM_CO2
from clusterflow.science.thermochemistry.formation import (
    ExperimentalTable,
    anchor_coefficients,
    gas_corrections,
)
from clusterflow.science.thermochemistry.group_errors import make_group_model
from clusterflow.science.thermochemistry.level_layer import UNMEASURED_FLAG, level_layer
from clusterflow.science.thermochemistry.normal_modes import SOFT_CM1, classify
from clusterflow.science.thermochemistry.partition_functions import (
    electronic_only,
    gas_free_energy,
    with_spin,
)
from clusterflow.units import STANDARD_PRESSURE_PA, STANDARD_TEMPERATURE_K

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clusterflow.library.adsorbates import AdsorbateSpec
    from clusterflow.library.clusters import IsomerMode
    from clusterflow.library.groups import GroupSpec
    from clusterflow.library.level_errors import LevelErrorsSpec
    from clusterflow.library.levels import LevelSpec
    from clusterflow.records.adsorption import AdsorbRecord, Minimum, PoolRecord
    from clusterflow.records.cluster_records import ClusterRecords
    from clusterflow.records.clusters import RelaxRecord
    from clusterflow.records.structure import Structure
    from clusterflow.records.vibrations import GasRecord, VibrateRecord
    from clusterflow.science.thermochemistry.adsorbate_models import AdsorbateModel
    from clusterflow.science.thermochemistry.group_errors import (
        CarriedCorrection,
        GroupModel,
    )
    from clusterflow.science.thermochemistry.level_layer import LevelLayer

# What remains of a gas once it is put on experiment: scatter of the tables and of the
# ideal-gas entropy, about 1 kJ/mol each for ΔfH° and TS°.
_CORRECTED_GAS_EV = 0.02
# What water does to an adsorbate whose file does not say: 0 to -0.5 eV are known, and
# -0.25 is in the middle (10.1039/c0ee00071j).
_UNKNOWN_SOLVATION_EV = 0.25
# A pathway that leans on a correction larger than this is marked.
_LARGE_CORRECTION_EV = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The gases at one level, experiment, the conditions and what a study chose.

    `pressure_pa` are partial pressures of gases, those not named being at 1 bar;
    `anchors` the gases taken as right.
    """

    gases: Mapping[str, GasRecord]
    table: ExperimentalTable
    anchors: tuple[str, ...]
    temperature_k: float
    pressure_pa: Mapping[str, float]
    isomers: IsomerMode
    model: AdsorbateModel
    # Asked for again with each species. A copy with other gases starts without.
    _terms: dict[tuple[str, float, float], FreeEnergyTerms | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    _parts: dict[frozenset[tuple[str, int]], dict[str, float] | None] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def corrections(self) -> list[GasCorrection]:
        """Gas corrections at 298.15 K and 1 bar, for every gas that was computed."""
        return gas_corrections(self._compute_at_298_k(), self.table, self.anchors)

    def _compute_at_298_k(self) -> dict[str, float]:
        computed = {}
        for name in self.list_gases():
            terms = self.terms_at(name, STANDARD_TEMPERATURE_K, STANDARD_PRESSURE_PA)
            if terms is not None:
                computed[name] = terms.gibbs_ev
        return computed

    def group_model(
        self, groups: Sequence[GroupSpec], molecules: Mapping[str, Structure]
    ) -> GroupModel:
        """What gives adsorbates their gas corrections, fitted to the gases.

        Parameters
        ----------
        groups
            Of bonds that there are.
        molecules
            A geometry of each gas.
        """
        computed = self._compute_at_298_k()
        exact = [gas for gas in EXACT if gas in computed]
        from_exact = (
            gas_corrections(computed, self.table, exact)
            if computed.keys() >= set(FROM_CO2)
            else []
        )
        return make_group_model(
            groups,
            molecules,
            {c.gas: c.correction_ev for c in self.corrections()},
            {c.gas: c.correction_ev for c in from_exact},
            {anchor: self.table.gases[anchor].counts for anchor in self.anchors},
        )

    def uncorrected_error_ev(self, name: str) -> float:
        """How far a gas is from experiment as computed, eV."""
        gaps = {c.gas: abs(c.correction_ev) for c in self.corrections()}
        return gaps.get(name, 0.0)

    def gas_terms(
        self, name: str, pressure_pa: float | None = None
    ) -> FreeEnergyTerms | None:
        """Free energy of a gas at the study's temperature; by default at 1 bar."""
        if name not in self.list_gases():
            return None
        return self.terms_at(
            name, self.temperature_k, pressure_pa or STANDARD_PRESSURE_PA
        )

    def list_gases(self) -> tuple[str, ...]:
        """Names of the gases that were computed."""
        return tuple(self.gases)

    def terms_at(
        self, name: str, temperature_k: float, pressure_pa: float
    ) -> FreeEnergyTerms | None:
        """Free energy of a gas of `gases`; None where its record failed."""
        key = name, temperature_k, pressure_pa
        if key not in self._terms:
            self._terms[key] = gas_free_energy(
                self.gases[name], temperature_k, pressure_pa
            )
        return self._terms[key]

    def why_no_gas(self, name: str) -> tuple[str, str]:
        """Status and reason for a None of `terms_at`."""
        record = self.gases[name]
        # A record without fault but without an energy was taken out by a gate.
        return "gate" if record.status == "ok" else "failed", record.reason

    def anchors_of(self, counts: Mapping[str, int]) -> dict[str, float] | None:
        """How many of each anchor hold these atoms."""
        key = frozenset(counts.items())
        if key not in self._parts:
            compositions = {a: self.table.gases[a].counts for a in self.anchors}
            self._parts[key] = anchor_coefficients(counts, compositions)
        return self._parts[key]

    def anchor_energy_ev(
        self, counts: Mapping[str, int], *, electronic: bool = False
    ) -> float | None:
        """Energy of the anchors that hold these atoms; None if any is missing.

        The free energy at 1 bar, or only the electronic part of it.
        """
        parts = self.anchors_of(counts)
        if parts is None:
            return None
        total = 0.0
        for name, n in parts.items():
            terms = self.gas_terms(name)
            if terms is None:
                return None
            total += n * (terms.energy_ev if electronic else terms.gibbs_ev)
        return total

    def why_no_anchors(self, counts: Mapping[str, int]) -> str:
        """The reason for a None of `anchor_energy_ev`."""
        parts = self.anchors_of(counts)
        if parts is None:
            return f"the anchors {', '.join(self.anchors)} cannot make it"
        missing = [name for name in parts if self.gas_terms(name) is None]
        return f"anchor without a free energy: {', '.join(missing)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Corrections that are switched on, eV.

    `gas_ev` has each gas correction; None switches these and those of adsorbates off,
    which follow from `bonds`.
    `shifts_ev` has, by adsorbate, the further layers by name, and None where there is
    no value for it. The adsorbate then stays as it is, and a flag says so.
    `errors` has the measured errors of the level by bonds to the cluster, which
    `correct_level` takes off.
    """

    gas_ev: Mapping[str, float] | None
    bonds: GroupModel
    shifts_ev: Mapping[str, Mapping[str, float | None]]
    errors: LevelErrorsSpec | None = None
    correct_level: bool = False

    def bond_layers_ev(self, structure: Structure) -> dict[str, float] | None:
        """The layers that follow from the bonds of a complex, eV; None where unknown.

        Those that are switched off are 0.
        """
        gas_ev: float | None = 0.0
        if self.gas_ev is not None:
            gas_ev = self.bonds.correction_of(structure).correction_ev
        if gas_ev is None:
            return None
        held = level_layer(structure, self.errors, None)
        level_ev = held.correction_ev if self.correct_level else 0.0
        return {"gas": gas_ev, "level": level_ev}


def find_layer_shifts(
    spec: AdsorbateSpec,
    layers: Sequence[str],
    tables: Mapping[str, Mapping[str, float]],
) -> dict[str, float | None]:
    """Solvation and a person's own shifts of one adsorbate, eV, in the order named.

    A shift `user` that is not in its table is meant to be none.
    """
    found: dict[str, float | None] = {}
    for layer in layers:
        if layer == "solvation":
            found[layer] = spec.solvation_ev.value if spec.solvation_ev else None
        elif layer == "dft":
            found[layer] = tables[layer].get(spec.name)
        elif layer == "user" and spec.name in tables[layer]:
            found[layer] = tables[layer][spec.name]
    return found


def refuse_mixed_levels(
    level: LevelSpec, records: Sequence[AdsorbRecord | VibrateRecord], who: str
) -> None:
    """Refuse records that were computed at another level than the bare cluster.

    Raises
    ------
    RecordError
        Which names the first of them.
    """
    for record in records:
        if record.level is not None and record.level.hash != level.hash:
            raise RecordError(
                f"{who}: {record.stage} of {record.adsorbate} is at level "
                f"{record.level.name!r}, the cluster at {level.name!r}; "
                "a free energy is made of one level: run the stage again"
            )


def hole(name: str, reason: str, status: str = "missing") -> SpeciesFreeEnergy:
    """A species without a number, and why."""
    return SpeciesFreeEnergy(name=name, status=status, reason=reason)


def clean_surface(
    relaxed: RelaxRecord, temperature_k: float, pool: PoolRecord | None = None
) -> SpeciesFreeEnergy:
    """The bare cluster, its first isomer: zero of the formation scale."""
    if not relaxed.isomers:
        return hole("*", relaxed.reason, "failed")
    energy_ev = relaxed.isomers[0].energy_ev
    multiplicity = relaxed.isomers[0].structure.multiplicity
    terms = electronic_only(energy_ev, multiplicity, temperature_k)
    lowest_ev = lowest_energy_ev(pool)
    return SpeciesFreeEnergy(
        name="*",
        status="ok",
        terms=terms,
        gibbs_ev=terms.gibbs_ev,
        formation_ev=0.0,
        formation_uncorrected_ev=0.0,
        de_placed_ev=0.0,
        de_host_ev=0.0,
        de_pool_ev=None if lowest_ev is None else energy_ev - lowest_ev,
    )


def gas_species(
    name: str, around: Surroundings, gas_ev: Mapping[str, float] | None
) -> list[SpeciesFreeEnergy]:
    """A molecule as a gas at its pressure and, where data exist, as a liquid.

    The liquid lies below the gas at 1 bar by the measured free energy of condensation.
    `gas_ev` has each gas correction, and is None where these are switched off.
    """
    counts = around.table.gases[name].counts
    pressure = around.pressure_pa.get(name, STANDARD_PRESSURE_PA)
    terms, standard = around.gas_terms(name, pressure), around.gas_terms(name)
    anchors_ev = around.anchor_energy_ev(counts)
    if terms is None or standard is None:
        status, reason = around.why_no_gas(name)
        return [hole(f"{name}({phase})", reason, status) for phase in "gl"]
    if anchors_ev is None:
        reason = around.why_no_anchors(counts)
        return [hole(f"{name}({phase})", reason) for phase in "gl"]
    correction_ev = (gas_ev or {}).get(name)
    applied = {} if correction_ev is None else {"gas": correction_ev}
    sigma = 0.0 if name in around.anchors else _CORRECTED_GAS_EV
    if name not in around.anchors and correction_ev is None:
        sigma = around.uncorrected_error_ev(name)
    found = [make_species(f"{name}(g)", terms, anchors_ev, applied)]
    if around.table.gases[name].liquid is not None:
        down = around.table.condensation_ev(name, around.temperature_k)
        liquid = make_species(
            f"{name}(l)", standard, anchors_ev, {**applied, "condensation": down}
        )
        # Condensation is a change of state, not a correction of the level.
        raw = (liquid.formation_uncorrected_ev or 0.0) + down
        found.append(liquid.model_copy(update={"formation_uncorrected_ev": raw}))
    return [s.model_copy(update={"deviations": {"gas": sigma}}) for s in found]


def adsorbed_species(
    adsorbed: AdsorbRecord,
    spec: AdsorbateSpec,
    records: ClusterRecords,
    around: Surroundings,
    layers: Layers,
    *,
    search_ev: float | None,
) -> SpeciesFreeEnergy:
    """An adsorbate on the cluster, or the reason why it has no free energy.

    Parameters
    ----------
    adsorbed
        The adsorbate's minima.
    records
        Those of the cluster: its isomers and the adsorbate's vibrations.
    search_ev
        Standard deviation of the energy of the lowest minimum that such a search
        finds, eV; None if that was not measured.
    """
    name = f"*{spec.name}"
    if not records.relaxed.isomers:
        return hole(name, records.relaxed.reason, "failed")
    vibrated = records.vibrations_of(spec.name)
    index = minimum_of_mode(records, adsorbed, around.isomers)
    if index is None:
        return hole(name, *_why_no_minimum_stands(adsorbed, vibrated))
    if vibrated is None or vibrated.status != "ok" or vibrated.energy_ev is None:
        reason = "no vibrations" if vibrated is None else vibrated.reason
        return hole(name, reason, "failed")
    if unfit := _why_vibrations_are_unfit(vibrated, index, around):
        return hole(name, *unfit)
    anchors_ev = around.anchor_energy_ev(spec.counts)
    electronic_ev = around.anchor_energy_ev(spec.counts, electronic=True)
    if anchors_ev is None or electronic_ev is None:
        return hole(name, around.why_no_anchors(spec.counts))
    minimum = adsorbed.minima[index]
    structure = vibrated.structure or minimum.structure
    covalent = bonds_to_nonmetals(structure)
    carried = layers.bonds.correction_of(structure)
    applied = {}
    if layers.gas_ev is not None:
        if carried.correction_ev is None:
            return hole(name, carried.reason)
        applied["gas"] = carried.correction_ev
    terms, reason = adsorbate_terms(vibrated, around.model, around.temperature_k)
    if terms is None:
        return hole(name, reason, "failed")
    shifts = layers.shifts_ev[spec.name]
    unmeasured_ev = adsorbed.level.uncertainty_ev if adsorbed.level else None
    held = level_layer(structure, layers.errors, unmeasured_ev)
    is_corrected = layers.correct_level and shifts.get("dft") is None
    if is_corrected and held.bonds != held.unmeasured:
        applied["level"] = held.correction_ev
    applied |= {layer: ev for layer, ev in shifts.items() if ev is not None}
    at_k = around.temperature_k
    host = relaxed_of_mode(records, around.isomers).isomers[0]
    # Unpaired electrons of the complex count, less those of the bare cluster.
    terms = with_spin(terms, minimum.structure.multiplicity, at_k)
    clean = electronic_only(host.energy_ev, host.structure.multiplicity, at_k)
    species = make_species(name, terms, anchors_ev + clean.gibbs_ev, applied)
    why_lost = _why_other_molecule(spec, carried, covalent, layers.bonds)
    unknown = carried.made_of.unknown
    why_unknown = f"no gas has its bond {', '.join(unknown)}" if unknown else ""
    bare = bare_energies(records, spec.name, minimum)
    return species.model_copy(
        update={
            "status": minimum.fate,
            "reason": "; ".join(
                filter(
                    None, (minimum.detail, why_lost, why_unknown, *vibrated.set_aside)
                )
            ),
            **bare.differences(vibrated.energy_ev - electronic_ev),
            "deviations": add_solvation_deviation(
                _collect_deviations(
                    terms,
                    _list_method_deviations(
                        adsorbed.level, held, is_corrected=is_corrected
                    ),
                    carried,
                    corrected=layers.gas_ev is not None,
                    search_ev=search_ev,
                ),
                spec,
                shifts,
            ),
            "bonds": held.bonds,
            # With the gas layer on or off: the error sits in the bond either way.
            "inherits": dict(carried.made_of.molecules),
            "groups": dict(carried.made_of.groups),
            "flags": (
                *_collect_flags(species, minimum, vibrated),
                *(["bonded-to-nonmetal"] if covalent else []),
                *(["other-molecule"] if why_lost else []),
                *(["unknown-bond"] if unknown else []),
                *([UNMEASURED_FLAG] if held.unmeasured or not held.bonds else []),
                *(f"no-{layer}-value" for layer, ev in shifts.items() if ev is None),
            ),
        }
    )


def _why_no_minimum_stands(
    adsorbed: AdsorbRecord, vibrated: VibrateRecord | None
) -> tuple[str, str]:
    """Why no minimum stands for an adsorbate, and the status of that."""
    if vibrated is not None and vibrated.not_minima:
        return vibrated.reason, "failed"
    lowest = adsorbed.minima[0].fate if adsorbed.minima else "failed"
    return why_no_minimum(adsorbed), lowest


def _why_vibrations_are_unfit(
    vibrated: VibrateRecord, index: int, around: Surroundings
) -> tuple[str, str] | None:
    """Why vibrations are not those of the minimum `index`, and the status of that."""
    if vibrated.minimum not in (None, index):
        reason = (
            f"vibrations are those of minimum {vibrated.minimum}, isomers "
            f"{around.isomers!r} take {index}; run vibrate again"
        )
        return reason, "failed"
    # A soft one counts as a mode at the cut-off, so there must be a cut-off above it.
    cutoff = around.model.low_mode_cutoff_cm1
    hard = [w for w in vibrated.imaginary_cm1 if w > cutoff or w >= SOFT_CM1]
    if hard:
        shown = ", ".join(f"{w:.0f}i" for w in hard)
        return f"not a minimum: {shown} cm⁻¹ ({classify(hard)})", "imaginary"
    return None


def _why_other_molecule(
    spec: AdsorbateSpec,
    carried: CarriedCorrection,
    covalent: set[str],
    bonds: GroupModel,
) -> str:
    """Why an adsorbate is not the molecule it was drawn as; empty if it is, or none."""
    drawn = drawn_molecules(spec, bonds.groups, bonds.molecules)
    lost = drawn - carried.made_of.molecules
    if not lost:
        return ""
    now = ", ".join(f"{n:.3g} {g}" for g, n in sorted(carried.made_of.groups.items()))
    detail = f"its bonds are {now or 'of no group'}"
    if covalent:
        detail += f", to the cluster {', '.join(sorted(covalent))}"
    return f"is not the {', '.join(sorted(lost))} it was drawn as: {detail}"


def _collect_deviations(
    terms: FreeEnergyTerms,
    method: Mapping[str, float],
    carried: CarriedCorrection,
    *,
    corrected: bool,
    search_ev: float | None,
) -> dict[str, float]:
    """Standard deviations of an adsorbate, eV; empty where one of them is unknown.

    `method` has what the method is off by in its bonds to the cluster; `group` is that
    of the errors of its own bonds, of which it has the whole where they are not
    corrected; `cutoff` what the treatment of the low modes moves it by; `site` that of
    the search for its minimum, where it was measured.
    """
    if not method:
        return {}
    group = hypot(carried.deviation_ev, 0.0 if corrected else carried.by_groups_ev)
    return {
        **method,
        "cutoff": abs(terms.minus_ts_ev - terms.minus_ts_undamped_ev),
        **({"group": group} if group else {}),
        **({} if search_ev is None else {"site": search_ev}),
    }


def add_solvation_deviation(
    deviations: dict[str, float],
    spec: AdsorbateSpec,
    shifts: Mapping[str, float | None],
) -> dict[str, float]:
    """The deviations with that of the layer `solvation`, eV, where it is on."""
    if not deviations or "solvation" not in shifts:
        return deviations
    water = spec.solvation_ev
    sigma = water.uncertainty_ev if water else _UNKNOWN_SOLVATION_EV
    return {**deviations, "solvation": sigma}


def _list_method_deviations(
    level: LevelSpec | None, held: LevelLayer, *, is_corrected: bool
) -> dict[str, float]:
    """What the method is off by, eV: the whole error where it is not corrected."""
    if held.deviation_ev is None:
        return level.method_deviations_ev() if level else {}
    left = 0.0 if is_corrected else held.correction_ev
    return {"level": hypot(held.deviation_ev, left)}


def make_species(
    name: str,
    terms: FreeEnergyTerms,
    reference_ev: float,
    layers: Mapping[str, float],
) -> SpeciesFreeEnergy:
    """A species from its terms, its layers and what it is measured from, eV."""
    gibbs = terms.gibbs_ev + sum(layers.values())
    large = abs(layers.get("gas", 0.0)) > _LARGE_CORRECTION_EV
    return SpeciesFreeEnergy(
        name=name,
        status="ok",
        terms=terms,
        layers=dict(layers),
        gibbs_ev=gibbs,
        formation_ev=gibbs - reference_ev,
        formation_uncorrected_ev=terms.gibbs_ev - reference_ev,
        flags=("large-gas-correction",) if large else (),
    )


def _collect_flags(
    species: SpeciesFreeEnergy, minimum: Minimum, vibrated: VibrateRecord
) -> tuple[str, ...]:
    flags = list(species.flags)
    if minimum.fate in ("ligand-migrated", "reconstructed"):
        flags.append(minimum.fate)
    if minimum.frozen:
        flags.append("frozen-shell")
    if vibrated.imaginary_cm1:
        flags.append(f"{classify(vibrated.imaginary_cm1)}-imaginary-mode")
    if vibrated.not_minima:
        flags.append("minimum-set-aside")
    return tuple(flags)
