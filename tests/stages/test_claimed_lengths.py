"""Verdicts on bond lengths, from records in files: against distances set by hand."""

from __future__ import annotations

from math import exp, pi

import pytest

from clusterflow.records.clusters import Isomer, RelaxRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import write_record
from clusterflow.records.structure import Structure
from clusterflow.science.adsorption.bare_isomers import isomer_weights
from clusterflow.stage_table import record_name
from clusterflow.stages.claims import run
from clusterflow.stages.inputs import Inputs
from clusterflow.units import BOLTZMANN_EV_PER_K

T_K = 298.15
KT_EV = BOLTZMANN_EV_PER_K * T_K


def isomer(name, energy_ev, bonds, cap=None):
    """Cadmium in the middle of sulfur atoms at given distances; one of a ligand."""
    directions = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)]
    gaps = [*bonds, *([cap] if cap else [])]
    positions = [
        tuple(gap * d for d in v) for gap, v in zip(gaps, directions, strict=False)
    ]
    structure = Structure(
        name=name,
        symbols=("Cd", *("S" for _ in gaps)),
        positions=((0.0, 0.0, 0.0), *positions),
        roles=("core", *("core" for _ in bonds), *(("ligand",) if cap else ())),
        charge=0,
        multiplicity=1,
    )
    return Isomer(
        structure=structure, energy_ev=energy_ev, fmax_ev_per_a=0.0, n_gradients=1
    )


@pytest.fixture
def judge(library, provenance, tmp_path):
    """The verdict on a claim about clusters, each with its isomers, from files."""

    def verdict(clusters, claim, *, levels=(), **more):
        paths = []
        for index, (cluster, isomers) in enumerate(clusters.items()):
            level = library.level(levels[index] if levels else "gfn1-xtb")
            of = {"cluster": cluster, "level": level, "provenance": provenance}
            relaxed = RelaxRecord(**of, isomers=isomers)
            weights = tuple(isomer_weights(relaxed, None, T_K))
            thermo = ThermoRecord(
                **of, temperature_k=T_K, species=(), isomer_weights=weights
            )
            for record in (relaxed, thermo):
                paths.append(str(tmp_path / record_name(record)))
                write_record(record, tmp_path / record_name(record))
        spec = {"name": "mine", "claim": claim, "source": "unpublished: x", **more}
        inputs = Inputs.read("claims", paths, settings={"claims": spec})
        return run(inputs, inputs.job())

    return verdict


A = "bond_length(Cd-S, A)"


def test_a_length_is_the_mean_over_the_bonds_of_the_isomer(judge):
    # 3.2 Å is no bond: 1.29 times the sum of covalent radii.
    one = {"A": (isomer("a", 0.0, (2.4, 2.5, 3.2), cap=2.6),)}
    record = judge(one, f"{A} > 2.45 A")
    (verdict,) = record.verdicts
    assert record.unit == "Å"
    assert verdict.judgement.median == pytest.approx(2.5)
    assert verdict.judgement.verdict == "supported"
    assert verdict.judgement.not_included == ("level",)
    assert (verdict.level, verdict.temperature_k) == ("gfn1-xtb", T_K)
    core = judge(one, "bond_length(S-Cd, A, core) > 2.45 A").verdicts[0].judgement
    assert core.median == pytest.approx(2.45)
    assert core.probability == 0.5  # neither longer nor shorter


def test_isomers_count_by_their_boltzmann_weights(judge):
    gap_ev = 0.5 * KT_EV
    share = 1 / (1 + exp(-0.5))
    two = {
        "A": (isomer("low", 0.0, (2.4,)), isomer("high", gap_ev, (2.6,))),
        "B": (isomer("only", 0.0, (2.5,)),),
    }
    record = judge(two, f"{A} < bond_length(Cd-S, B)")
    found = record.verdicts[0].judgement
    # Four standard deviations of a frequency in 10,000 samples.
    assert found.probability == pytest.approx(share, abs=0.02)
    assert (found.lower, found.upper) == pytest.approx((-0.1, 0.1))
    far = {**two, "A": (two["A"][0], isomer("far", 1.0, (pi,)))}
    assert judge(far, f"{A} < 2.5 A").verdicts[0].judgement.probability == 1


def test_lengths_of_one_cluster_are_of_the_same_isomer(judge):
    one = {"A": (isomer("a", 0.0, (2.4,), 2.7), isomer("b", 0.001, (2.5,), 2.8))}
    claim = f"{A} - bond_length(Cd-S, A, core) = 0.15 A"
    found = judge(one, claim, tolerance="0.001 A").verdicts[0].judgement
    assert found.probability == 1


@pytest.mark.parametrize(
    ("claim", "levels", "reason"),
    [
        (f"{A} > bond_length(Cd-S, C)", (), "no isomers of C"),
        (f"{A} > bond_length(Cd-S, B)", ("gfn1-xtb", "gfn2-xtb"), "cannot be compared"),
        ("bond_length(Cd-S, B) > 2 A", (), "isomer b has no such bond"),
    ],
)
def test_a_hole_has_its_reason(judge, claim, levels, reason):
    two = {"A": (isomer("a", 0.0, (2.4,)),), "B": (isomer("b", 0.0, (3.5,)),)}
    record = judge(two, claim, levels=levels)
    assert record.verdicts[0].judgement.verdict == "not computed"
    assert reason in record.reason
