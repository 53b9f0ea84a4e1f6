"""The human-services extracts: millions of client records and their services, streamed.

A record is made when it is written; only its person is kept in memory. A block of records is
built in columns, and compressed by a second thread while the next block is built.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import polars as pl

from demo.archives import GzipFile
from demo.faults import FaultLog
from demo.mess import CLIENT_RATES, garble
from demo.people import RACE_LABELS, TODAY, Population
from demo.plan import SOURCES_SINCE, Plan

BLOCK = 200_000
# Share of a source's records that each weekly extract adds, changes or deletes.
NEW, TOUCHED, DELETED = 0.003, 0.006, 0.12
# Share of client records with no service to four services.
SERVICES_PER_RECORD = (0.03, 0.57, 0.26, 0.1, 0.04)
BAD_SERVICE = 1 / 5000
# Programs that can move a child to another school.
MOVES_CHILDREN = ("CYF_PLACEMENT", "HMIS_SHELTER")
MOST_SOURCES = 5


@dataclass(frozen=True)
class Program:
    """A program: the ages of its clients, the mean length of a service, the share still open."""

    code: str
    share: float
    from_age: float
    to_age: float
    mean_days: int
    open_share: float


@dataclass(frozen=True)
class Source:
    """A source system; `weights` are the odds of a record by age group (`AGE_GROUPS`)."""

    prefix: str
    weights: tuple[float, ...]
    programs: tuple[Program, ...]
    is_upper_case: bool = True


AGE_GROUPS = (6, 10, 14, 19, 22)  # under 6, 6-9, 10-13, 14-18, 19-21, older
SOURCES = {
    "child_welfare": Source("CW", (14, 16, 16, 15, 9, 8), (
        Program("CYF_ACTIVE", 0.5, 0, 99, 200, 0.1),
        Program("CYF_ASSOCIATED", 0.3, 0, 99, 200, 0.1),
        Program("CYF_DEPENDENT", 0.1, 0, 18, 300, 0.15),
        Program("CYF_PLACEMENT", 0.1, 0, 18, 240, 0.15),
    )),
    "mental_health": Source("MH", (3, 12, 15, 16, 14, 16), (
        Program("MH_OUTPATIENT", 0.7, 3, 99, 180, 0.15),
        Program("MH_INPATIENT", 0.1, 10, 99, 12, 0.01),
        Program("MH_SCHOOL_BASED", 0.2, 5, 19, 200, 0.2),
    )),
    "drug_alcohol": Source("DA", (0, 0, 0.5, 3, 6, 9), (
        Program("DA_TREATMENT", 1.0, 12, 99, 90, 0.08),
    )),
    "intellectual_disability": Source("ID", (0.5, 1, 1, 1, 1, 1.5), (
        Program("OID_REGISTERED", 0.6, 3, 99, 2500, 0.8),
        Program("OID_SERVICES", 0.4, 3, 99, 700, 0.4),
    )),
    "homelessness": Source("HM", (2, 2, 2, 2, 2, 4), (
        Program("HMIS_SHELTER", 0.7, 0, 99, 45, 0.03),
        Program("HMIS_TRANSITIONAL", 0.3, 0, 99, 250, 0.1),
    ), is_upper_case=False),
    "juvenile_probation": Source("JP", (0, 0.1, 2, 7, 5, 1), (
        Program("JPO_ALLEGATION", 0.65, 10, 20, 60, 0.03),
        Program("JPO_SUPERVISION", 0.35, 10, 20, 270, 0.12),
    )),
    "income_support": Source("IS", (52, 48, 44, 42, 46, 48), (
        Program("TANF", 0.2, 0, 99, 400, 0.15),
        Program("SNAP", 0.35, 0, 99, 500, 0.25),
        Program("MEDICAL_ASSISTANCE", 0.45, 0, 99, 700, 0.3),
    )),
    "housing_authority": Source("HA", (9, 9, 9, 9, 9, 11), (
        Program("PUBLIC_HOUSING", 0.6, 0, 99, 1300, 0.35),
        Program("VOUCHER", 0.4, 0, 99, 1300, 0.35),
    )),
    "early_childhood": Source("EC", (22, 12, 10, 5, 1, 2), (
        Program("HEAD_START", 0.5, 3, 5.5, 300, 0.1),
        Program("EARLY_INTERVENTION", 0.3, 0, 3.5, 400, 0.1),
        Program("FAMILY_SUPPORT", 0.2, 0, 99, 300, 0.1),
    ), is_upper_case=False),
}  # fmt: skip


@dataclass(frozen=True)
class ClientRecords:
    """The person of each client record, by source, in the order of ids (from 1).

    `person`: by source, the person of each record. `full`: by source, the number of records in
    the first extract; the others arrive evenly in the weekly ones.
    """

    person: dict[str, np.ndarray]
    full: dict[str, int]

    def arrivals(self, source: str, week: int, weeks: int) -> range:
        """Positions of the records that are new in an extract (0 = the full one)."""
        full, all_records = self.full[source], len(self.person[source])
        if week == 0:
            return range(full)
        bounds = [full + (all_records - full) * done // weeks for done in (week - 1, week)]
        return range(*bounds)


def assign_records(plan: Plan, population: Population, demographics: pl.DataFrame) -> ClientRecords:
    """Distribute the plan's client records over clients and sources.

    Most students with an intellectual disability are registered with its office; the others are
    the service gap that analysts look for.
    """
    chance = plan.chance("client records")
    people = population.people
    involved = people["is_involved"].to_numpy()
    # A few students have a client record without a service, so they are not involved.
    client = involved | (chance.random(len(people)) < 0.02)
    clients = np.flatnonzero(client).astype(np.int32)
    spare = plan.clients - len(clients)
    # Heavy users of services have very many records.
    weight = np.exp(chance.normal(0, 1.0, len(clients)))
    extra = chance.multinomial(max(0, spare), weight / weight.sum())
    person = np.repeat(clients, extra + 1)[: plan.clients]
    born = people["birth_date"].to_numpy().astype("datetime64[D]")
    age = (np.datetime64(TODAY) - born).astype(int) / 365.25
    group = np.digitize(age, AGE_GROUPS).astype(np.int8)[person]
    # A person uses few sources: at most five draws, mostly one or two.
    draws = chance.random((len(people), MOST_SOURCES), dtype=np.float32)
    used = (1 + chance.poisson(1.1, len(people))).clip(max=MOST_SOURCES)
    draw = draws[person, (chance.random(len(person)) * used[person]).astype(np.int8)]
    source = np.empty(len(person), dtype=np.int8)
    for number in range(len(AGE_GROUPS) + 1):
        rows = np.flatnonzero(group == number)
        odds = np.array([spec.weights[number] for spec in SOURCES.values()])
        bounds = np.cumsum(odds / odds.sum())[:-1]
        source[rows] = np.searchsorted(bounds, draw[rows], side="right")
    _register_disabilities(person, source, demographics, chance)
    by_source, full = {}, {}
    for number, name in enumerate(SOURCES):
        records = person[source == number]
        chance.shuffle(records)
        by_source[name] = records
        full[name] = max(0, len(records) - max(plan.weeks, round(NEW * plan.weeks * len(records))))
    return ClientRecords(by_source, full)


def _register_disabilities(
    person: np.ndarray, source: np.ndarray, demographics: pl.DataFrame, chance: np.random.Generator
) -> None:
    """Move students' records to or from the disability office, in place."""
    office = list(SOURCES).index("intellectual_disability")
    elsewhere = list(SOURCES).index("income_support")
    students = len(demographics)
    is_student = person < students
    source[is_student & (source == office)] = elsewhere
    has_it = demographics["primary_disability"].eq_missing("ID").to_numpy()
    registered = np.flatnonzero(has_it & (chance.random(students) < 0.75))
    # The records of a person are consecutive: the first one becomes the office's.
    first = np.flatnonzero(np.diff(person, prepend=-1))
    source[first[np.isin(person[first], registered)]] = office


