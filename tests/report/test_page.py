"""The report: what stands on the page and in the diagrams, for good and bad studies."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from clusterflow.errors import ClusterflowError
from clusterflow.figures.band_edges import draw_band_edges, spread
from clusterflow.figures.diagram import draw_profile
from clusterflow.figures.labels import place_labels
from clusterflow.figures.saving import save_figure
from clusterflow.library.levels import LevelSpec
from clusterflow.records.adsorption import AdsorbRecord, Minimum, Site, SitesRecord
from clusterflow.records.clusters import (
    BuildRecord,
    EdgesRecord,
    Isomer,
    LevelAttempt,
    LevelRecord,
    Probe,
    RelaxRecord,
)
from clusterflow.records.energies import GasCorrection, SpeciesFreeEnergy, ThermoRecord
from clusterflow.records.profiles import (
    BandEdges,
    CheRecord,
    CoupleDrive,
    GasReferenceResult,
    Pathway,
    ReactionDrive,
    ReactionResult,
    Selectivity,
    Step,
    Uncertainty,
)
from clusterflow.records.provenance import Provenance
from clusterflow.records.structure import Structure
from clusterflow.records.vibrations import VibrateRecord
from clusterflow.report.page import render_page
from clusterflow.results.ranking import probability_tables, rank_reactions
from clusterflow.science.checks.evidence import Gate
from tests.records.study_records import study_of

VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "<script>alert(1)</script>"
COOH_REASON = "every start of *COOH dissociated"


class Page(HTMLParser):
    """A page taken apart: tags, attributes, text, and whether tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        else:
            self.text += data


def code_of(page):
    """The one script that runs, by its hash; everything else must be plain data."""
    *blocks, code = page.scripts
    for block in blocks:
        json.loads(block)
    assert page.tags.count("script") == len(page.scripts)
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    (policy,) = [v for k, v in page.attributes if k == "content" and "script" in v]
    assert policy.endswith(f"script-src 'sha256-{digest}'")
    return code


def make_level(name="gfn1-xtb", method="GFN1-xTB"):
    return LevelSpec(name=name, source="doi:1", engine="tblite", method=method)


def make_provenance():
    return Provenance(
        protocol=1,
        versions={"tblite": "0.8.0"},
        wall_time_s=90.0,
        engine_time_s=60.0,
        n_gradients=1234,
        created="2026-01-01T00:00:00+00:00",
    )


def make_pathway(levels=(0.0, 0.6, -0.3, 0.2), name="via *COOH", reason=""):
    states = ("*", "*COOH", "*CO", "* + CO(g)")
    names = (
        "* + CO2(g) + H+ + e- -> *COOH",
        "*COOH + H+ + e- -> *CO + H2O(l)",
        "*CO -> * + CO(g)",
    )
    steps = []
    for index, step in enumerate(names):
        before, after = levels[index], levels[index + 1]
        hole = before is None or after is None
        change = None if hole else after - before
        electrons = step.count("e-")
        steps.append(
            Step(
                name=step,
                n_e=electrons,
                n_h=electrons,
                dg_ev=change,
                dg0_ev=change,
                reason=reason if hole else "",
            )
        )
    complete = None not in levels
    return Pathway(
        name=name,
        steps=tuple(steps),
        levels_ev=levels,
        states=states,
        complete=complete,
        reason=reason,
        limiting_potential_v_rhe=-0.6 if complete else None,
        determining_step=names[0] if complete else None,
    )


def make_result(surface="Cu4", pathways=None, **changes):
    pathways = (make_pathway(),) if pathways is None else pathways
    complete = next((p for p in pathways if p.complete), None)
    potential = complete.limiting_potential_v_rhe if complete else None
    values = {
        "reaction": "CO2-to-CO",
        "equation": "CO2(g) + 2 H+ + 2 e- -> CO(g) + H2O(l)",
        "product": "CO",
        "surface": surface,
        "status": "ok" if complete else "failed",
        "potential_v": 0.0,
        "scale": "rhe",
        "ph": 7.0,
        "temperature_k": 298.15,
        "limiting_potential_v_rhe": potential,
        "determining_step": complete.determining_step if complete else None,
        "best_pathway": complete.name if complete else None,
        "pathways": pathways,
    }
    return ReactionResult(**(values | changes))


