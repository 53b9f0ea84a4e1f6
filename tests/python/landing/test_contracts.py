"""Contracts: ours follow the standard; errors of wrong ones name place and fault."""

from __future__ import annotations

import csv
import importlib.resources
import json
import shutil
from pathlib import Path

import jsonschema
import psycopg
import pytest
import yaml
from tests.python.landing.deliveries import two_program_partners

from outcomes.config import CONTRACTS_DIR, PROJECT_DIR
from outcomes.contracts.formats import DateFormat, spring_year
from outcomes.contracts.layout import FileName
from outcomes.contracts.model import CodesBy
from outcomes.contracts.reader import ContractError, load_contract, load_contracts
from outcomes.landing.ledger import record_partners

CONTRACTS = sorted(CONTRACTS_DIR.glob("*.odcs.yaml"))


def test_there_is_a_contract_for_every_partner() -> None:
    contracts = load_contracts()
    assert sorted(contracts) == [
        "clairton", "cornell", "dhs", "interventions", "pittsburgh", "woodland_hills",
    ]  # fmt: skip
    assert len(contracts["pittsburgh"].objects) == 8
    assert contracts["clairton"].agreement is not None
    assert contracts["clairton"].agreement.purposes == ["audit_and_evaluation"]


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_contracts_follow_the_standard(file: Path) -> None:
    package = importlib.resources.files("open_data_contract_standard")
    schema = json.loads(package.joinpath("schema.json").read_text("utf-8"))
    document = json.loads(json.dumps(yaml.safe_load(file.read_text("utf-8")), default=str))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_columns_are_classified_and_direct_identifiers_are_known(file: Path) -> None:
    direct = {
        "last_name", "first_name", "middle_name", "suffix", "ssn", "street",
        "district_student_id", "state_student_id", "source_client_id", "mci_id",
    }  # fmt: skip
    for item in load_contract(file).objects:
        for prop in item.properties:
            columns = {binding.split(".")[1] for binding in prop.feeds}
            if columns & direct:
                assert prop.classification == "direct_identifier", (item.name, prop.name)


def test_every_source_and_program_of_the_contract_is_known_to_the_models() -> None:
    contracts = load_contracts().values()
    rules = [
        rule
        for contract in contracts
        for item in contract.objects
        for rule in item.row_rules
        if contract.sources and isinstance(rule, CodesBy)
    ]
    codes = {source: codes for rule in rules for source, codes in rule.codes.items()}
    with (PROJECT_DIR / "seeds/policy/client_sources.csv").open(encoding="utf-8") as file:
        sources = {row["source_id"] for row in csv.DictReader(file)}
    assert sources == set(codes) == {s for contract in contracts for s in contract.sources}
    with (PROJECT_DIR / "seeds/crosswalks/program_codes.csv").open(encoding="utf-8") as file:
        programs = {(row["source_id"], row["program_code"]) for row in csv.DictReader(file)}
    assert programs == {(source, code) for source in codes for code in codes[source]}


