"""A purge asks first, and forgets links. test_weekly_and_purge.py shows a whole one."""

from __future__ import annotations

from pathlib import Path

import psycopg
from tests.python.conftest import run_dbt
from tests.python.landing.commands import run

from outcomes.access.purge import begin, delete_rows, rows_of
from outcomes.config import Settings
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
    assert connection.execute("select count(*) from landing.purges").fetchone() == (0,)