def make_holed_result(surface="Cu4"):
    pathway = make_pathway((0.0, None, -0.3, 0.2), reason=COOH_REASON)
    return make_result(surface, (pathway,))


def make_structure(symbols=("Cu", "Cu", "C", "O")):
    n = len(symbols)
    return Structure(
        symbols=symbols,
        positions=tuple((0.1 * i, 0.2 * (i % 2), 1.9 * i) for i in range(n)),
        roles=tuple("adsorbate" if s in "CO" else "core" for s in symbols),
        charge=0,
        multiplicity=1,
    )


def make_che(cluster="Cu4", level=None, results=None):
    return CheRecord(
        provenance=make_provenance(),
        cluster=cluster,
        level=level or make_level(),
        networks=(),
        results=(make_result(cluster),) if results is None else results,
    )


def make_adsorption(cluster, level):
    minimum = Minimum(
        structure=make_structure(),
        energy_ev=-110.0,
        fmax_ev_per_a=0.01,
        n_gradients=40,
        n_starts=2,
        fate="intact",
        core_intact=True,
        isomer="main",
        form="upright",
        site_kind="top",
        site_atoms=(0,),
    )
    dissociated = minimum.model_copy(
        update={"fate": "dissociated", "detail": "C and O", "energy_ev": -109.0}
    )
    return AdsorbRecord(
        provenance=make_provenance(),
        cluster=cluster,
        adsorbate="CO",
        level=level,
        minima=(minimum, dissociated),
        n_starts=5,
        failures={"scf-failed": 1},
    )


def make_study(cluster="Cu4", result=None, **changes):
    """Every stage of one cluster; `changes` replaces stages."""
    level, origin = make_level(), {"provenance": make_provenance(), "cluster": cluster}
    bare = make_structure(("Cu", "Cu"))
    site = Site(
        kind="top",
        atoms=(0,),
        elements=("Cu",),
        multiplicity=2,
        position=(0, 0, 0),
        normal=(0, 0, 1),
        coordination_numbers=(1,),
    )
    attempt = LevelAttempt(
        level="gfn1-xtb",
        accepted=True,
        reason="all probes converge",
        probes=(Probe(name="CO", converged=True),),
    )
    correction = GasCorrection(
        gas="CO",
        anchors={"CO2": 1, "H2": 1, "H2O": -1},
        computed_ev=2.1,
        experiment_ev=0.3,
        correction_ev=-1.8,
        is_anchor=False,
        source="doi:2",
    )
    hole = SpeciesFreeEnergy(name="*COOH", status="dissociated", reason=COOH_REASON)
    stages = {
        "builds": (
            BuildRecord(
                **origin,
                formula="Cu2",
                material="metal",
                source="doi:3",
                structures=(bare,),
            ),
        ),
        "levels": (LevelRecord(**origin, level=level, attempts=(attempt,)),),
        "relaxations": (
            RelaxRecord(
                **origin,
                level=level,
                isomers=(
                    Isomer(
                        structure=bare,
                        energy_ev=-100,
                        fmax_ev_per_a=0.01,
                        n_gradients=9,
                    ),
                ),
            ),
        ),
        "gases": (),
        "sites": (
            SitesRecord(
                **origin,
                isomer="main",
                point_group="D*h",
                symmetry_tolerance_a=0.1,
                sites=(site,),
            ),
        ),
        "adsorptions": (make_adsorption(cluster, level),),
        "pools": (),
        "vibrations": (),
        "thermo": (
            ThermoRecord(
                **origin,
                level=level,
                temperature_k=298.15,
                species=(hole,),
                gas_corrections=(correction,),
            ),
        ),
        "che": (make_che(cluster, level, (result or make_result(cluster),)),),
    }
    return study_of(*(stages | changes).values())


def make_band_edges(conduction=-1.5, valence=2.5, reason=""):
    couples = tuple(
        CoupleDrive(
            couple=name,
            edge=edge,
            potential_v_she=potential,
            driven=None if reason else True,
            margin_v=None if reason else 0.5,
            reason=reason,
        )
        for name, edge, potential in (
            ("CO2-CO", "conduction", -0.518),
            ("H2", "conduction", -0.414),
            ("O2-H2O", "valence", 0.815),
        )
    )
    return BandEdges(
        absolute_she_v=4.44,
        ph=7.0,
        temperature_k=298.15,
        conduction_v_she=conduction,
        conduction_v_rhe=None if conduction is None else conduction + 0.414,
        valence_v_she=valence,
        valence_v_rhe=None if valence is None else valence + 0.414,
        couples=couples,
        reactions=(
            ReactionDrive(
                reaction="CO2-to-CO",
                driven=False,
                steps=make_pathway().steps,
                highest_step=make_pathway().steps[0].name,
                highest_step_ev=0.6,
            ),
            ReactionDrive(reaction="HER", driven=None, reason="*H fell off"),
        ),
    )


