"""The base of all models: what they share, and what stays their own."""

from __future__ import annotations

from clusterflow.model import Model


class Point(Model):
    x: float
    y: float = 0.0


def test_the_fields_that_were_given_are_known_and_kept_once():
    one, other, full = Point(x=1), Point(x=2), Point(x=1, y=0)
    assert one.model_fields_set == {"x"} and full.model_fields_set == {"x", "y"}
    assert one.__pydantic_fields_set__ is other.__pydantic_fields_set__
    assert one == full and one.model_dump(exclude_unset=True) == {"x": 1}


def test_a_changed_copy_changes_no_other_model():
    one = Point(x=1)
    moved = one.model_copy(update={"y": 3.0})
    assert moved.model_fields_set == {"x", "y"}
    assert one.model_fields_set == Point(x=5).model_fields_set == {"x"}