def record_ids(prefix: str, positions: np.ndarray) -> pl.Series:
    """Ids of nine digits; the first position, 0, has number 1."""
    digits = pl.Series("id", positions + 1_000_000_001).cast(pl.String).str.slice(1)
    return pl.select(pl.concat_str(pl.lit(prefix), digits)).to_series()


def write_source(
    parts: Sequence[Extracts], drops: Path, name: str, advance: Callable[[int], None]
) -> None:
    """Write the client and service files of a source for every delivery, with all parts' records.

    `advance` is called with the size of every written block of client records.
    """
    written = [part.begin(name) for part in parts]
    days = parts[0].plan.human_services()
    for week, day in enumerate(days):
        folder = drops / day.isoformat()
        period = (days[week - 1] if week else SOURCES_SINCE, day)
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(2))
            files = [
                stack.enter_context(GzipFile(folder / f"{what}_{name}.csv.gz"))
                for what in ("clients", "services")
            ]
            clients, services = (
                stack.enter_context(_Extract(file, pool, period)) for file in files
            )
            for part, so_far in zip(parts, written, strict=True):
                part.write_week(so_far, week, clients, services, advance)
    for part, so_far in zip(parts, written, strict=True):
        part.deleted[name] = so_far.touched.deleted()


class Extracts:
    """The client records of a plan's people, and their services.

    `moves` has changes of school: person, entry_date. The number of client records with each
    kind of error is added to `mess`, faults to `log`. `deleted` has, by source, (position, week)
    of the records that a weekly extract deleted.
    """

    def __init__(
        self,
        plan: Plan,
        population: Population,
        records: ClientRecords,
        mess: Counter[str],
        log: FaultLog,
        moves: pl.DataFrame,
    ) -> None:
        self.plan = plan
        self.population = population
        self.records = records
        self.deleted: dict[str, list[tuple[int, int]]] = {}
        self._mess = mess
        self._log = log
        people = population.people
        self._people = people.select(
            "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "ssn",
            "street", "city", "zip", "previous_street", "previous_city", "previous_zip",
            "former_last_name", "nickname", "parent_ssn",
            race=pl.col("race").replace_strict(RACE_LABELS, return_dtype=pl.String),
        )  # fmt: skip
        self._born = people["birth_date"].to_numpy().astype("datetime64[D]")
        self._moved_on = np.full(len(people), np.datetime64("NaT", "D"))
        self._moved_on[moves["person"].to_numpy()] = moves["entry_date"].to_numpy()
        self._has_services = people["is_involved"].to_numpy()

    def begin(self, name: str) -> _Written:
        """Nothing of a source is written yet."""
        return _Written(name, self.plan.chance("extract", name), _Touched())

    def write_week(
        self, written: _Written, week: int, clients: _Extract, services: _Extract,
        advance: Callable[[int], None],
    ) -> None:  # fmt: skip
        """Append what is new, changed or deleted in a week to the source's two files."""
        name, chance, touched = written.name, written.chance, written.touched
        days = self.plan.human_services()
        period = (days[week - 1] if week else SOURCES_SINCE, days[week])
        positions = self.records.arrivals(name, week, self.plan.weeks)
        for block in _blocks(positions):
            clients.write(self.clients(name, block, chance), chance)
            made = self._services(name, block, written.services_made, chance)
            written.services_made += len(made)
            services.write(made, chance)
            touched.keep(block, made, week, self.plan.weeks, chance)
            bad = made.filter(pl.col("end_date") < pl.col("start_date"))
            file = f"services_{name}.csv.gz"
            self._log.add("dhs", days[week], file, "ends before it starts", len(bad))
            advance(len(block))
        if week:
            # Some rows occur twice: the newer time of update counts.
            changed = touched.clients_of(week)
            changed = pl.concat([changed, changed.head(2)])
            rows = self.clients(name, changed["position"].to_numpy(), chance)
            clients.write(rows, chance, changed["is_deleted"])
            changed = touched.services_of(week, days[week])
            services.write(changed.drop("is_deleted"), chance, changed["is_deleted"])
            new = self._new_services(name, positions.start, written.services_made, period, chance)
            written.services_made += len(new)
            services.write(new, chance)

    def clients(
        self, name: str, positions: np.ndarray, chance: np.random.Generator
    ) -> pl.DataFrame:
        """The client records at some positions of a source, with errors."""
        source = SOURCES[name]
        person = self.records.person[name][positions]
        frame = garble(self._people[person], CLIENT_RATES, chance, self._mess)
        if source.is_upper_case:
            frame = frame.with_columns(
                pl.col(
                    "last_name", "first_name", "middle_name", "suffix", "street", "city"
                ).str.to_uppercase()
            )
        # Prime step and modulus give distinct numbers in an order unlike that of people.
        number = person.astype(np.int64) + self.population.numbered_after
        number = number * 387_420_489 % 899_999_963 + 100_000_000
        mci = pl.Series(np.where(chance.random(len(person)) < 0.45, number, 0))
        return frame.select(
            self._ids(source.prefix, positions).alias("source_client_id"),
            pl.when(mci > 0).then(mci.cast(pl.String)).alias("mci_id"),
            "last_name", "first_name", "middle_name", "suffix", "birth_date", "sex", "race",
            "ssn", "street", "city", "zip",
        )  # fmt: skip

    def _new_services(
        self,
        name: str,
        known: int,
        services_made: int,
        period: tuple[date, date],
        chance: np.random.Generator,
    ) -> pl.DataFrame:
        """Services that began for known clients (positions below `known`) in the period."""
        # A small source may have no client yet.
        n = 1 + round(NEW * known) if known else 0
        positions = chance.integers(0, known or 1, n)
        services = self._services(name, positions, services_made, chance)
        days = (period[1] - period[0]).days
        new = np.datetime64(period[0]) + chance.integers(1, days + 1, len(services))
        return services.with_columns(start_date=pl.Series(new), end_date=pl.lit(None, pl.Date))

    def _services(
        self, name: str, positions: np.ndarray, services_made: int, chance: np.random.Generator
    ) -> pl.DataFrame:
        source = SOURCES[name]
        person = self.records.person[name][positions]
        count = chance.choice(len(SERVICES_PER_RECORD), len(person), p=SERVICES_PER_RECORD)
        # An involved student has a service for every record; uninvolved people have none.
        count[person < self.population.students] = count[person < self.population.students].clip(1)
        count[~self._has_services[person]] = 0
        client, person_of = np.repeat(positions, count), np.repeat(person, count)
        born = self._born[person_of]
        n = len(client)
        programs = source.programs
        which = chance.choice(len(programs), n, p=[program.share for program in programs])
        moved_on = self._moved_on[person_of]
        can_move = [program.code in MOVES_CHILDREN for program in programs]
        # Half of those who changed school did so after such a program began.
        after = ~np.isnat(moved_on) & (person_of % 2 == 0) & any(can_move)
        which[after] = np.argmax(can_move)

        def of_program(attribute: str) -> np.ndarray:
            return np.array([getattr(program, attribute) for program in programs])[which]

        lowest = np.maximum(born + _days(of_program("from_age")), np.datetime64(SOURCES_SINCE))
        highest = np.minimum(born + _days(of_program("to_age")), np.datetime64(TODAY))
        # For somebody outside the program's ages, the nearest possible day is used.
        lowest = np.minimum(lowest, np.datetime64(TODAY))
        highest = np.maximum(lowest, highest)
        span = (highest - lowest).astype(int) + 1
        start = lowest + (chance.random(n) * span).astype("timedelta64[D]")
        start[after] = moved_on[after] - person_of[after] % 20
        end = start + (chance.exponential(1.0, n) * of_program("mean_days")).astype(
            "timedelta64[D]"
        )
        still_open = (end > np.datetime64(TODAY)) | (chance.random(n) < of_program("open_share"))
        start, end = _on_boundaries(start, end, chance)
        wrong = chance.random(n) < BAD_SERVICE
        end[wrong] = start[wrong] - 1 - chance.integers(0, 30, int(wrong.sum()))
        end[still_open & ~wrong] = np.datetime64("NaT")
        codes = pl.Series([program.code for program in programs])
        return pl.DataFrame(
            {
                "source_service_id": self._ids(f"{source.prefix}S", services_made + np.arange(n)),
                "source_client_id": self._ids(source.prefix, client),
                "program_code": codes.gather(which),
                "start_date": start,
                "end_date": end,
            }
        )

    def _ids(self, prefix: str, positions: np.ndarray) -> pl.Series:
        return record_ids(prefix, positions + self.population.numbered_after)


