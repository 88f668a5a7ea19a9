"""Who writes and who is written to: names, addresses, people to ask, accounts to pay to."""

from __future__ import annotations

from dataclasses import dataclass

from insureflow.i18n.documents import Wording

_SEPARATOR = " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; ``street`` holds everything above the town, ``country`` is an ISO code."""

    street: tuple[str, ...] = ()
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person to ask."""

    name: str
    role: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """An account to pay to: by IBAN, or by number and bank where there is none."""

    holder: str
    iban: str = ""
    number: str = ""
    bic: str = ""
    bank: str = ""
    currency: str = ""

    def numbered(self, wording: Wording) -> str:
        """The number of the account with what it is."""
        if self.iban:
            return f"IBAN {grouped_iban(self.iban)}"
        return f"{wording.phrase('Account number')} {self.number}" if self.number else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A company in a paper: seller, buyer, insurer, administrator.

    ``insurer_reference`` is the number by which the insurer knows a buyer; papers for buyers never print it. ``foot`` and ``accounts``
    are what the company that writes has at the foot of its pages besides its numbers: words of its own, and its accounts.
    """

    name: str
    address: Address = Address()
    trading_name: str = ""
    registration_number: str = ""
    tax_number: str = ""
    insurer_reference: str = ""
    contact: Contact | None = None
    foot: str = ""
    accounts: tuple[BankAccount, ...] = ()

    def foot_lines(self, wording: Wording) -> tuple[str, ...]:
        """The foot of each page: words of the company's own, its e-mail address and numbers, its accounts."""
        contact = self.contact
        numbers = (
            "" if contact is None else contact.phone,
            "" if contact is None else contact.email,
            wording.phrase("Reg. no. %(number)s", number=self.registration_number) if self.registration_number else "",
            wording.phrase("VAT no. %(number)s", number=self.tax_number) if self.tax_number else "",
        )
        accounts = ((each.bank, each.numbered(wording), f"BIC {each.bic}" if each.bic else "") for each in self.accounts)
        told = (
            *(" ".join(line.split()) for line in self.foot.splitlines()),
            *(_SEPARATOR.join(filter(None, line)) for line in (numbers, *accounts)),
        )
        return tuple(line for line in told if line)

    def lines(self, wording: Wording, home: str | None = None) -> tuple[str, ...]:
        """Name and address, as an envelope shows them; the country is left out where it is ``home``."""
        place = wording.place_lines(
            street=self.address.street,
            postal_code=self.address.postal_code,
            city=self.address.city,
            region=self.address.region,
            country=self.address.country,
            home=home,
        )
        return (self.name, *place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who signs a paper, and where."""

    name: str
    role: str = ""
    place: str = ""


def grouped_iban(iban: str) -> str:
    """An IBAN in groups of four, as it is written on paper."""
    plain = "".join(iban.split()).upper()
    return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))
