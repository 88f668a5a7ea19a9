"""Numbers of companies in public registers: registration, VAT and LEI, checked and brought into one form.

Most countries' numbers are checked by python-stdnum; a few registers that it lacks are checked here by the form they publish.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from stdnum import lei
from stdnum.eu.vat import MEMBER_STATES
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.util import get_cc_module

from insureflow.domain.buyers import IdentifierScheme

#: The registers of companies by country; where a country has several, a number of any of them will do.
_REGISTERS: dict[str, tuple[str, ...]] = {
    "AD": ("ad.nrt",),
    "AL": ("al.nipt",),
    "AR": ("ar.cuit",),
    "AT": ("at.businessid",),
    "AU": ("au.acn", "au.abn"),
    "AZ": ("az.voen",),
    "BE": ("be.vat",),
    "BR": ("br.cnpj",),
    "BY": ("by.unp",),
    "CA": ("ca.bn",),
    "CH": ("ch.uid",),
    "CL": ("cl.rut",),
    "CN": ("cn.uscc",),
    "CO": ("co.nit",),
    "CR": ("cr.cpj",),
    "CZ": ("cz.dic",),
    "DE": ("de.handelsregisternummer",),
    "DK": ("dk.cvr",),
    "DO": ("do.rnc",),
    "DZ": ("dz.nif",),
    "EC": ("ec.ruc",),
    "EE": ("ee.registrikood",),
    "EG": ("eg.tn",),
    "ES": ("es.cif",),
    "FI": ("fi.ytunnus",),
    "FO": ("fo.vn",),
    "FR": ("fr.siren", "fr.siret"),
    "GH": ("gh.tin",),
    "GT": ("gt.nit",),
    "HR": ("hr.oib",),
    "IL": ("il.hp",),
    "IN": ("in_.pan", "in_.gstin"),
    "IS": ("is_.kennitala",),
    "IT": ("it.iva",),
    "JP": ("jp.cn",),
    "KE": ("ke.pin",),
    "KR": ("kr.brn",),
    "LI": ("li.peid",),
    "LV": ("lv.pvn",),
    "MA": ("ma.ice",),
    "MD": ("md.idno",),
    "ME": ("me.pib",),
    "MK": ("mk.edb",),
    "MX": ("mx.rfc",),
    "MZ": ("mz.nuit",),
    "NO": ("no.orgnr",),
    "NZ": ("nz.ird",),
    "PE": ("pe.ruc",),
    "PL": ("pl.regon",),
    "PT": ("pt.nif",),
    "PY": ("py.ruc",),
    "RO": ("ro.onrc", "ro.cui"),
    "RS": ("rs.pib",),
    "RU": ("ru.ogrn", "ru.inn"),
    "SE": ("se.orgnr",),
    "SG": ("sg.uen",),
    "SI": ("si.maticna",),
    "SM": ("sm.coe",),
    "SN": ("sn.ninea",),
    "SV": ("sv.nit",),
    "TH": ("th.moa", "th.tin"),
    "TN": ("tn.mf",),
    "TR": ("tr.vkn",),
    "TW": ("tw.ubn",),
    "UA": ("ua.edrpou",),
    "US": ("us.ein",),
    "UY": ("uy.rut",),
    "VE": ("ve.rif",),
    "VN": ("vn.mst",),
    "ZA": ("za.tin",),
}

#: Taxes on turnover whose number the table of VAT numbers does not know.
_TAX: dict[str, tuple[str, ...]] = {"AU": ("au.abn",), "CA": ("ca.bn",), "IN": ("in_.gstin",), "NZ": ("nz.ird",), "SG": ("sg.uen",)}

#: What is taken as it came where no register's rules are known; ``N/A`` and ``NONE`` are no numbers.
_FREE_FORM = re.compile(r"(?=.*[1-9])[0-9A-Z][0-9A-Z ./\-]{1,39}")


@dataclass(frozen=True, slots=True)
class CheckedNumber:
    """A number in its one written form. ``checked``: its form was verified, not merely taken as it came.

    ``problem`` is a code where the number cannot be right: ``number_empty``, ``number_length``, ``number_format``,
    ``number_check_digit``, ``number_component``.
    """

    value: str
    checked: bool = False
    problem: str | None = None


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _chamber_of_commerce(text: str) -> CheckedNumber:
    """A Dutch company: eight digits, leading zeros included; a branch's twelve digits follow it in some papers and are cut off."""
    digits = _digits(re.sub(r"(?i)\bkvk\b", "", text))
    if len(digits) == 20:
        digits = digits[:8]
    if not re.fullmatch(r"[0-9 .\-]+", re.sub(r"(?i)\bkvk\b:?", "", text).strip()):
        return CheckedNumber(text, problem="number_format")
    if len(digits) == 7:
        digits = digits.zfill(8)
    if len(digits) != 8:
        return CheckedNumber(text, problem="number_length")
    return CheckedNumber(digits, checked=True) if digits.strip("0") else CheckedNumber(text, problem="number_component")


