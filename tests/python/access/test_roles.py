"""What every role can do: the table of rights, in every way, and what follows from it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.python.access.acting import acting_as
from tests.python.access.rights import (
    ALL_ROLES,
    DISTRICTS,
    HEADER,
    READERS,
    ROWS,
    may_read,
    odd_relations,
    relations_of,
    rights,
    row_of,
    text_of,
)
from tests.python.landing.commands import run

from outcomes.access.roles import ROLES, apply_access, district_role
from outcomes.config import Settings
from outcomes.errors import OutcomesError
from outcomes.warehouse.connection import connect

DETAIL = {"mental_health", "substance_use", "MH_OUTPATIENT", "MH_INPATIENT", "DA_TREATMENT"}

# Ways to read a relation, and to write it.
READING = {
    "select": "select * from {relation}",
    "count": "select count(*) from {relation}",
    "copy": "copy {relation} to stdout",
    "copy of a query": "copy (table {relation}) to stdout",
    "plan": "explain select * from {relation}",
    "plan with figures": "explain analyze select * from {relation}",
    "function": "create function pg_temp.peek() returns bigint language sql as "
    "'select count(*) from {relation}'; select pg_temp.peek(); drop function pg_temp.peek()",
    "view": "create temp view peek as select * from {relation}; table peek; drop view peek",
    "prepared": "deallocate all; prepare peek as table {relation}; execute peek; deallocate peek",
}
WRITING = {
    "a": "explain insert into {relation} default values",
    "d": "explain delete from {relation}",
}


def works(connection: psycopg.Connection, statement: str) -> bool | None:
    """Whether the role may run the statement; None if it is impossible."""
    try:
        with connection.transaction():
            if statement.startswith("copy"):
                with connection.cursor().copy(statement.encode()) as copy:
                    for _ in copy:
                        pass
            else:
                connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.WrongObjectType, psycopg.errors.ObjectNotInPrerequisiteState):
        return None  # a view can be neither copied nor written
    return True


@pytest.fixture
def connection(first_publication: Settings) -> Iterator[psycopg.Connection]:
    with connect(first_publication) as opened:
        yield opened


def test_the_table_has_every_role_and_no_relation_that_is_gone(
    connection: psycopg.Connection,
) -> None:
    assert {f"outcomes_{name}" for name in HEADER[1:]} - {"outcomes_district"} == ROLES.keys()
    relations = relations_of(connection)
    assert len(relations) > 100
    used = {row_of(role, relation) for role in ALL_ROLES for relation in relations}
    unused = [pattern for number, (pattern, *_) in enumerate(ROWS) if number not in used]
    assert set(unused) <= {"previous_*", "dbt_test__audit.*"}


@pytest.mark.parametrize("role", ALL_ROLES)
def test_a_role_can_do_what_the_table_says(role: str, connection: psycopg.Connection) -> None:
    """In every way, on a relation of each row; the catalog tells about the others."""
    by_row = {row_of(role, relation): relation for relation in relations_of(connection)}
    wrong = []
    with acting_as(connection, role):
        for relation in by_row.values():
            allowed = rights(role, relation)
            ways = [(way, statement, "r") for way, statement in READING.items()]
            ways += [(statement, statement, letter) for letter, statement in WRITING.items()]
            for way, statement, letter in ways:
                found = works(connection, statement.format(relation=relation))
                if found is not None and found != bool(set(allowed) & {letter, "o"}):
                    wrong.append(f"{relation} by {way}")
    assert wrong == []


def odd_memberships(connection: psycopg.Connection) -> set[tuple[str, str]]:
    """Memberships in predefined roles, which can read all data, files or other sessions."""
    memberships = connection.execute(
        """
        select member.rolname, granted.rolname
        from pg_auth_members
        inner join pg_roles as member on pg_auth_members.member = member.oid
        inner join pg_roles as granted on pg_auth_members.roleid = granted.oid
        where member.rolname = any(%s)
        """,
        [ALL_ROLES],
    ).fetchall()
    no_readers = ("outcomes_loader", "outcomes_builder", "outcomes_public")
    return set(memberships) ^ {
        ("outcomes_builder", "pg_read_all_stats"),
        *((role, "outcomes_public") for role in ALL_ROLES if role not in no_readers),
    }


def powers(connection: psycopg.Connection) -> list[tuple[str, ...]]:
    """Attributes of roles over the server, and objects owned by another role than the builder."""
    return connection.execute(
        """
        select rolname, 'attribute'
        from pg_roles
        where
            rolname = any(%(roles)s)
            and (
                rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
                or rolcanlogin or rolconfig is not null
            )
        union all
        select rolname, pg_describe_object(classid, objid, objsubid)
        from pg_shdepend
        inner join pg_roles on refobjid = pg_roles.oid
        where
            refclassid = 'pg_authid'::regclass
            and deptype = 'o'
            and dbid = (select oid from pg_database where datname = current_database())
            and rolname = any(%(roles)s) and rolname <> 'outcomes_builder'
        """,
        {"roles": ALL_ROLES},
    ).fetchall()


def odd_rights(connection: psycopg.Connection) -> set[tuple[str, ...]]:
    """Rights on columns, sequences, servers and settings, and on schemas that nobody needs."""
    rights = connection.execute(
        """
        with lists as (
            select 'column' as kind, attrelid::regclass || '.' || attname as name, attacl as acl
            from pg_attribute
            union all
            select 'sequence', oid::regclass::text, relacl from pg_class where relkind = 'S'
            union all
            select 'schema', nspname, nspacl from pg_namespace
            union all
            select 'database', datname, datacl from pg_database where datname = current_database()
            union all
            select 'routine', oid::regprocedure::text, proacl from pg_proc
            union all
            select 'language', lanname, lanacl from pg_language
            union all
            select 'server', srvname, srvacl from pg_foreign_server
            union all
            select 'wrapper', fdwname, fdwacl from pg_foreign_data_wrapper
            union all
            select 'tablespace', spcname, spcacl from pg_tablespace
            union all
            select 'type', oid::regtype::text, typacl from pg_type
            union all
            select 'large object', oid::text, lomacl from pg_largeobject_metadata
            union all
            select 'setting', parname, paracl from pg_parameter_acl
            union all
            select 'default', defaclrole::regrole::text, defaclacl from pg_default_acl
            union all
            select 'catalog', oid::regclass::text, relacl from pg_class
            where relnamespace = 'pg_catalog'::regnamespace
        )

        select
            case grantee when 0 then 'public' else grantee::regrole::text end,
            kind,
            name,
            lower(privilege_type)
        from lists cross join aclexplode(acl)
        where
            grantee::regrole::text = any(%s) and grantee <> 'outcomes_builder'::regrole
            -- What everybody may by default, PostgreSQL's own catalogs among it.
            or grantee = 0
            and (
                kind in ('column', 'sequence', 'schema', 'large object', 'setting', 'default')
                and name !~ '^(pg_|information_schema|public$)'
                or kind = 'database' and privilege_type <> 'TEMPORARY'
            )
        """,
        [ALL_ROLES],
    ).fetchall()
    return set(rights) - {
        ("outcomes_loader", "schema", "raw", "usage"),
        ("outcomes_loader", "routine", "landing.take_back_joined(bigint)", "execute"),
        ("outcomes_developer", "database", connection.info.dbname, "create"),
        *(
            (role, "schema", relation.split(".")[0], "usage")
            for role in ALL_ROLES
            for relation in relations_of(connection)
            if role != "outcomes_builder" and may_read(role, relation)
        ),
    }


def lenders(connection: psycopg.Connection) -> list[tuple[str]]:
    """Views and functions that give a reader their owner's rights."""
    return connection.execute(
        """
        select oid::regclass::text from pg_class
        where
            relkind = 'v' and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
            and not coalesce('security_invoker=true' = any(reloptions), false)
        union all
        select oid::regprocedure::text from pg_proc
        where
            prosecdef and pronamespace::regnamespace::text not like 'pg\\_%%'
            and exists (
                select from pg_roles
                where
                    rolname = any(%s)
                    and rolname not in ('outcomes_loader', 'outcomes_builder')
                    and has_function_privilege(pg_roles.oid, pg_proc.oid, 'execute')
            )
        """,
        [ALL_ROLES],
    ).fetchall()


