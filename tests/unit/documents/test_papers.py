"""Every kind of paper in every language: what it says, what it must never say, and that it is the same file each time."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.papers import BUYER, KINDS, NAMES, SELLER, debt_proof, euros, exposure, non_payment, payment_plan, reminder, statement, text_of
from support.tree import ROOT

from insureflow.documents import letters, notices, plans, proof_of_debt
from insureflow.documents.forbidden_words import INSURANCE_WORDS, find_insurance_words
from insureflow.documents.items import ItemKind, OpenItem
from insureflow.documents.merging import merge_papers
from insureflow.documents.page_sizes import PageSize
from insureflow.documents.parties import Address, BankAccount, Party
from insureflow.domain import notices as notice_domain
from insureflow.domain.cover import Reason
from insureflow.domain.limits import LimitKind
from insureflow.i18n.documents import LANGUAGES, catalogue, wording_of

#: Any characters at all: controls, halves of characters, marks without letters.
ANYTHING = st.text(alphabet=st.characters(blacklist_categories=()), max_size=60) | st.sampled_from(
    ["<script>alert(1)</script>", "%(day)s & \x00"]
)
#: Words that a language writes as English does.
SAME_EVERYWHERE = {"Post", "E-mail", "Liquidation"}
SIDE_BY_SIDE = [(kind, locale) for kind in KINDS for locale in LANGUAGES]


@pytest.mark.parametrize(("kind", "locale"), SIDE_BY_SIDE)
def test_a_paper_says_what_it_must(kind: str, locale: str) -> None:
    of = KINDS[kind]
    paper, wording = of.example(), wording_of(locale)
    built = of.build(paper, locale)
    text = text_of(built)
    mail, page = of.mail(paper, locale), of.page(paper, locale)
    for said in (text, " ".join(mail.body.split()), " ".join(page.split())):
        assert re.sub(r"\s", "", wording.amount(of.amount)) in re.sub(r"\s|\u200e", "", said)
        assert "2026-0400" in said
    assert paper.number in text
    assert wording.phrase("Page %(page)s of %(pages)s", page=1, pages=len(pikepdf.open(BytesIO(built)).pages)) in text
    assert "\n" not in mail.subject
    assert paper.number in mail.subject
    assert f'<html lang="{locale}" dir="ltr">' in page
    told = (text, mail.subject, mail.body, page)
    if of.must_be_silent:
        assert [find_insurance_words(each, locale) for each in told] == [(), (), (), ()]
        assert BUYER.insurer_reference not in text + mail.body + page
    else:
        assert find_insurance_words(text, locale)
        assert BUYER.insurer_reference in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_is_an_archived_file_and_always_the_same(kind: str) -> None:
    of = KINDS[kind]
    first, second = of.build(of.example(), "de"), of.build(of.example(), "de")
    assert first == second
    paper = of.example()
    with pikepdf.open(BytesIO(first)) as file:
        assert str(file.Root.Lang) == "de"
        assert str(file.docinfo.Author) == SELLER.name
        assert str(file.docinfo.CreationDate) == f"D:{paper.issued_on:%Y%m%d}000000Z"
        assert str(file.Root.OutputIntents[0].OutputConditionIdentifier) == "sRGB"
        assert b"<pdfaid:part>2</pdfaid:part>" in file.Root.Metadata.read_bytes()
        fonts = {str(font.BaseFont): font for page in file.pages for font in page.Resources.Font.values()}
        assert fonts
        assert all("/FontFile2" in font.FontDescriptor and "/ToUnicode" in font for font in fonts.values())


def test_what_was_written_before_changes_nothing() -> None:
    """Codes of glyphs belong to the font, not to the order in which papers were written."""
    arabic = replace(BUYER, name=NAMES["ar"])
    before = letters.build_reminder(reminder(buyer=arabic), "en")
    letters.build_reminder(reminder(buyer=replace(BUYER, name=NAMES["hi"] + NAMES["ar"][::-1])), "en")
    assert letters.build_reminder(reminder(buyer=arabic), "en") == before


@pytest.mark.parametrize("script", NAMES)
def test_a_name_in_any_script_can_be_copied_out(script: str) -> None:
    text = text_of(letters.build_reminder(reminder(buyer=replace(BUYER, name=NAMES[script])), "en"))
    plain = re.sub("[\u202a-\u202e\u200e\u200f]", "", text)
    for word in re.sub("[().]", " ", NAMES[script]).split():
        assert word in plain, (word, plain[:200])


@pytest.mark.parametrize("locale", ["ar", "he"])
def test_a_paper_can_run_from_right_to_left(locale: str) -> None:
    buyer = Party(name=NAMES[locale], address=Address(street=("12 A",), city="X", country="SA"))
    letter = reminder(buyer=buyer, note=f"{NAMES[locale]} INV/2026-0417 +46 31 123 45 67")
    built = letters.build_reminder(letter, locale)
    text = text_of(built)
    assert "INV/2026-0417 +46 31 123 45 67" in text, "identifiers keep their order"
    assert "SE45 5000 0000 0583 9825 7466" in text
    assert text.index("Interest Open Amount") < text.index("Invoice"), "columns run from the right"
    assert 'dir="rtl"' in letters.html_reminder(letter, locale)
    with pikepdf.open(BytesIO(built)) as file:
        assert file.Root.ViewerPreferences.Direction == pikepdf.Name.R2L


def test_long_tables_repeat_their_heading_and_count_their_pages() -> None:
    built = letters.build_reminder(reminder(count=400), "en")
    pages = len(pikepdf.open(BytesIO(built)).pages)
    text = text_of(built)
    assert pages > 5
    assert text.count("Invoice Date Due date Days late") == pages - int("Invoice Date" not in text.split("Page")[-2])
    assert all(f"Page {number} of {pages}" in text for number in range(1, pages + 1))
    assert all(item.number in text for item in reminder(count=400).items)


def test_a_plan_tells_nothing_of_lateness() -> None:
    text = text_of(plans.build_payment_plan(payment_plan(), "en"))
    assert "Invoice Date Due date Amount" in text
    assert "Days late" not in text


def test_paper_follows_the_country_of_the_reader() -> None:
    american = replace(BUYER, address=Address(street=("1 Main St",), city="Dayton", region="OH", postal_code="45402", country="US"))
    built = letters.build_reminder(reminder(buyer=american), "en")
    with pikepdf.open(BytesIO(built)) as file:
        assert [float(side) for side in file.pages[0].MediaBox][2:] == [612, 792]
    assert "Dayton, OH 45402" in text_of(built)
    asked_for = letters.build_reminder(reminder(buyer=american), "en", PageSize.A4)
    with pikepdf.open(BytesIO(asked_for)) as file:
        assert round(float(file.pages[0].MediaBox[3])) == 842


def test_the_history_runs_from_the_opening_to_the_closing_balance() -> None:
    text = text_of(KINDS["statement"].build(statement(), "en"))
    history = text[text.index("Movements from 1 Apr 2026") :]
    assert "Opening balance 1,000.00" in history
    assert "1 May 2026 Invoice 2026-0400 30 Jun 2026 12,000.50 13,000.50" in history
    closing = wording_of("en").amount(statement().closing[0])
    assert f"Closing balance {closing}" in history
    assert f"We confirm that we owe {closing} EUR" in text


def test_a_notification_divides_the_whole_exposure() -> None:
    text = text_of(notices.build_non_payment(non_payment(), "en"))
    assert "Past due 36,000.00 27,000.00 9,000.00" in text
    assert "Not yet due 18,000.00 0.00 18,000.00" in text
    assert "Total EUR 54,000.00 27,000.00 27,000.00" in text
    assert "2026-0401 *" in text
    assert "1 Payment terms longer than the maximum 2 Above the credit limit" in text


def test_every_currency_has_its_own_table() -> None:
    dollars = OpenItem(
        number="US-1",
        issued_on=reminder().issued_on,
        due_on=reminder().issued_on,
        amount=replace(euros("70.00"), currency="USD"),
        open=replace(euros("70.00"), currency="USD"),
    )
    letter = replace(reminder(), items=(*reminder().items, dollars), stated_totals=())
    text = text_of(letters.build_reminder(letter, "en"))
    assert "Amounts in EUR" in text
    assert "Amounts in USD" in text
    assert re.search(r"Total to pay [\d,.]+ EUR \+ 70\.00 USD", text)


def test_every_code_has_its_phrase() -> None:
    from insureflow.documents.notices import terms
    from insureflow.documents.parts import KINDS as ITEM_KINDS

    assert set(terms.REASONS) == set(Reason)
    assert set(terms.LIMIT_KINDS) == set(LimitKind)
    assert set(terms.CAUSES) == set(notice_domain.ReasonForNonPayment)
    assert set(terms.ACTIONS) == set(notices.ActionKind)
    assert set(terms.ADVERSE) == set(notice_domain.AdverseKind)
    assert set(terms.PROCEEDINGS) == set(notice_domain.ProceedingKind)
    assert set(terms.INTERVENTIONS) == set(notice_domain.Intervention)
    assert set(terms.TITLES) == set(notice_domain.NoticeKind)
    assert set(terms.CHANNELS) == set(notice_domain.Channel)
    assert set(terms.REPLIES) == set(notice_domain.ReplyOutcome)
    assert set(ITEM_KINDS) == set(ItemKind)
    tables = (
        terms.TITLES,
        terms.CHANNELS,
        terms.REPLIES,
        terms.CAUSES,
        terms.ADVERSE,
        terms.PROCEEDINGS,
        terms.INTERVENTIONS,
        terms.REASONS,
    )
    for locale in set(LANGUAGES) - {"en"}:
        said = catalogue(locale)
        for table in tables:
            assert [text for text in table.values() if said.gettext(text) == text and text not in SAME_EVERYWHERE] == [], locale
    assert set(letters.TITLES) == set(letters.ReminderLevel)


def test_the_foot_of_every_page_has_what_the_sender_is_known_and_paid_by() -> None:
    account = BankAccount(holder="N", iban="SE3550000000054910000003", bic="ESSESESS", bank="SEB")
    other = BankAccount(holder="N", number="004417739920", bank="First Harbor Bank")
    sender = replace(
        SELLER, registration_number="556677-8899", tax_number="SE556677889901", foot="Säte  Stockholm\n", accounts=(account, other)
    )
    for kind, of in KINDS.items():
        paper = of.example()
        writer = next(
            name for name in ("sender", "creditor", "insured") if hasattr(paper, name) or hasattr(getattr(paper, "policy", None), name)
        )
        holder = paper if hasattr(paper, writer) else paper.policy
        changed = replace(holder, **{writer: sender})
        paper = changed if holder is paper else replace(paper, policy=changed)
        built = of.build(paper, "sv")
        pages = len(pikepdf.open(BytesIO(built)).pages)
        text = text_of(built)
        for words in ("Säte Stockholm", "SE556677889901", "IBAN SE35 5000 0000 0549 1000 0003 · BIC ESSESESS", "First Harbor Bank"):
            assert text.count(words) >= pages, (kind, words)
        assert "<footer>" in of.page(paper, "sv")
    assert replace(sender, foot="", contact=None, registration_number="", tax_number="", accounts=()).foot_lines(wording_of("en")) == ()
    # However much somebody writes there, the page keeps its room.
    long = replace(reminder(), sender=replace(sender, foot="\n".join(["much"] * 40)))
    assert text_of(letters.build_reminder(long, "en")).count("much") == 6 * len(
        pikepdf.open(BytesIO(letters.build_reminder(long, "en"))).pages
    )


def test_papers_printed_together_are_the_same_file_each_time() -> None:
    papers = [letters.build_reminder(reminder(), locale) for locale in ("en", "sv")]
    merged = merge_papers(papers)
    assert merged == merge_papers(papers)
    assert len(pikepdf.open(BytesIO(merged)).pages) == sum(len(pikepdf.open(BytesIO(paper)).pages) for paper in papers)


@pytest.mark.parametrize("locale", INSURANCE_WORDS)
def test_words_that_betray_are_found(locale: str) -> None:
    assert set(INSURANCE_WORDS) == set(LANGUAGES)
    for word in INSURANCE_WORDS[locale]:
        said = word.rstrip("*")
        assert find_insurance_words(f"x {said.upper()}, y", locale), word
    assert find_insurance_words("your account with\nAllianz\n Trade", locale) == ("Allianz\n Trade",)
    assert find_insurance_words("Policyholder", "de-AT")
    assert find_insurance_words("recover, discovery, chair", locale) == ()


def test_an_exposure_of_many_rows_is_noted_row_by_row() -> None:
    many = replace(non_payment(), items=exposure(60), stated=None)
    text = text_of(notices.build_non_payment(many, "sv"))
    assert all(item.number in text for item in many.items)


def test_rows_higher_than_a_page_go_on_on_the_next() -> None:
    step = notices.ActionTaken(on=non_payment().issued_on, kind=notices.ActionKind.OTHER, detail="dolor " * 2000)
    dispute = notices.DisputeFacts(amount=euros("1.00"), description="ipsum " * 2000)
    long = replace(non_payment(), narrative="lorem " * 2000, dispute=dispute, actions=(step,), securities=("x" * 2000,))
    text = text_of(notices.build_non_payment(long, "en"))
    assert [text.count(word) for word in ("lorem", "ipsum", "dolor")] == [2000] * 3
    assert len(re.findall("x", text)) >= 2000


@settings(max_examples=25, deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(["en", "ar", "fr"]))
def test_no_text_however_strange_stops_a_paper(one: str, two: str, three: str, locale: str) -> None:
    buyer = Party(name=one or "x", address=Address(street=(two, three), city=three, country="JP"))
    letter = replace(reminder(buyer=buyer, note=f"{two}\n{three}"), sender=replace(SELLER, name=three or "y"))
    assert letters.build_reminder(letter, locale).startswith(b"%PDF-1.7")
    page = letters.html_reminder(letter, locale)
    assert re.findall("<script|onerror", page.lower()) == []
    assert page.count("<h1>") == 1
    assert "\n" not in letters.text_reminder(letter, locale).subject


def test_nothing_that_draws_is_read_before_the_first_paper() -> None:
    program = (
        "import sys, insureflow.documents.notices, insureflow.documents.letters; print(sorted({'reportlab', 'pikepdf'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"


def test_a_proof_of_debt_denies_no_right_that_nobody_was_asked_about() -> None:
    unknown = replace(debt_proof(), retention_of_title=None, securities=None)
    denied = replace(unknown, retention_of_title=False, securities=())
    for proof, is_said in ((unknown, False), (denied, True)):
        text = text_of(proof_of_debt.build_proof_of_debt(proof, "en"))
        assert ("Retention of title" in text, "Securities" in text) == (is_said, is_said)
