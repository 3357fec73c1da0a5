"""What the file of a gas may say of its electronic states."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from clusterflow.library.gases import GasSpec


def spec(library, **changes):
    return GasSpec.model_validate(library.gas("NO").model_dump() | changes)


def test_degeneracy_is_an_integer_or_a_list(library):
    assert spec(library, electronic_degeneracy=4).electronic_degeneracy == ((4, 0.0),)
    levels = library.gas("NO").electronic_degeneracy
    assert levels == ((2, 0.0), (2, 121.1))
    assert library.gas("O2").electronic_degeneracy == ()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([[2, 10.0]], "the first height must be 0"),
        ([[2, 0], [2, 121.1], [1, 121.1]], "heights in cm⁻¹ must rise"),
        ([[2, 0], [2, -5.0]], "greater than or equal to 0"),
        (0, "greater than or equal to 1"),
        ([[2, 0], [1.5, 5]], "valid integer"),
    ],
)
def test_wrong_degeneracies_are_refused(library, wrong, says):
    with pytest.raises(ValidationError, match=says):
        spec(library, electronic_degeneracy=wrong)
