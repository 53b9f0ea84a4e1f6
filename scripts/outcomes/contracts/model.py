"""A contract as the loader uses it, without the standard's many optional parts."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import BeforeValidator, Field, model_validator

from outcomes.contracts.agreement import Agreement, SchoolCalendar, ServiceLevel
from outcomes.contracts.formats import DateFormat, spring_year
from outcomes.contracts.layout import FileLayout
from outcomes.contracts.values import Frozen, JdkFormat, TextMap, Texts, YearDay, text_of
from outcomes.errors import OutcomesError

Classification = Literal["direct_identifier", "quasi_identifier", "sensitive", "none"]
LogicalType = Literal["string", "date", "timestamp", "integer", "number", "boolean"]
Snapshot = Literal["school_year", "cumulative", "delta", "exempt", "reference"]
Parse = Literal["school_year", "school_year_span", "school_year_end", "month", "number_in_code"]

# The type of a parsed property, by its `parse`.
_PARSED_TYPES = {
    "school_year": "integer",
    "school_year_span": "integer",
    "school_year_end": "integer",
    "month": "date",
    "number_in_code": "integer",
}
# How this project writes days and times as text.
_WRITTEN = {"date": "yyyy-MM-dd", "timestamp": "yyyy-MM-dd'T'HH:mm:ss"}
_POSTGRES_TYPES = {
    "string": {"text"},
    "date": {"date"},
    "timestamp": {"timestamp"},
    "integer": {"integer", "numeric"},
    "number": {"numeric"},
    "boolean": {"boolean"},
}
# Names of the loader's own columns, and `*`, which means all columns to polars; `^` begins a
# pattern of names.
_TAKEN_NAMES = {"line_start", "line_end", "*"}
# The columns of feeds by which rows are linked with a person.
_IDENTIFYING = {
    "district_student_id", "state_student_id", "source_client_id", "mci_id", "ssn", "last_name",
    "first_name", "birth_date",
}  # fmt: skip
_STUDENT_IDS = {"district_student_id", "state_student_id"}
_SOURCE_IDS = {"clients.source_id", "services.source_id"}
# A partner's id is also the name of folders, files and roles, so it must be no path.
_PARTNER_ID = r"^[a-z0-9][a-z0-9_-]{0,39}$"


def require_partner_id(partner_id: str) -> str:
    """The text itself, if it can be a partner's id.

    Raises:
        OutcomesError: it cannot, so it must not become part of a path.
    """
    if re.fullmatch(_PARTNER_ID, partner_id):
        return partner_id
    raise OutcomesError(
        f"{partner_id!r} is not a partner. Expected the id of a contract: small letters, digits, "
        "hyphens and underscores. landing.partners lists them."
    )


class EndNotBeforeStart(Frozen):
    """A row whose end is before its start is rejected."""

    rule: Literal["end_not_before_start"]
    start: str
    end: str

    @property
    def properties(self) -> list[str]:
        """The properties that the rule uses."""
        return [self.start, self.end]


class SpellInSchoolYear(Frozen):
    """A spell without a day in the snapshot's school year is rejected.

    A spell that began earlier and is still open, or ended in the year, is accepted: the entry
    date is wrong, but the student is enrolled. Without `end`, a row is a single entry or exit.
    Then only one after the school year is rejected, because earlier ones may belong to a spell
    of an earlier year.
    """

    rule: Literal["spell_in_school_year"]
    start: str
    end: str | None = None

    @property
    def properties(self) -> list[str]:
        """The properties that the rule uses."""
        return [self.start] if self.end is None else [self.start, self.end]


class CodesBy(Frozen):
    """The codes allowed in one property depend on another property's value."""

    rule: Literal["codes_by"]
    code: str
    by: str
    codes: dict[str, list[str]]

    @property
    def properties(self) -> list[str]:
        """The properties that the rule uses."""
        return [self.code, self.by]


RowRule = Annotated[EndNotBeforeStart | SpellInSchoolYear | CodesBy, Field(discriminator="rule")]


class RowCondition(Frozen):
    """The values of a property for which a row is kept; other rows are filtered out."""

    property: str
    in_: Texts | None = Field(default=None, alias="in", min_length=1)
    not_in: Texts | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _says_one(self) -> RowCondition:
        if (self.in_ is None) == (self.not_in is None):
            raise ValueError("a condition of rowFilter has either `in` or `notIn`")
        return self


