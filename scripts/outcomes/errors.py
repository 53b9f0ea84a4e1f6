"""Errors that are meant for the person who reads them."""


class OutcomesError(Exception):
    """Something a person can put right; shown as its message alone, without a traceback.

    The message says what was expected, what was found and what to do next. It never
    quotes a student's or a client's data.
    """
