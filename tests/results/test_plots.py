"""Figures of results: what stands on them and in their tables, and what is left out."""

from __future__ import annotations

import csv
import itertools
import random
from io import StringIO
from math import log

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import linregress
from scipy.stats import t as student_t

from clusterflow.cli.app import main
from clusterflow.errors import ClusterflowError, RecordError
from clusterflow.figures.labels import Box, place_beside
from clusterflow.figures.saving import save_figure
from clusterflow.figures.scatter import Heading, Point, draw_volcano
from clusterflow.figures.sheet import Sheet, typeset
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_record, write_record
from clusterflow.results.plots.bands import plot_bands
from clusterflow.results.plots.common import Conditions, read_study_clusters
from clusterflow.results.plots.diagram import plot_diagram
from clusterflow.results.plots.scaling import plot_scaling
from clusterflow.results.plots.volcano import plot_volcano
from clusterflow.results.tables import to_csv
from clusterflow.science.reactions.scaling_line import fit_line
from tests.report.test_page import make_band_edges, make_che
from tests.results.results_folder import write_results
from tests.stages.test_thermo import Study

# Hydrogen as strongly bound as says the name of the cluster.
SHIFTS = {
    "Cu2": {},
    "Cu4": {"H": 0.7, "CO": 0.2, "COOH": 0.1},
    "Cu8": {"H": -0.2, "CO": 0.6, "COOH": 0.3},
}
PH_SLOPE_V = 8.617333262e-5 * 298.15 * log(10)