def make_edges(cluster="Cu4", **changes):
    values = {"ip_ev": 6.94, "ea_ev": 2.94, "fundamental_gap_ev": 4.0}
    values |= {"cluster": cluster, "level": make_level()}
    values["reasons"] = dict.fromkeys(
        ("homo_ev", "lumo_ev", "orbital_gap_ev"), "no orbitals here"
    )
    values |= {"ip_ea_level": make_level("ipea1-xtb"), "provenance": make_provenance()}
    return EdgesRecord(**(values | changes))


def make_failed_study():
    """Two clusters; every record says failed."""
    stages = {"builds": [], "levels": [], "relaxations": [], "thermo": [], "che": []}
    for cluster in ("Cu4", "Cu8"):
        failed = {
            "provenance": make_provenance(),
            "cluster": cluster,
            "status": "failed",
            "reason": f"no level converges for {cluster}",
        }
        stages["levels"].append(LevelRecord(**failed, level=None, attempts=()))
        stages["relaxations"].append(RelaxRecord(**failed, level=None, isomers=()))
        stages["thermo"].append(
            ThermoRecord(**failed, level=None, temperature_k=298.15, species=())
        )
        stages["che"].append(CheRecord(**failed, level=None, networks=(), results=()))
    return study_of(*stages.values())


def bars(figure):
    """Height of each bar by its column."""
    lines = figure.axes[0].get_lines()
    found = [line for line in lines if str(line.get_gid()).startswith("level-")]
    return {round(sum(bar.get_xdata()) / 2): set(bar.get_ydata()) for bar in found}


def words(figure):
    """All text of a figure, legends too."""
    legends = [text for legend in figure.legends for text in legend.get_texts()]
    texts = [*figure.texts, *figure.axes[0].texts, *legends]
    return "\n".join(text.get_text() for text in texts)


def test_page_is_balanced_html_with_landmarks():
    page = Page(render_page(make_study(), study="demo"))
    assert page.open == []
    assert {"main", "nav", "header", "footer", "h1", "svg"} <= set(page.tags)


