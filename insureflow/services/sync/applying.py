"""A part of an insurer's list put into our books: once, set by set, in the unit of work of its caller.

What an insurer said before costs one look; what is new becomes decisions, differences and work, with one entry of the journal.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from insureflow.connectors.insurers.interface import InsurerCover
from insureflow.domain.connections import DifferenceKind
from insureflow.domain.cover.events import Layer
from insureflow.domain.errors import Refusal
from insureflow.domain.limits import check_decision
from insureflow.domain.money import Money, convert_minor
from insureflow.domain.policies import terms_on
from insureflow.models.buyers import Buyer
from insureflow.models.connections import InsurerCoverVersion
from insureflow.models.cover import Exposure
from insureflow.models.limits import LimitDecision
from insureflow.models.policies import Policy
from insureflow.models.work_items import WorkItem
from insureflow.queries.among import among
from insureflow.services import cover as cover_service
from insureflow.services import journal
from insureflow.services.clock import now
from insureflow.services.journal import Actor, Subject
from insureflow.services.limits.decisions import PolicyBook
from insureflow.services.sync import answering
from insureflow.services.sync.comparing import Held, Verdict, Wanted, cover_data, digest_of, judge
from insureflow.services.sync.differences import Found, settle_gone, store_found
from insureflow.services.sync.naming import buyers_of, history_of_buyers

#: Who acts when a connection brings something.
ACTOR = Actor(None, "insurer connection")

_COUNTS = ("seen", "unchanged", "recorded", "same", "cuts", "differences", "answers")


@dataclass(slots=True)
class Applied:
    """What a part of a list came to."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))
    decisions: list[int] = field(default_factory=list)

    def add(self, name: str, number: int = 1) -> None:
        """Count something."""
        self.counts[name] += number


class Books:
    """What covers of one connection are read against; loaded once per synchronisation."""

    def __init__(self, session: Session, connection_id: int, policy: Policy, source: str) -> None:
        self.connection_id = connection_id
        self.policy = policy
        self.source = source
        self.book = PolicyBook.load(session, policy.id)


def apply_covers(session: Session, books: Books, covers: Sequence[InsurerCover], on: date) -> Applied:
    """Apply what an insurer showed, each cover once. Belongs into a unit of work that has locked the connection."""
    applied = Applied()
    applied.add("seen", len(covers))
    by_id = {cover.cover_id: cover for cover in covers}  # the last word counts where a list names a cover twice
    known = _known(session, books, by_id)
    said = {cover_id: cover_data(cover) for cover_id, cover in by_id.items()}
    digests = {cover_id: digest_of(data) for cover_id, data in said.items()}
    changed = {
        cover_id: cover
        for cover_id, cover in by_id.items()
        if cover_id not in known
        or known[cover_id].digest != digests[cover_id]
        or known[cover_id].buyer_id is None
        or known[cover_id].missing_since is not None
    }
    applied.add("unchanged", len(by_id) - len(changed))
    requests = answering.open_requests(session, books.policy.id)
    if changed:
        _Work(session, books, on, applied, known, said, digests).enter(changed)
    if requests:
        if changed:
            known |= _known(session, books, changed)
        decisions = {cover_id: row.decision_id for cover_id, row in known.items()}
        buyers = {cover_id: row.buyer_id for cover_id, row in known.items()}
        applied.add("answers", answering.answer(session, requests, by_id.values(), decisions, on, buyers=buyers))
    return applied


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    cover_id: str
    digest: str
    buyer_id: int | None
    decision_id: int | None
    missing_since: Any


def _known(session: Session, books: Books, cover_ids: Collection[str]) -> dict[str, _Known]:
    rows = session.execute(
        select(
            InsurerCoverVersion.id,
            InsurerCoverVersion.cover_id,
            InsurerCoverVersion.digest,
            InsurerCoverVersion.buyer_id,
            InsurerCoverVersion.decision_id,
            InsurerCoverVersion.missing_since,
        ).where(InsurerCoverVersion.connection_id == books.connection_id, among(InsurerCoverVersion.cover_id, cover_ids))
    )
    return {row.cover_id: _Known(*row) for row in rows}


