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


@pytest.mark.parametrize(
    "reaction", ["CO2-to-CO", "CO2-to-CH3OH", "HNO3-to-NH3", "N2-to-NH3"]
)
def test_names_of_a_narrow_figure_cover_no_line(library, reaction):
    # A line is covered by a box above it; a level, by letters too.
    figure = draw_profile(
        evaluate(library, reaction, seed=0), sheet=Sheet(width_in=3.3)
    )
    axes = figure.axes[0]
    names = [text for text in axes.texts if "*" in text.get_text()]
    assert len(names) > 3
    for name, letters in zip(names, find_boxes(figure, names), strict=True):
        box = name.get_bbox_patch()
        for line in axes.lines:
            if box is not None and line.get_zorder() <= name.get_zorder():
                drawn = line.get_transform().transform_path(line.get_path())
                assert not drawn.intersects_bbox(box.get_window_extent(), filled=False)
            if str(line.get_gid()).startswith("level-"):
                level = line.get_window_extent()
                half = line.get_linewidth() / 2 * figure.dpi / 72
                assert not (
                    level.x0 < letters.x1
                    and letters.x0 < level.x1
                    and level.y0 - half < letters.y1
                    and letters.y0 < level.y1 + half
                )
