"""What stands in a strip of limiting potentials, by where it is drawn."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from clusterflow.figures.strip import WIDTH, Mark, StripRow, draw_strip

WIDEST = 6.2  # of a letter of 10 px on average; DejaVu Sans has 5.9 in English text
REASON = "the only minimum of *COOH left the cluster, and no other start kept its bonds"


@pytest.mark.parametrize("hydrogen_v", [-2.0, -1.6, -1.1, -0.8, -0.4, -0.1, 0.0])
def test_a_reason_never_covers_hydrogen_evolution(hydrogen_v):
    rows = [
        StripRow(
            name="Cu4",
            color="red",
            mark=None,
            hydrogen=Mark(value_v=hydrogen_v, lower_v=-2.0, upper_v=0.0),
            why=REASON,
        )
    ]
    root = ElementTree.fromstring(
        draw_strip(rows, [], (-2.0, 0.0), axis=True, alt="a strip")
    )
    diamond = root.find("path[@class='hydrogen']").get("d")
    at = float(diamond[1:].split()[0])
    reason = root.find("text[@class='why']")
    start = float(reason.get("x"))
    end = start + WIDEST * len(reason.text)
    assert end < at - 4 or start > at + 4
    assert 0 < start < end < WIDTH
    assert len(reason.text) > 30 and reason.find("title").text == REASON