def test_ids_are_unique_though_several_diagrams_stand_inline():
    study = make_study(che=(make_che("Cu4"), make_che("Cu8"), make_che("Cu13")))
    page = Page(render_page(study, study="demo"))
    ids = [value for key, value in page.attributes if key == "id"]
    assert len(ids) > 30
    assert len(ids) == len(set(ids))
    links = [value for key, value in page.attributes if key == "href"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_a_still_diagram_says_its_equation_once():
    html = render_page(make_study(), study="demo")
    for heading in ('<section id="diagrams"', '<details class="diagrams"'):
        block = html.split(heading)[1].split("</figure>")[0]
        said = Page(block).text
        assert said.count("CO₂(g) + 2 H⁺ + 2 e⁻ → CO(g) + H₂O(l)") == 1
        assert said.count("on Cu4") == 0
        # What remains is not cut off with the heading.
        top = float(re.search(r'viewBox="\S+ (\S+)', block)[1])
        y = re.search(r'y="(\S+)">U = 0.00 V vs RHE', block)[1]
        assert 8 < float(y) - top < 30


def test_a_cluster_has_one_colour_in_strip_and_still_diagram():
    potentials = {"Cu4": -0.6, "Cu13": -0.1}  # the second leads
    records = tuple(
        make_che(name, results=(make_result(name, limiting_potential_v_rhe=u),))
        for name, u in potentials.items()
    )
    html = render_page(make_study(che=records), study="demo")
    still = html.split('<section id="diagrams"')[1].split("</figure>")[0]
    for name in potentials:
        color = re.search(rf'>{name}</text><g style="--color: (\S+)"', html)[1]
        line, *_ = re.split(rf">{name}: U_L", still)
        assert re.findall(r"stroke:(\S+?);", line)[-1] == color


def make_references(raw_v=-0.7, reason=""):
    return tuple(
        GasReferenceResult(
            name=name,
            anchors=("CO2", "H2", "H2O"),
            limiting_potential_v_rhe=potential,
            determining_step="* -> *COOH",
            reason=reason if potential is None else "",
        )
        for name, potential in (("study", -0.5), ("raw", raw_v))
    )


def test_potentials_without_gas_corrections_stand_beside():
    result = make_result().model_copy(update={"references": make_references()})
    text = Page(render_page(make_study(result=result), study="demo")).text
    words = " ".join(text.split())
    assert "Best estimate without gas corrections −0.70 V." in words
    assert "Without gas corrections the same energies" in words


def test_a_reference_without_a_value_says_why():
    references = make_references(None, "no electrons")
    result = make_result().model_copy(update={"references": references})
    page = Page(render_page(make_study(result=result), study="demo"))
    assert ("title", "no electrons") in page.attributes


def test_probabilities_of_a_ranking_stand_in_both_directions():
    level = make_level()
    pair = {"reaction": "CO2-to-CO", "level_hash": level.hash}
    rows = [
        {**pair, "cluster": "Cu4", "other_cluster": "Cu8", "probability_better": 0.9},
        {**pair, "cluster": "Cu4", "other_cluster": "Cu2", "probability_better": 0.99},
        {**pair, "cluster": "Cu8", "other_cluster": "Cu2", "probability_better": 0.8},
    ]
    (table,) = probability_tables(rows).values()
    assert table.clusters == ("Cu4", "Cu8", "Cu2")
    values = dict(table.rows)
    assert values["Cu4"] == (None, 0.9, 0.99)
    assert values["Cu2"] == pytest.approx((0.01, 0.2, None), nan_ok=True)
    text = Page(render_page(make_study(), study="demo", pairs=rows)).text
    assert "How probably one is better" in text and "0.99" in text
    other = [{**row, "level_hash": "another"} for row in rows]
    text = Page(render_page(make_study(), study="demo", pairs=other)).text
    assert "How probably one is better" not in text


def test_checks_are_counted_with_their_worst_number():
    gates = [
        Gate(name="forces", verdict="PASS", subject="Cu4/main", value=0.01, limit=0.02),
        Gate(name="forces", verdict="PASS", subject="Cu4/CO", value=-0.019, limit=0.02),
        Gate(
            name="closure", verdict="FAIL", subject="Cu4/X", value=0.0, detail=f"{EVIL}"
        ),
        Gate(name="zpe", verdict="SKIP", subject="study", detail="no record to check"),
    ]
    html = render_page(make_study(), study="demo", gates=gates)
    page = Page(html)
    words = " ".join(page.text.split())
    (row,) = re.findall(r"<tr><th[^>]*>forces</th>.*?</tr>", html, re.DOTALL)
    cells = re.sub(r"<[^>]+>", " ", row).split()
    # PASS, FAIL, WARN, SKIP, UNVERIFIABLE, worst and limit
    assert cells == ["forces", "2", "0", "0", "0", "0", "-0.019", "0.02", "Cu4/CO"]
    assert "closure 1 to look at" in words and "FAIL Cu4/X" in words
    assert code_of(page) == code_of(Page(render_page(make_study(), study="demo")))
    assert ("href", "#checks") in page.attributes
    # Nothing checked: no section, and no link to it.
    bare = Page(render_page(make_study(), study="demo"))
    assert ("href", "#checks") not in bare.attributes


def test_states_of_a_cluster_are_named_where_it_is_described():
    che = make_che().model_copy(update={"states": {"-H": "Cu4H"}})
    text = Page(render_page(make_study(che=(che,)), study="demo")).text
    assert "*[-H] is Cu4H" in text


def test_page_needs_no_network():
    html = render_page(make_study(), study="demo", energies=[{"gibbs_ev": 1.0}])
    page = Page(html)
    links = [v for k, v in page.attributes if k in ("src", "href", "srcset", "data")]
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html and "fetch(" not in html and "eval(" not in html
    assert code_of(page)


def test_names_cannot_become_markup():
    study = make_study(cluster=EVIL, result=make_result(EVIL, reaction=EVIL))
    row = {"cluster": EVIL, "reason": EVIL}
    html = render_page(study, study=EVIL, energies=[row], failures=[row])
    page = Page(html)
    assert code_of(page) == code_of(Page(render_page(make_study(), study="demo")))
    assert page.open == [] and EVIL in page.text


def test_band_edges_stand_in_a_section_of_their_own():
    che = make_che("Cu4").model_copy(update={"edges": make_band_edges()})
    page = Page(render_page(make_study(che=(che,), edges=(make_edges(),)), study="x"))
    assert page.open == []
    section = page.text.split("Band edges (gas phase)")[1].split("Gas corrections")[0]
    for wanted in ("no exciton", "6.94", "−1.50", "no orbitals here", "*H fell off"):
        assert wanted in section
    assert "CO₂/CO" in section and "highest" in section
    ids = [value for key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids)) and "edges" in ids
    assert "#edges" in [v for k, v in page.attributes if k == "href"]


