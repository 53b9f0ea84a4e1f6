"""Measures the linkage against the truth: precision, recall and F1, with intervals.

A *pair* is a student record and a client record of one person. A *cluster* is all records
of one person with at least one student record; it is right only if no record is missing and
none is wrong. Of the truth, only records in the warehouse count.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import polars as pl
import psycopg

from outcomes.errors import OutcomesError

# The normal quantile at 97.5 %, as in `functions/wilson_bound.sql`.
Z = 1.959963984540054
# Link weights to compare with the one in force, in bits.
THRESHOLDS = tuple(float(bits) for bits in range(0, 22, 2))

# The truth's columns for the parts of a record's key, by kind of record.
_TRUTH_FILES = {
    "student": ("student_person", "district", "district_student_id"),
    "client": ("client_person", "source", "source_client_id"),
}


@dataclass(frozen=True)
class Share:
    """A share of `n` with Wilson's 95 % interval (1927); nan where `n` is 0."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Quality:
    """Quality of a set of links: the numbers of found and true pairs, and of both."""

    both: int
    found: int
    true: int

    @property
    def precision(self) -> Share:
        """Share of the found pairs that are true."""
        return wilson(self.both, self.found)

    @property
    def recall(self) -> Share:
        """Share of the true pairs that were found."""
        return wilson(self.both, self.true)

    @property
    def f1(self) -> Share:
        """Harmonic mean of precision and recall.

        F1 = 2J / (1 + J) grows with J = both / either, which is a proportion, so the
        bounds of J's interval give those of F1.
        """
        jaccard = wilson(self.both, self.found + self.true - self.both)
        value, low, high = (2 * j / (1 + j) for j in (jaccard.value, jaccard.low, jaccard.high))
        return Share(value, low, high, jaccard.n)


@dataclass(frozen=True)
class Measured:
    """Quality of pairs and clusters at a link weight, or of a group at the weight in force."""

    label: str
    pairs: Quality
    clusters: Quality


@dataclass(frozen=True)
class Evaluation:
    """The results; `link_weight` is the threshold in force, in bits.

    `blocking_recall` is the share of true pairs that blocking finds: an upper bound of recall.
    """

    link_weight: float
    blocking_recall: Share
    by_threshold: list[Measured]
    by_group: list[Measured]


@dataclass(frozen=True)
class _Linkage:
    """Records with their found and true persons.

    `students`: record, found, true. `clients`: record, found, weight (bits; null where a
    person decided). `true_clients`: record, true. `compared`: record, client. `groups`:
    record, group_type, group_value.
    """

    students: pl.DataFrame
    clients: pl.DataFrame
    true_clients: pl.DataFrame
    compared: pl.DataFrame
    groups: pl.DataFrame


def wilson(successes: int, n: int) -> Share:
    """Share of successes with Wilson's 95 % interval."""
    if n == 0:
        return Share(float("nan"), float("nan"), float("nan"), 0)
    share = successes / n
    center = share + Z**2 / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n * n))
    scale = 1 + Z**2 / n
    # Without the clamp, rounding can put a bound just outside 0 to 1.
    return Share(share, max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale), n)


def read_truth(path: Path) -> pl.DataFrame:
    """The true person of every record: record_type, record, person.

    The path is a folder with `student_person` and `client_person` (.parquet or .csv), as in the
    demo, or one file with the columns record_type, partner_id, record_id and person_id of
    `person_crosswalk`.

    Raises:
        OutcomesError: a file or a column is missing.
    """
    if path.is_dir():
        parts = []
        for record_type, (stem, owner, record) in _TRUTH_FILES.items():
            files = [path / f"{stem}{suffix}" for suffix in (".parquet", ".csv")]
            file = next((file for file in files if file.exists()), None)
            if file is None:
                raise OutcomesError(
                    f"{path}: expected {files[0].name} or {files[1].name} with the columns "
                    f"{owner}, {record} and person_id."
                )
            frame = _scan(file, [owner, record, "person_id"])
            key = pl.concat_str(pl.col(owner), pl.lit(":"), pl.col(record))
            parts.append(frame.select(pl.lit(record_type).alias("record_type"), key.alias("record"),
                                      pl.col("person_id").alias("true")))  # fmt: skip
        truth = pl.concat(parts)
    else:
        frame = _scan(path, ["record_type", "partner_id", "record_id", "person_id"])
        full_record = (
            pl.when(pl.col("record_type") == "student")
            .then(pl.concat_str(pl.col("partner_id"), pl.lit(":"), pl.col("record_id")))
            .otherwise("record_id")
        )
        truth = frame.select(
            "record_type", full_record.alias("record"), pl.col("person_id").alias("true")
        )
    return truth.unique(["record_type", "record"], keep="first", maintain_order=True).collect()


def _scan(file: Path, columns: list[str]) -> pl.LazyFrame:
    if not file.exists():
        raise OutcomesError(f"{file} does not exist: expected a folder or file with the truth.")
    if file.suffix not in (".parquet", ".csv"):
        raise OutcomesError(f"{file}: expected a .parquet or .csv file.")
    try:
        # Ids keep their leading zeros.
        frame = (
            pl.scan_parquet(file.read_bytes())
            if file.suffix == ".parquet"
            else pl.scan_csv(file.read_bytes(), infer_schema=False)
        )
        names = frame.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError):
        raise OutcomesError(
            f"{file} cannot be read: expected a {file.suffix} file with the columns "
            f"{', '.join(columns)}."
        ) from None
    missing = [name for name in columns if name not in names]
    if missing:
        raise OutcomesError(f"{file}: the column {missing[0]} is missing.")
    return frame.select(pl.col(columns).cast(pl.String))