class _Extract:
    """A CSV file of one period; the pool compresses its blocks one after the other."""

    def __init__(self, file: GzipFile, pool: ThreadPoolExecutor, period: tuple[date, date]) -> None:
        self._file = file
        self._pool = pool
        since, until = (datetime.combine(day, time(20)) for day in period)
        self._since = np.datetime64(since, "ms")
        self._seconds = int((until - since).total_seconds())
        self._pending: Future[None] | None = None
        self._has_header = False

    def write(
        self, rows: pl.DataFrame, chance: np.random.Generator, is_deleted: pl.Series | None = None
    ) -> None:
        """Append rows with a random time of update; by default none is deleted."""
        seconds = chance.integers(0, self._seconds, len(rows)).astype("timedelta64[s]")
        content = rows.with_columns(
            updated_at=pl.Series(self._since + seconds),
            is_deleted=pl.lit(False) if is_deleted is None else is_deleted,
        ).write_csv(include_header=not self._has_header, datetime_format="%Y-%m-%dT%H:%M:%S")
        self._has_header = True
        self._finish()
        self._pending = self._pool.submit(self._file.write, content.encode())

    def _finish(self) -> None:
        """Wait for the last block; an error in the thread is raised here."""
        if self._pending is not None:
            self._pending.result()
            self._pending = None

    def __enter__(self) -> _Extract:
        """The open file."""
        return self

    def __exit__(self, *error: object) -> None:
        """Wait for the last block."""
        self._finish()


