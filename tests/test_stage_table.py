"""The table of stages: what follows from a row, and what a row that lacks it says."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest

from clusterflow.cli.app import command
from clusterflow.errors import ClusterflowError
from clusterflow.settings import Study
from clusterflow.stage_table import (
    STAGES,
    Stage,
    check_rows,
    list_plan_inputs,
    read_name,
    record_paths,
    stage_named,
)

SELECTION = {
    "clusters": ["Cu4"],
    "profiled": ["Cu4"],
    "parents": ["Cu4"],
    "adsorbates": {"Cu4": ["H", "CO"], "Cu4-H": ["H"]},
    "gases": ["H2", "CO"],
    "levels": ["gfn1-xtb"],
    "claims": ["cu4-first"],
    "refined": {
        "clusters": ["Cu4"],
        "profiled": ["Cu4"],
        "parents": [],
        "relaxed": ["Cu4"],
        "compared": ["Cu4"],
        "adsorbates": {"Cu4": ["CO"], "Cu4-H": []},
        "gases": ["H2", "CO"],
        "levels": ["gfn1-xtb"],
        "rounds": [1, 2],
    },
}
ROWS = pytest.mark.parametrize("row", STAGES.values(), ids=list(STAGES))


@ROWS
def test_a_row_has_a_record_a_function_and_a_verb_of_its_name(row):
    assert row.model.model_fields["stage"].default == row.name
    assert row.name in command().commands
    assert command().commands[row.name].help == row.summary
    if row.of:
        assert list(inspect.signature(row.run).parameters)[:2] == ["inputs", "job"]
        assert all(part in row.model.model_fields for part in row.of)


@ROWS
def test_a_row_has_a_rule_that_passes_its_settings(row, root):
    rule = (root / f"workflow/rules/{row.name}.smk").read_text()
    assert re.search(rf"^rule {row.name}:$", rule, re.MULTILINE)
    assert f'settings=settings("{row.name}")' in rule
    assert f"clusterflow {row.name} " in rule
    # What reads no records of quantum chemistry is not sent to a queue.
    assert ("localrule: True" in rule) == (row.gradients == 0)


@ROWS
def test_a_row_sees_only_settings_that_there_are(row):
    study = Study()
    for name in row.sees:
        section, _, key = name.partition(".")
        assert not key or key in getattr(study, section).model_dump()
        assert section in Study.model_fields


@ROWS
def test_a_row_has_a_heading_in_the_docs(row):
    index = Path(__file__).parents[1] / "docs/stages.md"
    assert re.search(rf"^#+ .*\b{row.name}\b", index.read_text(), re.MULTILINE)


def test_paths_and_what_they_are_of_are_inverse():
    paths = record_paths(Path("results/x"), SELECTION)
    refining = 2 + 2 + 1 + 1 + 1 + 2 + 1
    plans = 2
    assert len(paths) == len(set(paths)) == 24 + refining + plans
    for path in paths:
        stage, subject = read_name(path.relative_to("results/x"))
        assert Path("results/x") / stage.path(*subject) == path
        assert subject in stage.subjects(SELECTION)


def test_only_what_is_refined_has_records_of_it():
    names = {str(p.relative_to("x")) for p in record_paths(Path("x"), SELECTION)}
    assert {"refine/Cu4/CO.json", "refine_gas/gfn1-xtb/H2.json"} <= names
    assert not {"refine/Cu4/H.json", "refine/Cu4-H/H.json"} & names


def test_a_round_is_chosen_from_the_one_before():
    first, second = (
        {str(p.relative_to("x")) for p in list_plan_inputs(Path("x"), SELECTION, n)}
        for n in (1, 2)
    )
    assert {"thermo/Cu4-H.json", "che/Cu4.json", "refine_bare/Cu4.json"} <= first
    assert not any("rounds" in name or "plan" in name for name in first)
    assert second - first == {"rounds/1/refine/Cu4/CO.json", "refine_plan/1.json"}


def test_states_have_no_profiles_and_no_edges():
    names = {str(p.relative_to("x")) for p in record_paths(Path("x"), SELECTION)}
    assert {"thermo/Cu4-H.json", "adsorb/Cu4-H/H.json", "che/Cu4.json"} <= names
    assert not {"che/Cu4-H.json", "edges/Cu4-H.json", "adsorb/Cu4-H/CO.json"} & names


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "relax"}, "'relax' in stage_table.py: is there twice"),
        (
            {"reads": ("report",)},
            "'dipole' in stage_table.py: reads 'report', no stage",
        ),
        ({"reads_peers": ("nil",)}, "reads .nil., no stage above it"),
        ({"of": ("flavour",)}, "of 'flavour'; choose from cluster, adsorbate"),
        (
            {},
            r"no module clusterflow\.\w+\.dipole; write it, with a function",
        ),
    ],
)
def test_a_row_that_is_not_whole_says_what_it_lacks(changes, says):
    row = replace(Stage(name="dipole", summary="", record="", protocol=1), **changes)
    above = [STAGES[name] for name in ("build", "level", "relax")]
    with pytest.raises(ClusterflowError, match=says):
        check_rows([*above, row])


def test_a_row_without_a_record_or_with_another_ones_says_so():
    for record in ("clusters.NoRecord", "clusters.RelaxRecord"):
        row = replace(STAGES["sites"], record=record)
        with pytest.raises(
            ClusterflowError, match=rf"no class {record} in records/ with stage"
        ):
            row.model  # noqa: B018 - a property that raises


def test_an_unknown_stage_is_named_with_those_there_are():
    with pytest.raises(ClusterflowError, match="no stage 'relaxx': choose from build"):
        stage_named("relaxx")
