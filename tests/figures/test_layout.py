"""Letters of diagrams with many states: as large as those with few, none on another."""

from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from clusterflow.errors import ConfigError
from clusterflow.figures.diagram import draw_profile
from clusterflow.figures.overlay import draw_overlay
from clusterflow.figures.sheet import Sheet
from tests.figures.test_columns import evaluate

LEAST_PT = 5.0  # what journals ask for at the final size


def find_boxes(figure, texts):
    """Where texts stand on the figure, as it is drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in texts]


@pytest.mark.parametrize(
    ("reaction", "width_in"),
    [
        *(("HNO3-to-NH3", width_in) for width_in in (None, 7.0, 3.3)),
        *(("CO2-to-C2H4", width_in) for width_in in (None, 7.0)),
    ],
)
def test_letters_are_large_and_names_beside_one_another(library, reaction, width_in):
    sheet = Sheet(width_in=width_in, words="few")
    result = evaluate(library, reaction)
    for figure in (
        draw_profile(result, sheet=sheet),
        draw_overlay({"Cu4": result}, sheet=sheet),
    ):
        axes = figure.axes[0]
        names = [
            text
            for text in (*axes.texts, *axes.get_xticklabels())
            if "*" in text.get_text()
        ]
        assert names
        assert min(text.get_fontsize() for text in names) >= LEAST_PT
        for one, other in combinations(find_boxes(figure, names), 2):
            assert not one.shrunk(0.9, 0.9).overlaps(other.shrunk(0.9, 0.9))


def test_more_states_than_fit_are_refused(library):
    result = evaluate(library, "CO2-to-C2H4")
    with pytest.raises(ConfigError, match=r"--width 3.3in: 19 states do not fit"):
        draw_profile(result, sheet=Sheet(width_in=3.3))