def test_no_band_edges_no_section():
    assert "Band edges" not in Page(render_page(make_study(), study="demo")).text


def test_band_edges_of_a_cluster_without_a_profile_are_in_the_table():
    study = make_study(edges=(make_edges(),))
    text = Page(render_page(study, study="demo")).text
    assert "6.94" in text and "Cu4: no potentials" in text


def test_the_diagram_of_band_edges_has_electrons_above_holes():
    views = {"Cu4": make_band_edges(), "Bad": make_band_edges(None, None, "it failed")}
    figure = draw_band_edges(views)
    (axes,) = figure.axes
    bars = {line.get_gid(): line.get_ydata()[0] for line in axes.get_lines()}
    assert (bars["conduction-0"], bars["valence-0"]) == (-1.5, 2.5)
    assert "conduction-1" not in bars and "no value" in words(figure)
    lower, upper = axes.get_ylim()
    assert lower > 2.5 and upper < -1.5, "more negative is higher"
    assert "CO₂/CO  −0.52" in words(figure) and "O₂/H₂O  +0.81" in words(figure)


def test_labels_that_are_spread_keep_their_order_and_distance():
    values = [-1.9, -0.58, -0.56, -0.52, -0.43, -0.41, -0.40, -0.34, -0.25, 0.815]
    places = spread(values, 0.3)
    # To rounding of the ninth digit.
    assert all(b - a >= 0.3 - 1e-8 for a, b in pairwise(places))
    assert places[0] == -1.9 and sum(places[1:]) == pytest.approx(sum(values[1:]))


def test_a_study_in_which_everything_failed_says_so():
    page = Page(render_page(make_failed_study(), study="demo"))
    assert page.open == []
    assert "Nothing succeeded" in page.text
    assert "no level converges for Cu4" in page.text
    assert "no level converges for Cu8" in page.text


def test_a_study_without_records_says_so():
    study = study_of()
    assert "There are no records" in Page(render_page(study, study="demo")).text


def test_a_hole_shows_its_reason_as_text_and_as_tooltip():
    study = make_study(result=make_holed_result())
    page = Page(render_page(study, study="demo"))
    ranking = page.text.split("The numbers")[1].split("How far to trust")[0]
    assert COOH_REASON in ranking
    assert ("title", COOH_REASON) in page.attributes


def test_given_failures_are_shown():
    row = {"stage": "adsorb", "cluster": "Cu4", "reason": "out of memory"}
    page = Page(render_page(make_study(), study="demo", failures=[row]))
    assert "out of memory" in page.text


def test_what_was_set_aside_stands_with_its_cluster():
    vibrated = VibrateRecord(
        provenance=make_provenance(),
        cluster="Cu4",
        adsorbate="CO",
        level=make_level(),
        minimum=1,
        not_minima=(0,),
        not_minima_reasons=("following 99i cm⁻¹, CO dissociated (C + O)",),
    )
    page = Page(render_page(make_study(vibrations=(vibrated,)), study="demo"))
    own = page.text.split("Set aside on this cluster")[1]
    reason = "minimum 0 set aside: following 99i cm⁻¹, CO dissociated (C + O)"
    assert own.index(reason) < own.index("What failed, and why")
    plain = Page(render_page(make_study(), study="demo"))
    assert "Set aside on this cluster" not in plain.text


