"""What a twin has of declarations: one that was declared, and a draft that corrects it."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from insureflow.domain.declarations import DeclarationStatus, DeclarationWay, DeclaredItem, SalesCategory
from insureflow.domain.policies.vocabulary import PremiumBasis
from insureflow.models.declarations import Declaration, DeclarationLine
from insureflow.models.receivables import Invoice
from insureflow.services.clock import now
from insureflow.services.journal import Actor


def fill_declarations(session: Session, mark: str, seed: int, *, policy_id: int, actor: Actor, on: date) -> None:
    """A declared period with two lines and the draft of its correction."""
    end = on.replace(day=1) - timedelta(days=1)
    before = None
    for version, status in ((1, DeclarationStatus.DECLARED), (2, DeclarationStatus.DRAFT)):
        is_declared = status is DeclarationStatus.DECLARED
        before = Declaration(
            policy_id=policy_id,
            period_from=end.replace(day=1),
            period_to=end,
            due_on=end + timedelta(days=15),
            basis=PremiumBasis.TURNOVER,
            version=version,
            status=status,
            currency="EUR",
            full_minor=seed + 300 + version,
            declared_minor=seed + 100 + version,
            items=2,
            cut_off_on=on,
            declared_on=on if is_declared else None,
            way=DeclarationWay.PORTAL if is_declared else None,
            protocol=f"{mark}-PROTOCOL-{version}",
            note=f"{mark} note of the declaration",
            replaces_id=None if before is None else before.id,
            created_at=now(),
            created_by_id=None if is_declared else actor.user_id,
            approved_at=now() if is_declared else None,
            approved_by_id=actor.user_id if is_declared else None,
            declared_by_id=actor.user_id if is_declared else None,
        )
        session.add(before)
        session.flush()
        for invoice in session.scalars(sa.select(Invoice).order_by(Invoice.id).limit(2)):
            session.add(
                DeclarationLine(
                    declaration_id=before.id,
                    buyer_id=invoice.buyer_id,
                    item=DeclaredItem.INVOICE,
                    invoice_id=invoice.id,
                    number=f"{mark}-{invoice.id}",
                    dated_on=end,
                    currency=invoice.currency,
                    amount_minor=invoice.net_minor,
                    full_minor=seed + 200,
                    declared_minor=seed + 100,
                    category=SalesCategory.CASH,
                )
            )
        session.flush()
