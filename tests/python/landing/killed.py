"""Loaders in separate processes, which are killed at a given point."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pkgutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outcomes.config import Settings
from outcomes.contracts.model import Contract
from outcomes.landing.archive import Archive
from outcomes.landing.deliveries import find_deliveries
from outcomes.landing.loader import land_deliveries
from outcomes.warehouse.connection import connect

# The fork server imports everything once; each loader is a fork of it.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["outcomes.landing.loader", "outcomes.landing.archive"])


@dataclass(frozen=True)
class Point:
    """Before or after the nth call of a function, by its qualified name."""

    when: str
    function: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.when} {self.function.removeprefix('outcomes.landing.')} {self.nth}"


@dataclass(frozen=True)
class Work:
    """The arguments of a loader, which reads no environment."""

    settings: Settings
    archive: Archive
    contracts: Mapping[str, Contract]
    drops: Path

    def land(self) -> list[str]:
        """Land and archive as the command does; returns the status of every file."""
        files = find_deliveries(self.drops, self.contracts).files
        with connect(self.settings) as connection:
            kept = self.archive.keep_all(self.contracts, files)
            landed = land_deliveries(connection, self.contracts, kept)
            return [outcome.status for _, outcomes in landed for outcome in outcomes]

    def land_and_be_killed(self, point: Point) -> bool:
        """Land in another process and kill it at a point; returns whether it got there."""
        process = _processes.Process(target=_land_until, args=(self, point))
        process.start()
        process.join()
        return process.exitcode == -signal.SIGKILL

    def land_at_once(self, loaders: int) -> list[str]:
        """Land in several processes at the same time; returns all statuses."""
        with _processes.Pool(loaders) as pool:
            landed = pool.map(Work.land, [self] * loaders, chunksize=1)
        return sorted(itertools.chain.from_iterable(landed))


def _land_until(work: Work, point: Point) -> None:
    path, _, attribute = point.function.rpartition(".")
    owner = pkgutil.resolve_name(path)  # a module, or a class in one
    original = getattr(owner, attribute)
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.nth and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **named)
        if calls == point.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, attribute, wrapped)
    work.land()
