"""Reads `contracts/*.odcs.yaml` and refuses unknown keys.

Below the top level, the standard's own model ignores unknown keys: a misspelt `requird: true`
would silently make a column optional.
"""

from __future__ import annotations

import difflib
import logging
import typing
from collections.abc import Iterable, Mapping
from graphlib import CycleError
from itertools import combinations
from pathlib import Path
from typing import Any

import pydantic
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from outcomes.config import CONTRACTS_DIR
from outcomes.contracts.agreement import ServiceLevel
from outcomes.contracts.model import Contract, ContractObject, ContractProperty
from outcomes.errors import OutcomesError
from outcomes.feeds import allowed_snapshots, raw_feeds, raw_rules

Model = typing.TypeVar("Model", bound=pydantic.BaseModel)

# Both loaders are safe; the one in C reads a contract ten times as fast.
_YamlLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_log = logging.getLogger(__name__)
_LOAD_COLUMNS = {"partner_id", "load_id", "line_number", "as_of_date", "origin_file_id"}
_TYPE_OPTIONS = {"pattern", "format", "minimum", "maximum"}


class ContractError(OutcomesError):
    """A contract that cannot be used: the file, the place, what was expected."""

    def __init__(self, file: Path, where: str, problem: str) -> None:
        super().__init__(f"{file}: {where}: {problem}" if where else f"{file}: {problem}")


class Contracts(dict[str, Contract]):
    """The usable contracts by partner, and the errors of the others."""

    def __init__(self) -> None:
        super().__init__()
        self.unusable: dict[str, str] = {}

    def without(self, unusable: Mapping[str, str]) -> Contracts:
        """The contracts without those that turned out to be unusable, with the errors."""
        others = Contracts()
        others.update({name: self[name] for name in self if name not in unusable})
        others.unusable = self.unusable | dict(unusable)
        return others

    @property
    def district_ids(self) -> list[str]:
        """The districts that have a contract, usable or not."""
        return [*district_ids(self.values()), *self.unusable]


def load_contracts(folder: Path = CONTRACTS_DIR) -> Contracts:
    """All contracts of a folder, by partner, ready for landing.

    A contract that is invalid, has an object that neither fills a feed nor is read by another
    object's SQL, or shares a source system with another contract, is skipped with a warning. The
    other contracts stay usable.
    """
    contracts = Contracts()

    def skip(partner_id: str, error: ContractError) -> None:
        contracts.unusable[partner_id] = str(error)
        _log.warning("skipped: %s", error)

    for file in sorted(folder.glob("*.odcs.yaml")):
        try:
            contract = load_contract(file)
            for index, item in enumerate(contract.objects):
                if not (item.feeds or item.is_reference or item.name in contract.joined):
                    where = f"schema[{index}] {item.name!r}"
                    raise ContractError(file, where, "no property is bound to a feed")
            contracts[contract.partner_id] = contract
        except ContractError as error:
            skip(file.name.removesuffix(".odcs.yaml"), error)
    # The id of a client record is its source and the id there, whoever delivers it. Records of
    # two people with the same id would become one.
    for pair in combinations([*contracts.values()], 2):
        for contract, other in (pair, pair[::-1]):
            if shared := contract.sources & other.sources:
                problem = f"{other.partner_id} delivers {min(shared)!r}, too"
                skip(contract.partner_id, ContractError(contract.path, "source_id", problem))
    for partner_id in contracts.unusable.keys() & contracts.keys():
        del contracts[partner_id]
    known = contracts.district_ids
    for partner_id, contract in contracts.items():
        contracts[partner_id] = contract.with_districts(known)
    return contracts


def district_ids(contracts: Iterable[Contract]) -> list[str]:
    """The partners that are school districts."""
    return [c.partner_id for c in contracts if c.partner_kind == "district"]


def require_district(district_id: str) -> None:
    """Refuse an unknown district.

    Raises:
        OutcomesError: no usable contract is that of a district with this id.
    """
    known = district_ids(load_contracts().values())
    if district_id not in known:
        raise OutcomesError(
            f"No district {district_id!r} has a contract. Known are: {', '.join(known)}."
        )


