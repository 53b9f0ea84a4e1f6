"""How a partner's files are named and written."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_camel

from outcomes.contracts.formats import DateFormat
from outcomes.contracts.values import Frozen, JdkFormat, Pattern, Texts

Encoding = Literal["utf-8", "utf-16", "cp1252", "latin-1"]
_NAME_PART = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<format>[^}]+))?\}")


# Formats whose values have their names with them, and what a layout can say about these.
_NAMED_VALUES = ("json_lines", "parquet")
_KEYS_OF_ANY_FORMAT = {"name", "compression", "member", "format", "encoding", "null_markers"}


class Trailer(Frozen):
    """The last line, with the number of data rows, which proves that the file is complete.

    Either a marker, the number and the as-of date, or a pattern with the groups `rows` and,
    if it has the date, `date`.
    """

    marker: str | None = Field(default=None, min_length=1)
    pattern: Pattern | None = None
    date_format: JdkFormat | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Trailer:
        if (self.marker is None) == (self.pattern is None):
            raise ValueError("a trailer has either a marker or a pattern")
        if self.pattern and "rows" not in self.pattern.groupindex:
            raise ValueError("pattern: expected a group (?P<rows>…) for the number of rows")
        has_date = self.pattern is None or "date" in self.pattern.groupindex
        if has_date != (self.date_format is not None):
            raise ValueError("`dateFormat` goes with a trailer that has the as-of date")
        return self


class FileName(Frozen):
    """A file name with named parts, for example `PPS_DHS_{as_of:yyyyMMdd}.zip`."""

    template: str

    @cached_property
    def parts(self) -> dict[str, DateFormat | None]:
        """The named parts and their date formats."""
        return {
            match["name"]: DateFormat.parse(match["format"]) if match["format"] else None
            for match in _NAME_PART.finditer(self.template)
        }

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        regex, position = "", 0
        for match in _NAME_PART.finditer(self.template):
            regex += re.escape(self.template[position : match.start()])
            part_format = self.parts[match["name"]]
            body = part_format.regex if part_format else r"[A-Za-z0-9_]+"
            regex += f"(?P<{match['name']}>{body})"
            position = match.end()
        return re.compile(regex + re.escape(self.template[position:]))

    def match(self, name: str) -> dict[str, str | datetime] | None:
        """The values of the named parts, or None if the name does not fit."""
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        values: dict[str, str | datetime] = {}
        for part, part_format in self.parts.items():
            text = found[part]
            if part_format is None:
                values[part] = text
                continue
            try:
                values[part] = datetime.strptime(text, part_format.strptime)
            except ValueError:  # February 30
                return None
        return values


def _file_name(value: Any) -> Any:
    return FileName(template=value) if isinstance(value, str) else value


class FileLayout(Frozen):
    """The files of an object, and the layout of their rows."""

    name: Annotated[FileName, BeforeValidator(_file_name)]
    compression: Literal["none", "zip", "gzip"] = "none"
    member: Annotated[FileName | None, BeforeValidator(_file_name)] = None
    format: Literal["delimited", "fixed_width", "workbook", "json_lines", "parquet"] = "delimited"
    sheet: str | None = None
    encoding: Encoding = "utf-8"
    # Not a letter, digit, quote or line end: these belong to fields.
    delimiter: str = Field(default=",", pattern=r'^[^\p{L}\p{N}"\r\n\x00\ufeff]{1,4}$')
    quoting: bool = True
    header: bool = True
    # Number of the header's line or row; lines above it are titles.
    header_row: int | None = Field(default=None, gt=0)
    # Titles above the header or the first row, in any number.
    skip_lines: Pattern | None = None
    # Lines at the end that are not rows: totals, notes.
    footer: Pattern | None = None
    trailer: Trailer | None = None
    # Each line ends with one more delimiter.
    trailing_delimiter: bool = False
    # Texts that mean a missing value, in every column.
    null_markers: Texts = []
    # For fixed width: the unit of positions and widths, the length of a line, and whether
    # blanks at its end are removed.
    width_unit: Literal["characters", "bytes"] = "characters"
    line_width: int | None = Field(default=None, gt=0)
    trimmed_lines: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> FileLayout:
        is_fixed = self.format == "fixed_width"
        if self.format in _NAMED_VALUES and (others := self.model_fields_set - _KEYS_OF_ANY_FORMAT):
            raise ValueError(f"`{to_camel(min(others))}` is not for `format: {self.format}`")
        if self.format in _NAMED_VALUES and self.encoding != "utf-8":
            raise ValueError(f"`format: {self.format}` is always utf-8")
        if self.format == "parquet" and self.compression != "none":
            raise ValueError("a Parquet file is compressed itself: it comes as it is, unpacked")
        if not is_fixed and (self.line_width or self.trimmed_lines or self.width_unit == "bytes"):
            raise ValueError("`widthUnit`, `lineWidth`, `trimmedLines` are for fixed-width files")
        if self.width_unit == "bytes" and self.encoding == "utf-16":
            raise ValueError("`widthUnit: bytes` is not for utf-16")
        if self.header_row and (self.skip_lines or not self.header):
            raise ValueError("`headerRow` goes with `header: true` and without `skipLines`")
        if self.trailing_delimiter and self.format != "delimited":
            raise ValueError("`trailingDelimiter` is for delimited files")
        if (self.compression == "zip") != (self.member is not None):
            raise ValueError("`member` goes with `compression: zip`, and only with it")
        if (self.format == "workbook") != (self.sheet is not None):
            raise ValueError("`sheet` goes with `format: workbook`, and only with it")
        if is_fixed and self.quoting:
            raise ValueError("a fixed-width file has `quoting: false`")
        if self.format == "workbook" and not self.header:
            raise ValueError("a sheet has a header row")
        return self

    @property
    def is_text(self) -> bool:
        """Whether a file consists of lines."""
        return self.format not in ("workbook", "parquet")

    @property
    def has_header(self) -> bool:
        """Whether a row of names comes before the rows of data."""
        return self.header and self.format not in _NAMED_VALUES

    @property
    def has_typed_values(self) -> bool:
        """Whether a date can arrive as a date, which is read in ISO form."""
        return self.format in ("workbook", "parquet")

    @property
    def name_parts(self) -> set[str]:
        """Names of the parts of file and member name."""
        return {*self.name.parts, *(self.member.parts if self.member else ())}