def test_a_source_system_has_one_partner(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = two_program_partners(tmp_path / "contracts")
    assert {"dhs", "head_start"} <= load_contracts(folder).keys()
    shutil.copyfile(CONTRACTS_DIR / "dhs.odcs.yaml", folder / "dhs.odcs.yaml")
    contracts = load_contracts(folder)
    assert set(contracts.unusable) == {"dhs", "head_start"}
    assert not {"dhs", "head_start"} & contracts.keys()
    assert "clairton" in contracts
    message = "dhs.odcs.yaml: source_id: head_start delivers 'early_childhood', too"
    assert message in caplog.text


def test_the_sources_of_clients_are_listed(tmp_path: Path) -> None:
    text = (CONTRACTS_DIR / "dhs.odcs.yaml").read_text("utf-8")
    file = tmp_path / "dhs.odcs.yaml"
    start, end = text.index("        enum: &sources"), text.index("        required: true")
    file.write_text(text[:start] + text[end:].replace("enum: *sources", ""), "utf-8")
    with pytest.raises(ContractError, match=r"'source_id' fills clients\.source_id: expected an"):
        load_contract(file)
    file.write_text(text.replace("value: homelessness", "value: 'hud:homelessness'"), "utf-8")
    with pytest.raises(ContractError, match="source_id 'hud:homelessness': expected an id without"):
        load_contract(file)


@pytest.mark.parametrize(
    ("old", "new", "where", "problem"),
    [
        ("required: true", "requird: true",
         "schema[0] 'roster'.properties[0] 'intervention_code'", "did you mean 'required'"),
        ("property: frequency", "property: freqency", "slaProperties[0]",
         "did you mean 'frequency'"),
        ("value: 1, unit: m", "value: 0, unit: m", "slaProperties.frequency.value", "found 0"),
        ("value: 1, unit: m", "value: 1, unit: moon", "slaProperties.frequency.unit",
         "found 'moon'"),
        ("value: 7, unit: d", "value: 7, unit: w", "slaProperties.latency.unit", "found 'w'"),
        ("logicalType: date", "logicalType: dates",
         "schema[0] 'roster'.properties[4] 'started_on'.logicalType", "found 'dates'"),
        ("format: yyyy-MM-dd", "format: yyyy-mm-DD",
         "schema[0] 'roster'.properties[4] 'started_on'.format", "'DD' is not one of"),
        ("format: yyyy-MM-dd", "formt: yyyy-MM-dd",
         "schema[0] 'roster'.properties[4] 'started_on'.logicalTypeOptions", "'format'"),
        ("[intervention_rosters.started_on]", "[intervention_rosters.start_on]",
         "schema[0] 'roster'.properties[4] 'started_on'.feeds", "did you mean 'started_on'"),
        ("[intervention_rosters.started_on]", "[intervention_roster.started_on]",
         "schema[0] 'roster'.properties[4] 'started_on'.feeds", "'intervention_rosters'"),
        ("[intervention_rosters.started_on]", "[intervention_rosters.district_id]",
         "schema[0] 'roster'.properties[4] 'started_on'.feeds", "is text; the property"),
        ("[intervention_rosters.ended_on]", "[intervention_rosters.started_on]",
         "schema[0] 'roster'.properties[5] 'ended_on'.feeds", "bound twice"),
        ("[intervention_rosters.ended_on]", "[intervention_rosters.as_of_date]",
         "schema[0] 'roster'.properties[5] 'ended_on'.feeds", "as_of_date"),
        ("classification: sensitive", "classification: secret",
         "schema[0] 'roster'.properties[4] 'started_on'.classification", "found 'secret'"),
        ("property: feeds", "property: feed",
         "schema[0] 'roster'.properties[0] 'intervention_code'.feed", "did you mean 'feeds'"),
        ("property: snapshot", "property: snap",
         "schema[0] 'roster'.snap", "did you mean 'snapshot'"),
        ("value: cumulative", "value: weekly", "schema[0] 'roster'.snapshot", "found 'weekly'"),
        ("value: cumulative", "value: delta", "schema[0] 'roster'.snapshot",
         "expected cumulative, as intervention_rosters are read"),
        ("encoding: utf-8", "encoding: ebcdic", "schema[0] 'roster'.file.encoding", "'ebcdic'"),
        ("encoding: utf-8", "encodng: utf-8", "schema[0] 'roster'.file.encodng", "unknown key"),
        ("partnerKind, value: project", "partnerKind, value: district", "", "agreement and aun"),
        ("kind: DataContract", "kind: Data", "kind", "expected DataContract"),
        ("id: interventions", "id: intervention", "id", "expected the file's name"),
        ("status: active", "statuz: active", "", "did you mean 'status'"),
        ("name: ended_on", "name: started_on", "schema[0] 'roster'", "'started_on' occurs twice"),
        ('pattern: "[a-z0-9_]+"', 'pattern: "[a-z"',
         "schema[0] 'roster'.properties[2] 'district_id'", "not a regular expression"),
        ("schema:", "schema: [", "", "is not valid YAML"),
    ],
)  # fmt: skip
def test_the_error_of_a_wrong_contract_names_place_and_fault(
    tmp_path: Path, old: str, new: str, where: str, problem: str
) -> None:
    text = (CONTRACTS_DIR / "interventions.odcs.yaml").read_text("utf-8")
    assert old in text
    file = tmp_path / "interventions.odcs.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ContractError) as error:
        load_contract(file)
    message = str(error.value)
    assert message.startswith(f"{file}: {where}")
    assert problem in message


MONTHS = """
  - name: months
    customProperties:
      - {property: file, value: {name: months.csv}}
      - {property: snapshot, value: school_year}
    properties:
      - {name: id, logicalType: string, required: true, classification: direct_identifier,
         customProperties: [{property: feeds, value: [attendance_totals.district_student_id]}]}
      - {name: month, logicalType: date, required: true, classification: none,
         logicalTypeOptions: {format: yyyy-MM-dd},
         customProperties: [{property: feeds, value: [attendance_totals.month]}]}
      - {name: enrolled, logicalType: number, required: true, classification: sensitive,
         logicalTypeOptions: {minimum: 0, maximum: 31},
         customProperties: [{property: feeds, value: [attendance_totals.days_enrolled]}]}
      - {name: excused, logicalType: number, required: true, classification: sensitive,
         enum: [{value: 0}, {value: 0.5}, {value: 1}],
         customProperties: [{property: feeds, value: [attendance_totals.days_excused]}]}
      - {name: unexcused, logicalType: number, required: true, classification: sensitive,
         logicalTypeOptions: {minimum: 0, maximum: 10},
         customProperties: [{property: feeds, value: [attendance_totals.days_unexcused]}]}
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("", "", None),
        ("snapshot, value: school_year", "snapshot, value: delta",
         "snapshot: expected school_year, as attendance_totals are read; found 'delta'"),
        ("{name: month, logicalType: date, required: true", "{name: month, logicalType: date",
         "expected a property with `required: true` for attendance_totals.month"),
        ("[attendance_totals.days_excused]", "[]",
         "expected a property with `required: true` for attendance_totals.days_excused"),
        ("maximum: 31", "maximum: 366", "'enrolled': attendance_totals.days_enrolled must be from"),
        ("minimum: 0, maximum: 31", "maximum: 31", "days_enrolled must be from 0 to 31"),
        ("minimum: 0, maximum: 10", "minimum: -1, maximum: 10", "days_unexcused must be from"),
        ("{value: 0.5}, {value: 1}", "{value: 32}", "days_excused must be from 0 to 31"),
        ("logicalTypeOptions: {minimum: 0, maximum: 10},", "", "days_unexcused must be from"),
    ],
)  # fmt: skip
def test_a_contract_may_not_weaken_the_models_rules(
    tmp_path: Path, old: str, new: str, problem: str | None
) -> None:
    assert old in MONTHS
    text = (CONTRACTS_DIR / "interventions.odcs.yaml").read_text("utf-8")
    file = tmp_path / "interventions.odcs.yaml"
    file.write_text(text.rstrip("\n") + MONTHS.replace(old, new, 1), "utf-8")
    if problem is None:
        assert load_contract(file)
        return
    with pytest.raises(ContractError) as error:
        load_contract(file)
    assert problem in str(error.value)


def test_one_of_the_student_ids_is_required(tmp_path: Path) -> None:
    text = (CONTRACTS_DIR / "woodland_hills.odcs.yaml").read_text("utf-8")
    file = tmp_path / "woodland_hills.odcs.yaml"
    assert "[gpas.state_student_id]" in text
    file.write_text(text.replace("[gpas.state_student_id]", "[]"), "utf-8")
    either = "for gpas.district_student_id or gpas.state_student_id"
    with pytest.raises(ContractError, match=either):
        load_contract(file)


def test_a_partner_id_cannot_be_a_path(tmp_path: Path) -> None:
    text = (CONTRACTS_DIR / "interventions.odcs.yaml").read_text("utf-8")
    file = tmp_path / "...odcs.yaml"
    file.write_text(text.replace("id: interventions", 'id: ".."', 1), "utf-8")
    with pytest.raises(ContractError, match="String should match pattern"):
        load_contract(file)


def test_file_names_have_dated_and_free_parts() -> None:
    name = FileName(template="PPS_{as_of:yyyyMMdd}_{source_id}.zip")
    found = name.match("PPS_20121001_mental_health.zip")
    assert found is not None
    assert (str(found["as_of"]), found["source_id"]) == ("2012-10-01 00:00:00", "mental_health")
    assert name.match("PPS_20121301_x.zip") is None
    assert name.match("PPS_20120230_x.zip") is None
    assert name.match("xPPS_20121001_x.zip") is None
    assert name.match("PPS_20121001_x.zip\n") is None


def test_date_formats_accept_only_full_matches() -> None:
    import re

    padded, typed = DateFormat.parse("MM/dd/yyyy"), DateFormat.parse("M/d/yy")
    assert re.fullmatch(padded.regex, "02/29/2012")
    assert not re.fullmatch(padded.regex, "2/29/2012")
    assert not re.fullmatch(padded.regex, "02/29/0201")
    assert re.fullmatch(typed.regex, "2/9/12")
    assert (padded.strptime, typed.is_padded, typed.has_two_digit_year) == ("%m/%d/%Y", False, True)
    assert DateFormat.parse("yyyy-MM-dd'T'HH:mm:ss").strptime == "%Y-%m-%dT%H:%M:%S"


def test_school_years_begin_on_the_first_of_july() -> None:
    from datetime import date

    assert [spring_year(date(2012, 6, 30)), spring_year(date(2012, 7, 1))] == [2012, 2013]


def test_the_service_level_is_stored_with_the_partners(connection: psycopg.Connection) -> None:
    record_partners(connection, load_contracts().values())
    record_partners(connection, load_contracts().values())

    assert connection.execute(
        """
        select partner_id, delivery_interval::text, delivery_weekday, latency_days,
            max_shrink_share::float
        from landing.partners
        where partner_id in ('clairton', 'interventions')
        order by partner_id
        """
    ).fetchall() == [("clairton", "7 days", 3, 3, 0.1), ("interventions", "1 mon", None, 7, 0.1)]
    assert connection.execute(
        "select snapshot, feeds from landing.contract_objects where contract_object = 'Tests'"
    ).fetchall() == [("exempt", ["assessments"])]
