"""The portal or e-mail way: a plain text that a person enters or sends, and evidence demanded for the answer.

Portals ask in the same order wherever their steps are public: who is insured, who is the debtor, what limit is there, what is asked for.
*Source:* the public steps of the portals of export credit agencies.
"""

from __future__ import annotations

from collections.abc import Sequence

from insureflow.connectors.insurers.by_hand import ByHand
from insureflow.connectors.insurers.outgoing import OutgoingRequest

_ASKED = {
    "NEW_LIMIT": "New credit limit",
    "INCREASE": "Increase of the credit limit",
    "REDUCTION": "Reduction of the credit limit",
    "CANCELLATION": "Cancellation of the credit limit",
}


class Manual(ByHand):
    """An insurer who is reached by portal or e-mail only."""

    key = "manual"
    name = "Portal or e-mail"
    company_scheme = "insurer"
    #: An answer that nobody can fetch again needs the file that shows it.
    needs_evidence = True


def write_text(requests: Sequence[OutgoingRequest]) -> str:
    """The requests as text, one after the other, in the order in which portals ask."""
    return "\n".join(_one(number, request) for number, request in enumerate(requests, 1))


def _one(number: int, request: OutgoingRequest) -> str:
    message, buyer = request.message, request.buyer
    amount = "" if message.amount is None else f"{message.amount.amount} {message.amount.currency}"
    lines = (
        ("Insured", request.policyholder),
        ("Policy", request.policy_number),
        ("Buyer", buyer.name),
        ("Your number", message.company_id),
        ("Country", buyer.country),
        ("Address", ", ".join(part for part in (buyer.street, f"{buyer.postal_code} {buyer.city}".strip()) if part)),
        ("VAT number", buyer.vat_number),
        ("Registration", buyer.registration_number),
        ("LEI", buyer.lei),
        ("Our customer", buyer.customer_number),
        ("Existing limit", message.cover_id or ""),
        ("Asked for", _ASKED.get(message.code.name, message.code.name.replace("_", " ").capitalize())),
        ("Amount", amount),
        ("Layer", "" if message.layer.value == "primary" else message.layer.value.replace("_", " ")),
        ("Kind", "" if message.kind.value == "named" else message.kind.value.replace("_", " ")),
        ("Date", message.asked_on.isoformat()),
        ("Urgent", "yes" if message.is_urgent else ""),
        ("Remark", " ".join(message.comment.split())),
    )
    body = "".join(f"{label:<15} {' '.join(value.split())}\n" for label, value in lines if value)
    return f"Request {number}: {message.own_reference} (please quote this reference in your answer)\n{body}"