class _Work:
    """The covers of one part that say something new, on their way into the books."""

    def __init__(
        self,
        session: Session,
        books: Books,
        on: date,
        applied: Applied,
        known: dict[str, _Known],
        said: dict[str, dict[str, Any]],
        digests: dict[str, str],
    ) -> None:
        self.session, self.books, self.on, self.applied = session, books, on, applied
        self.known, self.said, self.digests = known, said, digests
        self.policy = books.policy
        self.instant = now()
        self.rows: list[dict[str, Any]] = []
        self.owners: list[str] = []  # the cover of each row
        self.before: list[Held | None] = []  # what each row replaces
        self.found: list[Found] = []
        self.decided: dict[str, int | None] = {}

    def enter(self, covers: dict[str, InsurerCover]) -> None:
        """Everything that follows from these covers."""
        buyers = buyers_of(self.session, self.policy, covers.values())
        history = history_of_buyers(self.session, self.policy.id, set(buyers.values()))
        failed: set[str] = set()
        for cover in sorted(
            covers.values(), key=lambda each: (each.decided_on or date.min, each.decided is not None and each.decided.minor > 0)
        ):
            buyer_id = buyers.get(cover.cover_id)
            if buyer_id is None:
                self.found.append(Found.of_cover(DifferenceKind.BUYER_UNKNOWN, cover, None, None))
                continue
            known = self.known.get(cover.cover_id)
            verdict = judge(cover, history[buyer_id], known.decision_id if known else None, self.on)
            problem = self._problem(verdict)
            if problem is not None:
                failed.add(cover.cover_id)
                self.found.append(Found.of_cover(DifferenceKind.UNREADABLE, cover, buyer_id, verdict.ours, problem=problem))
                continue
            self._take(cover, buyer_id, verdict, history[buyer_id])
        ids = self._insert_decisions()
        self._store_versions(covers, buyers, failed)
        self._store_differences(covers)
        self._record(ids)
        self._refresh(buyers)

    def _problem(self, verdict: Verdict) -> Refusal | None:
        """What speaks against recording what an insurer decided."""
        for wanted in verdict.record:
            terms = terms_on(self.books.book.history, wanted.decided_on)
            problems = check_decision(
                wanted.kind,
                is_top_up_layer=wanted.layer is Layer.TOP_UP,
                has_top_up=terms.layers.top_up is not None,
                has_conditions=False,
                decided_on=wanted.decided_on,
                effective_on=wanted.effective_on,
                valid_to=wanted.valid_to,
            )
            if problems:
                return problems[0]
            try:
                self.books.book.rates.get(wanted.currency, self.policy.limit_currency, wanted.decided_on)
            except Refusal as missing:
                return missing
        return None

    def _take(self, cover: InsurerCover, buyer_id: int, verdict: Verdict, history: list[Held]) -> None:
        if verdict.difference is not None:
            self.found.append(Found.of_cover(verdict.difference, cover, buyer_id, verdict.ours))
            return
        if verdict.same_as is not None:
            self.decided[cover.cover_id] = verdict.same_as
            self.applied.add("same")
        for wanted in verdict.record:
            before = next(
                (each for each in reversed(history) if each.layer is wanted.layer and each.kind is not wanted.kind.TEMPORARY), None
            )
            self.rows.append(self._row(cover, buyer_id, wanted))
            self.owners.append(cover.cover_id)
            self.before.append(before)
            history.append(
                Held(
                    -len(self.rows),  # replaced by its key once it is stored; the covers that follow are judged against it
                    wanted.layer,
                    wanted.kind,
                    wanted.status,
                    wanted.decided_minor,
                    wanted.currency,
                    wanted.decided_on,
                    wanted.effective_on,
                    wanted.valid_to,
                    self.books.source,
                )
            )
            history.sort(key=lambda each: (each.decided_on, each.id if each.id > 0 else (1 << 62) - each.id))

    def _row(self, cover: InsurerCover, buyer_id: int, wanted: Wanted) -> dict[str, Any]:
        rate = self.books.book.rates.get(wanted.currency, self.policy.limit_currency, wanted.decided_on)
        version = cover.version.replace("/", "-")
        reference = f"{cover.cover_id}/{version}" + ("~end" if wanted.is_announced_end else "")
        return {
            "organisation_id": self.policy.organisation_id,
            "policy_id": self.policy.id,
            "buyer_id": buyer_id,
            "layer": wanted.layer,
            "kind": wanted.kind,
            "status": wanted.status,
            "requested_minor": wanted.requested_minor,
            "decided_minor": wanted.decided_minor,
            "currency": wanted.currency,
            "rate": rate.rate,
            "rate_source": rate.note,
            "decided_on": wanted.decided_on,
            "effective_on": wanted.effective_on,
            "valid_to": wanted.valid_to,
            "conditions": {},
            "insurer_reference": reference if len(reference) <= 80 else f"{cover.cover_id[:60]}/{self.digests[cover.cover_id][:16]}",
            "reason": wanted.reason,
            "source": self.books.source,
            "created_at": self.instant,
            "created_by_id": None,
        }

    def _insert_decisions(self) -> list[int]:
        if not self.rows:
            return []
        references = {row["insurer_reference"] for row in self.rows}
        taken = set(
            self.session.scalars(
                select(LimitDecision.insurer_reference).where(
                    LimitDecision.policy_id == self.policy.id, among(LimitDecision.insurer_reference, references)
                )
            )
        )
        for row in self.rows:  # an insurer may say something new without a new version
            reference = row["insurer_reference"]
            row["insurer_reference"] = f"{reference[:66]}#{secrets.token_hex(6)}" if reference in taken else reference
            taken.add(row["insurer_reference"])
        ids = list(self.session.scalars(insert(LimitDecision).returning(LimitDecision.id, sort_by_parameter_order=True), self.rows))
        for cover_id, decision_id in zip(self.owners, ids, strict=True):
            self.decided[cover_id] = decision_id
        for cover_id, decided_id in self.decided.items():  # covers that say what another cover of the same part said
            if decided_id is not None and decided_id < 0:
                self.decided[cover_id] = ids[-decided_id - 1]
        self.applied.add("recorded", len(ids))
        self.applied.decisions.extend(ids)
        return ids

    def _store_versions(self, covers: dict[str, InsurerCover], buyers: dict[str, int], failed: set[str]) -> None:
        new: list[dict[str, Any]] = []
        old: list[dict[str, Any]] = []
        for cover_id, cover in covers.items():
            known = self.known.get(cover_id)
            row: dict[str, Any] = {
                "version": cover.version[:80],
                "digest": "" if cover_id in failed else self.digests[cover_id],  # what failed is tried again
                "company_id": cover.company_id[:80],
                "company_name": cover.company_name[:300],
                "buyer_id": buyers.get(cover_id),
                "picture": self.said[cover_id],
                "decision_id": self.decided.get(cover_id, known.decision_id if known else None),
                "seen_at": self.instant,
                "missing_since": None,
            }
            if known is None:
                own = {"organisation_id": self.policy.organisation_id, "connection_id": self.books.connection_id, "cover_id": cover_id}
                new.append(own | row)
            else:
                old.append({"id": known.id} | row)
        if new:
            self.session.execute(insert(InsurerCoverVersion), new)
        if old:
            self.session.execute(update(InsurerCoverVersion), old)

    def _store_differences(self, covers: dict[str, InsurerCover]) -> None:
        self.applied.add("differences", store_found(self.session, self.books.connection_id, self.found, self.instant))
        standing = {(each.kind, each.subject) for each in self.found}
        subjects = [cover_id[:120] for cover_id in covers]
        settle_gone(self.session, self.books.connection_id, subjects, standing, self.instant)

    def _record(self, ids: Sequence[int]) -> None:
        """One entry of the journal for the part, and work for each cut, with what it met."""
        if not ids:
            return
        names = {
            row.id: row.legal_name
            for row in self.session.execute(
                select(Buyer.id, Buyer.legal_name).where(among(Buyer.id, {row["buyer_id"] for row in self.rows}))
            )
        }
        cuts = self._cuts(ids)
        run_off = self._open_of({row["buyer_id"] for row, _id, _before in cuts})
        if cuts:
            self.session.execute(insert(WorkItem), [self._work(row, decision_id, before, run_off) for row, decision_id, before in cuts])
        self.applied.add("cuts", len(cuts))
        journal.record(
            self.session,
            ACTOR,
            "limits.synchronised",
            Subject("policy", self.policy.id, f"{self.policy.number}: {self.books.source}"),
            after={
                "source": self.books.source,
                "counts": dict(self.applied.counts),
                "limits": [
                    {"id": decision_id, "buyer": names.get(row["buyer_id"], ""), **_entry(row)}
                    for row, decision_id in zip(self.rows, ids, strict=True)
                ],
            },
        )

    def _cuts(self, ids: Sequence[int]) -> list[tuple[dict[str, Any], int, Held]]:
        """The decisions that leave less than there was."""
        cuts = []
        for row, decision_id, before in zip(self.rows, ids, self.before, strict=True):
            if before is None or before.has_ended or before.decided_on > row["decided_on"] or before.decided_minor is None:
                continue
            if row["decided_minor"] is not None:
                old = before.decided_minor
                if before.currency != row["currency"]:
                    rate = self.books.book.rates.get(before.currency, row["currency"], row["decided_on"]).rate
                    old = convert_minor(before.decided_minor, before.currency, row["currency"], rate)
                if row["decided_minor"] >= old:
                    continue
            cuts.append((row, decision_id, before))
        return cuts

    def _open_of(self, buyer_ids: Collection[int]) -> dict[int, tuple[int, int, str]]:
        """What buyers have open under the policy, and what of it was covered, before the cut: the run-off picture."""
        if not buyer_ids:
            return {}
        rows = self.session.execute(
            select(
                Exposure.buyer_id,
                Exposure.limit_currency,
                func.sum(Exposure.open_minor).label("open"),
                func.sum(Exposure.covered_minor).label("covered"),
            )
            .where(
                Exposure.policy_id == self.policy.id,
                among(Exposure.buyer_id, buyer_ids),
                Exposure.valid_from <= self.on,
                Exposure.valid_to > self.on,
            )
            .group_by(Exposure.buyer_id, Exposure.limit_currency)
        )
        return {row.buyer_id: (int(row.open), int(row.covered), row.limit_currency) for row in rows}

    def _work(self, row: dict[str, Any], decision_id: int, before: Held, run_off: dict[int, tuple[int, int, str]]) -> dict[str, Any]:
        amount_open, covered, currency = run_off.get(row["buyer_id"], (0, 0, self.policy.limit_currency))
        return {
            "organisation_id": self.policy.organisation_id,
            "kind": "limit_cut",
            "cause": f"decision/{decision_id}",
            "buyer_id": row["buyer_id"],
            "policy_id": self.policy.id,
            "due_on": self.on,
            "facts": journal.plain(
                {
                    "before": Money(before.decided_minor or 0, before.currency),
                    "after": Money(row["decided_minor"] or 0, row["currency"]),
                    "effective_on": row["effective_on"],
                    "decision_id": decision_id,
                    "open": Money(amount_open, currency),
                    "covered": Money(covered, currency),
                }
            ),
            "created_at": self.instant,
        }

    def _refresh(self, buyers: dict[str, int]) -> None:
        affected = sorted({buyers[cover_id] for cover_id in self.owners})
        if affected:
            cover_service.refresh_buyers(self.session, affected, self.on)


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    amount = row["decided_minor"]
    whole = {
        "buyer_id": row["buyer_id"],
        "layer": row["layer"],
        "kind": row["kind"],
        "status": row["status"],
        "decided": None if amount is None else Money(amount, row["currency"]),
        "decided_on": row["decided_on"],
        "effective_on": row["effective_on"],
        "valid_to": row["valid_to"],
        "insurer_reference": row["insurer_reference"],
    }
    return {name: value for name, value in whole.items() if value is not None}
