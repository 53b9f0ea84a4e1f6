"""How sure the model is, in words: the share of true matches among such pairs."""

from __future__ import annotations


def share_in_words(share: float | None) -> str:
    """Say a share of `match_calibration`; None where it was not measured."""
    if share is None:
        return "not measured for such pairs"
    if share < 0.05:
        return "fewer than 1 in 20 such pairs are the same person"
    if share > 0.99:
        return "more than 99 in 100 such pairs are the same person"
    if share >= 0.95:
        return f"about {100 * share:.0f} in 100 such pairs are the same person"
    return f"about {max(1, min(9, round(10 * share)))} in 10 such pairs are the same person"
