"""A purge asks first, and forgets links. test_weekly_and_purge.py shows a whole one."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from tests.python.conftest import run_dbt
from tests.python.landing.commands import run

from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.operations import purge
from outcomes.operations.purge import Purged, begin, delete_rows, rewrite_storage, rows_of
from outcomes.warehouse.connection import connect


def test_purged_clients_have_no_links(demo: Settings) -> None:
    with connect(demo) as connection:
        clients = "select from identity.int_identities where record_type = 'client' limit 1"
        assert connection.execute(clients.encode()).fetchall() != []
        delete_rows(begin(connection, demo, "dhs"))
        run_dbt(demo, "run", "--select", "+int_identities")
        assert connection.execute(clients.encode()).fetchall() == []
        assert "identity.int_identity_records" not in rows_of(connection, "dhs")


def test_a_purge_asks_for_confirmation(connection: psycopg.Connection, demo_drops: Path) -> None:
    run("land", min((demo_drops / "clairton").iterdir()))
    code, output = run("purge", "--partner", "clairton")
    assert code == 1
    assert "They cannot be restored" in output
    assert connection.execute("select count(*) > 0 from raw.students").fetchone() == (True,)
    assert connection.execute("select count(*) from privacy.purges").fetchone() == (0,)


@pytest.mark.parametrize(
    ("left", "expected", "said"),
    [
        ([], 0, "Nothing of clairton is left."),
        (["2 segments of the log"], 3, "Not destroyed: 2 segments of the log."),
    ],
    ids=["nothing", "log"],
)
def test_a_purge_that_leaves_something_is_no_success(
    left: list[str], expected: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged = Purged(Path("certificate.md"), left)
    monkeypatch.setattr("outcomes.cli.operations.destroy", lambda *_: purged)
    code, output = run("purge", "--partner", "clairton", "--yes")
    assert (code, said in output) == (expected, True)


def test_a_purge_does_not_end_while_others_see_the_deleted_rows(
    connection: psycopg.Connection, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rewritten table would keep the rows, in files that nobody sees."""
    monkeypatch.setattr(purge, "PATIENCE_SECONDS", 0)
    connection.execute("create table public.canary as select n from generate_series(1, 1000) as n")
    with connect(database) as reader:
        with reader.transaction():
            reader.execute("set transaction isolation level repeatable read")
            # It sees the rows by its snapshot; a lock would only let the purge wait.
            reader.execute("select 1")
            connection.execute("delete from public.canary")
            destruction = begin(connection, database, "nobody")
            with pytest.raises(OutcomesError, match=f"process {reader.info.backend_pid}"):
                rewrite_storage(destruction)
        rewrite_storage(destruction)
    assert connection.execute("select pg_table_size('public.canary')").fetchone() == (0,)
