"""Models, seeds and sources agree with their descriptions, tests and contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.python.docs.dbt_runs import DbtRun
from tests.python.docs.project_yaml import yaml_files, yaml_problems
from tests.python.parsed_projects import complaints, parsed

from outcomes.config import PROJECT_DIR, Settings
from outcomes.warehouse.connection import connect

DIAGNOSIS = ("What it checks:", "When it matters:", "How to resolve it:")


@pytest.mark.parametrize(
    "file", yaml_files(PROJECT_DIR), ids=lambda file: file.relative_to(PROJECT_DIR).as_posix()
)
def test_yaml_has_no_unknown_key(file: Path) -> None:
    assert yaml_problems(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("config:", "conifg:"),
        ("alias:", "alais:"),
        ("    columns:\n", "    colums:\n"),
        ("data_tests: [not_null]", "tests: [not_null]"),
        ("arguments:", "argument:"),
        ("description: Key.", "descripton: Key."),
        ("type: not_null", "typ: not_null"),
        ("        description: Key.\n", ""),
    ],
)
def test_a_misspelt_key_or_a_missing_description_is_reported(right: str, wrong: str) -> None:
    text = """
version: 2
models:
  - name: fct_things
    description: One row per thing.
    config: {alias: things}
    data_tests:
      - unique_combination:
          arguments: {columns: [thing_id]}
    columns:
      - name: thing_id
        description: Key.
        data_type: text
        constraints:
          - {type: not_null}
        data_tests: [not_null]
