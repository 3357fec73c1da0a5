"""Free energies at other temperatures: the stage anew, and what is not to be had."""

from __future__ import annotations

import pytest

from clusterflow.records.adsorption import AdsorbRecord
from clusterflow.records.energies import ThermoRecord
from clusterflow.records.files import read_records
from clusterflow.records.profiles import CheRecord
from clusterflow.report.stage import report
from clusterflow.results.temperatures import step_energies, thermo_at
from clusterflow.settings import CheSettings
from clusterflow.stages.che import che
from clusterflow.stages.parts.job import Job
from tests.records.study_records import instead
from tests.results.results_folder import REACTIONS, write_results
from tests.stages.test_thermo import Study


@pytest.fixture(scope="module")
def records(tmp_path_factory, library, provenance, structure):
    folder = tmp_path_factory.mktemp("warm")
    write_results(folder, Study(library, provenance, structure), {"Cu2": {}})
    return read_records(folder)


def test_the_recorded_temperature_gives_the_record(records, library):
    (known,) = records.of(ThermoRecord)
    again = thermo_at(known, records, known.temperature_k, library)
    # Gases come in the order of their files.
    assert {s.name: s for s in again.species} == {s.name: s for s in known.species}


def test_steps_are_those_of_the_stages_run_there(records, library):
    found = step_energies(records.of(CheRecord)[0], records, library, [350.0])
    assert found.temperatures_k == (298.15, 350.0) and found.reason == ""
    warm = che(
        thermo_at(records.of(ThermoRecord)[0], records, 350.0, library),
        [library.reaction(name) for name in REACTIONS],
        CheSettings(),
        library,
        Job("che"),
    )
    for column, record in enumerate((records.of(CheRecord)[0], warm)):
        for result in record.results:
            for step in result.steps:
                at = found.dg0_ev[step.name][column]
                assert at == pytest.approx(step.dg0_ev, abs=1e-12)


def test_without_the_records_underneath_there_is_a_reason(records, library):
    partly = instead(records, AdsorbRecord)
    found = step_energies(partly.of(CheRecord)[0], partly, library)
    assert found.temperatures_k == ()
    assert "no record adsorb/Cu2/" in found.reason
    whole = step_energies(records.of(CheRecord)[0], records, library)
    assert found.deviations == whole.deviations is not None


def test_no_name_leads_out_of_the_results_folder(records, library, tmp_path):
    name = "../../up"
    moved = records.of(CheRecord)[0].model_copy(update={"cluster": name})
    folder = tmp_path / "a" / "b"
    written = report(
        instead(records, CheRecord, (moved,)), folder, name, library, Job("report")
    )
    assert name in (folder / "report.html").read_text()
    files = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {folder / file for file in written.files}
    assert all(
        folder.resolve() in (folder / f).resolve().parents for f in written.files
    )
