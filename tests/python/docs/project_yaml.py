"""The keys that the project's YAML files may have.

On PostgreSQL dbt does not complain about a key that it does not know, so a misspelt one
is silently ignored: a test never runs, a contract is not enforced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from dbt.clients.yaml_helper import safe_load
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Text = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Closed to unknown keys."""

    model_config = ConfigDict(extra="forbid")


class DataTestConfig(Strict):
    severity: Literal["error", "warn"] = "error"
    where: Text | None = None
    tags: list[str] = []
    meta: dict[str, Any] = {}


class DataTestSettings(Strict):
    name: Text | None = None
    description: Text | None = None
    arguments: dict[str, Any] = {}
    config: DataTestConfig = DataTestConfig()


DataTest = Text | Annotated[dict[Text, DataTestSettings], Field(min_length=1, max_length=1)]


class Constraint(Strict):
    type: Literal["primary_key", "not_null", "unique", "check"]
    columns: list[Text] = []
    expression: Text | None = None


class Column(Strict):
    name: Text
    description: Text
    data_type: Text | None = None
    constraints: list[Constraint] = []
    data_tests: list[DataTest] = []
    granularity: Literal["day"] | None = None


class Contract(Strict):
    enforced: bool


class Grants(Strict):
    select: list[Text]


class ModelConfig(Strict):
    alias: Text | None = None
    contract: Contract | None = None
    grants: Grants | None = None
    indexes: list[dict[str, Any]] = []
    schema_: Text | None = Field(default=None, alias="schema")
    materialized: Text | None = None
    tags: list[str] = []
    meta: dict[str, Any] = {}


class TimeSpine(Strict):
    standard_granularity_column: Text


class Model(Strict):
    name: Text
    description: Text
    config: ModelConfig = ModelConfig()
    time_spine: TimeSpine | None = None
    constraints: list[Constraint] = []
    columns: Annotated[list[Column], Field(min_length=1)]
    data_tests: list[DataTest] = []


class SeedConfig(Strict):
    column_types: Annotated[dict[Text, Text], Field(min_length=1)]
    indexes: list[dict[str, Any]] = []
    tags: list[str] = []
    meta: dict[str, Any] = {}


class Seed(Strict):
    name: Text
    description: Text
    config: SeedConfig
    columns: Annotated[list[Column], Field(min_length=1)]
    data_tests: list[DataTest] = []


class FeedRule(Strict):
    """A rule that no contract may weaken: `outcomes.warehouse.tables.ColumnRule`."""

    required: Literal[True] | None = None
    required_without: Text | None = None
    minimum: int | None = None
    maximum: int | None = None


class FeedColumnConfig(Strict):
    meta: FeedRule


class SourceColumn(Column):
    config: FeedColumnConfig | None = None


class Period(Strict):
    count: int
    period: Literal["day"]


class Freshness(Strict):
    warn_after: Period


class TableMeta(Strict):
    distribution: Text


class TableConfig(Strict):
    loaded_at_field: Text | None = None
    freshness: Freshness | None = None
    meta: TableMeta | None = None


class Table(Strict):
    name: Text
    description: Text
    config: TableConfig | None = None
    columns: Annotated[list[SourceColumn], Field(min_length=1)]
    data_tests: list[DataTest] = []


class Source(Strict):
    name: Text
    description: Text
    schema_: Text = Field(alias="schema")
    tables: Annotated[list[Table], Field(min_length=1)]


class FunctionConfig(Strict):
    volatility: Literal["deterministic", "stable", "non-deterministic"]


class FunctionArgument(Strict):
    name: Text
    data_type: Text
    description: Text


class FunctionResult(Strict):
    data_type: Text


class Function(Strict):
    name: Text
    description: Text
    config: FunctionConfig
    arguments: list[FunctionArgument]
    returns: FunctionResult


class Given(Strict):
    input: Text
    format: Literal["dict", "csv", "sql"] = "dict"
    rows: list[dict[str, Any]] | Text


class Expected(Strict):
    format: Literal["dict", "csv", "sql"] = "dict"
    rows: list[dict[str, Any]] | Text


class UnitTestOverrides(Strict):
    vars: dict[str, Any] = {}
    macros: dict[str, Any] = {}


class UnitTest(Strict):
    name: Text
    description: Text
    model: Text
    given: list[Given]
    expect: Expected
    overrides: UnitTestOverrides | None = None


class SemanticDefaults(Strict):
    agg_time_dimension: Text


class Entity(Strict):
    name: Text
    type: Literal["primary", "foreign", "unique", "natural"]
    expr: Text


class TimeGranularity(Strict):
    time_granularity: Literal["year"]


class Dimension(Strict):
    name: Text
    description: Text
    type: Literal["categorical", "time"]
    expr: Text | None = None
    type_params: TimeGranularity | None = None


class Measure(Strict):
    name: Text
    description: Text
    agg: Literal["average", "count_distinct"]
    expr: Text | None = None


class SemanticModel(Strict):
    name: Text
    description: Text
    model: Text
    defaults: SemanticDefaults
    primary_entity: Text
    entities: list[Entity]
    dimensions: list[Dimension]
    measures: Annotated[list[Measure], Field(min_length=1)]


class MetricMeasure(Strict):
    measure: Text


class Metric(Strict):
    name: Text
    label: Text
    description: Text
    type: Literal["simple"]
    type_params: MetricMeasure


class Owner(Strict):
    name: Text
    email: Text


class Agreement(Strict):
    contracts: Annotated[list[Text], Field(min_length=1)]
    purpose: Text
    legal_basis: Text


class ExposureMeta(Strict):
    agreement: Agreement
    audience: Text


class ExposureConfig(Strict):
    meta: ExposureMeta


class Exposure(Strict):
    name: Text
    label: Text
    type: Literal["dashboard", "notebook", "analysis", "ml", "application"]
    maturity: Literal["high", "medium", "low"]
    description: Text
    owner: Owner
    depends_on: Annotated[list[Text], Field(min_length=1)]
    config: ExposureConfig


class Group(Strict):
    name: Text
    owner: Owner


class ProjectFile(Strict):
    version: Literal[2]
    models: list[Model] = []
    seeds: list[Seed] = []
    sources: list[Source] = []
    functions: list[Function] = []
    unit_tests: list[UnitTest] = []
    semantic_models: list[SemanticModel] = []
    metrics: list[Metric] = []
    exposures: list[Exposure] = []
    groups: list[Group] = []


def yaml_problems(text: str) -> list[str]:
    """The problems of a YAML file: the path of each key, and what was expected."""
    try:
        TypeAdapter(ProjectFile).validate_python(safe_load(text))
    except ValidationError as error:
        return [
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
    return []


def yaml_files(project_dir: Path) -> list[Path]:
    """Every file that describes models, seeds, sources, functions or tests."""
    return sorted(
        file
        for folder in ("models", "seeds", "functions", "macros", "tests")
        for suffix in ("yml", "yaml")
        for file in (project_dir / folder).rglob(f"*.{suffix}")
        if not file.name.endswith(".odcs.yaml")
    )