class _Touched:
    """Records that a later extract changes or deletes, chosen when they are first written."""

    def __init__(self) -> None:
        self._clients: list[pl.DataFrame] = []
        self._services: list[pl.DataFrame] = []

    def keep(
        self,
        positions: np.ndarray,
        services: pl.DataFrame,
        week: int,
        weeks: int,
        chance: np.random.Generator,
    ) -> None:
        """Choose from a block; `week` is the current one."""
        later = weeks - week
        if not later:
            return
        clients = pl.DataFrame({"position": positions})
        for kept, frame in ((self._clients, clients), (self._services, services)):
            picked = frame.filter(pl.Series(chance.random(len(frame)) < TOUCHED * later))
            kept.append(
                picked.with_columns(
                    week=pl.Series(chance.integers(week + 1, weeks + 1, len(picked))),
                    is_deleted=pl.Series(chance.random(len(picked)) < DELETED),
                )
            )

    def clients_of(self, week: int) -> pl.DataFrame:
        """position, is_deleted of the records that an extract sends again."""
        return self._of(self._clients, week)

    def services_of(self, week: int, day: date) -> pl.DataFrame:
        """The services that an extract sends again; open ones have ended meanwhile."""
        ended = pl.col("end_date").is_null() & ~pl.col("is_deleted")
        return self._of(self._services, week).with_columns(
            end_date=pl.when(ended)
            .then(pl.max_horizontal("start_date", pl.lit(day)))
            .otherwise("end_date")
        )

    def deleted(self) -> list[tuple[int, int]]:
        """(position, week) of every deleted client record."""
        clients = pl.concat(self._clients).filter("is_deleted")
        return list(clients.select("position", "week").iter_rows())

    @staticmethod
    def _of(kept: list[pl.DataFrame], week: int) -> pl.DataFrame:
        return pl.concat(kept).filter(pl.col("week") == week).drop("week")


