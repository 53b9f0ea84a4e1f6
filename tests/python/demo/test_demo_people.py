"""The invented people: repeatable, of the size asked for, messy, and with visible gaps."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from demo.__main__ import app
from demo.plan import Plan
from outcomes.errors import OutcomesError

Make = Callable[[Plan, Path], None]


def fingerprints(path: Path) -> dict[str, str]:
    return {
        file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def pittsburgh_csv(demo: Path, day: str, name: str) -> pl.DataFrame:
    archive = demo / f"drops/pittsburgh/{day}/PPS_DHS_{day.replace('-', '')}.zip"
    with zipfile.ZipFile(archive) as files:
        text = files.read(f"{name}.csv").decode("cp1252")
    return pl.read_csv("\n".join(text.split("\r\n")[:-2]).encode(), infer_schema=False)


def test_same_arguments_make_the_same_bytes(
    demo: Path, plan: Plan, make: Make, tmp_path: Path
) -> None:
    opened: list[str] = []
    listening = [True]

    def listen(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and listening:
            opened.append(str(args[0]))

    sys.addaudithook(listen)
    make(plan, tmp_path / "again")
    listening.clear()
    assert fingerprints(tmp_path / "again") == fingerprints(demo)
    # No file of the sample is read.
    assert opened
    assert not [path for path in opened if "/sample/" in path]


def test_nobody_else_depends_on_cornell(
    demo: Path, plan: Plan, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "parts", lambda plan: (plan,))
    make(plan, tmp_path / "without")
    drops, without = demo / "drops", tmp_path / "without" / "drops"
    assert {path.name for path in drops.iterdir()} - {path.name for path in without.iterdir()} == {
        "cornell"
    }
    for partner in ("pittsburgh", "clairton", "woodland_hills", "interventions"):
        assert fingerprints(without / partner) == fingerprints(drops / partner)
    extracts = sorted(without.glob("dhs/*/*.csv.gz"))
    assert extracts
    for path in extracts:
        rows = gzip.decompress(path.read_bytes())
        all_rows = gzip.decompress((drops / path.relative_to(without)).read_bytes())
        assert all_rows.startswith(rows), path.name


def test_the_command_follows_its_options(tmp_path: Path) -> None:
    sizes = ["--students", "300", "--clients", "2000", "--weeks", "1", "--school-years", "0"]
    result = CliRunner().invoke(app, [str(tmp_path / "a"), *sizes])
    assert result.exit_code == 0
    # A quarter more are of Cornell.
    assert len(pl.read_parquet(tmp_path / "a/truth/client_person.parquet")) == 2500
    students = pl.read_parquet(tmp_path / "a/truth/student_person.parquet")
    assert set(students["school_year"]) == {2013}
    assert 250 < len(students) < 350
    assert [path.name for path in (tmp_path / "a/drops/clairton").iterdir()] == ["2012-08-29"]
    assert "invented" in (tmp_path / "a/README.md").read_text()


def test_sizes_follow_the_arguments(demo: Path, plan: Plan) -> None:
    students = pl.read_parquet(demo / "truth/student_person.parquet")
    running = students.filter(pl.col("school_year") == 2013)
    assert abs(len(running) - plan.students) < 0.1 * plan.students
    clients = sum(part.clients for part in plan.parts())
    assert len(pl.read_parquet(demo / "truth/client_person.parquet")) == clients
    assert set(students.filter(district="woodland_hills")["school_year"]) == {2013}
    assert set(students.filter(district="clairton")["school_year"]) == {2012, 2013}
    assert set(students.filter(district="pittsburgh")["school_year"]) == {2011, 2012, 2013}
    cornell = students.filter(district="cornell", school_year=2012)
    assert 0 < len(cornell) < len(students.filter(district="clairton", school_year=2012))


def test_every_kind_of_mess_is_there(demo: Path) -> None:
    mess = pl.read_parquet(demo / "truth/mess.parquet")
    clients = mess.filter(record_type="client")
    assert clients.filter(pl.col("records") == 0).is_empty()
    assert len(clients) == 21
    never_in_schools = {"birth_unknown", "sex_unknown"}
    in_schools = mess.filter((pl.col("record_type") == "student") & (pl.col("records") > 0))
    assert len(in_schools) > 12
    assert not never_in_schools & set(in_schools["kind"])

    people = pl.read_parquet(demo / "truth/people.parquet")
    for relation in ("twin_of", "parent", "same_name_as", "former_last_name", "nickname"):
        assert people[relation].count() > 0
    assert people["last_name"].str.contains("-").any()
    assert people["last_name"].str.contains("[áéíóúñ]").any()
    assert set(people["suffix"].drop_nulls()) >= {"Jr", "Sr"}
    twins = people.join(people, left_on="twin_of", right_on="person_id", suffix="_twin")
    assert (twins["birth_date"] == twins["birth_date_twin"]).all()
    assert (twins["street"] == twins["street_twin"]).all()


def test_ids_do_not_identify_persons(demo: Path) -> None:
    students = pl.read_parquet(demo / "truth/student_person.parquet")
    pittsburgh = students.filter(district="pittsburgh")
    local_ids = pittsburgh.group_by("person_id").agg(pl.col("district_student_id").n_unique())
    assert local_ids["district_student_id"].max() == 2
    state_ids = pittsburgh.drop_nulls("pasecureid").group_by("pasecureid")
    assert state_ids.agg(pl.col("person_id").n_unique())["person_id"].max() == 2
    assert pittsburgh["pasecureid"].null_count() > 0
    assert students.filter(district="woodland_hills")["pasecureid"].null_count() == 0
    districts = students.group_by("person_id").agg(pl.col("district").n_unique())
    assert (districts["district"] > 1).sum() > 3


def test_people_have_many_records_and_half_the_students_are_involved(demo: Path) -> None:
    clients = pl.read_parquet(demo / "truth/client_person.parquet")
    assert clients["person_id"].n_unique() * 2 < len(clients)
    assert clients["source"].n_unique() == 9
    assert clients["deleted_on"].count() > 0
    people = pl.read_parquet(demo / "truth/people.parquet")
    students = people.filter(kind="student")
    assert 0.5 < students["is_involved"].mean() < 0.65
    involved = students.filter("is_involved")
    assert involved.join(clients, on="person_id", how="anti").is_empty()


def test_involved_students_do_worse(demo: Path) -> None:
    truth = pl.read_parquet(demo / "truth/student_person.parquet").filter(
        district="pittsburgh", school_year=2012
    )
    people = pl.read_parquet(demo / "truth/people.parquet").select("person_id", "is_involved")
    involved = truth.join(people, on="person_id").select(
        "is_involved", StudentID="district_student_id"
    )
    directory = pittsburgh_csv(demo, "2012-06-25", "STUDENT_DIRECTORY")
    whole_year = directory.filter(
        pl.col("EntryCode").eq("E01") & pl.col("ExitCode").is_null()
    ).select("StudentID")
    absences = (
        pittsburgh_csv(demo, "2012-06-25", "ATTENDANCE_EVENTS")
        .filter(pl.col("EventCode").is_in(["U", "E", "M", "S"]))
        .group_by("StudentID")
        .agg(days=pl.col("DayFraction").cast(pl.Float64).sum())
    )
    year = whole_year.join(absences, on="StudentID", how="left").join(involved, on="StudentID")
    chronic = year.with_columns(is_chronic=pl.col("days").fill_null(0) > 18)
    assert 0.2 <= chronic["is_chronic"].mean() <= 0.28

    def gap(frame: pl.DataFrame, value: pl.Expr) -> float:
        means = dict(
            frame.join(involved, on="StudentID").group_by("is_involved").agg(value.mean()).rows()
        )
        return means[True] - means[False]

    assert gap(chronic.drop("is_involved"), pl.col("is_chronic")) > 0.1
    gpas = pittsburgh_csv(demo, "2012-06-25", "TERM_GPA")
    assert gap(gpas, pl.col("CumulativeGPA").cast(pl.Float64)) < -0.25
    tests = pittsburgh_csv(demo, "2012-08-27", "PSSA_2012")
    assert gap(tests, pl.col("PerformanceLevel").is_in(["Proficient", "Advanced"])) < -0.1


def test_faults_are_delivered_and_logged(demo: Path) -> None:
    faults = pl.read_parquet(demo / "truth/faults.parquet")
    assert {
        "row of another school year", "attendance of an unknown student", "short, sent again",
        "broken optional value in SSN", "broken required value in EntryDate",
    } <= set(faults["kind"])  # fmt: skip
    first = pittsburgh_csv(demo, "2012-08-27", "STUDENT_DIRECTORY")
    old = first.filter(pl.col("EntryDate").str.to_date("%m/%d/%Y") < pl.date(2012, 7, 1))
    assert len(old) == faults.filter(kind="row of another school year")["rows"].sum()
    third = pittsburgh_csv(demo, "2012-09-10", "STUDENT_DIRECTORY")
    assert (third["EntryDate"] == "02/30/2012").sum() == 1
    # Rows entered by mistake are missing from later snapshots.
    assert set(first.join(old, on="StudentID", how="anti")["StudentID"]) - set(third["StudentID"])
    events = pittsburgh_csv(demo, "2012-09-10", "ATTENDANCE_EVENTS")
    assert (events["StudentID"] == "990000000").sum() == 2


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["demo", "--students", "-1"], "--students must be from 200 to 1000000, not -1"),
        (["demo", "--weeks", "0"], "--weeks"),
        (["here"], "empty folder"),
        (["here/file/demo"], "cannot be created"),
    ],
)
def test_impossible_sizes_and_folders_are_refused(
    tmp_path: Path, arguments: list[str], problem: str
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/file").touch()
    result = CliRunner().invoke(app, [str(tmp_path / arguments[0]), *arguments[1:]])
    assert isinstance(result.exception, OutcomesError)
    assert problem in str(result.exception)
