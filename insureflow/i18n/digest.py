"""The summary of duties that a person gets by e-mail, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from insureflow.i18n import formats, words
from insureflow.i18n.catalogues import marked as _
from insureflow.i18n.catalogues import translate

#: So many duties are named one by one; the product shows the rest.
NAMED = 20


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One duty: what, for whom, by when, and the cover that hangs on it."""

    kind: str
    subject: str
    due_on: date
    amount_minor: int = 0
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class DigestOfDuties:
    """What one person is told about one day. ``home`` is where the product is reached, empty if nobody said."""

    name: str
    organisation: str
    on: date
    late: Sequence[DigestLine]
    coming: Sequence[DigestLine]
    unread: int
    home: str = ""


def _lines(heading: str, found: Sequence[DigestLine], locale: str) -> list[str]:
    if not found:
        return []
    lines = [f"{translate(heading, locale)} ({formats.number(len(found), locale)})"]
    for each in found[:NAMED]:
        what = words.word(each.kind, locale)
        amount = "" if not each.amount_minor or each.currency is None else f", {formats.money(each.amount_minor, each.currency, locale)}"
        lines.append(f"- {formats.day(each.due_on, locale)}: {each.subject}, {what}{amount}")
    if len(found) > NAMED:
        lines.append(translate(_("- and %(count)s more"), locale, count=formats.number(len(found) - NAMED, locale)))
    return [*lines, ""]


def digest_text(digest: DigestOfDuties, locale: str) -> tuple[str, str]:
    """Subject and body of the summary, as plain text."""
    subject = translate(
        _("%(organisation)s, %(day)s: %(late)s duties late, %(coming)s within a week"),
        locale,
        organisation=digest.organisation,
        day=formats.day(digest.on, locale),
        late=formats.number(len(digest.late), locale),
        coming=formats.number(len(digest.coming), locale),
    )
    lines = [translate(_("Good morning %(name)s,"), locale, name=digest.name), ""]
    lines += _lines(_("Late"), digest.late, locale)
    lines += _lines(_("Due within a week"), digest.coming, locale)
    if digest.unread:
        lines += [translate(_("Unread in your inbox: %(count)s"), locale, count=formats.number(digest.unread, locale)), ""]
    if digest.home:
        lines += [f"{digest.home}/inbox/", ""]
    lines.append(translate(_("You get this summary because you asked for it. Change it under “How I am told”."), locale))
    return subject, "\n".join(lines) + "\n"