def test_rankings_of_two_levels_stand_apart():
    other = make_level("gfn2-xtb", "GFN2-xTB")
    best = make_result("Cu13", limiting_potential_v_rhe=-0.1)
    records = (
        make_che("Cu4"),
        make_che("Cu13", results=(best,)),
        make_che("Cu8", other),
        make_che("Cu20", results=(make_holed_result("Cu20"),)),
    )
    (ranking,) = rank_reactions(records)
    clusters = {
        group.level: [row.cluster for row in group.rows] for group in ranking.levels
    }
    assert clusters == {"gfn1-xtb": ["Cu13", "Cu4", "Cu20"], "gfn2-xtb": ["Cu8"]}
    page = Page(render_page(make_study(che=records), study="demo"))
    numbers = page.text.split("The numbers")[1]
    assert "1 cluster, level gfn2-xtb" in " ".join(numbers.split())
    assert "3 clusters, level gfn1-xtb" in " ".join(numbers.split())
    assert "not compared" in page.text


def test_the_page_holds_what_a_reader_looks_for():
    text = Page(render_page(make_study(), study="demo")).text
    for wanted in (
        "GFN1-xTB",
        "all probes converge",
        "the electrons did not converge: 1 of 5 starts",
        "broke apart: C and O",
        "1 min 30 s",
        "−1.80",
        "tblite",
        make_level().hash,
        "screening",
    ):
        assert wanted in text


def make_flagged_study(library):
    """A study whose *COOH lies outside the domain, and whose CO(g) leans on a layer."""
    study = make_study()
    (thermo,) = study.of(ThermoRecord)
    flags = {"*COOH": "co2-activation", "*CO": "reconstructed"}
    species = [
        SpeciesFreeEnergy(name=name, status="intact", formation_ev=0.1, flags=(flag,))
        for name, flag in flags.items()
    ]
    pathway = make_pathway()
    steps = tuple(
        step.model_copy(
            update={
                "flags": tuple(
                    f"{name}: {flag}"
                    for name, flag in flags.items()
                    if name in step.name
                )
            }
        )
        for step in pathway.steps
    )
    # `*CO` also begins `*COOH`: the last step alone has no carboxyl.
    result = make_result(
        pathways=(pathway.model_copy(update={"steps": steps}),),
        flags=("*COOH: co2-activation",),
    )
    return make_study(
        result=result, thermo=(thermo.model_copy(update={"species": species}),)
    )


def test_flags_are_letters_with_a_legend_and_a_text(library):
    study = make_flagged_study(library)
    page = Page(render_page(study, study="demo", domain=library.domain()))
    text = " ".join(page.text.split())
    entry = next(e for e in library.domain() if e.name == "co2-activation")
    for wanted in (entry.description, entry.way_out, entry.source):
        assert wanted in text
    assert f"a ≈ 0.1 eV: co2-activation: {entry.description}." in text
    assert "b reconstructed: the cluster changed its bonds" in text
    assert "≈ 0.1 eV: bent CO₂" in text
    assert ("title", "co2-activation: *COOH") in page.attributes
    assert page.tags.count("sup") == 5 + 2, "marks of the steps, then of the legend"
    assert "Flags of this study" not in Page(render_page(make_study(), study="x")).text


def test_states_outside_the_domain_are_marked_in_the_diagram(library):
    (record,) = make_flagged_study(library).of(CheRecord)
    drawn = words(draw_profile(record.results[0]))
    assert "*COOH‡" in drawn
    assert "‡ outside the domain of the level" in drawn
    # What says how a number came about is no limit of the level.
    assert "*CO‡" not in drawn
    assert "‡" not in words(draw_profile(make_result()))


def test_bars_stand_at_the_levels_of_the_record():
    result = make_result()
    levels = result.pathways[0].levels_ev
    assert bars(draw_profile(result)) == {i: {v} for i, v in enumerate(levels)}


def test_a_hole_is_a_gap_with_its_reason():
    figure = draw_profile(make_holed_result())
    assert bars(figure) == {0: {0.0}, 2: {-0.3}, 3: {0.2}}
    assert "*COOH: no value" in words(figure)
    assert COOH_REASON in words(figure).replace("\n", " ")
    connectors = [
        line.get_gid()
        for line in figure.axes[0].get_lines()
        if str(line.get_gid()).startswith("connector-")
    ]
    assert connectors == ["connector-0-2"]