"""
    assert text.count(right) == 1
    assert yaml_problems(text) == []

    named = wrong.strip().split(":")[0] or "thing_id has no description"
    assert any(named in problem for problem in yaml_problems(text.replace(right, wrong)))


def test_each_yaml_describes_the_model_of_its_name(manifest: dict[str, Any]) -> None:
    """A model without one has no `patch_path`."""
    misplaced = [
        node["name"]
        for node in models_of(manifest)
        if (node["patch_path"] or "").split("://")[-1]
        != node["original_file_path"].removesuffix(".sql") + ".yml"
    ]

    assert misplaced == []


def test_every_description_begins_with_the_grain(manifest: dict[str, Any]) -> None:
    relations = [
        *(n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")),
        *manifest["sources"].values(),
    ]
    without = [
        node["name"]
        for node in relations
        if not re.match(r"One row( per |: |, )", node["description"])
    ]

    assert len(relations) > 50
    assert without == []


# Views of millions of rows, like those of `staging/feeds`. Landing checks what is delivered, unit
# tests check the views, and the tables that they read or that are made from them have data tests.
UNTESTED_VIEWS = {
    "stg_file_faults",
    "int_clients_accepted",
    "int_service_versions",
    "int_identity_candidates",
}


def test_every_seed_and_model_but_views_of_deliveries_has_a_data_test(
    manifest: dict[str, Any],
) -> None:
    tested = {
        node.get("attached_node")
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    untested = [
        node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
        and (node["fqn"][1:3], node["config"]["materialized"]) != (["staging", "feeds"], "view")
        and is_built(node)
        and key not in tested
    ]

    assert {node["name"] for node in untested} == UNTESTED_VIEWS
    assert {node["config"]["materialized"] for node in untested} == {"view"}


def test_every_seed_declares_types(manifest: dict[str, Any]) -> None:
    """dbt guesses the others, and takes the zeros from a code of digits."""
    seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
    assert seeds
    assert [seed["name"] for seed in seeds if not seed["config"]["column_types"]] == []


def test_every_mart_has_an_enforced_contract(manifest: dict[str, Any]) -> None:
    found = marts(manifest)

    assert found
    assert [m["name"] for m in found if not m["config"]["contract"]["enforced"]] == []


def test_only_staging_reads_sources(manifest: dict[str, Any]) -> None:
    readers = [
        node["name"]
        for node in models_of(manifest)
        if node["fqn"][1] != "staging"
        and any(parent.startswith("source.") for parent in node["depends_on"]["nodes"])
    ]

    assert readers == []


def diagnosis_problem(sql: str) -> str | None:
    """The missing part of the opening comment; None if it has all three, in order."""
    opening = re.match(r"/\*.*?\*/|(?:--[^\n]*\n)+", sql, re.DOTALL)
    if opening is None:
        return "no opening comment"
    places = [opening[0].find(part) for part in DIAGNOSIS]
    if -1 in places:
        return f"no {DIAGNOSIS[places.index(-1)]!r}"
    return None if places == sorted(places) else "in another order"


@pytest.mark.parametrize(
    "file", sorted((PROJECT_DIR / "tests" / "integrity").glob("*.sql")), ids=lambda file: file.stem
)
def test_every_integrity_test_explains_itself(file: Path) -> None:
    assert diagnosis_problem(file.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "/*\nWhat it checks: a.\nWhen it matters: b.\n*/\nselect 1",
        "/*\nWhen it matters: b.\nWhat it checks: a.\nHow to resolve it: c.\n*/\nselect 1",
        "select 1 -- What it checks: When it matters: How to resolve it:",
    ],
)
def test_an_unexplained_integrity_test_is_reported(sql: str) -> None:
    assert diagnosis_problem(sql) is not None


def test_parsing_gives_no_warning() -> None:
    assert parsed(PROJECT_DIR, "outcomes") is not None
    assert complaints["in_place"] == []


def test_docs_generate_gives_no_warning(documented: DbtRun, manifest: dict[str, Any]) -> None:
    assert documented.complaints == []
    assert documented.succeeded
    catalog = documented.artifact("catalog.json")
    assert not catalog["errors"]
    built = {node["unique_id"] for node in models_of(manifest) if is_built(node)}
    assert built - set(catalog["nodes"]) == set()


def test_described_columns_are_the_real_ones(
    manifest: dict[str, Any], built_demo: Settings
) -> None:
    with connect(built_demo) as connection:
        assert column_differences(connection, manifest) == []


def test_a_different_column_is_reported(manifest: dict[str, Any], built_demo: Settings) -> None:
    with connect(built_demo) as connection, connection.transaction(force_rollback=True):
        connection.execute("alter table marts.dim_districts rename column aun to number")
        connection.execute("drop table marts.fct_assessments cascade")

        assert column_differences(connection, manifest) == [
            "marts.dim_districts: aun is described and not there",
            "marts.dim_districts: number is there and not described",
            "marts.fct_assessments is not there",
        ]


def column_differences(connection: psycopg.Connection, manifest: dict[str, Any]) -> list[str]:
    """Where models, seeds and sources differ from their YAML, in either direction."""
    real: dict[tuple[str, str], set[str]] = {}
    for schema, relation, column in connection.execute(
        """
        select namespace.nspname, class.relname, attribute.attname
        from pg_attribute as attribute
        inner join pg_class as class on attribute.attrelid = class.oid
        inner join pg_namespace as namespace on class.relnamespace = namespace.oid
        where
            attribute.attnum > 0
            and not attribute.attisdropped
            and class.relkind in ('r', 'v', 'm', 'p')
        """
    ):
        real.setdefault((schema, relation), set()).add(column)
    problems = []
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        if not is_built(node):
            continue
        key = (node["schema"], node.get("alias") or node["identifier"])
        name = ".".join(key)
        if key not in real:
            problems.append(f"{name} is not there")
            continue
        described = set(node["columns"])
        problems += [f"{name}: {c} is described and not there" for c in described - real[key]]
        problems += [f"{name}: {c} is there and not described" for c in real[key] - described]
    return sorted(problems)


# Relations with a school year that have days in their rows, or are of one year only.
DATED = {
    "dim_dates", "fct_absences", "pseudonymized_fct_absences", "fct_enrollments",
    "pseudonymized_fct_enrollments", "rpt_school_moves", "pseudonymized_rpt_school_moves",
    "rpt_early_warnings", "district_rpt_early_warnings", "pseudonymized_rpt_early_warnings",
    "rpt_absence_risks", "pseudonymized_rpt_absence_risks",
    "rpt_measure_history",
}  # fmt: skip


def marts(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in models_of(manifest) if node["fqn"][1] in ("facts", "marts")]


def test_every_mart_by_year_has_known_through(manifest: dict[str, Any]) -> None:
    by_year = [
        node
        for node in marts(manifest)
        if node["name"] not in DATED and {"school_year", "follow_up_year"} & set(node["columns"])
    ]
    assert len(by_year) > 15
    for node in by_year:
        assert {"known_through", "is_complete_year"} <= set(node["columns"]), node["name"]


@pytest.mark.parametrize(
    "code", ["race", "grade", "base_grade", "program_group", "measure", "group"]
)
def test_every_code_of_a_mart_has_a_label(manifest: dict[str, Any], code: str) -> None:
    column = {"group": "group_value"}.get(code, code)
    coded = [
        node
        for node in marts(manifest)
        # Earlier publications are kept unchanged.
        if column in node["columns"] and node["name"] != "rpt_measure_history"
    ]
    assert coded
    for node in coded:
        assert f"{code}_label" in node["columns"], node["name"]


def is_built(node: dict[str, Any]) -> bool:
    """Whether it is a relation in the database, unlike an ephemeral model."""
    return (
        node["resource_type"] in ("model", "seed", "source")
        and node["config"].get("materialized") != "ephemeral"
    )


def models_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