# Changes of rights, by somebody or by mistake, that must be noticed.
DAMAGE = [
    "revoke select on marts.dim_schools from outcomes_public",
    "grant select on marts_district.dim_students to outcomes_district_clairton; "
    "grant usage on schema marts_district to outcomes_district_clairton",
    "grant select on district_clairton.dim_students to outcomes_district_pittsburgh; "
    "grant usage on schema district_clairton to outcomes_district_pittsburgh",
    "grant outcomes_district_clairton to outcomes_district_pittsburgh",
    "grant select on marts.dim_students to outcomes_caseworker",
    "grant connect on database {database} to public",
    "grant select (last_name) on marts.dim_students to outcomes_analyst",
    "grant select (last_name) on marts.dim_students to public",
    "grant create on schema marts_public to outcomes_public",
    "grant create on schema staging to public",
    "grant usage on schema landing to outcomes_district_clairton",
    "grant usage on schema raw to outcomes_district_clairton",
    "grant select on sequence landing.files_file_id_seq to outcomes_analyst",
    "grant usage on sequence landing.files_file_id_seq to public",
    "grant pg_read_all_stats to outcomes_analyst",
    "grant pg_execute_server_program to outcomes_district_clairton",
    "grant outcomes_steward to outcomes_caseworker",
    "grant select on pg_largeobject to outcomes_analyst",
    "grant select on pg_statistic to outcomes_district_clairton",
    "select lo_from_bytea(4242, ''); grant select on large object 4242 to outcomes_analyst",
    "select lo_from_bytea(4242, ''); grant select on large object 4242 to public",
    "set local role outcomes_analyst; select lo_create(4242); reset role",
    "grant execute on function pg_read_file(text) to outcomes_steward",
    "grant set on parameter session_preload_libraries to outcomes_analyst",
    "alter default privileges in schema marts grant select on tables to outcomes_analyst",
    "alter role outcomes_district_clairton bypassrls",
    "alter role outcomes_analyst set search_path = marts",
    "alter table district_clairton.dim_students owner to outcomes_district_clairton",
    "create view marts_public.lent as table marts.dim_students",
    "alter function privacy.agreement_of(text) security definer",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_changed_rights_are_noticed(damage: str, connection: psycopg.Connection) -> None:
    checks = (odd_memberships, odd_relations, odd_rights, powers, lenders)
    with connection.transaction(force_rollback=True):
        connection.execute(damage.replace("{database}", connection.info.dbname).encode())
        assert any(check(connection) for check in checks)


def test_the_rights_are_as_intended(connection: psycopg.Connection) -> None:
    assert odd_memberships(connection) == set()
    assert odd_rights(connection) == set()
    assert powers(connection) == []
    assert lenders(connection) == []
    assert odd_relations(connection) == set()


@pytest.mark.parametrize("district", DISTRICTS)
def test_no_district_sees_another_districts_student(
    district: str, connection: psycopg.Connection
) -> None:
    foreign = {
        value
        for row in connection.execute(
            "select state_student_id, student_key, person_id from marts.dim_students "
            "where district_id <> %s",
            [district],
        )
        for value in row
    }
    own = {
        value
        for row in connection.execute(
            "select state_student_id, student_key from marts.dim_students where district_id = %s",
            [district],
        )
        for value in row
    }
    # A child who has moved may still be in the district's own files.
    sent = {
        value
        for (value,) in connection.execute(
            "select record_id from quality.incomplete_records where partner_id = %s", [district]
        )
    }
    canaries = foreign - own - sent - {None}
    assert len(canaries) > 50
    readable = [r for r in relations_of(connection) if may_read(district_role(district), r)]
    with acting_as(connection, district_role(district)):
        seen = {relation: text_of(connection, relation) for relation in readable}
    assert {relation for relation, values in seen.items() if values & canaries} == set()
    assert seen[f"district_{district}.dim_students"] & own


def test_no_district_role_sees_involvement(connection: psycopg.Connection) -> None:
    people = {
        person for (person,) in connection.execute("select person_id from marts.fct_involvements")
    }
    assert people
    for district in DISTRICTS:
        with acting_as(connection, district_role(district)):
            for relation in relations_of(connection):
                if relation.startswith(f"district_{district}."):
                    assert not text_of(connection, relation) & (people | DETAIL), relation
    columns = connection.execute(
        "select column_name from information_schema.columns "
        "where table_schema ~ '^(marts_district|district_)' "
        "and column_name ~ 'involved|person|program|service' "
        # The programs of the schools themselves.
        "and table_name <> 'fct_student_programs'"
    ).fetchall()
    assert columns == []


def test_the_analyst_sees_no_name_or_number(connection: psycopg.Connection) -> None:
    canaries = {
        value
        for row in connection.execute(
            "select student_key, district_student_id, person_id, state_student_id, last_name, "
            "first_name from marts.dim_students"
        )
        for value in row
        if value
    }
    # The label of a race can also be a surname.
    canaries -= {label for (label,) in connection.execute("select label from crosswalks.codes")}
    readable = [
        relation
        for relation in relations_of(connection)
        if may_read("outcomes_analyst", relation)
        and not relation.startswith(("crosswalks.", "policy."))
    ]
    with acting_as(connection, "outcomes_analyst"):
        seen = {relation: text_of(connection, relation) for relation in readable}
    assert seen["marts_pseudonymized.fct_student_years"]
    assert {relation for relation, values in seen.items() if values & canaries} == set()


def test_the_caseworker_sees_children_in_the_agencys_charge_only(
    connection: psycopg.Connection,
) -> None:
    with acting_as(connection, "outcomes_caseworker"):
        seen = connection.execute(
            "select student_key, district_id from marts.rpt_caseworker_students"
        ).fetchall()
    in_charge = {
        key
        for (key,) in connection.execute(
            """
            select students.student_key
            from marts.dim_students as students
            inner join marts.fct_involvements as services
                on students.person_id = services.person_id
            inner join policy.responsible_programs as programs
                on
                    services.source_id = programs.source_id
                    and services.program_code = programs.program_code
            cross join deliveries.int_as_of as today
            inner join landing.partners as partners
                on students.district_id = partners.partner_id
            where
                today.as_of_date between programs.valid_from and coalesce(valid_to, 'infinity')
                and today.as_of_date between started_on and coalesce(ended_on, 'infinity')
                and 'service_coordination' = any(partners.purposes)
            """
        )
    }
    assert {key for key, _ in seen} == in_charge
    assert in_charge
    assert "clairton" not in {district for _, district in seen}


@pytest.mark.parametrize("role", READERS)
def test_statistics_show_only_values_that_the_role_may_read(
    role: str, connection: psycopg.Connection
) -> None:
    with acting_as(connection, role):
        shown = connection.execute(
            "select distinct schemaname || '.' || tablename from pg_stats "
            "where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        extended = connection.execute("select from pg_stats_ext").fetchall()
        for table in ("pg_statistic", "pg_statistic_ext_data"):
            assert not works(connection, f"select * from {table}")
    assert [name for (name,) in shown if not may_read(role, name)] == []
    assert extended == []


def test_no_table_depends_on_row_level_security(connection: psycopg.Connection) -> None:
    """Row-level security leaks rows through plans and timing of leakproof predicates."""
    secured = "select from pg_class where relrowsecurity"
    assert connection.execute(secured.encode()).fetchall() == []


@pytest.mark.parametrize("role", READERS)
def test_information_schema_lists_only_the_roles_relations(
    role: str, connection: psycopg.Connection
) -> None:
    """BI tools show this list. pg_class shows the names of all relations to everybody."""
    with acting_as(connection, role):
        listed = connection.execute(
            """
            select table_schema || '.' || table_name from information_schema.tables
            where table_schema not in ('pg_catalog', 'information_schema')
            """
        ).fetchall()
    assert [name for (name,) in listed if not rights(role, name)] == []


@pytest.mark.parametrize("role", ALL_ROLES)
def test_only_the_builder_sees_other_sessions_queries(
    role: str, first_publication: Settings, connection: psycopg.Connection
) -> None:
    question = f"select 'a child by name, {secrets.token_hex(8)}'"
    with connect(first_publication) as somebody_else, acting_as(connection, role):
        somebody_else.execute(question.encode())
        for activity in ("pg_stat_activity", "pg_stat_get_activity(null)"):
            seen = connection.execute(
                f"select from {activity} where query = %s".encode(), [question]
            ).fetchall()
            assert len(seen) == (role == "outcomes_builder")


def test_exports_of_a_steward_are_recorded(
    first_publication: Settings,
    connection: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTCOMES_PG_DATABASE", first_publication.database)
    monkeypatch.setenv("PGOPTIONS", "-c role=outcomes_steward")
    (student,) = connection.execute("select min(student_key) from marts.dim_students").fetchone()
    newest = "select coalesce(max(disclosure_id), 0) from privacy.disclosures"
    (before,) = connection.execute(newest).fetchone()

    run("report", "summary")
    run("report", "district", "pittsburgh", "--out", tmp_path / "report.xlsx")
    run("link", "explain", student)
    run("link", "review", "--export", tmp_path / "review.xlsx")

    entered = connection.execute(
        "select disclosed, party, partner_id, row_count > 0, agreement like '%%contract%%' "
        "from privacy.disclosures where disclosure_id > %s",
        [before],
    ).fetchall()
    assert ("report district", "pittsburgh", "pittsburgh", True, True) in entered
    # An empty queue discloses nobody.
    asked = connection.execute(
        "select distinct district_id from identity.match_review_queue"
    ).fetchall()
    assert sorted(row for row in entered if row[0] == "link review --export") == [
        ("link review --export", first_publication.user, district_id, True, True)
        for (district_id,) in sorted(asked)
    ]

    nowhere = tmp_path / "report.xlsx" / "is no folder.xlsx"
    for command in (("report", "district", "clairton", "--out"), ("link", "review", "--export")):
        with pytest.raises(OutcomesError, match="cannot be written"):
            run(*command, nowhere)
    assert connection.execute(
        "select count(*) from privacy.disclosures where disclosure_id > %s", [before]
    ).fetchone() == (len(entered),)


def test_applying_again_only_fixes_changed_rights(
    connection: psycopg.Connection,
) -> None:
    assert apply_access(connection, DISTRICTS) == []
    with connection.transaction(force_rollback=True):
        connection.execute("grant select on privacy.pseudonym_key to outcomes_analyst")
        connection.execute("grant usage on schema raw to outcomes_public")
        connection.execute("revoke insert on raw.students from outcomes_loader")
        connection.execute("grant select (last_name) on raw.students to outcomes_analyst")
        connection.execute("grant usage on sequence landing.files_file_id_seq to outcomes_public")
        connection.execute("grant select on landing.files to public")
        connection.execute("grant usage on schema identity to public")
        connection.execute("grant outcomes_steward to outcomes_analyst with admin option")
        connection.execute("grant pg_read_all_data to outcomes_caseworker")
        # Granted by its holder.
        connection.execute("grant select on publishing.runs to outcomes_steward with grant option")
        connection.execute("set role outcomes_steward")
        connection.execute("grant select on publishing.runs to outcomes_analyst")
        connection.execute("reset role")
        assert len(apply_access(connection, DISTRICTS)) == 10
        assert apply_access(connection, DISTRICTS) == []


def test_a_new_district_gets_its_role(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        changes = apply_access(connection, [*DISTRICTS, "new_town"])
        assert "created the role outcomes_district_new_town" in changes


def test_a_role_of_that_name_with_more_rights_is_refused(connection: psycopg.Connection) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("alter role outcomes_analyst superuser")
        with pytest.raises(OutcomesError, match="outcomes_analyst exists and may log in or has"):
            apply_access(connection, DISTRICTS)
