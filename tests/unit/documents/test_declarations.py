"""The declaration as a paper: in every language the same sums, always the same file, and only where it adds up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from support.papers import POLICY, SELLER, euros, text_of

from insureflow.documents.declarations import (
    CATEGORIES,
    TITLES,
    DeclarationPaper,
    DeclaredSum,
    build_declaration,
    html_declaration,
    text_declaration,
)
from insureflow.domain.declarations import SalesCategory
from insureflow.domain.errors import Refusal
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.i18n.documents import LANGUAGES, wording_of

PAPER = DeclarationPaper(
    number="D-2026-000009",
    issued_on=date(2026, 6, 8),
    sender=SELLER,
    insurer=POLICY.insurer,
    policy_number=POLICY.number,
    basis=PremiumBasis.TURNOVER,
    first_day=date(2026, 5, 1),
    last_day=date(2026, 5, 31),
    cut_off_on=date(2026, 6, 7),
    version=2,
    declared=euros("8900.00"),
    kinds=(
        DeclaredSum(items=3, full=euros("8900.00"), declared=euros("8900.00")),
        DeclaredSum(items=1, full=euros("500.00"), declared=euros("0.00"), category=SalesCategory.CASH),
    ),
    late_items=1,
)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_declaration_says_its_sums_in_every_language(locale: str) -> None:
    wording = wording_of(locale)
    built = build_declaration(PAPER, locale)
    assert built == build_declaration(PAPER, locale)
    mail = text_declaration(PAPER, locale)
    for said in (text_of(built), " ".join(mail.body.split()), " ".join(html_declaration(PAPER, locale).split())):
        plain = re.sub(r"\s|\u200e", "", said)
        for amount in (euros("8900.00"), euros("500.00"), euros("9400.00")):
            assert re.sub(r"\s", "", wording.amount(amount)) in plain
        assert PAPER.policy_number in said
    assert PAPER.number in mail.subject


def test_balances_are_listed_by_day_and_nothing_is_declared_that_does_not_add_up() -> None:
    by_day = DeclaredSum(items=4, full=euros("9400.00"), declared=euros("8900.00"), on=date(2026, 5, 31))
    paper = replace(PAPER, basis=PremiumBasis.OUTSTANDING_BALANCE, days=(by_day,), version=1, late_items=0)
    assert "By day" in text_of(build_declaration(paper, "en"))
    nothing = replace(PAPER, kinds=(), declared=euros("0.00"))
    assert "we declare" in text_of(build_declaration(nothing, "en"))
    for wrong in ({"declared": euros("8900.01")}, {"days": (replace(by_day, declared=euros("1.00")),)}):
        with pytest.raises(Refusal, match="document_totals_differ"):
            replace(PAPER, **wrong)  # type: ignore[arg-type]  # of many types
    with pytest.raises(Refusal, match="document_without_items"):
        replace(PAPER, basis=PremiumBasis.FIXED)
    assert set(CATEGORIES) == set(SalesCategory)
    assert set(TITLES) == set(PremiumBasis) - {PremiumBasis.FIXED}