class Flags(Frozen):
    """One code from several yes-or-no columns."""

    columns: TextMap = Field(min_length=1)  # property → its code
    set: Texts = ["Y", "1"]
    unset: Texts = ["N", "0"]
    # The code if several are set; a set column of `first` takes precedence.
    several: Annotated[str | None, BeforeValidator(text_of)] = None
    first: list[str] = []

    @model_validator(mode="after")
    def _fits_together(self) -> Flags:
        if unknown := [name for name in self.first if name not in self.columns]:
            raise ValueError(f"first: {unknown[0]!r} is not one of the columns")
        if both := [text for text in self.set if text in self.unset]:
            raise ValueError(f"{both[0]!r} is both set and unset")
        return self


class ContractProperty(Frozen):
    """One column (or position) that may be kept."""

    name: str = Field(min_length=1)
    # The header as sent, if the property has another name: several can read one column.
    physical_name: str | None = None
    # Number of the field, if its header is empty or occurs twice.
    position: int | None = Field(default=None, gt=0)
    logical_type: LogicalType
    classification: Classification
    required: bool = False
    description: str | None = None
    pattern: str | None = None
    format: JdkFormat | None = None
    # A value is read by the format that fits it.
    other_formats: list[JdkFormat] = []
    minimum: float | None = None
    maximum: float | None = None
    values: list[str | float] | None = Field(default=None, min_length=1)
    feeds: list[str] = []
    pad_to: int | None = Field(default=None, gt=0)
    start: int | None = Field(default=None, gt=0)
    width: int | None = Field(default=None, gt=0)
    # True: a merged cell has its value in every row. `blanks`: an empty cell has the one above.
    fill_down: Literal[True, False, "blanks"] = False
    null_markers: Texts = []
    value_map: TextMap = {}
    flags: Flags | None = None
    # SQL on the row, and the other objects of the contract that it reads.
    transform_logic: str | None = None
    transform_source_objects: list[str] = []
    parse: Parse | None = None
    defines_school_year: bool = False
    not_after: Literal["as_of_date"] | None = None
    decimal_mark: Literal[".", ","] = "."
    from_file_name: bool = False
    # The id of a district that has a contract.
    names_district: bool = False
    # No source confirms the position: `district check` shows the kinds of values there.
    unconfirmed: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> ContractProperty:
        is_date = self.logical_type in ("date", "timestamp")
        if is_date and self.format is None and not self.transform_logic:
            raise ValueError("a date or timestamp needs logicalTypeOptions.format")
        if self.format and not is_date and self.parse not in ("school_year_end", "month"):
            raise ValueError("logicalTypeOptions.format is for dates and timestamps")
        if self.other_formats and self.format is None:
            raise ValueError("otherFormats goes with logicalTypeOptions.format")
        if self.parse in ("school_year_end", "month") and self.format is None:
            raise ValueError(f"parse: {self.parse} needs logicalTypeOptions.format")
        if self.parse and self.logical_type != "string":
            raise ValueError("parse is for properties that are sent as text (string)")
        if self.not_after and self.logical_type != "date":
            raise ValueError("notAfter is for dates")
        if self.decimal_mark != "." and self.logical_type != "number":
            raise ValueError("decimalMark is for numbers")
        if self.defines_school_year and self.produces not in ("date", "integer"):
            raise ValueError("definesSchoolYear needs a date or a school year")
        if self.transform_logic and (self.flags or self.parse or self.from_file_name):
            raise ValueError("transformLogic computes the value: no other key may define it")
        if self.transform_source_objects and not self.transform_logic:
            raise ValueError("transformSourceObjects goes with transformLogic")
        if self.flags and (self.logical_type != "string" or self.parse or self.from_file_name):
            raise ValueError("flags are for a code (string) without a column of its own")
        if self.name in _TAKEN_NAMES or self.name.startswith(("^", "value of ")):
            raise ValueError("the loader uses this name itself: choose another one")
        if self.fill_down == "blanks" and self.identifies_a_person:
            raise ValueError(
                "fillDown: blanks is not for a column that identifies a person: a row without "
                "the value would become another person's"
            )
        if self.pattern is not None:
            try:
                pl.Series([""]).str.contains(self.pattern)
            except pl.exceptions.ComputeError:
                raise ValueError("logicalTypeOptions.pattern is not a regular expression") from None
        return self

    @property
    def formats(self) -> list[DateFormat]:
        """The formats of its dates or times."""
        return [self.format, *self.other_formats] if self.format else []

    @property
    def header(self) -> str:
        """The property's name in the file's header."""
        return self.name if self.physical_name is None else self.physical_name

    @property
    def identifies_a_person(self) -> bool:
        """Whether the value says whose row it is."""
        filled = {binding.split(".")[-1] for binding in self.feeds}
        return self.classification == "direct_identifier" or bool(filled & _IDENTIFYING)

    @property
    def is_column(self) -> bool:
        """Whether the file has a column for the property."""
        return not (self.from_file_name or self.flags or self.transform_logic)

    @property
    def produces(self) -> str:
        """The logical type of the value after reading."""
        return _PARSED_TYPES.get(self.parse or "", self.logical_type)

    @property
    def as_written(self) -> ContractProperty:
        """The property for a value that this project wrote as text, after reading or by SQL.

        A value that was read has been checked already.
        """
        written = _WRITTEN.get(self.produces)
        own: dict[str, Any] = {
            "format": written and DateFormat.parse(written),
            "other_formats": [],
            "from_file_name": False,
        }
        if self.transform_logic:
            own |= {"transform_logic": None, "transform_source_objects": []}
            return self.model_copy(update=own)
        checked = ContractProperty.model_construct(
            name=self.name,
            logical_type=self.produces,
            classification=self.classification,
            feeds=self.feeds,
        )
        return checked.model_copy(update=own)

    @property
    def is_free_text(self) -> bool:
        """Whether the value is kept as sent, including white space."""
        return (
            self.logical_type == "string"
            and self.parse is None
            and self.pattern is None
            and self.values is None
            and self.pad_to is None
            and not self.value_map
            and self.flags is None
        )

    def fits(self, postgres_type: str) -> bool:
        """Whether the value fits a raw column of that type."""
        return postgres_type in _POSTGRES_TYPES[self.produces]


