"""The record of disclosures, `privacy.disclosures` (34 CFR 99.32), for exports.

Publications are recorded by disclosures.sql.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

AUDIT = "audit_and_evaluation"
COORDINATION = "service_coordination"


def record_export(
    connection: psycopg.Connection,
    party: str,
    interest: str,
    disclosed: str,
    rows: Mapping[str, int],
    purpose: str = AUDIT,
) -> None:
    """Enter an export before it is handed out; `rows` has the number of rows by district.

    A district without rows is not entered: nothing of it was disclosed.
    """
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into privacy.disclosures "
            "(partner_id, agreement, party, interest, purpose, disclosed, row_count) "
            "select %(district)s, privacy.agreement_of(%(district)s), "
            "%(party)s, %(interest)s, %(purpose)s, %(disclosed)s, %(rows)s",
            [
                {
                    "district": district,
                    "party": party,
                    "interest": interest,
                    "purpose": purpose,
                    "disclosed": disclosed,
                    "rows": count,
                }
                for district, count in rows.items()
                if count
            ],
        )
