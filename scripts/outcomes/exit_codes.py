"""Exit codes of the command other than 0; the weekly run records and reports them, too."""

FAILED = 1
# Not 1: the command did what it should, and somebody has to decide something or ask a partner.
NEEDS_A_PERSON = 3