@pytest.fixture(scope="module")
def results(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("results")
    write_results(folder, Study(library, provenance, structure), SHIFTS)
    return folder


def formation(folder, cluster, species):
    record = read_record(folder / "thermo" / f"{cluster}.json", ThermoRecord)
    return next(s.formation_ev for s in record.species if s.name == species)


def lines(figure, prefix):
    found = figure.axes[0].get_lines()
    return {
        str(line.get_gid()): (list(line.get_xdata()), list(line.get_ydata()))
        for line in found
        if str(line.get_gid()).startswith(prefix)
    }


def points(figure):
    """Abscissa and ordinate of each cluster, in whichever marker."""
    drawn = lines(figure, "points").values()
    return [point for xs, ys in drawn for point in zip(xs, ys, strict=True)]


def words(figure):
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    return [t.get_text() for t in (*figure.texts, *figure.axes[0].texts, *legends)]


def rows_of(plot):
    return list(csv.DictReader(StringIO(to_csv("plot", plot.rows))))


def test_a_volcano_of_hydrogen_evolution_is_minus_the_absolute_descriptor(results):
    """Volmer and Heyrovsky: one step costs ΔG(*H), the other −ΔG(*H)."""
    plot = plot_volcano(read_study_clusters([results]), "HER", "H", Conditions())
    expected = {c: formation(results, c, "*H") for c in SHIFTS}
    drawn = sorted(y for _, y in points(plot.figure))
    rows = [row for row in rows_of(plot) if row["leg"] == ""]
    medians = sorted(float(row["limiting_potential_median_v"]) for row in rows)
    assert drawn == pytest.approx(medians, abs=1e-6)
    assert sorted(x for x, _ in points(plot.figure)) == pytest.approx(
        sorted(expected.values())
    )
    (bars,) = (c for c in plot.figure.axes[0].collections if c.get_gid() == "intervals")
    assert len(bars.get_segments()) == 3
    assert plot.figure.axes[0].get_ylabel() == "U_L / V vs RHE"
    assert set(SHIFTS) <= set(words(plot.figure))
    assert any("90 % interval" in t and "screening" in t for t in words(plot.figure))
    assert lines(plot.figure, "equilibrium")["equilibrium"][1] == pytest.approx([0, 0])
    for row in rows:
        dg = expected[row["cluster"]]
        assert float(row["descriptor_dg_ev"]) == pytest.approx(dg, abs=1e-6)
        estimate = float(row["limiting_potential_best_estimate_v"])
        assert estimate == pytest.approx(-abs(dg), abs=1e-6)
        low, high = row["limiting_potential_p05_v"], row["limiting_potential_p95_v"]
        assert float(low) < float(row["limiting_potential_median_v"]) < float(high)


def test_legs_of_hydrogen_evolution_are_those_of_its_two_steps(results):
    """By hand: U is −ΔG(*H) where *H is made, and ΔG(*H) where it leaves."""
    plot = plot_volcano(read_study_clusters([results]), "HER", "H", Conditions())
    fits = {row["leg"]: row for row in rows_of(plot) if row["leg"]}
    slopes = {"* + H+ + e- -> *H": -1.0, "*H + H+ + e- -> * + H2(g)": 1.0}
    found = [formation(results, cluster, "*H") for cluster in SHIFTS]
    low, high = min(found), max(found)
    assert low < 0 < high and set(fits) == set(slopes)
    for name, slope in slopes.items():
        assert float(fits[name]["leg_slope_v_per_ev"]) == pytest.approx(slope, abs=1e-6)
        assert float(fits[name]["leg_intercept_v"]) == pytest.approx(0, abs=1e-6)
    drawn = sorted(
        list(zip(*ends, strict=True)) for ends in lines(plot.figure, "leg").values()
    )
    # The lower of the two everywhere, and not beyond the clusters.
    corners = [[(low, low), (0, 0)], [(0, 0), (high, -high)]]
    assert np.array(drawn) == pytest.approx(np.array(corners), abs=1e-6)
    assert "fewer than 5 points" in " ".join(words(plot.figure))


def test_on_the_she_scale_a_volcano_moves_by_the_ph(results):
    surfaces = read_study_clusters([results])
    rhe = rows_of(plot_volcano(surfaces, "HER", "*H", Conditions()))
    assert {row["leg"] for row in rhe} > {""}
    plot = plot_volcano(surfaces, "HER", "*H", Conditions(scale="she", ph=5.0))
    assert plot.figure.axes[0].get_ylabel() == "U_L / V vs SHE, pH 5"
    for one, other in zip(rhe, rows_of(plot), strict=True):
        measured = ("limiting_potential_median_v", "limiting_potential_p05_v")
        for key in ("leg_intercept_v",) if one["leg"] else measured:
            assert float(other[key]) == pytest.approx(
                float(one[key]) - 5 * PH_SLOPE_V, abs=2e-6
            )
        assert (other["scale"], other["ph"]) == ("she", "5.0")


def test_a_diagram_at_a_potential_is_tilted_by_it(results):
    surfaces = read_study_clusters([results], ["Cu4"])
    plain = rows_of(plot_diagram(surfaces, "CO2-to-CO", Conditions()))
    plot = plot_diagram(surfaces, "CO2-to-CO", Conditions(potential_v=-0.4))
    electrons = {"*": 0, "*CO2": 0, "*COOH": 1, "*CO": 2}
    for one, other in zip(plain, rows_of(plot), strict=True):
        if one["level_ev"] == "":
            assert other["reason"]
            continue
        last = int(one["state_number"]) > 0 and one["state"] == "*"
        n = 2 if last else electrons[one["state"]]
        tilted = float(one["level_ev"]) - 0.4 * n
        assert float(other["level_ev"]) == pytest.approx(tilted, abs=2e-6)
    assert any("U = −0.40 V vs RHE" in text for text in words(plot.figure))


def test_several_clusters_stand_in_one_diagram_state_above_state(results):
    plot = plot_diagram(read_study_clusters([results]), "CO2-to-CO", Conditions())
    axes = plot.figure.axes[0]
    ticks = [tick.get_text().split("\n") for tick in axes.get_xticklabels()]
    assert " ".join(ticks[0]) == "* + CO₂(g)"
    assert " ".join(ticks[-1]) == "* + CO(g) + H₂O(l)"
    numbers = {
        text.get_gid(): text.xy[0]
        for text in axes.texts
        if (text.get_gid() or "").startswith("electrons-")
    }
    assert list(numbers) == ["electrons-0", "electrons-1", "electrons-2"]
    drawn = {
        (round(sum(x) / 2), round(y[0], 6))
        for x, y in lines(plot.figure, "level").values()
    }
    for row in rows_of(plot):
        inner = [[row["state"].replace("2", "₂")]]
        column = 0 if row["state_number"] == "0" else len(ticks) - 1
        column = ticks.index(*inner) if inner[0] in ticks else column
        assert (column, round(float(row["level_ev"]), 6)) in drawn
        # The number under a state is that of its electrons, half a column off at most.
        assert abs(numbers[f"electrons-{row['electrons']}"] - column) <= 0.5
    assert {row["cluster"] for row in rows_of(plot)} == set(SHIFTS)
    assert sum("U_L =" in text for text in words(plot.figure)) == 3


def test_one_cluster_stands_at_its_limiting_potential_too(results):
    surfaces = read_study_clusters([results], ["Cu4"])
    plot = plot_diagram(surfaces, "CO2-to-CO", Conditions())
    dotted = [y[0] for _, y in lines(plot.figure, "limit").values()]
    best = [row for row in rows_of(plot) if row["pathway_rank"] == "1"]
    limit = float(best[0]["limiting_potential_v_rhe"])
    tilted = [float(row["level_ev"]) + int(row["electrons"]) * limit for row in best]
    assert dotted == pytest.approx(tilted, abs=2e-6)
    # What the limiting potential is: the steepest transfer of an electron ends level
    # with the lowest state since the one before, as the climb of an adsorption counts.
    counts = [int(row["electrons"]) for row in best]
    before = dict.fromkeys(counts, float("inf"))
    for n, energy in zip(counts, dotted, strict=True):
        before[n] = min(before[n], energy)
    climbs = [
        after - before[n]
        for (n, m), after in zip(itertools.pairwise(counts), dotted[1:], strict=True)
        if m > n
    ]
    assert max(climbs) == pytest.approx(0, abs=2e-6)


def test_a_scaling_line_is_that_of_another_library(results):
    plot = plot_scaling(read_study_clusters([results]), "CO", "COOH")
    x = [formation(results, c, "*CO") for c in sorted(SHIFTS)]
    y = [formation(results, c, "*COOH") for c in sorted(SHIFTS)]
    expected = linregress(x, y)
    assert plot.line.slope == pytest.approx(expected.slope)
    assert plot.line.intercept == pytest.approx(expected.intercept)
    assert plot.line.r_squared == pytest.approx(expected.rvalue**2)
    half = student_t.ppf(0.95, 1) * expected.stderr
    assert plot.line.slope_low == pytest.approx(expected.slope - half)
    assert plot.line.slope_high == pytest.approx(expected.slope + half)
    assert any("dashed: fewer than 5 points" in text for text in words(plot.figure))
    (drawn,) = (
        line for line in plot.figure.axes[0].get_lines() if line.get_gid() == "line"
    )
    assert drawn.get_linestyle() == "--"
    residuals = [
        b - expected.slope * a - expected.intercept for a, b in zip(x, y, strict=True)
    ]
    assert plot.line.mean_absolute_error == pytest.approx(sum(map(abs, residuals)) / 3)
    (ends,) = lines(plot.figure, "line").values()
    assert ends[1] == pytest.approx(
        [expected.slope * e + expected.intercept for e in ends[0]]
    )


def test_two_points_make_no_line(results):
    plot = plot_scaling(read_study_clusters([results], ["Cu2", "Cu4"]), "CO", "COOH")
    assert plot.line is None and plot.notes == ("no line: 2 points; a line needs 3",)
    assert lines(plot.figure, "line") == {}
    assert fit_line([1.0] * 3, [1.0, 2.0, 3.0])[1] == "all 3 points have one x"


def test_what_has_no_value_is_left_out_and_named(results, tmp_path, capsys):
    for name in SHIFTS:
        for stage in ("thermo", "che"):
            source = results / stage / f"{name}.json"
            (tmp_path / stage).mkdir(exist_ok=True)
            (tmp_path / stage / f"{name}.json").write_bytes(source.read_bytes())
    path = tmp_path / "thermo/Cu4.json"
    record = read_record(path, ThermoRecord)
    gone = [
        s.model_copy(update={"formation_ev": None, "reason": "fell off"})
        if s.name == "*H"
        else s
        for s in record.species
    ]
    write_record(record.model_copy(update={"species": tuple(gone)}), path)
    output = tmp_path / "v.svg"
    arguments = ["--reaction", "HER", "--descriptor", "H", "--output", str(output)]
    assert main(["plot", "volcano", str(tmp_path), *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == "not shown: Cu4: *H: fell off\n"
    assert printed.out.startswith("no legs: they need 3 clusters")
    assert printed.out.endswith(f"\nwrote {output} and {tmp_path / 'v.csv'}\n")
    rows = list(csv.DictReader((tmp_path / "v.csv").open()))
    assert [r["reason"] for r in rows if r["cluster"] == "Cu4"] == ["*H: fell off"]
    assert [r["descriptor_dg_ev"] for r in rows if r["cluster"] == "Cu4"] == [""]


def test_levels_are_never_mixed_in_one_figure(results, tmp_path, library):
    write_results(tmp_path, _at_other_level(library), {"Cu2": {}})
    plot = plot_volcano(
        read_study_clusters([results, tmp_path]), "HER", "H", Conditions()
    )
    ((name, reason),) = plot.missing
    assert name == f"Cu2 ({tmp_path.name})"
    assert "gfn2-xtb" in reason and "the figure at gfn1-xtb" in reason
    assert len(points(plot.figure)) == 3


def _at_other_level(library):
    from clusterflow.records.provenance import Provenance
    from clusterflow.records.structure import Structure

    def structure(symbols, positions, role="core", **changes):
        places = tuple(tuple(map(float, p)) for p in positions)
        roles = (role,) * len(places)
        values = {"charge": 0, "multiplicity": 1, **changes}
        return Structure(
            symbols=tuple(symbols), positions=places, roles=roles, **values
        )

    origin = Provenance(protocol=1, wall_time_s=0, created="2026-01-01T00:00:00+00:00")
    study = Study(library, origin, structure)
    study.level = library.level("gfn2-xtb")
    return study


def test_one_cluster_at_two_levels_stands_in_one_diagram(results, tmp_path, library):
    write_results(tmp_path, _at_other_level(library), {"Cu2": {}})
    surfaces = read_study_clusters([results, tmp_path], ["Cu2"])
    plot = plot_diagram(surfaces, "CO2-to-CO", Conditions())
    assert len({row["level_hash"] for row in rows_of(plot)}) == 2
    assert plot.missing == ()


def test_band_edges_and_their_table():
    from clusterflow.results.plots.common import StudyCluster

    without = make_band_edges(conduction=None, valence=None, reason="no offset")
    edges = make_band_edges()
    hole = edges.couples[0].model_copy(
        update={"couple": "X", "potential_v_she": None, "reason": "no entropies"}
    )
    edges = edges.model_copy(update={"couples": (*edges.couples, hole)})
    surfaces = [
        StudyCluster(
            name=n,
            cluster=n,
            che=make_che(n).model_copy(update={"edges": e}),
            thermo=None,
        )
        for n, e in (("Cu4", edges), ("Cu8", without), ("Cu13", None))
    ]
    plot = plot_bands(surfaces)
    potentials = {
        (r["cluster"], r["name"]): r["potential_v_she"] for r in rows_of(plot)
    }
    assert float(potentials["Cu4", "conduction"]) == -1.5
    assert float(potentials["", "O2-H2O"]) == 0.815
    assert potentials["Cu8", "valence"] == potentials["", "X"] == ""
    assert "no entropies" in {row["reason"] for row in rows_of(plot)}
    assert dict(plot.missing)["Cu8"].endswith("no offset")
    assert "no band edges" in dict(plot.missing)["Cu13"]
    assert "pH 7" in plot.figure.axes[0].get_ylabel()


def test_labels_of_many_points_never_cover_one_another():
    """As they are drawn, not as they were planned."""
    places = random.Random(3)
    points = [
        Point(name=f"Cd{n}Se{n}", x=places.gauss(0, 0.2), y=places.gauss(0, 0.2))
        for n in range(1, 31)
    ]
    heading = Heading(title="t", conditions="c", x_label="x", y_label="y")
    figure = draw_volcano(points, heading)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    texts = [t for t in figure.axes[0].texts if t.get_text().startswith("Cd")]
    boxes = [text.get_window_extent(renderer) for text in texts]
    assert len(boxes) == 30
    for one, other in itertools.combinations(boxes, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        along = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(across, along) < 1.0, "they share more than a pixel"


def test_a_label_without_room_leaves_the_frame_rather_than_cover_another():
    frame = Box(left_in=0, bottom_in=0, width_in=0.3, height_in=0.3)
    boxes = place_beside([(0.15, 0.15)] * 4, [(0.5, 0.15)] * 4, frame)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("suffix", [".svg", ".pdf", ".png"])
def test_a_figure_is_the_same_bytes_each_time(results, tmp_path, suffix):
    for name in ("one", "two"):
        plot = plot_scaling(read_study_clusters([results]), "CO", "COOH")
        save_figure(plot.figure, tmp_path / f"{name}{suffix}")
    content = (tmp_path / f"one{suffix}").read_bytes()
    assert content == (tmp_path / f"two{suffix}").read_bytes()
    assert b"Date" not in content and b"matplotlib.org" not in content[-2000:]


def test_the_interval_of_a_slope_holds_it_nine_times_in_ten():
    draw = random.Random(7)
    x = [0.1 * i for i in range(6)]
    held = 0
    for _ in range(1000):
        line, _ = fit_line(x, [0.8 * v + draw.gauss(0, 0.2) for v in x])
        held += line.slope_low <= 0.8 <= line.slope_high
    # Three standard deviations of the count.
    assert abs(held - 900) < 3 * (1000 * 0.9 * 0.1) ** 0.5


def test_letters_of_a_pdf_are_truetype_of_the_font_asked_for(results, tmp_path, capsys):
    # With a heading, in which there are subscripts.
    words = ["plot", "scaling", str(results), "--x", "CO", "--y", "COOH"]
    words += ["--font", "DejaVu Serif"]
    assert main([*words, "--output", str(tmp_path / "b.pdf")]) == 0
    content = (tmp_path / "b.pdf").read_bytes()
    assert b"DejaVuSerif" in content and b"/FontFile2" in content
    assert b"/Type3" not in content
    words[-1] = "No Such Font"
    assert main([*words, "--output", str(tmp_path / "c.pdf")]) == 2
    assert "font 'No Such Font': is not installed" in capsys.readouterr().err
    assert not (tmp_path / "c.pdf").exists()


def test_a_figure_has_the_width_the_dots_and_the_letters_asked_for(results):
    surfaces = read_study_clusters([results])
    for width_in, letters_pt in ((3.3, 7.0), (7.0, 8.0)):
        sheet = Sheet(width_in=width_in)
        plots = (
            plot_bands(surfaces, sheet),
            plot_scaling(surfaces, "CO", "COOH", sheet),
            plot_volcano(surfaces, "HER", "H", Conditions(), sheet),
            plot_diagram(surfaces, "CO2-to-CO", Conditions(), sheet),
            plot_diagram(surfaces[:1], "CO2-to-CO", Conditions(), sheet),
        )
        for figure in (plot.figure for plot in plots):
            assert figure.get_figwidth() == pytest.approx(width_in)
            axes = figure.axes[0]
            assert axes.yaxis.label.get_fontsize() == letters_pt
            # No title; what explains a mark stays, and nothing is cut off.
            assert not figure.texts
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            box = figure.get_tightbbox(canvas.get_renderer())
            assert box.x0 > -0.02 and box.x1 < width_in + 0.02


def test_a_png_has_the_dots_asked_for(results, tmp_path):
    from PIL import Image

    output = tmp_path / "b.png"
    words = ["plot", "bands", str(results), "--width", "8.4cm", "--dpi", "300"]
    assert main([*words, "--output", str(output)]) == 0
    with Image.open(output) as image:
        assert image.size[0] == pytest.approx(8.4 / 2.54 * 300, abs=1)


@pytest.mark.parametrize("width", ["3.3", "0.1in", "3 inches", "-3in"])
def test_a_width_without_a_unit_or_of_no_paper_is_refused(width, capsys):
    words = ["plot", "bands", "nowhere", f"--width={width}", "--output", "b.pdf"]
    assert main(words) == 2
    assert f"--width {width}: must be 2in to 40in" in capsys.readouterr().err


def test_subscripts_are_set_and_names_are_no_formulas():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_xticks([0, 1], ["CO₂", "$x$"], parse_math=False)
    axes.set_ylabel("U_L / V")
    typeset(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks == [r"CO$_{\mathregular{2}}$", r"\$x\$"]
    assert axes.get_ylabel() == r"U$_{\mathregular{L}}$ / V"


def test_wrong_names_list_those_there_are(results, tmp_path):
    surfaces = read_study_clusters([results])
    with pytest.raises(RecordError, match=r"CO2-to-CO, CO2-to-HCOOH, HER"):
        plot_diagram(surfaces, "X", Conditions())
    with pytest.raises(RecordError, match=r"XY: .*known: \*CO, \*COOH"):
        plot_scaling(surfaces, "XY", "CO")
    with pytest.raises(RecordError, match="known: Cu2, Cu4, Cu8"):
        read_study_clusters([results], ["Au"])
    with pytest.raises(RecordError, match="holds no records"):
        read_study_clusters([tmp_path])
    with pytest.raises(ClusterflowError, match=r"ph = 99"):
        plot_volcano(surfaces, "HER", "H", Conditions(ph=99.0))