def evaluate(connection: psycopg.Connection, truth: pl.DataFrame) -> Evaluation:
    """Measure the built warehouse's links against the truth.

    At thresholds other than the one in force, only the weights of clients are compared with
    the threshold: rules, near ties and clusters of students stay as built.

    Raises:
        OutcomesError: no student of the warehouse is in the truth.
    """
    linkage = _read_linkage(connection, truth)
    row = connection.execute(
        "select value from identity.match_thresholds where setting = 'link_weight'"
    ).fetchone()
    in_force = float(row[0]) if row else 0.0
    by_threshold = []
    for threshold in sorted({*THRESHOLDS, in_force}):
        pairs, clusters = _found_and_true(linkage, threshold)
        by_threshold.append(Measured(f"{threshold:g}", _quality(pairs), _quality(clusters)))
    pairs, clusters = _found_and_true(linkage, in_force)
    by_group = []
    kinds = linkage.groups.select("group_type", "group_value").unique().sort(pl.all())
    for group_type, group_value in kinds.rows():
        members = linkage.groups.filter(
            (pl.col("group_type") == group_type) & (pl.col("group_value") == group_value)
        ).select("record")
        by_group.append(
            Measured(
                f"{group_type.replace('_', ' ')}: {group_value}",
                _quality(pairs.join(members, on="record", how="semi")),
                _quality(clusters.join(members, on="record", how="semi")),
            )
        )
    return Evaluation(in_force, _blocking_recall(linkage), by_threshold, by_group)


def _read_linkage(connection: psycopg.Connection, truth: pl.DataFrame) -> _Linkage:
    true_students = truth.filter(pl.col("record_type") == "student").select("record", "true")
    students = _query(
        connection,
        "select student_key as record, person_id as found from identity.int_identity_persons",
    ).join(true_students, on="record")
    if students.is_empty():
        raise OutcomesError(
            "No student of the warehouse is in the truth: expected the truth of the landed "
            "deliveries, by <district>:<district_student_id>."
        )
    held = _query(
        connection,
        "select source_id || ':' || source_client_id as record "
        "from deliveries.int_clients_accepted",
    )
    true_clients = (
        truth.filter(pl.col("record_type") == "client")
        .select("record", "true")
        .join(held, on="record", how="semi")
    )
    clients = _query(
        connection,
        "select record_id as record, person_id as found, match_weight as weight "
        "from identity.int_identity_links_at_any_weight",
    ).with_columns(pl.col("weight").cast(pl.Float64))
    compared = _query(
        connection,
        """
        select distinct pairs.student_key as record, records.record_id as client
        from identity.int_identity_pairs as pairs
        inner join identity.int_identity_records as records
            on pairs.other_identity_id = records.identity_id
        where pairs.pair_type = 'student_client'
        """,
    )
    groups = _query(
        connection,
        "select student_key as record, group_type, group_value from identity.int_identity_groups "
        "where group_type <> 'all'",
    )
    return _Linkage(
        students,
        clients.join(true_clients, on="record", how="semi"),
        true_clients.join(students, on="true", how="semi"),
        compared,
        groups,
    )


def _query(connection: psycopg.Connection, query: str) -> pl.DataFrame:
    """A query's rows; by COPY, because there may be millions."""
    content = io.BytesIO()
    with connection.cursor().copy(
        f"copy ({query}) to stdout (format csv, header)".encode()
    ) as copy:
        for block in copy:
            content.write(block)
    content.seek(0)
    return pl.read_csv(content, infer_schema=False)


def _blocking_recall(linkage: _Linkage) -> Share:
    true = linkage.students.join(linkage.true_clients, on="true").select(
        "record", client="record_right"
    )
    compared = true.join(linkage.compared, on=["record", "client"], how="semi")
    return wilson(compared.height, true.height)


def _found_and_true(linkage: _Linkage, threshold: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Found and true pairs and clusters, each with a student record for its group.

    Returns:
        record, is_found, is_true: one row per pair, one row per cluster.
    """
    students = linkage.students
    linked = linkage.clients.filter(pl.col("weight").fill_null(float("inf")) >= threshold)
    found = students.join(linked, on="found").select("record", client="record_right")
    true = students.join(linkage.true_clients, on="true").select("record", client="record_right")
    pairs = _compare(found, true, ["record", "client"])

    found_members = pl.concat(
        [students.select("record", "found"), linked.select("record", "found")]
    ).join(students.select("found"), on="found", how="semi")
    true_members = pl.concat([students.select("record", "true"), linkage.true_clients])
    clusters = _compare(
        _clusters(found_members, students, "found"),
        _clusters(true_members, students, "true"),
        ["record", "members"],
    )
    return pairs, clusters


def _clusters(members: pl.DataFrame, students: pl.DataFrame, person: str) -> pl.DataFrame:
    """One row per person: the first student record and a hash of all records."""
    first = students.group_by(person).agg(pl.col("record").min())
    hashes = members.group_by(person).agg(
        pl.col("record").sort().str.join("|").hash().alias("members")
    )
    return first.join(hashes, on=person).select("record", "members")


def _compare(found: pl.DataFrame, true: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return (
        found.with_columns(is_found=pl.lit(True))
        .join(true.with_columns(is_true=pl.lit(True)), on=on, how="full", coalesce=True)
        .select("record", pl.col("is_found", "is_true").fill_null(False))
    )


def _quality(judged: pl.DataFrame) -> Quality:
    return Quality(
        both=judged.filter(pl.col("is_found") & pl.col("is_true")).height,
        found=int(judged["is_found"].sum()),
        true=int(judged["is_true"].sum()),
    )
