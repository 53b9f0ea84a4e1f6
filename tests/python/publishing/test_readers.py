"""People can read during publications: no errors, and one run at a time.

To run it with more readers and rebuilds:

    export OUTCOMES_TEST_READERS=100 OUTCOMES_TEST_REBUILDS=20
    pytest tests/python/publishing/test_readers.py
"""

from __future__ import annotations

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import IsolationLevel
from tests.python.conftest import TESTED, run_dbt
from tests.python.publishing.warehouse import SCHEMAS, definitions, public_run, roll_back

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

READERS = int(os.environ.get("OUTCOMES_TEST_READERS", "24"))
REBUILDS = int(os.environ.get("OUTCOMES_TEST_REBUILDS", "1"))

# Two relations of two schemas, and their entries in `publications`, in one statement.
ONE_STATEMENT = """
    select
        made.run_id,
        public.run_id,
        own_counts.row_count,
        (select count(*) from marts.fct_student_years),
        public_counts.row_count,
        (select count(*) from marts_public.rpt_outcome_gaps)
    from marts.publications as made
    inner join publishing.run_relations as own_counts
        on (own_counts.run_id, own_counts.schema_name, own_counts.relation)
        = (made.run_id, 'marts', made.relation)
    cross join marts_public.publications as public
    inner join publishing.run_relations as public_counts
        on (public_counts.run_id, public_counts.schema_name, public_counts.relation)
        = (public.run_id, 'marts_public', public.relation)
    where made.relation = 'fct_student_years' and public.relation = 'rpt_outcome_gaps'
"""
PUBLICATIONS = " union all ".join(
    f"select '{schema}.' || relation, run_id, row_count from {schema}.publications "
    f"inner join publishing.run_relations using (run_id, relation) where schema_name = '{schema}'"
    for schema in SCHEMAS
)


def read(settings: Settings, stop: threading.Event) -> list[str]:
    """Poll until `stop` is set; returns the runs that were seen, in order."""
    seen: list[str] = []
    turns = itertools.count()
    with connect(settings) as reader:
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        last = False
        while not last:
            # The same rate of queries for any number of readers.
            last = stop.wait(READERS / 120)
            seen.append(read_once(reader))
            with reader.transaction():
                made = reader.execute(PUBLICATIONS.encode()).fetchall()
                # A few relations, different ones each time.
                for turn in itertools.islice(turns, 3):
                    relation, _, row_count = made[turn % len(made)]
                    rows = reader.execute(f"select count(*) from {relation}".encode()).fetchone()
                    assert rows == (row_count,), relation
            runs = {run_id for _, run_id, _ in made}
            assert len(runs) == 1
            seen.extend(runs)
    return [run for run, last in zip(seen, [None, *seen], strict=False) if run != last]


def read_once(reader: psycopg.Connection) -> str:
    row = reader.execute(ONE_STATEMENT).fetchone()
    assert row is not None
    run, public, years, years_read, gaps, gaps_read = row
    assert (run, years_read, gaps_read) == (public, years, gaps)
    return str(run)


@pytest.mark.slow
def test_readers_see_one_run_at_a_time_without_errors(
    published: Settings, connection: psycopg.Connection
) -> None:
    runs, defined = [public_run(connection)], definitions(connection)
    stop = threading.Event()
    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, published, stop) for _ in range(READERS)]
        try:
            for rebuild in range(REBUILDS):
                # Each run has another as-of date, so that the rows differ.
                days = ("{as_of: 2012-09-12, publish: true, accept_loss: a test}", "{}")
                run_dbt(published, *TESTED, "--full-refresh", "--vars", days[rebuild % 2])
                runs.append(public_run(connection))
                assert definitions(connection) == defined
            roll_back(connection)
            runs.append(public_run(connection))
            assert definitions(connection) == defined
        finally:
            stop.set()
        for reader in readers:
            assert reader.result() == runs
    assert len(set(runs[:-1])) == REBUILDS + 1
