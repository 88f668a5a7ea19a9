"""Messages of a bank, written for the tests: camt.053 and camt.054 of any version, and MT940."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

ACCOUNT = "SE4550000000058398257466"
PAYER = "DE89370400440532013000"


@dataclass(frozen=True, slots=True)
class Line:
    """One payment as a bank tells it."""

    amount: str
    text: str = ""
    name: str = ""
    account: str = ""
    reference: str = ""
    bank_reference: str = ""
    end_to_end: str = "NOTPROVIDED"
    direction: str = "CRDT"
    status: str = "BOOK"
    day: str = "2026-11-18"
    is_reversal: bool = False
    charges: str = ""
    instructed: tuple[str, str] | None = None


def _party(name: str, version: int) -> str:
    inner = f"<Nm>{escape(name)}</Nm>"
    return f"<Pty>{inner}</Pty>" if version >= 8 else inner


def details(line: Line, currency: str, version: int, *, with_amount: bool) -> str:
    """The ``TxDtls`` of a payment."""
    amount = f'<Amt Ccy="{currency}">{line.amount}</Amt>' if with_amount and version >= 4 else ""
    inner = f'<TxAmt><Amt Ccy="{currency}">{line.amount}</Amt></TxAmt>' if with_amount and version < 4 else ""
    if line.instructed:
        inner = f'<InstdAmt><Amt Ccy="{line.instructed[1]}">{line.instructed[0]}</Amt></InstdAmt>' + inner
    amounts = f"<AmtDtls>{inner}</AmtDtls>" if inner else ""
    side = "Dbtr" if (line.direction == "CRDT") is not line.is_reversal else "Cdtr"
    parties = f"<{side}>{_party(line.name, version)}</{side}>" if line.name else ""
    if line.account:
        parties += f"<{side}Acct><Id><IBAN>{line.account}</IBAN></Id></{side}Acct>"
    told = f"<Ustrd>{escape(line.text)}</Ustrd>" if line.text else ""
    if line.reference:
        told += f"<Strd><CdtrRefInf><Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>{line.reference}</Ref></CdtrRefInf></Strd>"
    charges = ""
    if line.charges:
        one = f'<Amt Ccy="{currency}">{line.charges}</Amt>'
        charges = f"<Chrgs>{one}</Chrgs>" if version < 4 else f"<Chrgs><Rcrd>{one}</Rcrd></Chrgs>"
    return (
        f"<TxDtls><Refs><EndToEndId>{line.end_to_end}</EndToEndId></Refs>{amount}<CdtDbtInd>{line.direction}</CdtDbtInd>{amounts}{charges}"
        f"<RltdPties>{parties}</RltdPties><RmtInf>{told}</RmtInf></TxDtls>"
    )


def entry(lines: list[Line], currency: str, version: int, *, total: str | None = None, tell: bool = True) -> str:
    """The ``Ntry`` of one booking of one or several payments; without ``tell`` the payments stay unsaid."""
    first = lines[0]
    status = first.status if version < 8 else f"<Cd>{first.status}</Cd>"
    day = f"<Dt>{first.day}</Dt>" if version < 8 else f"<DtTm>{first.day}T13:15:00+01:00</DtTm>"
    reversal = "<RvslInd>true</RvslInd>" if first.is_reversal else ""
    reference = f"<AcctSvcrRef>{first.bank_reference}</AcctSvcrRef>" if first.bank_reference else ""
    told = "".join(details(line, currency, version, with_amount=len(lines) > 1) for line in lines) if tell else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{total or first.amount}</Amt><CdtDbtInd>{first.direction}</CdtDbtInd>{reversal}<Sts>{status}</Sts>'
        f"<BookgDt>{day}</BookgDt><ValDt><Dt>{first.day}</Dt></ValDt>{reference}"
        f"<NtryDtls>{told}</NtryDtls></Ntry>"
    )


def balance(code: str, amount: str, currency: str, day: str) -> str:
    """A ``Bal``; a negative amount is overdrawn."""
    direction = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def camt(
    entries: list[str],
    *,
    version: int = 8,
    kind: str = "053",
    currency: str = "EUR",
    account: str = ACCOUNT,
    identification: str = "S-1",
    opening: str | None = None,
    closing: str | None = None,
) -> bytes:
    """A whole message with one statement or notification."""
    message, part = ("BkToCstmrStmt", "Stmt") if kind == "053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    balances = balance("OPBD", opening, currency, "2026-11-17") if opening is not None else ""
    balances += balance("CLBD", closing, currency, "2026-11-18") if closing is not None else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.{version:02d}"><{message}>'
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr><{part}><Id>{identification}</Id><Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        f"{balances}{''.join(entries)}</{part}></{message}></Document>"
    ).encode()


MT940 = """:20:STARTUMSE
:25:SE4550000000058398257466
:28C:00001/001
:60F:C261117EUR1000,00
:61:2611181118CR1190,00N166NONREF//BANKREF123
:86:166?00SEPA CREDIT?109075/628?20EREF+E2E-1?21SVWZ+Rechnung INV-2026-?220001 danke?30DEUTDEFF?31DE89370400440532013000?32Alpha Werke
?33 GmbH?34000
:61:2611181118RC50,00NTRFNONREF
:86:/EREF/ABC//NAME/Foo BV/REMI/USTD//Invoice F2/IBAN/NL56AGDH9619008421
:61:2611181118D2,50NCHGNONREF
:61:2611181118C0,50NINTNONREF
:86:interest for October FI2112345600000785
:62F:C261118EUR2138,00
-
"""
