"""Student outcomes: in a notebook, `outcomes.tables()` and `outcomes.read(…)`."""

from outcomes.frames import read, tables

__all__ = ["read", "tables"]
