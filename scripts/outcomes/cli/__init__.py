"""The `outcomes` command: the only package that reads arguments and prints.

Every module has the commands of one subject. They call the packages below, which return results,
and show these.
"""

from outcomes.cli.root import app, cli

__all__ = ["app", "cli"]