class Delta(Frozen):
    """How a file of changes is applied to earlier files: by key, the newest last.

    A delivery's file has changes if a row of the object `declared_in` meets the SQL condition
    `when`; without these two keys every file has changes.
    """

    key: str
    deleted: RowCondition
    declared_in: str | None = None
    when: str | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Delta:
        if (self.declared_in is None) != (self.when is None):
            raise ValueError("`declaredIn` goes with `when`")
        return self


def _span_of_positions(text: str) -> range:
    """The positions that an entry of `ignoredColumns` names."""
    found = re.fullmatch(r"([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?", text)
    if found is None or int(found[1]) > int(found[2] or found[1]):
        raise ValueError(
            f"ignoredColumns: {text!r} is not a position. Without a header, expected positions "
            "such as 11 or 5-9"
        )
    return range(int(found[1]), int(found[2] or found[1]) + 1)


class ContractObject(Frozen):
    """One kind of file, or sheet: its layout, its properties and its rules."""

    name: str
    description: str | None = None
    file: FileLayout
    snapshot: Snapshot
    # Objects, also former ones, whose snapshots this object's take the place of.
    replaces: list[str] = []
    # Until this day of July to June, files still are of the school year that has ended.
    year_closes_on: YearDay | None = None
    # Without a header, positions: `11` or `5-9`.
    ignored_columns: Texts = []
    constants: dict[str, str] = {}
    row_rules: list[RowRule] = []
    row_filter: list[RowCondition] = []
    delta: Delta | None = None
    properties: list[ContractProperty] = []

    @model_validator(mode="after")
    def _has_properties(self) -> ContractObject:
        if bool(self.properties) == self.is_reference:
            raise ValueError(
                "an object with `snapshot: reference` has no properties"
                if self.is_reference
                else "expected properties, or `snapshot: reference` for a file that is not loaded"
            )
        return self

    @model_validator(mode="after")
    def _has_cells_to_merge(self) -> ContractObject:
        merged = [prop.name for prop in self.properties if prop.fill_down is True]
        if merged and self.file.format != "workbook":
            raise ValueError(
                f"{merged[0]}: `fillDown: true` is for merged cells, which only a workbook has; "
                "`fillDown: blanks` fills empty values"
            )
        return self

    @model_validator(mode="after")
    def _finds_columns(self) -> ContractObject:
        has_places = self.file.format in ("delimited", "fixed_width", "workbook")
        if not has_places and any(prop.position for prop in self.properties):
            raise ValueError(f"`position` is not for `format: {self.file.format}`")
        return self

    @model_validator(mode="after")
    def _says_every_position(self) -> ContractObject:
        if not self.ignored_positions:
            return self
        if any(prop.position is None for prop in self.columns):
            raise ValueError(
                "ignoredColumns: without a header, these are positions, and each property that "
                "is a column needs a `position`"
            )
        named = [*(prop.position or 0 for prop in self.columns), *self.ignored_positions]
        if twice := {position for position in named if named.count(position) > 1}:
            raise ValueError(f"ignoredColumns: position {min(twice)} occurs twice")
        if missing := set(range(1, max(named) + 1)) - set(named):
            raise ValueError(
                f"ignoredColumns: position {min(missing)} is neither a property nor ignored"
            )
        return self

    @model_validator(mode="after")
    def _closes_a_school_year(self) -> ContractObject:
        if self.year_closes_on and self.snapshot != "school_year":
            raise ValueError("yearClosesOn goes with `snapshot: school_year`")
        return self

    @model_validator(mode="after")
    def _may_replace(self) -> ContractObject:
        if self.replaces and not self.is_snapshot:
            raise ValueError("`replaces` is for snapshots: school_year or cumulative")
        if self.name in self.replaces:
            raise ValueError("replaces: an object does not replace itself")
        return self

    @property
    def is_snapshot(self) -> bool:
        """Whether its newest file takes the place of the one before."""
        return self.snapshot in ("school_year", "cumulative")

    @property
    def is_reference(self) -> bool:
        """Whether its files are accepted but not read."""
        return self.snapshot == "reference"

    @property
    def ignored_positions(self) -> list[int]:
        """The positions that must not be kept, in a delimited file without header."""
        if self.file.format != "delimited" or self.file.header:
            return []
        spans = [_span_of_positions(text) for text in self.ignored_columns]
        return [position for span in spans for position in span]

    def school_year_of(self, as_of_date: date) -> int:
        """The school year of a file of a day."""
        closes_on = self.year_closes_on
        is_of_last = closes_on is not None and (
            (7, 1) <= (as_of_date.month, as_of_date.day) <= closes_on
        )
        return spring_year(as_of_date) - is_of_last

    @property
    def columns(self) -> list[ContractProperty]:
        """The properties that are columns of the file, in the file's order."""
        return [prop for prop in self.properties if prop.is_column]

    @property
    def read(self) -> list[ContractProperty]:
        """The properties that are read from a row: columns, and codes of flags."""
        return [
            prop for prop in self.properties if not (prop.from_file_name or prop.transform_logic)
        ]

    @property
    def transforms(self) -> list[ContractProperty]:
        """The properties that SQL computes, in order: each can use the ones before it."""
        return [prop for prop in self.properties if prop.transform_logic]

    @property
    def source_objects(self) -> set[str]:
        """The other objects that its SQL reads."""
        names = {name for prop in self.transforms for name in prop.transform_source_objects}
        if self.delta and self.delta.declared_in:
            names.add(self.delta.declared_in)
        return names - {self.name}

    @property
    def before_transforms(self) -> ContractObject:
        """The object without the properties that SQL computes."""
        computed = {prop.name for prop in self.transforms}
        return self.model_copy(
            update={
                "properties": [prop for prop in self.properties if prop.name not in computed],
                "row_filter": [c for c in self.row_filter if c.property not in computed],
                "row_rules": [r for r in self.row_rules if not computed & {*r.properties}],
            }
        )

    @property
    def after_transforms(self) -> ContractObject:
        """The object after SQL computed its properties; the others have been checked already."""
        computed = {prop.name for prop in self.transforms}
        return self.model_copy(
            update={
                "file": FileLayout(name=self.file.name, header=False),
                "properties": [prop.as_written for prop in self.properties],
                "row_filter": [c for c in self.row_filter if c.property in computed],
                "row_rules": [r for r in self.row_rules if computed & {*r.properties}],
            }
        )

    @property
    def named_by_file(self) -> list[ContractProperty]:
        """The properties whose value is part of the file's name."""
        return [prop for prop in self.properties if prop.from_file_name]

    @property
    def feeds(self) -> list[str]:
        """The canonical feeds that the object fills."""
        return list(dict.fromkeys(binding.split(".")[0] for binding in self.bindings))

    @property
    def bindings(self) -> list[str]:
        """The columns of canonical feeds that the object fills."""
        return [binding for prop in self.properties for binding in prop.feeds]


