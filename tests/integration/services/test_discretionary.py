"""Discretionary limits from the own files and ledger: worked out, frozen, applied, renewed, held against a claim; evidence files."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask, current_app
from sqlalchemy import select
from support.accounts import TERMS, TODAY, Account, add_buyer, add_invoice, fresh_session, make_account, within

from insureflow.domain.access import Role
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.limits import AccountActKind, AuditVerdict, LimitKind
from insureflow.models.limit_requests import DiscretionaryAssessment, EvidenceFile
from insureflow.models.limits import LimitDecision
from insureflow.models.receivables import Allocation, Payment
from insureflow.models.work_items import WorkItem
from insureflow.queries import work_items as work_queries
from insureflow.services import discretionary, files, limits
from insureflow.services.discretionary import NewCreditReport
from insureflow.services.files import NewEvidence
from insureflow.services.limits import NewAct, NewDecision
from insureflow.services.transaction import transaction

CLAUSE = {
    "maximum": 30000,
    "methods": [
        {"method": "credit_report", "valid_for": {"months": 12}},
        {"method": "payment_experience", "look_back": {"months": 12}, "factor": "1.25"},
    ],
    "insurer_decision": "ends",
    "rebuild_after_zero_decision": {"months": 12},
    "default_loss_blocks": {"months": 12},
    "overdue_blocks": {"more_than_days": 60, "above_amount": 1000},
}


@pytest.fixture
def account(app: Flask) -> Any:
    account = make_account(app, terms={**TERMS, "discretionary_limit": CLAUSE}, roles=(Role.ADMINISTRATOR, Role.CREDIT_MANAGER))
    with app.app_context(), within(account.organisation_id):
        yield account


def pay(account: Account, invoice_id: int, amount: int, on: date) -> None:
    with transaction(account.organisation_id) as session:
        payment = Payment(
            entity_id=account.tenant.entity_id, buyer_id=account.buyer_id, number=f"P{invoice_id}", currency="EUR", amount_minor=amount,
            unapplied_minor=0, received_on=on,
        )  # fmt: skip
        session.add(payment)
        session.flush()
        session.add(Allocation(invoice_id=invoice_id, payment_id=payment.id, amount_minor=amount, allocated_on=on))


def report(account: Account, on: date, *, evidence: bool = True, **more: Any) -> None:
    file = NewEvidence("report.pdf", io.BytesIO(b"%PDF-1.4 " + str(on).encode()), on) if evidence else None
    new = NewCreditReport(account.buyer_id, "Bureau", on, **more)
    discretionary.add_report(account.tenant.actor(), account.organisation_id, new, TODAY, evidence=file)


def test_from_the_ledger_alone(account: Account) -> None:
    key, actor = account.organisation_id, account.tenant.actor()
    first = add_invoice(account, "D1", 16_000_00, shipped_on=date(2026, 2, 10))
    pay(account, first, 16_000_00, date(2026, 3, 12))
    late = add_invoice(account, "D2", 50_000_00, shipped_on=date(2025, 12, 1))
    pay(account, late, 50_000_00, date(2026, 1, 20))
    add_invoice(account, "D3", 4_000_00, shipped_on=date(2026, 6, 20))
    result, evidence = discretionary.work_out(account.policy_id, [account.buyer_id], TODAY)[account.buyer_id]
    assert [(balance.month_end.month, balance.balance, balance.paid_within_terms) for balance in evidence.facts.month_end_balances] == [
        (12, 50_000_00, False),
        (2, 16_000_00, True),
    ]
    assert [purchase.paid_on_time for purchase in evidence.facts.purchases] == [False, True, None]
    assert (result.amount, result.usable, evidence.facts.need) == (20_000_00, True, 4_000_00)
    assessment = discretionary.assess(actor, key, account.policy_id, account.buyer_id, TODAY)
    assert (assessment.method, assessment.valid_to) == ("payment_experience", date(2027, 2, 28))
    assert discretionary.is_unaltered(assessment)
    decision = discretionary.apply(actor, key, assessment.id, TODAY)
    assert (decision.kind, decision.decided_minor, decision.valid_to) == (LimitKind.DISCRETIONARY, 20_000_00, date(2027, 2, 28))
    assert discretionary.apply(actor, key, assessment.id, TODAY).id == decision.id
    stored = fresh_session(account).scalars(select(DiscretionaryAssessment)).one()
    assert discretionary.is_unaltered(stored)
    assert stored.trace[-1]["result"] == {"amount": "20000.00", "currency": "EUR"}
    assert discretionary.remind(key, date(2027, 1, 15)) == 0
    assert discretionary.remind(key, date(2027, 2, 1)) == 1
    assert discretionary.remind(key, date(2027, 2, 2)) == 0
    assert work_queries.items_of(account.buyer_id)[0].due_on == date(2027, 2, 28)
    add_invoice(account, "D4", 100, shipped_on=date(2027, 1, 5), on=date(2027, 2, 3))
    again = discretionary.assess(actor, key, account.policy_id, account.buyer_id, date(2027, 2, 3))
    assert not again.is_usable
    assert again.reason == "overdue_items"
    with pytest.raises(Refusal, match="assessment_not_usable"):
        discretionary.apply(actor, key, again.id, date(2027, 2, 3))


def test_reports_proof_and_the_word_of_the_insurer(account: Account) -> None:
    key, actor = account.organisation_id, account.tenant.actor()
    with pytest.raises(InvalidValues) as refused:
        report(account, date(2026, 12, 1), amount_minor=-5, currency="EUR")
    assert [problem.code for problem in refused.value.problems] == ["in_the_future", "amount_negative"]
    with time_machine.travel("2026-04-02T10:00:00Z", tick=False):
        report(account, date(2026, 3, 1), amount_minor=25_000_00, currency="EUR")
    report(account, date(2026, 1, 5), evidence=False, amount_minor=28_000_00, currency="EUR")
    add_invoice(account, "E1", 10_000_00, shipped_on=date(2026, 3, 10))
    add_invoice(account, "E2", 20_000_00, shipped_on=date(2026, 4, 10), terms_days=90)
    add_invoice(account, "E0", 5_000_00, shipped_on=date(2025, 6, 1), terms_days=400)
    found = discretionary.audit(account.policy_id, account.buyer_id, TODAY)
    verdicts = {each.shipment.id: (each.verdict, each.covered, each.uncovered) for each in found.claim.shipments}
    assert verdicts == {
        "E0": (AuditVerdict.NOT_USABLE, 0, 5_000_00),
        "E1": (AuditVerdict.PROOF_STORED_LATE, 10_000_00, 0),
        "E2": (AuditVerdict.PROVEN, 10_000_00, 10_000_00),
    }
    assert not found.claim.survives
    assessment = discretionary.assess(actor, key, account.policy_id, account.buyer_id, TODAY)
    assert (assessment.amount_minor, assessment.valid_to) == (0, None)
    assert assessment.reason == "overdue_items"
    limits.record_decision(actor, key, NewDecision(account.buyer_id, account.policy_id, 9_000_00, "EUR", date(2026, 6, 1)), TODAY)
    blocked = discretionary.assess(actor, key, account.policy_id, account.buyer_id, TODAY)
    assert blocked.reason == "insurer_decision_exists"
    add_invoice(account, "E3", 1_000_00, shipped_on=date(2026, 6, 10))
    assert "E3" not in {
        each.shipment.id for each in discretionary.audit(account.policy_id, account.buyer_id, TODAY, only_open=False).claim.shipments
    }
    other = add_buyer(account.tenant, "Other AS", "NO")
    limits.record_act(actor, key, NewAct(other, account.policy_id, AccountActKind.ADVERSE_INFORMATION, date(2026, 6, 1)), TODAY)
    assert discretionary.assess(actor, key, account.policy_id, other, TODAY).reason == "adverse_information"
    with pytest.raises(Refusal, match="buyer_unknown"):
        discretionary.assess(actor, key, account.policy_id, 999_999, TODAY)


def workbook(*names: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name in names:
            archive.writestr(name, b"<Types/>")
    return kept.getvalue()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_files_are_kept_by_their_hash_and_refused_where_they_could_run(account: Account) -> None:
    key, actor = account.organisation_id, account.tenant.actor()

    def keep(name: str, content: bytes) -> EvidenceFile:
        with transaction(key) as session:
            return files.keep(session, actor, NewEvidence(name, io.BytesIO(content)), buyer_id=account.buyer_id)

    taken = {
        "a.pdf": (b"%PDF-1.7 x", "application/pdf"),
        "b.PNG": (b"\x89PNG\r\n\x1a\nx", "image/png"),
        "c.xlsx": (workbook("[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        "d.csv": ("a;b\n1;å\n".encode("latin-1"), "text/csv"),
        "e.eml": (b"Received: by x\r\nFrom: a@b.example\r\nSubject: limit\r\n\r\n<html>inside a mail</html>", "message/rfc822"),
        "../../f.txt": (b"plain words", "text/plain"),
    }
    for name, (content, media_type) in taken.items():
        assert keep(name, content).media_type == media_type, name
    assert keep("again.pdf", b"%PDF-1.7 x").id == fresh_session(account).scalars(select(EvidenceFile.id).order_by(EvidenceFile.id)).first()
    refused = {
        "x.pdf": (b"<html><script>alert(1)</script>", "evidence_hostile"),
        "x.svg": (b"<svg onload=alert(1)>", "evidence_hostile"),
        "x.txt": (b"  <!DOCTYPE html>", "evidence_hostile"),
        "y.pdf": (b"%PDF-1.7 /OpenAction << /S /JavaScript >>", "evidence_hostile"),
        "z.exe": (b"hello", "evidence_hostile"),
        "m.pdf": (b"MZ\x90", "evidence_hostile"),
        "m.xlsx": (workbook("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "evidence_hostile"),
        "n.xlsx": (workbook("word/document.xml"), "evidence_type_not_taken"),
        "o.xlsx": (b"PK\x03\x04 broken", "evidence_type_not_taken"),
        "p.txt": (b"a\x00b", "evidence_type_not_taken"),
        "q.txt": (b"\xff\xfe\x01" * 99, "evidence_type_not_taken"),
        "e.txt": (b"", "evidence_empty"),
        "big.txt": (b"x" * (files.LARGEST + 1), "evidence_too_large"),
    }
    for name, (content, code) in refused.items():
        with pytest.raises(Refusal, match=code):
            keep(name, content)
    file = fresh_session(account).scalars(select(EvidenceFile).order_by(EvidenceFile.id)).first()
    assert file is not None
    assert files.open_download(key, file.id).content == b"%PDF-1.7 x"
    path = Path(current_app.instance_path) / "files" / str(key) / file.sha256[:2] / file.sha256
    path.write_bytes(b"%PDF-1.7 another story")
    with pytest.raises(Refusal, match="stored_file_altered"):
        files.open_download(key, file.id)
    path.unlink()
    with pytest.raises(Refusal, match="stored_file_missing"):
        files.open_download(key, file.id)
    with pytest.raises(Refusal, match="evidence_unknown"):
        files.open_download(key, 999_999)
    assert not files.store_of(key).has("0" * 64)
    with pytest.raises(Refusal, match="stored_file_missing"):
        files.store_of(key).read("../../etc/passwd")
    assert files.clean_name("C:\\a\\b\u202egpj.pdf") == "bgpj.pdf"
    assert fresh_session(account).scalar(select(LimitDecision)) is None
    assert fresh_session(account).scalar(select(WorkItem)) is None