@dataclass
class _Written:
    """What is written of a source so far: its random numbers, and what later extracts change."""

    name: str
    chance: np.random.Generator
    touched: _Touched
    services_made: int = 0


def _days(years: np.ndarray) -> np.ndarray:
    return (years * 365.25).astype(int).astype("timedelta64[D]")


def _on_boundaries(
    start: np.ndarray, end: np.ndarray, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Move some services to the limits of a school year: start July 1, end June 30."""
    july = start.astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(6, "M")
    july_first = july.astype("datetime64[D]")
    rows = (chance.random(len(start)) < 0.03) & (july_first >= start) & (july_first <= end)
    start = np.where(rows, july_first, start)
    june = end.astype("datetime64[Y]").astype("datetime64[M]") + np.timedelta64(6, "M")
    june_last = june.astype("datetime64[D]") - np.timedelta64(1, "D")
    rows = (chance.random(len(end)) < 0.03) & (june_last >= start)
    return start, np.where(rows, june_last, end)


def _blocks(positions: range) -> Iterator[np.ndarray]:
    """The positions in blocks; an empty one if there are none, so that a header is written."""
    for start in range(positions.start, max(positions.stop, positions.start + 1), BLOCK):
        yield np.arange(start, min(start + BLOCK, positions.stop))
