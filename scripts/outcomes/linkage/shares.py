"""How sure the model is, in words: the share of true matches among such pairs."""

from __future__ import annotations


def share_in_words(share: float | None) -> str:
    """Say a share of `match_calibration`; None where it was not measured."""
    if share is None:
        return "how many such pairs are the same person was not measured"
    if share < 0.05:
        return "fewer than 1 in 20 such pairs are the same person"
    if share > 0.99:
        return "more than 99 in 100 such pairs are the same person"
    if share >= 0.95:
        return f"about {100 * share:.0f} in 100 such pairs are the same person"
    tenths = min(9, max(1, int(10 * share + 0.5)))
    return f"about {tenths} in 10 such pairs are the same person"
