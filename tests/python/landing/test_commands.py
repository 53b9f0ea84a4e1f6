"""The commands: output, stored rows, exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest
from rich.console import Console

from outcomes.cli.landing import counts_table
from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.reader import load_contracts
from outcomes.errors import OutcomesError
from outcomes.landing.ledger import record_partners
from outcomes.landing.loader import Outcome
from outcomes.landing.reading import Counts

from .commands import run
from .deliveries import clairton, deliver, directory, events, ledger, woodland

PITTSBURGH = str(CONTRACTS_DIR / "pittsburgh.odcs.yaml")


def test_land_reports_and_succeeds(connection: psycopg.Connection, tmp_path: Path) -> None:
    clairton(tmp_path)
    directory(tmp_path, {}, {"SSN": "1"}, {"Grade": "x"})
    code, output = run("land", tmp_path)
    assert code == 0
    assert [line.split() for line in output.splitlines()[-2:]] == [
        ["clairton", "4", "–", "–", "–", "4", "–", "–"],
        ["pittsburgh", "1", "–", "–", "–", "2", "1", "1"],
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_the_counts_fit_a_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts(rows_loaded=15_000_000, rows_rejected=1_234_567, rows_filtered_out=123_456)
    outcome = Outcome("a_district_of_a_long_name", "a.csv", "loaded", counts=counts, issues=54_321)
    Console(width=width).print(counts_table([outcome], "Landed"))
    words = capsys.readouterr().out.split()
    assert {"partner", "already", "rejected", "15,000,000", "1,234,567", "123,456"} <= {*words}
    assert not any("…" in word for word in words)


def test_land_exits_with_3_when_somebody_has_to_act(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    deliver(tmp_path, "clairton/2012-10-03/notes.txt", b"x")
    code, output = run("land", tmp_path)
    assert code == 3
    assert "quarantined clairton 2012-10-03 notes.txt: unknown_file" in output
    code, output = run("land", tmp_path)
    assert code == 3, "it still does"
    assert "notes.txt: unknown_file – still: " in output
    # Any later delivery replaces a file of an unknown kind, although it still lies in the drops.
    clairton(tmp_path, day="2012-10-10")
    for _ in ("with its replacement", "later"):
        code, output = run("land", tmp_path)
        assert (code, "notes.txt" in output) == (0, False), output


def test_an_unfinished_contract_affects_only_its_partner(
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(CONTRACTS_DIR, folder)
    (folder / "duquesne.odcs.yaml").write_text("kind: DataContract\n")
    known = load_contracts(folder)
    assert "skipped" in caplog.text
    assert set(known.unusable) == {"duquesne"}
    assert set(known) == set(load_contracts())
    monkeypatch.setattr("outcomes.landing.land.load_contracts", lambda: known)
    clairton(tmp_path / "drops")
    deliver(tmp_path / "drops", "duquesne/2012-10-03/students.csv", b"x")
    code, output = run("land", tmp_path / "drops")
    assert code == 3
    assert "the contract of duquesne cannot be used yet" in output
    assert [status for _, status in ledger(connection)] == ["loaded"] * 4
    # If a contract becomes unusable, its partner's entries stay.
    (folder / "clairton.odcs.yaml").write_text("kind: DataContract\n")
    record_partners(connection, (broken := load_contracts(folder)).values(), broken.unusable)
    partners = connection.execute("select partner_id from landing.partners").fetchall()
    assert ("clairton",) in partners
    # Nothing of Clairton is delivered, but what changed in its contract is not in force.
    monkeypatch.setattr("outcomes.landing.land.load_contracts", lambda: broken)
    code, output = run("land", directory(tmp_path / "others", {}))
    assert code == 3
    assert "no usable contract clairton: correct or restore it" in output
    assert "no usable contract duquesne" not in output, "it was never in force"


def test_a_link_out_of_the_delivery_is_not_followed(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    outside = deliver(tmp_path, "outside.csv", b"secret")
    delivery = tmp_path / "drops/interventions/2012-10-01"
    deliver(delivery, "inside.csv", b"x")
    (delivery / "roster.csv").symlink_to(outside)
    (delivery / "notes.csv").symlink_to(delivery / "inside.csv")
    code, output = run("land", tmp_path / "drops")
    assert code == 3
    assert "roster.csv: a link that leads out of the delivery's folder" in output
    assert sorted(name for name, _ in ledger(connection)) == ["inside.csv", "notes.csv"]


def test_files_of_unknown_partners_and_places_are_named(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    events(tmp_path, {})
    deliver(tmp_path, "atlantis/2012-10-03/students.csv", b"x")
    deliver(tmp_path, "lost.csv", b"x")
    deliver(tmp_path, "clairton/.DS_Store", b"x")
    code, output = run("land", tmp_path)
    assert code == 3
    assert "no contract for partner 'atlantis'" in output
    assert "lost.csv: expected a file in a folder <partner>/<yyyy-mm-dd>/" in output
    assert "DS_Store" not in output
    assert len(ledger(connection)) == 1


def test_a_dry_run_prints_and_stores_nothing(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    woodland(tmp_path, "ATTENDANCE", ["103029902|x"] * 2)
    events(tmp_path, {})
    code, output = run("land", tmp_path, "--dry-run")
    assert code == 3
    assert "wrong_layout" in output
    assert "Would be landed" in output
    assert ledger(connection) == []
    assert connection.execute("select count(*) from raw.attendance_events").fetchone() == (0,)


def test_land_takes_a_delivery_or_a_single_file(
    connection: psycopg.Connection, tmp_path: Path
) -> None:
    file = events(tmp_path, {})
    clairton(tmp_path)
    assert run("land", file)[0] == 0
    assert run("land", tmp_path / "clairton" / "2012-10-03")[0] == 0
    assert len(ledger(connection)) == 5


def test_a_missing_path_is_an_error(database: object, tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match="does not exist"):
        run("land", tmp_path / "nowhere")
    with pytest.raises(OutcomesError, match="holds no file"):
        run("land", tmp_path)


def test_district_check_reports_all_and_needs_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_PORT", "1")
    file = directory(
        tmp_path, {}, *({"Grade": "x"} for _ in range(7)), {"SSN": "1", "Homeroom": ""}
    )
    code, output = run("district", "check", PITTSBURGH, file)
    assert code == 3
    assert "PPS_DHS_20121001.zip/STUDENT_DIRECTORY.csv: 11 lines, 2 rows would load" in output
    assert "row rejected: bad_format in Grade, 7 times" in output
    assert "(lines 3, 4, 5, 6, 7, …)" in output
    assert "value would become null: bad_format in SSN, 1 times" in output


def test_district_check_of_a_clean_file_succeeds(tmp_path: Path) -> None:
    assert run("district", "check", PITTSBURGH, directory(tmp_path, {}))[0] == 0


def test_district_check_takes_the_date_from_the_folder_or_the_option(tmp_path: Path) -> None:
    file = events(tmp_path, {})
    loose = file.rename(tmp_path / file.name)
    assert run("district", "check", PITTSBURGH, loose, "--as-of", "2012-10-01")[0] == 0
    code, output = run("district", "check", PITTSBURGH, loose)
    assert code == 3
    assert "name_date_mismatch" in output
    assert "give it: --as-of yyyy-mm-dd" in output
    assert "--as-of" not in run("district", "check", PITTSBURGH, loose, "--as-of", "2012-09-24")[1]
    with pytest.raises(OutcomesError, match="--as-of: expected yyyy-mm-dd"):
        run("district", "check", PITTSBURGH, loose, "--as-of", "10/01/2012")
