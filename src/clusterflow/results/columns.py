"""The columns of the tables: in which order, of which kind, and what they mean."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["text", "number", "integer", "truth"]


class Column(NamedTuple):
    """What stands in a column; its unit is in its name."""

    kind: Kind
    meaning: str


def _make_layer_column(what: str) -> Column:
    return Column("number", f"Correction layer, eV: {what}; empty where it is off.")


# A name means the same in every table.
COLUMNS: dict[str, Column] = {
    "cluster": Column("text", "Cluster, by name."),
    "level": Column("text", "Level of theory, by name."),
    "level_hash": Column("text", "Hash of what fixes the level's energy surface."),
    "ip_ea_level": Column("text", "Level of the vertical IP and EA, by name."),
    "species": Column("text", "`*` the bare cluster, `*X` an adsorbate, `X(g)` a gas."),
    "gas": Column("text", "Molecule, by name."),
    "status": Column("text", "`ok`, or why there is no number."),
    "reason": Column("text", "Why a number is missing."),
    "flags": Column("text", "What to be careful about; `query flags` explains each."),
    "stage": Column("text", "Stage of the record, or the one that failed."),
    "n_gradients": Column("integer", "Gradients that were computed."),
    "engine_time_s": Column("number", "CPU time inside the engine, s."),
    "wall_time_s": Column("number", "Time from start to end of the job, s."),
    "protocol": Column("integer", "Version of what the stage computes."),
    "edited": Column("truth", "Whether it goes back to a record changed by hand."),
    "temperature_k": Column("number", "Temperature, K."),
    "ph": Column("number", "pH; matters on the SHE scale."),
    "scale": Column("text", "Scale of `potential_v`: `rhe` or `she`."),
    "potential_v": Column("number", "Potential of the study, V, on `scale`."),
    "charge": Column("integer", "Charge of the cluster, e."),
    "energy_ev": Column("number", "Electronic energy, eV; Mermin's with smearing."),
    "zpe_ev": Column("number", "Zero-point energy, eV."),
    "thermal_ev": Column("number", "Enthalpy less the energy at 0 K, eV."),
    "minus_ts_ev": Column("number", "−TS, eV."),
    "zpe_undamped_ev": Column("number", "The same, harmonic at every wavenumber, eV."),
    "thermal_undamped_ev": Column("number", "The same, harmonic, eV."),
    "minus_ts_undamped_ev": Column("number", "The same, harmonic, eV."),
    "model": Column("text", "Model of the nuclear motion."),
    "fallback_reason": Column("text", "Why it is not the model asked for."),
    "layer_gas_ev": _make_layer_column("gas corrections, from experiment"),
    "layer_solvation_ev": _make_layer_column("hydrogen bonds of the adsorbate"),
    "layer_level_ev": _make_layer_column("mean error of the level in bonds, taken off"),
    "layer_dft_ev": _make_layer_column("own density-functional energies"),
    "layer_user_ev": _make_layer_column("own shifts"),
    "layer_condensation_ev": _make_layer_column("from the gas at 1 bar to the liquid"),
    "layer_own_shift_ev": _make_layer_column("of one's own energies, in their table"),
    "gibbs_ev": Column(
        "number",
        "Free energy, eV, on the scale of the level: energy, zero point, thermal part, "
        "−TS and layers.",
    ),
    "formation_ev": Column(
        "number", "Free energy against bare cluster and anchors, eV, corrected."
    ),
    "formation_uncorrected_ev": Column("number", "The same without any layer, eV."),
    "de_placed_ev": Column(
        "number", "Electronic energy against the isomer placed on, eV."
    ),
    "de_host_ev": Column("number", "The same against the isomer it sits on now, eV."),
    "de_pool_ev": Column("number", "The same against the lowest isomer known, eV."),
    "minimum": Column("integer", "Number of the minimum in its record; 0 is lowest."),
    "fate": Column("text", "What became of the adsorbate: `intact`, `desorbed`, ..."),
    "placed_on": Column("text", "Isomer of the bare cluster it was placed on."),
    "host": Column("text", "Isomer of the bare cluster that it sits on now."),
    "isomer": Column("text", "Isomer of the bare cluster."),
    "multiplicity": Column("integer", "Spin multiplicity, 2S + 1."),
    "above_lowest_ev": Column(
        "number", "Electronic energy above the lowest isomer, eV."
    ),
    "weight": Column("number", "Boltzmann weight at `temperature_k`."),
    "round": Column("integer", "Round of the pool that found it; 0 before any."),
    "found_by": Column("text", "Adsorbate that led to it, empty for a structure."),
    "reaction": Column("text", "Reaction, by name."),
    "product": Column("text", "Product of the reaction, by name."),
    "pathway": Column("text", "Surface species in their order."),
    "pathway_rank": Column("integer", "1 is the best pathway."),
    "step": Column("text", "Equation of the step."),
    "step_number": Column("integer", "Place of the step in its pathway, from 1."),
    "n_e": Column("integer", "Electrons taken up."),
    "n_h": Column("integer", "Protons taken up."),
    "dg_0v_rhe_ev": Column("number", "ΔG of the step at 0 V against RHE, eV."),
    "dg_ev": Column("number", "ΔG of the step at `potential_v`, eV."),
    "turning_potential_v_rhe": Column(
        "number", "Potential at which the step turns downhill, V against RHE."
    ),
    "turning_potential_v_she": Column("number", "The same against SHE, V."),
    "determining": Column("truth", "Whether the step sets the limiting potential."),
    "combined_with": Column("text", "Adsorption whose climb counts in the step."),
    "isomers": Column("text", "Which minima count: `thermo.isomers`."),
    "limiting_potential_median_v_rhe": Column(
        "number", "U_L, below which no electron step climbs: median, V against RHE."
    ),
    "limiting_potential_median_v_she": Column("number", "The same against SHE, V."),
    "limiting_potential_best_estimate_v_rhe": Column(
        "number", "U_L of the mean free energies, V against RHE; less to be trusted."
    ),
    "limiting_potential_best_estimate_v_she": Column(
        "number", "The same against SHE, V."
    ),
    "other_isomers": Column("text", "The other choice of minima."),
    "other_isomers_limiting_potential_v_rhe": Column(
        "number", "Best estimate of U_L with that choice, V against RHE."
    ),
    "determining_step": Column("text", "The step that sets the best estimate."),
    "determining_with": Column("text", "Adsorption whose climb counts in that step."),
    "chemical_bottleneck_ev": Column(
        "number", "Largest climb of a step without electrons, eV."
    ),
    "equilibrium_potential_v_rhe": Column(
        "number", "Of the reaction at its pressures, from experiment, V against RHE."
    ),
    "overpotential_median_v": Column(
        "number", "Equilibrium potential less U_L, V; of an oxidation the reverse."
    ),
    "overpotential_best_estimate_v": Column("number", "The same, best estimate, V."),
    "limiting_potential_p05_v_rhe": Column(
        "number", "5th percentile of U_L, V against RHE."
    ),
    "limiting_potential_p95_v_rhe": Column(
        "number", "95th percentile of U_L, V against RHE."
    ),
    "uncertainty_basis": Column("text", "Where the interval comes from."),
    "uncertainty_without": Column("text", "Errors that the interval does not hold."),
    "raw_limiting_potential_v_rhe": Column(
        "number", "Best estimate without gas corrections, V against RHE."
    ),
    "raw_determining_step": Column("text", "The step that then sets it."),
    "her_limiting_potential_median_v_rhe": Column(
        "number", "U_L of hydrogen evolution on the cluster, median, V against RHE."
    ),
    "her_limiting_potential_best_estimate_v_rhe": Column(
        "number", "The same, best estimate, V against RHE."
    ),
    "selectivity_median_v": Column(
        "number", "U_L less that of hydrogen evolution, V; positive is selective."
    ),
    "selectivity_p05_v": Column("number", "Its 5th percentile, V."),
    "selectivity_p95_v": Column("number", "Its 95th percentile, V."),
    "probability_ahead_of_her": Column(
        "number", "Probability that U_L is above that of hydrogen evolution."
    ),
    "selectivity_best_estimate_v": Column("number", "U_L less U_L(HER), estimates, V."),
    "best_pathway": Column("text", "Surface species of the best pathway."),
    "n_tied_pathways": Column("integer", "Pathways as good as the best."),
    "runner_up_pathway": Column("text", "The next best pathway."),
    "runner_up_limiting_potential_v_rhe": Column("number", "Its U_L, V against RHE."),
    "runner_up_chemical_bottleneck_ev": Column("number", "Its bottleneck, eV."),
    "refined_level": Column(
        "text", "Composite level, DFT first: `pbe-d3-tzvp//gfn1-xtb`."
    ),
    "refined_energy_ev": Column("number", "Electronic energy by DFT, eV."),
    "refined_formation_ev": Column(
        "number", "`formation_ev` of the composite level, eV; flag `calibrated`."
    ),
    "refined_limiting_potential_p05_v_rhe": Column(
        "number", "5th percentile of it, V against RHE."
    ),
    "refined_limiting_potential_p95_v_rhe": Column(
        "number", "95th percentile of it, V against RHE."
    ),
    "refined_uncertainty_basis": Column("text", "Where that interval comes from."),
    "refined_limiting_potential_median_v_rhe": Column(
        "number", "U_L of the composite level, median, V against RHE."
    ),
    "refined_limiting_potential_best_estimate_v_rhe": Column(
        "number", "The same, best estimate, V against RHE."
    ),
    "refined_determining_step": Column("text", "The step that then sets it."),
    "refined_flags": Column("text", "What to be careful about with it."),
    "refined_reason": Column("text", "Why it is missing, or calibrated by what."),
    "ip_ev": Column("number", "Vertical ionisation potential, gas phase, eV."),
    "ea_ev": Column("number", "Vertical electron affinity, gas phase, eV."),
    "fundamental_gap_ev": Column("number", "IP less EA, eV."),
    "homo_ev": Column("number", "Energy of the highest occupied orbital, eV."),
    "lumo_ev": Column("number", "Energy of the lowest empty orbital, eV."),
    "orbital_gap_ev": Column("number", "LUMO less HOMO, eV."),
    "conduction_v_she": Column("number", "Conduction edge, V against SHE."),
    "valence_v_she": Column("number", "Valence edge, V against SHE."),
    "conduction_v_rhe": Column("number", "Conduction edge, V against RHE."),
    "valence_v_rhe": Column("number", "Valence edge, V against RHE."),
    "absolute_she_v": Column("number", "Absolute potential of SHE, V."),
    "couples_driven": Column("text", "Redox couples that the edges can drive."),
    "reactions_driven": Column("text", "Reactions that the edges can drive."),
    "rank": Column("integer", "Rank of the cluster; 1 is the best."),
    "other_rank": Column("integer", "Rank of the other cluster."),
    "other_cluster": Column("text", "The cluster it is compared with."),
    "other_limiting_potential_median_v_rhe": Column(
        "number", "Its U_L, median, V against RHE."
    ),
    "other_limiting_potential_best_estimate_v_rhe": Column(
        "number", "Its U_L, best estimate, V against RHE."
    ),
    "other_chemical_bottleneck_ev": Column("number", "Its bottleneck, eV."),
    "other_flags": Column("text", "What to be careful about with it."),
    "probability_better": Column(
        "number", "Probability that the first has the higher U_L."
    ),
    "claim": Column("text", "Claim, by name."),
    "statement": Column("text", "What is claimed."),
    "claim_source": Column("text", "Who claims it: a DOI."),
    "composite": Column("truth", "Whether the electronic energies are by DFT."),
    "verdict": Column(
        "text", "`supported`, `contradicted`, `undecided` or `not computed`."
    ),
    "probability": Column("number", "Probability that the claim holds."),
    "quantities": Column("text", "What is claimed about: left less right."),
    "median": Column("number", "Median of that, in `unit`."),
    "p05": Column("number", "Its 5th percentile."),
    "p95": Column("number", "Its 95th percentile."),
    "unit": Column("text", "Unit of the three."),
    "published": Column("text", "What the source has for it."),
    "tolerance": Column("text", "How far from it still counts."),
    "probability_published": Column(
        "number", "Probability of lying within the tolerance of it."
    ),
    "decided_by": Column(
        "text",
        "Species that carry the variance, with their share, and the standard deviation "
        "with which all of them together would decide the claim.",
    ),
    "dft_points": Column("integer", "Single points that their minima take."),
    "computed_ev": Column("number", "Free energy of formation, computed, eV."),
    "experiment_ev": Column("number", "The same, measured, eV."),
    "correction_ev": Column("number", "Measured less computed, eV."),
    "anchor": Column("truth", "Whether it is an anchor; these carry no correction."),
    "source": Column("text", "Source of the measured value."),
}

_TERMS = (
    *("energy_ev", "zpe_ev", "thermal_ev", "minus_ts_ev", "minus_ts_undamped_ev"),
    *("zpe_undamped_ev", "thermal_undamped_ev", "model", "fallback_reason"),
)
# Each layer of a record by its column: with the terms they add up to `gibbs_ev`.
LAYER_COLUMNS = {
    f"layer_{name.replace('-', '_')}_ev": name
    for name in (
        *("gas", "solvation", "level", "dft", "user", "condensation", "own-shift"),
    )
}
_DE = ("de_placed_ev", "de_host_ev", "de_pool_ev")

# The columns of each table, in their order; an empty table has them too.
TABLE_COLUMNS: dict[str, tuple[str, ...]] = {
    "energies": (
        *("cluster", "level", "level_hash", "species", "status", "temperature_k"),
        *(
            *_TERMS,
            *LAYER_COLUMNS,
            "gibbs_ev",
            "formation_ev",
            "formation_uncorrected_ev",
        ),
        *(*_DE, "refined_level", "refined_energy_ev", "refined_formation_ev"),
        *("refined_flags", "refined_reason", "flags", "reason"),
    ),
    "minima": (
        *("cluster", "level", "level_hash", "minimum", "fate", "placed_on", "host"),
        *(*_DE, "reason", "species"),
    ),
    "isomers": (
        *("cluster", "level", "level_hash", "temperature_k"),
        *("isomer", "multiplicity", "energy_ev", "above_lowest_ev", "weight"),
        *("round", "found_by"),
    ),
    "steps": (
        *("cluster", "level", "reaction", "pathway_rank", "pathway", "step_number"),
        *("step", "n_e", "n_h", "dg_0v_rhe_ev", "dg_ev", "potential_v", "scale", "ph"),
        *("turning_potential_v_rhe", "turning_potential_v_she", "determining"),
        "combined_with",
        *("flags", "reason"),
    ),
    "potentials": (
        *("cluster", "level", "reaction", "product", "status", "isomers"),
        *("temperature_k", "ph", "limiting_potential_median_v_rhe"),
        *("limiting_potential_p05_v_rhe", "limiting_potential_p95_v_rhe"),
        *("limiting_potential_best_estimate_v_rhe", "limiting_potential_median_v_she"),
        *("limiting_potential_best_estimate_v_she", "uncertainty_basis"),
        *("uncertainty_without", "overpotential_median_v"),
        *("overpotential_best_estimate_v", "equilibrium_potential_v_rhe"),
        *("other_isomers", "other_isomers_limiting_potential_v_rhe"),
        *("determining_step", "determining_with", "chemical_bottleneck_ev"),
        *("raw_limiting_potential_v_rhe", "raw_determining_step"),
        "her_limiting_potential_median_v_rhe",
        *("her_limiting_potential_best_estimate_v_rhe", "selectivity_median_v"),
        *("selectivity_p05_v", "selectivity_p95_v", "probability_ahead_of_her"),
        "selectivity_best_estimate_v",
        *("best_pathway", "n_tied_pathways", "runner_up_pathway"),
        *("runner_up_limiting_potential_v_rhe", "runner_up_chemical_bottleneck_ev"),
        *("refined_level", "refined_limiting_potential_median_v_rhe"),
        "refined_limiting_potential_p05_v_rhe",
        "refined_limiting_potential_p95_v_rhe",
        *(
            "refined_limiting_potential_best_estimate_v_rhe",
            "refined_uncertainty_basis",
        ),
        *("refined_determining_step", "refined_flags", "refined_reason"),
        *("flags", "reason"),
    ),
    "edges": (
        *("cluster", "level", "ip_ea_level", "charge", "ip_ev", "ea_ev"),
        *("fundamental_gap_ev", "homo_ev", "lumo_ev", "orbital_gap_ev"),
        *("conduction_v_she", "valence_v_she", "conduction_v_rhe", "valence_v_rhe"),
        *("absolute_she_v", "ph", "couples_driven", "reactions_driven", "flags"),
        *("status", "reason"),
    ),
    "rankings": (
        *("reaction", "level", "level_hash", "temperature_k"),
        *("rank", "cluster", "limiting_potential_median_v_rhe"),
        *("limiting_potential_best_estimate_v_rhe", "chemical_bottleneck_ev", "flags"),
        *("other_rank", "other_cluster", "other_limiting_potential_median_v_rhe"),
        "other_limiting_potential_best_estimate_v_rhe",
        *("other_chemical_bottleneck_ev", "other_flags"),
        *("probability_better", "uncertainty_basis"),
    ),
    "claims": (
        *("claim", "statement", "claim_source", "level", "composite"),
        *("temperature_k", "verdict", "probability", "quantities", "median", "p05"),
        *("p95", "unit", "published", "tolerance", "probability_published"),
        *("uncertainty_basis", "uncertainty_without", "decided_by", "dft_points"),
        *("flags", "reason"),
    ),
    "gas_corrections": (
        *("gas", "level", "computed_ev", "experiment_ev", "correction_ev", "anchor"),
        "source",
    ),
    "failures": ("stage", "cluster", "species", "reason"),
    "records": (
        *("stage", "cluster", "species", "level", "status", "n_gradients"),
        *("engine_time_s", "wall_time_s", "protocol", "edited", "reason"),
    ),
}
