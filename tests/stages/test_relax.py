"""Levels at which a cluster cannot be searched are refused before the search."""

from __future__ import annotations

import pytest

from clusterflow.errors import ClusterflowError
from clusterflow.library.clusters import ClusterSpec, IsomerSearch
from clusterflow.records.atoms import from_atoms
from clusterflow.records.clusters import BuildRecord, LevelRecord
from clusterflow.science.clusters.builders.random_compact import random_compact
from clusterflow.settings import RelaxSettings
from clusterflow.stages.build import build_structures
from clusterflow.stages.parts.job import Job
from clusterflow.stages.relax import relax

pytestmark = pytest.mark.rounding


def test_a_level_that_cannot_be_is_refused_before_the_search(
    library, provenance, tmp_path
):
    built = BuildRecord(
        cluster="Cu4",
        formula="Cu4",
        material="metal",
        source="unpublished: a test",
        structures=(from_atoms(random_compact("Cu4", 1), charge=0, multiplicity=1),),
        auto_multiplicity=True,
        search=IsomerSearch(steps=1, level="emt"),
        search_level=library.level("emt"),
        provenance=provenance,
    )
    level = LevelRecord(
        cluster="Cu4",
        level=library.level("gfn1-xtb"),
        attempts=(),
        provenance=provenance,
    )
    scratch = tmp_path / "scratch"
    with pytest.raises(ClusterflowError, match="needs a spin-polarised level"):
        relax(built, level, RelaxSettings(), Job("relax", scratch=scratch))
    assert not scratch.exists()  # no hop was computed


def test_a_charge_that_the_cheap_level_cannot_have_is_refused(library, tmp_path):
    anion = ClusterSpec.model_validate(
        {
            "name": "Cu4-mine",
            "source": "unpublished: a test",
            "formula": "Cu4",
            "charge": -1,
            "multiplicity": 2,
            "structures": [{"builder": "anneal", "parameters": {"formula": "Cu4"}}],
            "search": {"level": "emt"},
        }
    )
    with pytest.raises(ClusterflowError, match=r"Cu4-mine: search: .*charge -1"):
        build_structures(anion, tmp_path, library)
