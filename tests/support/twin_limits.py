"""What a twin has of limits that live: requests, evidence, a connection with all that was said over it, answers, work."""

from __future__ import annotations

import hashlib
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from flask import current_app
from sqlalchemy.orm import Session

from insureflow.connectors.file_store import FolderStore
from insureflow.domain.access import Role
from insureflow.domain.connections import DifferenceKind, InboxState, OutboxState, SyncState
from insureflow.domain.cover.events import Layer
from insureflow.domain.limits import LimitKind, LimitStatus, RequestState, RequestType
from insureflow.models.base import FOREVER
from insureflow.models.buyers import Buyer
from insureflow.models.connections import (
    InboxMessage,
    InsurerConnection,
    InsurerCoverVersion,
    InsurerExchange,
    LimitFee,
    LookUp,
    OutboxMessage,
    SyncDifference,
    SyncRun,
)
from insureflow.models.jobs import ScheduleSetting
from insureflow.models.limit_requests import ApprovalThreshold, CreditReport, DiscretionaryAssessment, EvidenceFile, LimitRequest
from insureflow.models.limits import LimitGroup, LimitGroupDecision, LimitGroupMember, SharedUse
from insureflow.models.work_items import WorkItem
from insureflow.services import shipping
from insureflow.services.clock import now
from insureflow.services.connections.credentials import seal
from insureflow.services.journal import Actor

#: Texts that are codes, keys or hashes: the mark has no place in them.
CODES = frozenset(
    {
        "discretionary_assessment.facts_sha256", "discretionary_assessment.method", "discretionary_assessment.reason",
        "evidence_file.media_type", "evidence_file.sha256", "inbox_message.delivery", "insurer_connection.connector",
        "insurer_connection.credentials", "insurer_cover_version.digest", "insurer_exchange.method", "insurer_exchange.operation",
        "limit_fee.kind", "outbox_message.operation", "schedule_setting.job", "shipment_check.verdict", "work_item.kind",
        "work_item.outcome",
    }
)  # fmt: skip


def fill_limits(
    session: Session,
    organisation_id: int,
    mark: str,
    seed: int,
    *,
    policy_id: int,
    other_policy_id: int,
    buyer_id: int,
    entity_id: int,
    actor: Actor,
    on: date,
) -> None:
    """A row in every table of limits that live."""
    person = actor.user_id
    assert person is not None
    _requests(session, mark, seed, policy_id, buyer_id, person, on)
    _evidence(session, organisation_id, mark, seed, policy_id, buyer_id, person, on)
    _connection(session, mark, seed, other_policy_id, buyer_id, person, on)
    question = shipping.ShipQuestion(
        buyer_id=buyer_id, amount_minor=seed + 11, currency="EUR", ship_on=on, credit_terms_days=30, entity_id=entity_id, order_reference=f"{mark}-order"
    )  # fmt: skip
    shipping.decide(actor, organisation_id, question, on, reserve_until=on + timedelta(days=5))
    session.add(
        WorkItem(
            kind="connection_stale", cause=f"{mark}-cause", buyer_id=buyer_id, policy_id=policy_id, due_on=on, facts={"policy": mark},
            owner_id=person, created_at=now(), note=f"{mark} note of work",
        )
    )  # fmt: skip
    session.add(ScheduleSetting(job="limits.sync", is_enabled=False))
    session.flush()
    _group(session, mark, seed, other_policy_id, buyer_id, person, on)


def _group(session: Session, mark: str, seed: int, policy_id: int, buyer_id: int, person: int, on: date) -> None:
    """A shared limit under the policy without invoices, so that nothing is worked out of it."""
    group = LimitGroup(policy_id=policy_id, name=f"{mark} group", head_id=buyer_id, created_at=now(), created_by_id=person)
    session.add(group)
    session.flush()
    first = session.query(Buyer.id).order_by(Buyer.id).limit(1).scalar()  # the buyer whom walks name, so that its share can be ended
    session.add_all(
        [
            *(LimitGroupMember(group_id=group.id, buyer_id=sharer, joined_on=on) for sharer in sorted({buyer_id, first})),
            LimitGroupDecision(
                group_id=group.id, status=LimitStatus.APPROVED, decided_minor=seed + 41, currency="EUR", rate=Decimal(1), rate_source=mark,
                decided_on=on, effective_on=on, insurer_reference=f"{mark}-G", reason=f"{mark} reason", created_at=now(), created_by_id=person,
            ),
        ]
    )  # fmt: skip
    session.flush()


def share_use(session: Session, seed: int, *, policy_id: int, buyer_id: int, on: date) -> None:
    """What others use of the shared limit. It comes last: it is derived, and whatever works the buyer out takes it away again."""
    session.query(SharedUse).delete()
    session.add(SharedUse(policy_id=policy_id, buyer_id=buyer_id, valid_from=on, valid_to=FOREVER, taken_minor=seed + 43))
    session.flush()


