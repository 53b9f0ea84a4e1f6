"""The letters in which two records differ."""

from __future__ import annotations

import pytest

from outcomes.linkage.differences import Part, compare


def marked(parts: list[Part]) -> str:
    return "".join(f"[{part.text}]" if part.differs else part.text for part in parts)


@pytest.mark.parametrize(
    ("student", "other", "shown", "shown_other"),
    [
        # Capitals and accents are no difference.
        (["Ramírez"], ["RAMIREZ"], ["Ramírez"], ["RAMIREZ"]),
        (["Jon"], ["JOHN"], ["Jon"], ["JO[H]N"]),
        (["2004-02-29"], ["2004-03-29"], ["2004-0[2]-29"], ["2004-0[3]-29"]),
        # A spelling is compared with the most similar one.
        (["Ann", "Maria"], ["Marie"], ["[Ann]", "Mari[a]"], ["Mari[e]"]),
        # Words that have nothing in common are marked whole.
        (["Alejandra"], ["CAMILA"], ["[Alejandra]"], ["[CAMILA]"]),
        # Unless one is the beginning of the other.
        (["D"], ["DEMETRIUS"], ["D"], ["D[EMETRIUS]"]),
        # One spelling in common is enough.
        (["Ann", "Anna"], ["ANNA", None], ["Ann", "Anna"], ["ANNA"]),
        (["Ann", "ANN", ""], [None], ["Ann"], []),
        ([], [], [], []),
    ],
)
def test_letters_are_marked_that_the_other_side_lacks(
    student: list[str | None], other: list[str | None], shown: list[str], shown_other: list[str]
) -> None:
    field = compare("first_name", student, other)
    assert [marked(parts) for parts in field.student] == shown
    assert [marked(parts) for parts in field.other] == shown_other
    both = bool(shown and shown_other)
    assert field.differs == (both and any("[" in text for text in shown + shown_other))
    assert field.agrees == (both and not field.differs)


def test_codes_differ_as_a_whole() -> None:
    field = compare("gender", ["male"], ["FEMALE"])
    assert [marked(parts) for parts in field.student + field.other] == ["[male]", "[FEMALE]"]
    assert not compare("gender", ["male"], ["MALE"]).differs


def test_of_a_social_security_number_four_digits_are_shown_and_all_compared() -> None:
    def shown(student: str, other: str) -> list[str]:
        field = compare("ssn", [student], [other])
        return [marked(parts) for parts in field.student + field.other]

    assert shown("123456789", "123456789") == ["…6789", "…6789"]
    assert shown("123456789", "123456780") == ["…678[9]", "…678[0]"]
    assert shown("123456789", "123956789") == ["[…]6789", "[…]6789"]
    assert not compare("ssn", ["123456789"], ["923456789"]).agrees
