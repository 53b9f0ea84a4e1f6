"""Errors for the people who run the commands."""


class OutcomesError(Exception):
    """A problem that a person can fix, shown as a message without a traceback.

    The message says what was expected, what was found and what to do next. It never
    quotes a student's or a client's data.
    """
