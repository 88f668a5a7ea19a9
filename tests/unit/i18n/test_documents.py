"""Formats of papers by language, addresses by country, choice of a language, and the glossary."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from babel import UnknownLocaleError

from insureflow.domain.money import Money
from insureflow.i18n.documents import LANGUAGES, catalogue, choose_language, wording_of
from insureflow.i18n.glossary import Confidence, find_rendering, glossary, weak_terms

ADDRESS = {"street": ("Main Street 1",), "postal_code": "12345", "city": "Town", "region": "XY"}


@pytest.mark.parametrize(
    ("locale", "day", "money", "percent"),
    [
        ("en", "3 Aug 2026", "1,234.50 EUR", "11.27%"),
        ("sv", "3 aug. 2026", "1 234,50 EUR", "11,27 %"),
        ("id", "3 Agu 2026", "1.234,50 EUR", "11,27%"),
        ("nl", "3 aug 2026", "1.234,50 EUR", "11,27%"),
        ("fil", "Ago 3, 2026", "1,234.50 EUR", "11.27%"),
        ("de", "3. Aug. 2026", "1.234,50 EUR", "11,27 %"),
        ("fr", "3 août 2026", "1 234,50 EUR", "11,27 %"),
        ("es", "3 ago 2026", "1.234,50 EUR", "11,27 %"),
    ],
)
def test_figures_are_written_as_the_language_writes_them(locale: str, day: str, money: str, percent: str) -> None:
    wording = wording_of(locale)
    said = [wording.day(date(2026, 8, 3)), wording.money(Money(123450, "EUR")), wording.percent(Decimal("11.27"))]
    assert [each.replace("\u202f", " ").replace("\u00a0", " ") for each in said] == [day, money, percent]
    assert all(" " not in each for each in said), "a figure is never divided between lines"


def test_values_are_spoken_in_phrases() -> None:
    wording = wording_of("de")
    assert wording.phrase("Page %(page)s of %(pages)s", page=1, pages=1200) == "Seite 1 von 1.200"
    assert wording.phrase("Yes") == "Ja"
    assert [wording.yes_or_no(value) for value in (True, False, None)] == ["Ja", "Nein", "–"]
    assert wording.spoken(True) == "Ja"
    assert wording.spoken(None) == ""
    assert [wording.day(None), wording.money(None), wording.amount(None), wording.moneys(()), wording.days(())] == ["–"] * 5
    assert wording.listed(["A", "B", "C"]) == "A, B und C"
    one, many = "… and %(count)s more item in the attached document", "… and %(count)s more items in the attached document"
    assert wording.phrases(one, many, 1).startswith("… und 1 weiterer Posten")
    assert wording_of("id").phrases(one, many, 2) == "… dan 2 lagi dalam dokumen terlampir"
    assert wording_of("ar").phrase("Yes") == "Yes", "a language without wordings says the source"
    assert wording_of("ar").is_right_to_left
    assert wording_of("zh-Hans").tag == "zh-Hans"
    with pytest.raises(UnknownLocaleError):
        wording_of("xx")


@pytest.mark.parametrize(
    ("country", "place"),
    [
        ("DE", "12345 Town, XY"),
        ("US", "Town, XY 12345"),
        ("GB", "Town XY 12345"),
        ("IT", "12345 Town (XY)"),
        ("ID", "Town, XY 12345"),
    ],
)
def test_an_address_follows_its_country(country: str, place: str) -> None:
    wording = wording_of("en")
    assert wording.place_lines(**ADDRESS, country=country, home=country) == ("Main Street 1", place)
    abroad = wording_of("sv").place_lines(**ADDRESS, country=country, home="FR")
    assert abroad[-1] == wording_of("sv").country(country).upper()


def test_the_first_language_that_papers_speak_is_chosen() -> None:
    assert choose_language(["pt", None, "de_AT", "en"]) == "de"
    assert choose_language(["tl"]) == "fil"
    assert choose_language(["fr-CA"]) == "fr"
    assert choose_language(["pt", "ja"]) == "en"


def test_a_regional_language_uses_the_words_of_its_language() -> None:
    assert catalogue("de_AT").gettext("Invoice") == "Rechnung"
    assert wording_of("de-AT").phrase("Invoice") == "Rechnung"


def test_the_glossary_knows_its_terms_and_how_sure_they_are() -> None:
    assert len(glossary()) == 64
    assert all(set(languages) >= set(LANGUAGES) - {"en", "sv"} for languages in glossary().values())
    insured = find_rendering("Policyholder", "fr")
    assert insured is not None
    assert insured.terms == ("assuré",)
    assert insured.confidence is Confidence.ATTESTED
    assert find_rendering("no such term", "fr") is None
    assert len(weak_terms("fil")) == 64, "the trade speaks English in the Philippines"
    assert weak_terms("de") == ()
    assert set(weak_terms("id")) == {"blind cover", "run-off cover"}