def load_contract(file: Path) -> Contract:
    """Read and check one contract.

    Raises:
        ContractError: the file is missing, is not YAML, does not follow the standard, has an
            unknown key, or binds a column that no canonical feed has.
    """
    document = _read_yaml(file)
    _refuse_unknown_keys(file, OpenDataContractStandard, document, "")
    try:
        standard = OpenDataContractStandard.model_validate(document)
    except pydantic.ValidationError as error:
        raise _as_contract_error(file, "", error) from None

    objects = [
        _read_object(file, f"schema[{index}] {item.name!r}", item)
        for index, item in enumerate(standard.schema_ or [])
    ]
    fields = {
        "partnerId": standard.id,
        "name": standard.name,
        "version": standard.version,
        "path": file,
        "objects": objects,
        "slaProperties": _read_service_level(file, standard.slaProperties),
        **_custom_properties(file, "customProperties", standard.customProperties),
    }
    if standard.kind != "DataContract":
        raise ContractError(file, "kind", f"expected DataContract; found {standard.kind!r}")
    if file.name != f"{standard.id}.odcs.yaml":
        raise ContractError(file, "id", f"expected the file's name; found {standard.id!r}")
    contract = _build(file, "", Contract, fields)
    for index, item in enumerate(contract.objects):
        _check_bindings(file, f"schema[{index}] {item.name!r}", item)
    _check_joins(file, contract)
    return contract


def _check_joins(file: Path, contract: Contract) -> None:
    """Check that the objects read by SQL exist, that there is no cycle, and that the SQL runs."""
    known = {item.name for item in contract.objects}
    for index, item in enumerate(contract.objects):
        where = f"schema[{index}] {item.name!r}"
        for name in sorted(item.source_objects):
            if name not in known:
                raise ContractError(file, where, f"object {_unknown_key(name, known)}")
        if item.delta:
            for name in (item.delta.key, item.delta.deleted.property):
                if name not in {prop.name for prop in item.properties if not prop.transform_logic}:
                    raise ContractError(file, f"{where}.delta", _unknown_key(name, set()))
    try:
        joined = contract.joined
    except CycleError:
        raise ContractError(
            file, "transformSourceObjects", "the SQL of two objects reads each other"
        ) from None
    if joined:
        # Imported here, because DuckDB takes a moment to load and few contracts need it.
        from outcomes.contracts import sql

        try:
            sql.check(joined.values())
        except sql.SqlError as error:
            raise ContractError(file, "transformLogic", str(error)) from None


