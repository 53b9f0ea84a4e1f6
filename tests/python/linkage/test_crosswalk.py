"""The data tests of the crosswalk find damage."""

from __future__ import annotations

import re

from tests.python.conftest import copied, try_dbt

from outcomes.config import Settings
from outcomes.warehouse.connection import connect

COMPLETE = "crosswalk_is_complete"
UNIQUE = (
    "unique_combination_person_crosswalk_record_type__partner_id__record_id__person_id__decision"
)
SHARED = "only_linked_clients_share_a_students_person"

LAST_CLIENT = """
    record_id = (
        select max(record_id) from identity.person_crosswalk
        where record_type = 'client' and decision = 'link'
    )
"""

# Damage to the crosswalk, and the data tests that find it.
DAMAGE = {
    "": set(),
    f"delete from identity.person_crosswalk where {LAST_CLIENT}": {COMPLETE},
    f"update identity.person_crosswalk set record_id = 'a:1' where {LAST_CLIENT}": {COMPLETE},
    f"""
    insert into identity.person_crosswalk
    select * from identity.person_crosswalk where {LAST_CLIENT}
    """: {UNIQUE},
    f"""
    insert into identity.person_crosswalk
    select * from identity.person_crosswalk where {LAST_CLIENT};
    delete from identity.person_crosswalk
    where record_id = (
        select min(record_id) from identity.person_crosswalk where record_type = 'client'
    )
    """: {COMPLETE, UNIQUE},
    f"update identity.person_crosswalk set person_id = 'P0' where {LAST_CLIENT}": {SHARED},
    f"update identity.person_crosswalk set record_id = null where {LAST_CLIENT}": {
        COMPLETE,
        UNIQUE,
    },
    f"update identity.person_crosswalk set decision = null where {LAST_CLIENT}": {UNIQUE},
}


def test_changed_rights_are_noticed(built_demo: Settings) -> None:
    with copied(built_demo, "damaged_crosswalk") as settings:
        with connect(settings) as connection:
            connection.execute("create table public.kept as table identity.person_crosswalk")
        for damage, found in DAMAGE.items():
            with connect(settings) as connection:
                connection.execute("truncate identity.person_crosswalk")
                connection.execute("insert into identity.person_crosswalk table public.kept")
                connection.execute(damage.encode())
            done = try_dbt(settings, "test", "--select", COMPLETE, UNIQUE, SHARED)
            assert set(re.findall(r"Failure in test (\w+)", done.output)) == found
            assert done.success == (not found)
