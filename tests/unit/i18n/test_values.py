"""Stored values in the reader's words: amounts, dates, percentages, rates, codes, and the names they stand under."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from insureflow.domain.cover.events import Layer
from insureflow.domain.money import Money
from insureflow.i18n.values import basis, name_of, said


@pytest.mark.parametrize(
    ("name", "value", "text", "is_figure"),
    [
        ("due_on", date(2026, 3, 1), "1 mars 2026", True),
        ("due_on", "2026-03-01", "1 mars 2026", True),
        ("source", "ECB 2026-03-01", "ECB 1 mars 2026", False),
        ("source", "ECB 2026-13-41", "ECB 2026-13-41", False),
        ("open", Money(123456, "EUR"), "1\u00a0234,56\u00a0EUR", True),
        ("open", {"amount": "1234.50", "currency": "EUR"}, "1\u00a0234,50\u00a0EUR", True),
        ("open", {"amount": "1234", "currency": "JPY"}, "1\u00a0234\u00a0JPY", True),
        ("overdue_minor", 123456, "1\u00a0234,56\u00a0EUR", True),
        ("insured_percentage", Decimal("92.5"), "92,5\u00a0%", True),
        ("terms.insured_percentage", "92.5", "92,5\u00a0%", True),
        ("insured_percentage", "unclear", "unclear", False),
        ("rate", Decimal("0.00248675801357770"), "0,0024867580", True),
        ("rate", "0.5", "0,5", True),
        ("share", Fraction(1, 4), "0,25", True),
        ("days", 30, "30", True),
        ("country", "SE", "Sverige", False),
        ("layer", Layer.TOP_UP, None, False),
        ("policy", "AT_1", "AT_1", False),
        ("note", "2026 was_good", "2026 was_good", False),
        ("end", None, "–", False),
        ("free", "plain_text", "plain_text", False),
    ],
)
def test_a_value_is_said_by_its_name(name: str, value: object, text: str | None, is_figure: bool) -> None:
    shown = said(name, value, "sv", "EUR")
    assert shown.is_figure is is_figure
    if text is None:
        assert "_" not in shown.text
    else:
        assert shown.text.rstrip("0") == text.rstrip("0")


def test_yes_and_no_are_words() -> None:
    assert (said("notified", True, "en").text, said("notified", False, "en").text) == ("yes", "no")
    assert said("policy", "no_policy", "en").text == "no policy"


def test_a_clause_of_a_country_names_the_country() -> None:
    assert basis("country_schedule.BR.maximum_extension_period", "en") == "maximum extension period, country schedule for Brazil"
    assert basis("limit.waiting_period", "en") == "waiting period"
    assert basis("policy.period", "en") == "policy period"
    assert basis("something.else_again", "en") == "something.else again"


def test_a_value_of_the_journal_has_a_name() -> None:
    assert name_of("decided_on", "en") == "Decided on"
    assert name_of("limits[0].decided", "en") == "Limits 1 – Amount"
    assert name_of("terms.insured_percentage.by_country.BR", "en") == "Insured percentage: Brazil"
    assert name_of("terms.maximum_credit_terms.days", "en") == "Maximum credit terms – days"
    assert name_of("terms.unheard_of", "en") == "Terms of the policy – unheard of"
