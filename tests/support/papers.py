"""Papers of every kind with figures that a reader can check by eye, for tests and for looking at them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from insureflow.documents import letters, notices, plans, proof_of_debt, statements
from insureflow.documents.items import ItemKind, OpenItem, totals_of
from insureflow.documents.mail_text import MailText
from insureflow.documents.parties import Address, BankAccount, Contact, Party, Signatory
from insureflow.domain.cover import Reason
from insureflow.domain.limits import LimitKind
from insureflow.domain.money import Money
from insureflow.domain.notices import AdverseKind, Intervention, ProceedingKind, ReasonForNonPayment


def euros(amount: str) -> Money:
    """An amount of euros."""
    return Money.of(amount, "EUR")


SELLER = Party(
    name="Norrvik Stål AB",
    address=Address(street=("Hamngatan 12",), postal_code="411 14", city="Göteborg", country="SE"),
    registration_number="556677-8899",
    tax_number="SE556677889901",
    contact=Contact(name="Anna Lindqvist", role="Credit Manager", phone="+46 31 123 45 67", email="anna@norrvik.example"),
)
BUYER = Party(
    name="Müller Maschinenbau GmbH",
    address=Address(street=("Industriestraße 45",), postal_code="20457", city="Hamburg", country="DE"),
    registration_number="HRB 12345",
    tax_number="DE123456789",
    insurer_reference="DE-88-1234567",
    contact=Contact(name="Jürgen Groß", phone="+49 40 12 34"),
)
ACCOUNT = BankAccount(holder="Norrvik Stål AB", iban="SE4550000000058398257466", bic="ESSESESS", bank="SEB")
SIGNATORY = Signatory(name="Anna Lindqvist", role="Credit Manager", place="Göteborg")
POLICY = notices.PolicyFacts(
    insurer=Party(
        name="Hansa Credit SA", address=Address(street=("1 Example Street",), postal_code="EC3M 1AA", city="London", country="GB")
    ),
    insured=SELLER,
    number="TCI-778812",
    broker=Party(name="Harbour Brokers"),
    joint_insured="Norrvik Trading Ltd",
)
#: Names and addresses in scripts that must be shaped, run from right to left, or are written without spaces.
NAMES = {
    "ar": "شركة النور للتجارة والصناعة (ذ.م.م)",
    "he": "חברת האור למסחר",
    "th": "บริษัท แสงทองการค้า จำกัด",
    "hi": "श्री लक्ष्मी ट्रेडिंग कंपनी",
    "ja": "株式会社山田製作所",
    "zh": "上海光明贸易有限公司",
    "ko": "주식회사 한빛무역",
    "el": "Ελληνική Εταιρεία",
    "ru": "Ромашка",
    "vi": "Công ty Cổ phần Đại Việt",
}


def open_items(count: int = 6) -> tuple[OpenItem, ...]:
    """Invoices due from 30 June 2026 on, every third one paid in part."""
    return tuple(
        OpenItem(
            number=f"2026-{400 + place:04}",
            issued_on=date(2026, 5, 1) + timedelta(days=3 * place),
            due_on=date(2026, 6, 30) + timedelta(days=3 * place),
            amount=euros(f"{12000 + place}.50"),
            open=euros(f"{12000 + place}.50") if place % 3 else euros("6000.25"),
            interest=euros("12.34") if place < 3 else None,
        )
        for place in range(count)
    )


def reminder(
    level: letters.ReminderLevel = letters.ReminderLevel.SECOND, count: int = 6, buyer: Party = BUYER, **more: Any
) -> letters.ReminderLetter:
    """A reminder of 3 August 2026 with interest, a fee and an earlier letter."""
    items = open_items(count)
    return letters.ReminderLetter(
        number="REM-2026-0012",
        issued_on=date(2026, 8, 3),
        level=level,
        sender=SELLER,
        buyer=buyer,
        items=items,
        pay_by=date(2026, 8, 13),
        accounts=(ACCOUNT,),
        payment_reference="RF18 5390 0754 7034",
        interest=letters.InterestTerms(annual_rate=Decimal("11.27"), basis="§ 288 BGB"),
        fees=(euros("40.00"),),
        earlier_on=(date(2026, 7, 10),) if level is not letters.ReminderLevel.BEFORE_DUE else (),
        suspends_deliveries=level in {letters.ReminderLevel.THIRD, letters.ReminderLevel.FINAL},
        stated_totals=totals_of(item.open for item in items),
        **more,
    )


def interest_notice() -> letters.InterestNotice:
    """Interest on one invoice."""
    line = letters.InterestLine(
        number="2026-0400",
        due_on=date(2026, 6, 30),
        principal=euros("12000.50"),
        from_on=date(2026, 6, 30),
        until_on=date(2026, 8, 3),
        annual_rate=Decimal("11.27"),
        interest=euros("126.00"),
    )
    return letters.InterestNotice(
        number="INT-9",
        issued_on=date(2026, 8, 3),
        sender=SELLER,
        buyer=BUYER,
        lines=(line,),
        totals=(euros("126.00"),),
        pay_by=date(2026, 8, 20),
        accounts=(ACCOUNT,),
        basis="§ 288 BGB",
    )


def statement(**more: Any) -> statements.StatementOfAccount:
    """An account with an opening balance of 1,000.00, invoices, and a payment that leaves the open items."""
    items = open_items(5)
    paid = sum(item.amount.minor - item.open.minor for item in items) + 100_000
    return statements.StatementOfAccount(
        number="SOA-1",
        issued_on=date(2026, 8, 3),
        as_of=date(2026, 8, 1),
        sender=SELLER,
        buyer=BUYER,
        items=items,
        closing=totals_of(item.open for item in items),
        since=date(2026, 4, 1),
        opening=(euros("1000.00"),),
        movements=(
            *(
                statements.Movement(on=item.issued_on, kind=ItemKind.INVOICE, number=item.number, amount=item.amount, due_on=item.due_on)
                for item in items
            ),
            statements.Movement(on=date(2026, 7, 5), kind=ItemKind.PAYMENT, number="B-77", amount=Money(-paid, "EUR")),
        ),
        accounts=(ACCOUNT,),
        payment_reference="RF18",
        confirm_by=date(2026, 8, 20),
        **more,
    )


def payment_plan() -> plans.PaymentPlanConfirmation:
    """Two instalments for three invoices with interest."""
    items = open_items(3)
    (owed,) = totals_of([*(item.open for item in items), euros("100.00")])
    first = Money(owed.minor // 2, "EUR")
    return plans.PaymentPlanConfirmation(
        number="PLAN-3",
        issued_on=date(2026, 8, 3),
        agreed_on=date(2026, 8, 1),
        sender=SELLER,
        buyer=BUYER,
        items=items,
        instalments=(
            plans.Instalment(due_on=date(2026, 9, 1), amount=first),
            plans.Instalment(due_on=date(2026, 10, 1), amount=owed - first, note="SEPA"),
        ),
        interest=(euros("100.00"),),
        accounts=(ACCOUNT,),
    )


def exposure(count: int = 6) -> tuple[notices.ExposureItem, ...]:
    """Invoices of 9,000.00 each, three of them insured, two not yet due on 2 September 2026."""
    nothing, whole = euros("0.00"), euros("9000.00")
    return tuple(
        notices.ExposureItem(
            number=f"2026-{400 + place:04}",
            issued_on=date(2026, 5, 1) + timedelta(days=20 * place),
            shipped_on=date(2026, 4, 29) + timedelta(days=20 * place),
            due_on=date(2026, 6, 30) + timedelta(days=20 * place),
            new_due_on=date(2026, 10, 1) if place == 0 else None,
            amount=euros("10000.00"),
            open=whole,
            insured=whole if place < 3 else nothing,
            uninsured=nothing if place < 3 else whole,
            reason=None if place < 3 else (Reason.OVER_LIMIT, Reason.TERMS_EXCEED_MAXIMUM)[place % 2],
            is_disputed=place == 1,
        )
        for place in range(count)
    )


ACTIONS = (
    notices.ActionTaken(on=date(2026, 7, 10), kind=notices.ActionKind.REMINDER, detail="accounts@mueller.example"),
    notices.ActionTaken(on=date(2026, 7, 20), kind=notices.ActionKind.PROMISE, detail="31.07.2026"),
    notices.ActionTaken(on=date(2026, 8, 1), kind=notices.ActionKind.BROKEN_PROMISE),
)


def _notice(number: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "issued_on": date(2026, 9, 3),
        "cut_off_on": date(2026, 9, 2),
        "policy": POLICY,
        "buyer": BUYER,
        "items": exposure(),
        "limits": (
            notices.LimitFacts(
                kind=LimitKind.NAMED,
                amount=euros("30000.00"),
                valid_from=date(2026, 1, 1),
                insured_percentage=Decimal(90),
                reference="L-5567",
            ),
            notices.LimitFacts(kind=LimitKind.DISCRETIONARY, amount=euros("5000.00"), conditions="03.03.2026"),
        ),
        "stated": notices.StatedExposure(open=(euros("54000.00"),), insured=(euros("27000.00"),)),
        "annexes": (notices.Annex(title="2026-0400.pdf", sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),),
        "signatory": SIGNATORY,
        **more,
    }


def non_payment(**more: Any) -> notices.NonPaymentNotification:
    """A notification with a dispute, steps taken and an order to collect."""
    return notices.NonPaymentNotification(
        cause=ReasonForNonPayment.CASH_FLOW,
        oldest_due_on=date(2026, 6, 30),
        extension_end_on=date(2026, 8, 29),
        notify_by=date(2026, 9, 28),
        stop_on=date(2026, 8, 30),
        last_demand_on=date(2026, 8, 3),
        dispute=notices.DisputeFacts(amount=euros("9000.00"), description="2/40", raised_on=date(2026, 7, 22)),
        actions=ACTIONS,
        securities=("EV 2026",),
        intervention=Intervention.COLLECTION,
        **_notice("NNP-2026-0007", **more),
    )


def extension_request() -> notices.ExtensionRequest:
    """A request for one later due date."""
    return notices.ExtensionRequest(
        requested_on=date(2026, 8, 20), reason="2026-08", extension_end_on=date(2026, 8, 29), **_notice("EXP-1")
    )


def rescheduling_request() -> notices.ReschedulingRequest:
    """A request for three instalments on two invoices."""
    return notices.ReschedulingRequest(
        requested_on=date(2026, 8, 20),
        reason="2026-08",
        plan_items=("2026-0400", "2026-0401"),
        instalments=tuple(plans.Instalment(due_on=date(2026, 10 + place, 1), amount=euros("6000.00")) for place in range(3)),
        extension_end_on=date(2026, 8, 29),
        **_notice("RES-1"),
    )


def adverse_information() -> notices.AdverseInformationReport:
    """A returned cheque."""
    return notices.AdverseInformationReport(
        kinds=(AdverseKind.PAYMENT_RETURNED, AdverseKind.CASH_FLOW_PROBLEMS),
        known_on=date(2026, 8, 20),
        happened_on=date(2026, 8, 18),
        source="SEB",
        actions=ACTIONS,
        **_notice("ADV-1"),
    )


def insolvency_notice() -> notices.InsolvencyNotice:
    """A bankruptcy in Hamburg."""
    return notices.InsolvencyNotice(
        proceeding=ProceedingKind.BANKRUPTCY,
        opened_on=date(2026, 9, 1),
        known_on=date(2026, 9, 2),
        court="Amtsgericht Hamburg",
        case_number="67a IN 123/26",
        administrator=Party(name="Dr. Eva Klein", address=Address(city="Hamburg", country="DE")),
        lodge_by=date(2026, 10, 15),
        securities=("EV 2026",),
        actions=ACTIONS,
        **_notice("INS-1"),
    )


def debt_proof() -> proof_of_debt.ProofOfDebt:
    """Three invoices with interest and costs."""
    return proof_of_debt.ProofOfDebt(
        number="POD-1",
        issued_on=date(2026, 9, 20),
        creditor=SELLER,
        debtor=BUYER,
        addressee=Party(name="Dr. Eva Klein", address=Address(street=("Alsterufer 3",), postal_code="20354", city="Hamburg", country="DE")),
        proceeding=ProceedingKind.BANKRUPTCY,
        opened_on=date(2026, 9, 10),
        items=tuple(
            proof_of_debt.DebtItem(
                number=f"2026-{400 + place:04}",
                issued_on=date(2026, 5, 1),
                due_on=date(2026, 6, 30),
                delivered_on=date(2026, 4, 30),
                amount=euros("10000.00"),
                principal=euros("9000.00"),
                interest=euros("150.00"),
            )
            for place in range(3)
        ),
        totals=(euros("27490.00"),),
        costs=(euros("40.00"),),
        court="Amtsgericht Hamburg",
        case_number="67a IN 123/26",
        retention_of_title=True,
        accounts=(ACCOUNT,),
        signatory=SIGNATORY,
    )


@dataclass(frozen=True)
class Kind:
    """A kind of paper: an example, its functions, the amount it must show, and whether a buyer or court reads it."""

    example: Callable[[], Any]
    build: Callable[[Any, str], bytes]
    mail: Callable[[Any, str], MailText]
    page: Callable[[Any, str], str]
    amount: Money
    must_be_silent: bool


def _kinds() -> dict[str, Kind]:
    found = {
        f"reminder_{level.value}": Kind(
            lambda level=level: reminder(level),
            letters.build_reminder,
            letters.text_reminder,
            letters.html_reminder,
            totals_of([*(item.open for item in open_items()), *(item.interest for item in open_items()), euros("40.00")])[0],
            True,
        )
        for level in letters.ReminderLevel
    }
    whole = euros("54000.00")
    return {
        **found,
        "interest_notice": Kind(
            interest_notice,
            letters.build_interest_notice,
            letters.text_interest_notice,
            letters.html_interest_notice,
            euros("126.00"),
            True,
        ),
        "statement": Kind(
            statement, statements.build_statement, statements.text_statement, statements.html_statement, statement().closing[0], True
        ),
        "payment_plan": Kind(
            payment_plan,
            plans.build_payment_plan,
            plans.text_payment_plan,
            plans.html_payment_plan,
            payment_plan().instalments[0].amount,
            True,
        ),
        "proof_of_debt": Kind(
            debt_proof,
            proof_of_debt.build_proof_of_debt,
            proof_of_debt.text_proof_of_debt,
            proof_of_debt.html_proof_of_debt,
            euros("27490.00"),
            True,
        ),
        "non_payment": Kind(non_payment, notices.build_non_payment, notices.text_non_payment, notices.html_non_payment, whole, False),
        "extension_request": Kind(
            extension_request, notices.build_extension_request, notices.text_extension_request, notices.html_extension_request, whole, False
        ),
        "rescheduling_request": Kind(
            rescheduling_request,
            notices.build_rescheduling_request,
            notices.text_rescheduling_request,
            notices.html_rescheduling_request,
            whole,
            False,
        ),
        "adverse_information": Kind(
            adverse_information,
            notices.build_adverse_information,
            notices.text_adverse_information,
            notices.html_adverse_information,
            whole,
            False,
        ),
        "insolvency_notice": Kind(
            insolvency_notice, notices.build_insolvency_notice, notices.text_insolvency_notice, notices.html_insolvency_notice, whole, False
        ),
    }


KINDS = _kinds()


def text_of(paper: bytes) -> str:
    """The text that a reader can copy out of a paper, spaces and line ends made one."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    ran = subprocess.run([program, "-layout", "-", "-"], input=paper, capture_output=True, check=True)
    return " ".join(ran.stdout.decode().split())
