from __future__ import annotations

import pytest

from insureflow.i18n.differences import subject_in_words


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("limit/60/primary", "our limit, primary layer"),
        ("limit/60/nonsense", "limit/60/nonsense"),
        ("limit/60", "limit/60"),
        ("request/IF-7", "our request IF-7"),
        ("request/", "request/"),
        ("1234567/2", "1234567/2"),
        ("ABC", "ABC"),
    ],
)
def test_what_a_difference_is_about(subject: str, said: str) -> None:
    assert subject_in_words(subject, "en") == said
