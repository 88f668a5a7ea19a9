"""Four eyes: from which amount on, and by whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.access import Role
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import assess_approval, check_approval, may_approve, needs_approval
from insureflow.domain.money import Money

THRESHOLDS = {
    Role.ADMINISTRATOR: None,
    Role.CREDIT_MANAGER: Money.of(100_000, "EUR"),
    Role.CREDIT_ANALYST: Money.of(10_000, "EUR"),
    Role.CLAIMS_HANDLER: Money.zero("EUR"),
}


@pytest.mark.parametrize(
    ("role", "amount", "is_needed"),
    [
        (Role.CREDIT_ANALYST, "10000", False),
        (Role.CREDIT_ANALYST, "10000.01", True),
        (Role.CLAIMS_HANDLER, "0", False),
        (Role.CLAIMS_HANDLER, "0.01", True),
        (Role.ADMINISTRATOR, "999999999", False),
        (Role.SALES, "0", True),
    ],
)
def test_who_needs_a_second_person(role: Role, amount: str, is_needed: bool) -> None:
    assert needs_approval(role, Money.of(amount, "EUR"), THRESHOLDS) is is_needed


def test_the_need_says_who_could_agree_and_why() -> None:
    need = assess_approval(Role.CREDIT_ANALYST, Money.of(50_000, "EUR"), THRESHOLDS)
    assert need.is_needed
    assert need.alone_up_to == Money.of(10_000, "EUR")
    assert need.approving_roles == (Role.ADMINISTRATOR, Role.CREDIT_MANAGER)
    (step,) = need.trace
    assert step.result is True
    assert assess_approval(Role.SALES, Money.of(1, "EUR"), THRESHOLDS).alone_up_to is None


@pytest.mark.parametrize(
    ("requester", "approver", "role", "amount", "code"),
    [
        (1, 2, Role.CREDIT_MANAGER, 100_000, None),
        (None, 2, Role.CREDIT_MANAGER, 100_000, None),
        (1, 1, Role.ADMINISTRATOR, 1, "approval_of_own_request"),
        (1, None, Role.ADMINISTRATOR, 1, "approval_needs_a_person"),
        (1, 2, Role.CREDIT_MANAGER, 100_001, "approval_above_authority"),
        (1, 2, Role.SALES, 1, "approval_above_authority"),
    ],
)
def test_who_may_agree(requester: int | None, approver: int | None, role: Role, amount: int, code: str | None) -> None:
    asked = (requester, approver, role, Money.of(amount, "EUR"), THRESHOLDS)
    assert may_approve(*asked) is (code is None)
    if code is None:
        check_approval(*asked)
        return
    with pytest.raises(Refusal) as refused:
        check_approval(*asked)
    assert refused.value.code == code


def test_amounts_of_another_currency_are_never_compared() -> None:
    with pytest.raises(Refusal, match="currencies_differ"):
        may_approve(1, 2, Role.CREDIT_MANAGER, Money.of(1, "USD"), THRESHOLDS)


@given(person=st.integers(1, 5), role=st.sampled_from(Role), amount=st.integers(0, 10**9))
def test_nobody_approves_their_own_request(person: int, role: Role, amount: int) -> None:
    assert not may_approve(person, person, role, Money(amount, "EUR"), THRESHOLDS)