class Contract(Frozen):
    """The contract of one partner."""

    partner_id: str = Field(pattern=_PARTNER_ID)
    name: str
    version: str
    path: Path
    partner_kind: Literal["district", "program", "project"]
    aun: str | None = None
    agreement: Agreement | None = None
    sla_properties: ServiceLevel | None = None
    max_shrink_share: float = Field(default=0.10, ge=0, lt=1)
    calendars: list[SchoolCalendar] = []
    # Feeds that several objects fill side by side, such as a file for each building.
    shared_feeds: list[str] = []
    objects: list[ContractObject] = Field(min_length=1)

    @cached_property
    def joined(self) -> dict[str, ContractObject]:
        """The objects whose files are joined, each after those that its SQL reads.

        Raises:
            ValueError: the SQL of two objects reads each other.
        """
        by_name = {item.name: item for item in self.objects}
        sources = {item.name: item.source_objects & by_name.keys() for item in self.objects}
        members = {item.name for item in self.objects if item.transforms or item.delta}
        members |= {name for names in sources.values() for name in names}
        order = TopologicalSorter(
            {name: sorted(sources[name]) for name in by_name if name in members}
        ).static_order()
        return {name: by_name[name] for name in order}

    def replaced_by(self, name: str) -> set[str]:
        """The objects that an object replaces, directly or through others."""
        by_name = {item.name: item for item in self.objects}
        found: set[str] = set()
        left = [name]
        while left:
            more = set(by_name[left.pop()].replaces) - found
            found |= more
            left += more & by_name.keys()
        return found

    def with_districts(self, known: list[str]) -> Contract:
        """The contract with the list of districts for properties that name a district."""
        objects = [
            item.model_copy(
                update={
                    "properties": [
                        prop.model_copy(update={"values": known}) if prop.names_district else prop
                        for prop in item.properties
                    ]
                }
            )
            for item in self.objects
        ]
        return self.model_copy(update={"objects": objects}) if self.names_districts else self

    @property
    def sources(self) -> set[str]:
        """The source systems whose clients and services the partner delivers."""
        named = {
            str(value)
            for item in self.objects
            for prop in item.properties
            if _SOURCE_IDS & {*prop.feeds}
            for value in prop.values or []
        }
        constant = {
            value
            for item in self.objects
            for binding, value in item.constants.items()
            if binding in _SOURCE_IDS
        }
        return named | constant

    @property
    def names_districts(self) -> bool:
        """Whether a property names a district."""
        return any(prop.names_district for item in self.objects for prop in item.properties)

    @model_validator(mode="after")
    def _names_its_sources(self) -> Contract:
        for item in self.objects:
            for prop in item.properties:
                if _SOURCE_IDS & {*prop.feeds} and not prop.values:
                    raise ValueError(
                        f"{item.name!r}: {prop.name!r} fills {prop.feeds[0]}: expected an enum of "
                        "the source systems that the partner delivers"
                    )
        for source in sorted(self.sources):
            if ":" in source:
                raise ValueError(
                    f"source_id {source!r}: expected an id without a colon, because the warehouse "
                    "writes a client record's id as <source>:<id>"
                )
        return self

    @model_validator(mode="after")
    def _district_has_agreement(self) -> Contract:
        if self.partner_kind == "district" and not (self.agreement and self.aun):
            raise ValueError("a district needs the customProperties agreement and aun")
        return self

    @model_validator(mode="after")
    def _says_which_snapshot_is_in_force(self) -> Contract:
        """Refuse two objects with snapshots of the same columns, unless it says why.

        Objects that share a student's ids only complete each other.
        """
        for feed in self.shared_feeds:
            if sum(feed in item.feeds for item in self.objects) < 2:
                raise ValueError(f"sharedFeeds: not two objects fill {feed!r}")
        snapshots = [item for item in self.objects if item.is_snapshot]
        for item in snapshots:
            if item.name in self.replaced_by(item.name):
                raise ValueError(f"replaces: {item.name!r} replaces itself through other objects")
        for one, other in combinations(snapshots, 2):
            if one.name in self.replaced_by(other.name) or other.name in self.replaced_by(one.name):
                continue
            for binding in one.bindings:
                feed, column = binding.split(".")
                if binding in other.bindings and not (
                    feed in self.shared_feeds or column in _STUDENT_IDS
                ):
                    raise ValueError(
                        f"{one.name!r} and {other.name!r} both fill {binding}: whose snapshot is "
                        "in force? If one took the place of the other, say so there: `replaces: "
                        f"[{one.name}]`. If both are sent side by side, list {feed} in the "
                        "contract's `sharedFeeds`"
                    )
        return self

    @model_validator(mode="after")
    def _has_one_source_of_absences(self) -> Contract:
        feeds = {feed for item in self.objects for feed in item.feeds}
        if {"attendance_events", "attendance_totals"} <= feeds:
            raise ValueError(
                "attendance_events and attendance_totals both report absences: bind the columns "
                "of one of them, and leave those of the other without feeds"
            )
        if self.calendars and "calendar_days" in feeds:
            raise ValueError("calendars are for a district that sends no calendar_days")
        seen: set[tuple[int, str]] = set()
        for calendar in self.calendars:
            for school in calendar.schools or [""]:
                if (calendar.school_year, school) in seen:
                    raise ValueError(
                        f"calendars: the school year {calendar.school_year} occurs twice for "
                        + (f"the school {school!r}" if school else "all schools")
                    )
                seen.add((calendar.school_year, school))
        return self
