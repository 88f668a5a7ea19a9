"""What leaves the house about a request where a person, and not an interface, must know whom it is about."""

from __future__ import annotations

from dataclasses import dataclass

from insureflow.connectors.insurers.interface import LimitMessage


@dataclass(frozen=True, slots=True)
class BuyerCard:
    """A buyer as a file or letter names it: numbers first, then the name and where it is."""

    name: str
    country: str
    street: str = ""
    postal_code: str = ""
    city: str = ""
    vat_number: str = ""
    registration_number: str = ""
    lei: str = ""
    customer_number: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request with everything that its reader needs."""

    message: LimitMessage
    buyer: BuyerCard
    policy_number: str
    policyholder: str
