"""`outcomes link evaluate`: its figures and its output."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from outcomes.cli import cli
from outcomes.cli import linkage as commands
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.linkage.evaluate import Evaluation, Measured, Quality, evaluate, read_truth, wilson
from outcomes.warehouse.connection import connect


@pytest.fixture(scope="module")
def truth(demo_drops: Path) -> pl.DataFrame:
    return read_truth(demo_drops.parent / "truth")


@pytest.fixture(scope="module")
def evaluation(built_demo: Settings, truth: pl.DataFrame) -> Evaluation:
    with connect(built_demo) as connection:
        return evaluate(connection, truth)


def in_force(evaluation: Evaluation) -> Measured:
    (at,) = [m for m in evaluation.by_threshold if float(m.label) == evaluation.link_weight]
    return at


def test_wilson_intervals_are_the_published_ones() -> None:
    # Newcombe (1998), table I: 81 of 263 and 0 of 20.
    share, none = wilson(81, 263), wilson(0, 20)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    assert (round(none.low, 4), round(none.high, 4)) == (0.0, 0.1611)
    assert isnan(wilson(0, 0).value)


def test_f1_is_the_harmonic_mean_and_lies_in_its_interval() -> None:
    quality = Quality(both=80, found=100, true=90)
    precision, recall, f1 = quality.precision.value, quality.recall.value, quality.f1
    assert f1.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert f1.low < f1.value < f1.high


def test_the_threshold_in_force_gives_the_links_in_force(
    built_demo: Settings, evaluation: Evaluation, truth: pl.DataFrame
) -> None:
    with connect(built_demo) as connection:
        rows = connection.execute(
            """
            select students.partner_id || ':' || students.record_id, clients.record_id
            from identity.person_crosswalk as students
            inner join identity.person_crosswalk as clients
                on students.person_id = clients.person_id
            where
                students.record_type = 'student'
                and clients.record_type = 'client'
                and clients.decision = 'link'
            """
        ).fetchall()
    person = {
        (record_type, record): true
        for record_type, record, true in truth.select("record_type", "record", "true").rows()
    }
    both = sum(person["student", student] == person["client", client] for student, client in rows)
    at = in_force(evaluation)
    assert (at.pairs.found, at.pairs.both) == (len(rows), both)
    assert at.pairs.precision.value > 0.97
    assert at.pairs.recall.value > 0.9


def test_expected_recall_is_close_to_measured_recall(
    built_demo: Settings, evaluation: Evaluation
) -> None:
    with connect(built_demo) as connection:
        expected = dict(
            connection.execute(
                """
                select link_weight, expected_recall from identity.match_quality
                where group_type = 'all'
                """
            ).fetchall()
        )
    for measured in evaluation.by_threshold:
        recall = measured.pairs.recall.value
        assert expected[float(measured.label)] == pytest.approx(recall, abs=0.01)


def test_a_higher_threshold_finds_less(evaluation: Evaluation) -> None:
    found = [measured.pairs.found for measured in evaluation.by_threshold]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]
    assert len({measured.pairs.true for measured in evaluation.by_threshold}) == 1


def test_blocking_finds_almost_all_true_pairs(evaluation: Evaluation) -> None:
    loosest = evaluation.by_threshold[0].pairs
    assert evaluation.blocking_recall.n == loosest.true
    assert evaluation.blocking_recall.value > 0.98


def test_a_true_pair_that_was_not_compared_is_missed(built_demo: Settings, tmp_path: Path) -> None:
    """Of two students and their two clients, one client is said to be the other student's."""
    with connect(built_demo) as connection:
        linked = connection.execute(
            """
            select distinct on (persons.person_id)
                persons.district_id, persons.district_student_id, clients.record_id
            from identity.int_identity_pairs as pairs
            inner join identity.int_identity_persons as persons using (student_key)
            inner join identity.int_identity_records as records
                on pairs.other_identity_id = records.identity_id
            inner join identity.person_crosswalk as clients
                on
                    records.record_id = clients.record_id
                    and persons.person_id = clients.person_id
            where pairs.pair_type = 'student_client' and clients.decision = 'link'
            order by persons.person_id
            limit 2
            """
        ).fetchall()
        (district, student, client), (other_district, other, others_client) = linked
        file = tmp_path / "truth.csv"
        file.write_text(
            "record_type,partner_id,record_id,person_id\n"
            f"student,{district},{student},1\nclient,dhs,{client},1\n"
            f"student,{other_district},{other},2\nclient,dhs,{others_client},1\n"
        )
        evaluation = evaluate(connection, read_truth(file))
    assert (evaluation.blocking_recall.value, evaluation.blocking_recall.n) == (1 / 2, 2)
    assert in_force(evaluation).pairs == Quality(both=1, found=2, true=2)


def test_every_pair_and_cluster_is_in_one_group_of_each_kind(evaluation: Evaluation) -> None:
    at = in_force(evaluation)
    kinds = {measured.label.split(":")[0] for measured in evaluation.by_group}
    assert kinds == {"district", "gender", "race", "age band"}
    for kind in kinds:
        groups = [m for m in evaluation.by_group if m.label.startswith(kind)]
        for unit in ("pairs", "clusters"):
            whole = getattr(at, unit)
            parts = [getattr(group, unit) for group in groups]
            assert sum(part.both for part in parts) == whole.both
            assert sum(part.found for part in parts) == whole.found
            assert sum(part.true for part in parts) == whole.true


def test_a_perfect_truth_gives_perfect_clusters(built_demo: Settings, tmp_path: Path) -> None:
    """The crosswalk agrees with itself as the truth."""
    file = tmp_path / "truth.csv"
    with connect(built_demo) as connection, file.open("wb") as stream:
        query = (
            b"copy (select record_type, partner_id, record_id, person_id "
            b"from identity.person_crosswalk) to stdout (format csv, header)"
        )
        with connection.cursor().copy(query) as copy:
            for block in copy:
                stream.write(block)
        evaluation = evaluate(connection, read_truth(file))
    at = in_force(evaluation)
    assert at.pairs.true > 100
    assert at.pairs.f1.value == at.clusters.f1.value == 1


def test_the_command_prints_and_draws(
    built_demo: Settings,
    demo_drops: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", built_demo.database)
    monkeypatch.setattr(commands, "CHART_FILE", tmp_path / "chart.html")
    truth = str(demo_drops.parent / "truth")
    result = CliRunner().invoke(cli, ["link", "evaluate", "--truth", truth])
    assert result.exit_code == 0, result.output
    assert "gender: female" in result.output
    chart = (tmp_path / "chart.html").read_text()
    assert chart.count("data:image/svg+xml") == 3
    assert "nan" not in chart


def test_an_invalid_truth_is_refused(built_demo: Settings, tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match="does not exist"):
        read_truth(tmp_path / "nowhere.csv")
    with pytest.raises(OutcomesError, match=r"expected student_person\.parquet"):
        read_truth(tmp_path)
    file = tmp_path / "truth.csv"
    file.write_text("record_type,partner_id,record_id\n")
    with pytest.raises(OutcomesError, match="column person_id is missing"):
        read_truth(file)
    file.write_text("record_type,partner_id,record_id,person_id\nstudent,atlantis,1,P1\n")
    with connect(built_demo) as connection, pytest.raises(OutcomesError, match="No student"):
        evaluate(connection, read_truth(file))
