"""What is open, and who is known: everything that incoming payments are compared with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from insureflow.domain.bank_statements import plain_account
from insureflow.domain.cash_application.names import KnownBuyer, NameIndex
from insureflow.domain.cash_application.references import is_distinctive, number_keys, plain_key, reference_keys, text_keys
from insureflow.domain.cash_application.values import IncomingPayment, MatchReason, OpenItem, Tolerance


@dataclass(frozen=True, slots=True)
class Named:
    """An item that a payer named, and how."""

    item: OpenItem
    how: MatchReason

    @property
    def is_distinctive(self) -> bool:
        """True unless the number may stand there by chance."""
        return self.how is not MatchReason.COMMON_NUMBER


@dataclass(frozen=True, slots=True)
class Payer:
    """The buyers that a payment may come from, and how they were recognised; nobody: no buyers and no reason."""

    buyer_ids: tuple[int, ...] = ()
    how: MatchReason | None = None

    @property
    def is_known(self) -> bool:
        """True if it is one buyer, recognised by more than a similar name."""
        return len(self.buyer_ids) == 1 and self.how is not MatchReason.NAME_SIMILAR


class OpenBook:
    """Open items by number, reference, buyer and amount, and buyers by account and name.

    ``accounts`` maps the accounts of earlier matches to the buyers that paid from them. Items with nothing open are kept only to
    be recognised when somebody names them.
    """

    def __init__(
        self,
        items: Iterable[OpenItem],
        buyers: Iterable[KnownBuyer] = (),
        accounts: Mapping[str, Collection[int]] | None = None,
        tolerances: Mapping[str, Tolerance] | None = None,
    ) -> None:
        self._by_number: dict[str, list[OpenItem]] = {}
        self._by_reference: dict[str, list[OpenItem]] = {}
        self._by_digits: dict[str, list[OpenItem]] = {}
        self._by_buyer: dict[tuple[int, str], list[OpenItem]] = {}
        self._by_amount: dict[tuple[str, int], list[OpenItem]] = {}
        self._names = NameIndex(buyers)
        self._accounts = {plain_account(number): tuple(sorted(found)) for number, found in (accounts or {}).items()}
        self._tolerances = dict(tolerances or {})
        for item in items:
            self._add(item)
        for held in self._by_buyer.values():
            held.sort(key=lambda item: (item.due_on, item.invoice_on, item.id))

    def _add(self, item: OpenItem) -> None:
        for key in number_keys(item.number):
            self._by_number.setdefault(key, []).append(item)
        digits = "".join(character for character in plain_key(item.number) if character.isdecimal()).lstrip("0")
        if digits and is_distinctive(digits):
            self._by_digits.setdefault(digits, []).append(item)
        if item.reference:
            for key in number_keys(item.reference):
                self._by_reference.setdefault(key, []).append(item)
        if item.open_minor > 0:
            self._by_buyer.setdefault((item.buyer_id, item.currency), []).append(item)
            self._by_amount.setdefault((item.currency, item.open_minor), []).append(item)

    def open_of(self, buyer_id: int, currency: str) -> list[OpenItem]:
        """The open items of a buyer, the oldest due first."""
        return self._by_buyer.get((buyer_id, currency), [])

    def of_amount(self, currency: str, amount_minor: int) -> list[OpenItem]:
        """The items of which exactly this is open."""
        return self._by_amount.get((currency, amount_minor), [])

    def tolerance(self, currency: str) -> Tolerance:
        """How much less may still settle; nothing unless somebody said so."""
        return self._tolerances.get(currency, Tolerance())

    def named(self, payment: IncomingPayment) -> list[Named]:
        """The items that a payer named: by structured reference first, then by number in the text, each once.

        A number that several items have is not a name of any of them, unless all but one are settled.
        """
        found: dict[int, Named] = {}
        for reference in payment.references:
            for key in reference_keys(reference):
                item = _only(self._by_reference.get(key, ())) or _only(self._by_number.get(key, ())) or _only(self._by_digits.get(key, ()))
                if item is not None:
                    found.setdefault(item.id, Named(item, MatchReason.STRUCTURED_REFERENCE))
                    break
        for key in text_keys(" ".join((payment.text, payment.end_to_end_id))):
            item = _only(self._by_number.get(key, ())) or _only(self._by_reference.get(key, ()))
            if item is not None:
                how = MatchReason.NUMBER_IN_TEXT if is_distinctive(key) else MatchReason.COMMON_NUMBER
                found.setdefault(item.id, Named(item, how))
        return list(found.values())

    def payer(self, payment: IncomingPayment) -> Payer:
        """Who paid: by the account of earlier matches, else by name, else by a similar name."""
        known = self._accounts.get(plain_account(payment.payer_account), ()) if payment.payer_account else ()
        if known:
            return Payer(known, MatchReason.PAYER_ACCOUNT_KNOWN)
        if exact := self._names.exact(payment.payer_name):
            return Payer(tuple(sorted(exact)), MatchReason.NAME_EXACT)
        if plain := self._names.without_legal_form(payment.payer_name):
            return Payer(tuple(sorted(plain)), MatchReason.NAME_WITHOUT_LEGAL_FORM)
        similar = self._names.similar(payment.payer_name)
        return Payer(similar, MatchReason.NAME_SIMILAR) if similar else Payer()


def _only(items: Collection[OpenItem]) -> OpenItem | None:
    """The one item, or the one that is still open; None where a number could mean several."""
    if len(items) == 1:
        return next(iter(items))
    still_open = [item for item in items if item.open_minor > 0]
    return still_open[0] if len(still_open) == 1 else None