def _read_yaml(file: Path) -> Any:
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=_YamlLoader)  # noqa: S506
    except OSError as error:
        raise ContractError(file, "", f"cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(file, "", f"is not valid YAML: {error}") from None
    if not isinstance(document, dict):
        raise ContractError(file, "", "expected a mapping at the top level")
    return document


def _read_service_level(file: Path, entries: Any) -> ServiceLevel | None:
    if not entries:
        return None
    fields: dict[str, Any] = {}
    for index, entry in enumerate(entries):
        where = f"slaProperties[{index}]"
        known = {field.alias or name for name, field in ServiceLevel.model_fields.items()}
        if entry.property not in known:
            raise ContractError(file, where, _unknown_key(str(entry.property), known))
        if entry.property in fields:
            raise ContractError(file, where, f"{entry.property!r} occurs twice")
        if entry.property == "weekday":
            fields["weekday"] = entry.value
        else:
            fields[entry.property] = {"value": entry.value, "unit": entry.unit}
    return _build(file, "slaProperties", ServiceLevel, fields)


def _read_object(file: Path, where: str, item: Any) -> ContractObject:
    properties = [
        _read_property(file, f"{where}.properties[{index}] {prop.name!r}", prop)
        for index, prop in enumerate(item.properties or [])
    ]
    fields = {
        "name": item.name,
        "description": item.description,
        "properties": properties,
        **_custom_properties(file, where, item.customProperties),
    }
    return _build(file, where, ContractObject, fields)


def _read_property(file: Path, where: str, prop: Any) -> ContractProperty:
    options = prop.logicalTypeOptions or {}
    for key in options:
        if key not in _TYPE_OPTIONS:
            raise ContractError(
                file, f"{where}.logicalTypeOptions", _unknown_key(key, _TYPE_OPTIONS)
            )
    values = None
    if prop.enum is not None:
        # Everything is compared as text, except in numeric properties.
        numeric = prop.logicalType in ("integer", "number")
        values = [entry.value if numeric else str(entry.value) for entry in prop.enum]
    fields = {
        "name": prop.name,
        "physicalName": prop.physicalName,
        "transformLogic": prop.transformLogic,
        "transformSourceObjects": prop.transformSourceObjects or [],
        "logicalType": prop.logicalType,
        "classification": prop.classification,
        "required": bool(prop.required),
        "description": prop.description,
        "values": values,
        **options,
        **_custom_properties(file, where, prop.customProperties),
    }
    return _build(file, where, ContractProperty, fields)


def _custom_properties(file: Path, where: str, entries: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for entry in entries or []:
        if entry.property in fields:
            raise ContractError(file, where, f"customProperty {entry.property!r} occurs twice")
        fields[entry.property] = entry.value
    return fields


def _check_bindings(file: Path, where: str, item: ContractObject) -> None:
    names = [prop.name for prop in item.properties]
    for name in names:
        if names.count(name) > 1:
            raise ContractError(file, where, f"property {name!r} occurs twice")
        if name in item.ignored_columns:
            raise ContractError(file, where, f"{name!r} is a property and an ignored column")
    types = {prop.name: prop for prop in item.properties}
    bound: set[str] = set()
    for index, prop in enumerate(item.properties):
        place = f"{where}.properties[{index}] {prop.name!r}"
        for binding in prop.feeds:
            postgres_type = _raw_type(file, f"{place}.feeds", binding)
            if not prop.fits(postgres_type):
                raise ContractError(
                    file,
                    f"{place}.feeds",
                    f"{binding} is {postgres_type}; the property is read as {prop.produces}",
                )
            if binding in bound:
                raise ContractError(file, f"{place}.feeds", f"{binding} is bound twice")
            bound.add(binding)
        if prop.from_file_name and prop.name not in item.file.name_parts:
            raise ContractError(
                file, place, f"fromFileName: the file's name has no part {{{prop.name}}}"
            )
        if item.file.format == "fixed_width" and prop.is_column and prop.width is None:
            raise ContractError(file, place, "a fixed-width column needs `width`")
        if prop.flags:
            for name in prop.flags.columns:
                if name not in types or not types[name].is_column:
                    raise ContractError(file, f"{place}.flags", _unknown_key(name, set(types)))
        is_text = item.file.format in ("delimited", "fixed_width")
        if prop.decimal_mark != "." and not is_text:
            raise ContractError(file, place, "decimalMark is for text: a typed number has none")
    for binding in item.constants:
        if _raw_type(file, f"{where}.constants", binding) != "text" or binding in bound:
            raise ContractError(file, f"{where}.constants", f"{binding} cannot be a constant")
    _check_rules(file, where, item)
    for rule in item.row_rules:
        for name in rule.properties:
            if name not in types:
                raise ContractError(file, f"{where}.rowRules", _unknown_key(name, set(types)))
    for condition in item.row_filter:
        if condition.property not in types:
            problem = _unknown_key(condition.property, set(types))
            raise ContractError(file, f"{where}.rowFilter", problem)
    if sum(prop.defines_school_year for prop in item.properties) > 1:
        raise ContractError(file, where, "more than one property defines the school year")


def _check_rules(file: Path, where: str, item: ContractObject) -> None:
    """Check the rules that the models rely on in the feeds that the object fills."""
    fills = {binding: prop for prop in item.properties for binding in prop.feeds}
    required = {binding for binding, prop in fills.items() if prop.required} | {*item.constants}
    for feed in item.feeds:
        kinds = allowed_snapshots()[feed]
        if item.snapshot not in kinds:
            expected = " or ".join(kinds)
            raise ContractError(
                file,
                f"{where}.snapshot",
                f"expected {expected}, as {feed} are read; found {item.snapshot!r}",
            )
        for column, rule in raw_rules()[feed].items():
            binding, other = f"{feed}.{column}", rule.required_without
            is_key = rule.required or (other and f"{feed}.{other}" not in required)
            if is_key and binding not in required:
                either = f" or {feed}.{other}" if other else ""
                raise ContractError(
                    file, where, f"expected a property with `required: true` for {binding}{either}"
                )
            if rule.maximum is not None and binding in fills:
                prop = fills[binding]
                numbers = [float(value) for value in prop.values or ()]
                least = min(numbers, default=prop.minimum)
                most = max(numbers, default=prop.maximum)
                if not (
                    least is not None
                    and most is not None
                    and rule.minimum is not None
                    and rule.minimum <= least <= most <= rule.maximum
                ):
                    raise ContractError(
                        file,
                        f"{where}.properties {prop.name!r}",
                        f"{binding} must be from {rule.minimum} to {rule.maximum}: give the "
                        "property a minimum and a maximum (logicalTypeOptions) within these",
                    )


def _raw_type(file: Path, where: str, binding: str) -> str:
    feed, _, column = binding.partition(".")
    feeds = raw_feeds()
    if feed not in feeds:
        raise ContractError(file, where, f"feed {_unknown_key(feed, set(feeds))}")
    columns = set(feeds[feed]) - _LOAD_COLUMNS
    if column not in columns:
        raise ContractError(file, where, f"column of {feed} {_unknown_key(column, columns)}")
    return feeds[feed][column]


def _build(file: Path, where: str, model: type[Model], fields: dict[str, Any]) -> Model:
    try:
        return model.model_validate(fields)
    except pydantic.ValidationError as error:
        raise _as_contract_error(file, where, error, model) from None


def _as_contract_error(
    file: Path,
    where: str,
    error: pydantic.ValidationError,
    model: type[pydantic.BaseModel] | None = None,
) -> ContractError:
    errors = error.errors(include_url=False)
    # A misspelt key is also reported as a missing key; the misspelling is more helpful.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    place = ".".join(str(part) for part in first["loc"])
    where = ".".join(part for part in (where, place) if part)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "unknown key"
        if model is not None and len(first["loc"]) == 1:
            known = {field.alias or name for name, field in model.model_fields.items()}
            message = f"customProperty {_unknown_key(place, known)}"
    elif first["type"] not in ("missing", "value_error"):
        message = f"{message}; found {first['input']!r}"
    return ContractError(file, where, message)


def _unknown_key(key: str, known: set[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(sorted(known))}"
    return f"{key!r} is unknown{hint}"


def _refuse_unknown_keys(file: Path, annotation: Any, value: Any, where: str) -> None:
    """Walk the document along the standard's model and refuse keys that it lacks."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        if not isinstance(value, dict):
            return  # the model itself reports the wrong type
        fields = {
            field.alias or name: field.annotation for name, field in annotation.model_fields.items()
        }
        for key, child in value.items():
            place = f"{where}.{key}" if where else str(key)
            if key not in fields:
                raise ContractError(file, where, f"key {_unknown_key(str(key), set(fields))}")
            _refuse_unknown_keys(file, fields[key], child, place)
        return
    arguments = typing.get_args(annotation)
    if isinstance(value, list):
        items = [a for a in arguments if typing.get_origin(a) is list] or [annotation]
        for index, child in enumerate(value):
            name = f" {child['name']!r}" if isinstance(child, dict) and "name" in child else ""
            for item in typing.get_args(items[0]):
                _refuse_unknown_keys(file, item, child, f"{where}[{index}]{name}")
        return
    for argument in arguments:
        if isinstance(argument, type) and issubclass(argument, pydantic.BaseModel):
            _refuse_unknown_keys(file, argument, value, where)