def _requests(session: Session, mark: str, seed: int, policy_id: int, buyer_id: int, person: int, on: date) -> None:
    for number, state in enumerate((RequestState.AWAITING_APPROVAL, RequestState.DRAFT)):
        session.add(
            LimitRequest(
                policy_id=policy_id, buyer_id=buyer_id, request_type=RequestType.NEW, layer=Layer.PRIMARY, kind=LimitKind.NAMED, state=state,
                requested_minor=seed + 17 + number, currency="EUR", asked_on=on, comment=f"{mark} comment", own_reference=f"{mark}-R{number}",
                insurer_reference=f"{mark}-I{number}", bulk=f"{mark}-bulk", created_at=now(), created_by_id=person,
            )
        )  # fmt: skip
    session.add(ApprovalThreshold(role=Role.CREDIT_ANALYST, currency="EUR", amount_minor=seed + 19))
    session.flush()


def _evidence(session: Session, organisation_id: int, mark: str, seed: int, policy_id: int, buyer_id: int, person: int, on: date) -> None:
    content = f"{mark} evidence".encode()
    file = EvidenceFile(
        buyer_id=buyer_id, name=f"{mark}-report.txt", media_type="text/plain", size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(), dated_on=on, note=f"{mark} note of evidence", created_at=now(), created_by_id=person,
    )  # fmt: skip
    FolderStore(Path(current_app.instance_path) / "files" / str(organisation_id)).put(io.BytesIO(content))
    session.add(file)
    session.flush()
    session.add(
        CreditReport(
            buyer_id=buyer_id, agency=f"{mark} agency", reported_on=on, amount_minor=seed + 23, currency="EUR", evidence_file_id=file.id,
            created_at=now(), created_by_id=person,
        )
    )  # fmt: skip
    session.add(
        DiscretionaryAssessment(
            policy_id=policy_id, buyer_id=buyer_id, assessed_on=on, is_usable=True, amount_minor=seed + 29, currency="EUR", method="credit_report",
            reason=None, valid_to=on + timedelta(days=90), facts={"agency": mark}, facts_sha256="0" * 64, trace=[], created_at=now(),
            created_by_id=person,
        )
    )  # fmt: skip


def _connection(session: Session, mark: str, seed: int, policy_id: int, buyer_id: int, person: int, on: date) -> None:
    connection = InsurerConnection(
        policy_id=policy_id, connector="atradius", addresses={"covers": "http://127.0.0.1:9/" + mark}, policy_key={"policy_id": mark},
        credentials=seal({"client_id": mark}), options={"environment": "test"}, capabilities=[], push_key=f"{mark}-push", created_at=now(),
    )  # fmt: skip
    session.add(connection)
    session.flush()
    own, at = connection.id, now()
    request = session.query(LimitRequest).order_by(LimitRequest.id).first()
    assert request is not None
    session.add_all(
        [
            InsurerExchange(
                connection_id=own, at=at, operation="list_covers", method="GET", address=f"http://127.0.0.1:9/{mark}", status=500, milliseconds=3,
                correlation=f"{mark}-c", request=f"{mark} request", reply=f"{mark} reply", error=f"{mark} error",
            ),
            OutboxMessage(
                connection_id=own, limit_request_id=request.id, operation="request_new", own_reference=request.own_reference, payload={"name": mark},
                state=OutboxState.FAILED, next_attempt_at=at, insurer_reference=f"{mark}-sent", created_at=at,
            ),
            InboxMessage(connection_id=own, delivery="d" * 20, received_at=at, headers={"from": mark}, body=mark.encode(), state=InboxState.REJECTED),
            InsurerCoverVersion(
                connection_id=own, cover_id=f"{mark}-cover", version=f"{mark}-1", digest="0" * 64, company_id=f"{mark}-company",
                company_name=f"{mark} Werke", buyer_id=buyer_id, picture={"name": mark}, seen_at=at,
            ),
            SyncRun(connection_id=own, state=SyncState.FAILED, started_at=at, finished_at=at, counts={"covers": 1}),
            SyncDifference(
                connection_id=own, kind=DifferenceKind.MISSING_THERE, subject=f"{mark}-subject", buyer_id=buyer_id, company_name=f"{mark} Werke",
                ours={}, theirs={}, first_seen_at=at, last_seen_at=at, note=f"{mark} note of a difference",
            ),
            LookUp(connection_id=own, buyer_id=buyer_id, made_on=on, made_at=at, confirmed_by_id=person, found=[], currency="EUR", cost_minor=seed + 31),
            LimitFee(policy_id=policy_id, kind="named", fee_minor=seed + 37, currency="EUR"),
        ]
    )  # fmt: skip