@pytest.mark.parametrize(
    ("scale", "label"), [("rhe", "0.00 V vs RHE"), ("she", "0.00 V vs SHE, pH 7.0")]
)
def test_the_diagram_names_potential_and_scale(scale, label):
    text = words(draw_profile(make_result(scale=scale)))
    assert f"U = {label}" in text
    assert "U_L = −0.60 V vs RHE" in text
    assert "determining step: * + CO₂(g) + H⁺ + e⁻ → *COOH" in text


def test_a_result_without_pathways_says_why():
    figure = draw_profile(make_result(pathways=(), reason="no level"))
    assert "no value: no level" in figure.texts[1].get_text()


def test_many_pathways_share_one_legend_row():
    pathways = tuple(
        make_pathway((0.0, 0.5 + 0.01 * i, -0.3, 0.2), name=f"p{i}") for i in range(9)
    )
    figure = draw_profile(make_result(pathways=pathways))
    assert "4 further" in words(figure)


def test_labels_cover_neither_bars_nor_each_other():
    levels = [0.0, 0.05, 0.1, 0.12, 0.4]
    places = place_labels(levels, [0.17] * len(levels))
    spans = sorted((place.bottom_in, place.top_in) for place in places)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert not any(low < bar < high for low, high in spans for bar in levels)


def test_drawn_labels_do_not_overlap():
    pathways = (
        make_pathway(),
        make_pathway((0.0, 0.61, -0.31, 0.21), name="other"),
        make_pathway((0.0, 0.55, -0.33, 0.25), name="third"),
    )
    figure = draw_profile(make_result(pathways=pathways))
    figure.canvas.draw()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [text.get_window_extent().shrunk(0.98, 0.9) for text in texts]
    assert len(boxes) >= 10
    for index, box in enumerate(boxes):
        assert not box.count_overlaps(boxes[index + 1 :])


def test_figures_are_written_byte_for_byte_the_same(tmp_path):
    for suffix in ("svg", "png"):
        first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
        save_figure(draw_profile(make_result()), first)
        save_figure(draw_profile(make_result()), second)
        assert first.read_bytes() == second.read_bytes()
    assert not re.search(r"<dc:date>", (tmp_path / "a.svg").read_text())


def test_a_page_is_the_same_each_time():
    assert render_page(make_study(), study="a") == render_page(make_study(), study="a")


def test_an_unknown_kind_of_figure_is_refused(tmp_path):
    with pytest.raises(ClusterflowError, match=r"\.svg, \.png or \.pdf"):
        save_figure(draw_profile(make_result()), tmp_path / "profile.gif")


def test_the_median_is_what_is_read_first():
    found = Uncertainty(
        median_v_rhe=-0.81,
        lower_v_rhe=-1.23,
        upper_v_rhe=-0.67,
        deviation_v=0.2,
        determining_step_probability={"* -> *COOH": 1.0},
        best_pathway_probability=1.0,
        n_samples=10_000,
    )
    lead = Selectivity(median_v=-0.34, lower_v=-0.91, upper_v=0.26, probability=0.17)
    changes = {
        "uncertainty": found,
        "selectivity": lead,
        "her_median_v_rhe": -0.47,
        "flags": ("read-the-median", "*CO -> * + CO(g): hidden-chemical-step"),
    }
    result = make_result().model_copy(update=changes)
    assert result.limiting_potential_v_rhe == -0.6
    html = render_page(make_study(result=result), study="demo")
    words = " ".join(Page(html).text.split())
    assert "= −0.81 V vs RHE (median); 90 % interval −1.23 to −0.67 V" in words
    assert "best estimate −0.60 V" in words
    plain = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "−0.34 −0.91 to +0.26 P = 0.17" in plain
    # A number is marked at a glance and in the ranking, with the step that hides.
    marked = re.findall(
        r'−0.81<sup title="([^"]*)">(\w+)</sup><sup title="([^"]*)', html
    )
    assert len(marked) == 2
    assert {m[0] for m in marked} == {"read-the-median"}
    assert {m[2] for m in marked} == {"hidden-chemical-step: *CO -&gt; * + CO(g)"}


def test_a_flag_of_the_result_alone_is_explained_too():
    result = make_result(flags=("of-the-whole",))
    text = Page(render_page(make_study(result=result), study="demo")).text
    assert "of the whole" in text and "of-the-whole" in text