def _philippine_taxpayer(text: str) -> CheckedNumber:
    """A Philippine taxpayer: nine digits, and a branch of three or five digits where there is one. Its form is checked, no digit."""
    if not re.fullmatch(r"(?:TIN:?)? ?[0-9 \-]+", text):
        return CheckedNumber(text, problem="number_format")
    digits = _digits(text)
    if len(digits) not in (9, 12, 14):
        return CheckedNumber(text, problem="number_length")
    branch = digits[9:]
    return CheckedNumber("-".join([digits[:3], digits[3:6], digits[6:9], *([branch] if branch else [])]), checked=True)


def _companies_house(text: str) -> CheckedNumber:
    """A British company: eight digits, or two letters of a register and six digits."""
    plain = re.sub(r"[ .\-]", "", text)
    if re.fullmatch(r"[0-9]{6,8}", plain):
        return CheckedNumber(plain.zfill(8), checked=True)
    if re.fullmatch(r"[A-Z]{2}[0-9]{6}|R[0-9]{7}", plain):
        return CheckedNumber(plain, checked=True)
    return CheckedNumber(text, problem="number_format")


_OWN: dict[tuple[IdentifierScheme, str], Callable[[str], CheckedNumber]] = {
    (IdentifierScheme.REGISTRATION, "NL"): _chamber_of_commerce,
    (IdentifierScheme.REGISTRATION, "GB"): _companies_house,
    (IdentifierScheme.REGISTRATION, "PH"): _philippine_taxpayer,
    (IdentifierScheme.VAT, "PH"): _philippine_taxpayer,
}


def check_number(scheme: IdentifierScheme, country: str, text: str) -> CheckedNumber:
    """A register number in its one form, and whether its form could be verified; a country without rules is taken as it came.

    A VAT number of the European Union carries the prefix of its country (``EL`` for Greece), whether it was written or not.
    """
    plain = " ".join(text.upper().split())
    if not plain:
        return CheckedNumber("", problem="number_empty")
    own = _OWN.get((scheme, country))
    if own is not None:
        return own(plain)
    modules = _modules(scheme, country)
    if not modules:
        return CheckedNumber(plain) if _FREE_FORM.fullmatch(plain) else CheckedNumber(plain, problem="number_format")
    results = [_by_module(module, plain) for module in modules]
    best = next((result for result in results if result.checked), results[0])
    if best.checked and scheme is IdentifierScheme.VAT:
        return CheckedNumber(_with_prefix(best.value, country), checked=True)
    return best


def _modules(scheme: IdentifierScheme, country: str) -> list[Any]:
    if scheme is IdentifierScheme.LEI:
        return [lei]
    if scheme is IdentifierScheme.REGISTRATION:
        return [import_module(f"stdnum.{name}") for name in _REGISTERS.get(country, ())]
    known = get_cc_module(country.lower(), "vat")
    return [known] if known is not None else [import_module(f"stdnum.{name}") for name in _TAX.get(country, ())]


def _by_module(module: Any, text: str) -> CheckedNumber:
    try:
        return CheckedNumber(str(module.validate(text)).upper(), checked=True)
    except InvalidChecksum:
        problem = "number_check_digit"
    except InvalidLength:
        problem = "number_length"
    except InvalidComponent:
        problem = "number_component"
    except (InvalidFormat, ValidationError):
        problem = "number_format"
    return CheckedNumber(text, problem=problem)


def _with_prefix(value: str, country: str) -> str:
    """A VAT number of the European Union (and of the United Kingdom) with the prefix of its country, as trading papers show it."""
    prefix = "EL" if country == "GR" else country
    is_prefixed = country.lower() in MEMBER_STATES or country == "GB"
    return prefix + value if is_prefixed and not value.startswith(prefix) else value


def country_of_vat(text: str) -> str | None:
    """The country that the prefix of a VAT number names, or None without one."""
    prefix = text.strip().upper()[:2]
    if prefix == "EL":
        return "GR"
    return "GB" if prefix == "XI" else prefix if prefix.isalpha() and len(prefix) == 2 else None
