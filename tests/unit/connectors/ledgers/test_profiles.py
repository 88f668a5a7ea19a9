from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from insureflow.connectors.ledgers.dates import DateOrder
from insureflow.connectors.ledgers.profile import FIELDS, ColumnRule, Profile
from insureflow.connectors.ledgers.profile_files import (
    check_profile,
    get_shipped_profile,
    load_profile,
    profile_from_mapping,
    profile_to_mapping,
    save_profile,
    shipped_profiles,
)
from insureflow.connectors.ledgers.reading import read_ledger
from insureflow.domain.errors import InvalidValues, Refusal
from insureflow.domain.receivables import DocumentKind, ImportMode, PaymentTerms, TermsStart

EVERYTHING = """
format: 1
name: everything
title: All there is
description: Uses every part of a profile
mode: open_items
file:
  encoding: cp1252
  delimiter: ;
  quote: "'"
  decimal_separator: ","
  date_order: dmy
  date_orders: {Due: mdy}
  century: 2000
  sheet: Ledger
  header_row: 3
defaults: {currency: EUR, country: SE, kind: payment}
columns:
  number: {combine: [Series, Nr], separator: "/"}
  customer_number: {column: [Cust, Customer], transform: [strip_decimal_zero, strip_leading_zeros]}
  country: {column: Land, transform: numeric_country, unknown: warning}
  kind: Art
  currency: {constant: NOK}
  gross: {column: Sum, transform: negate}
  document_on: Date
  due_on: Due
  terms: Terms
  disputed: {column: Tvist, values: {X: true, "-": false}}
kinds: {F: invoice, K: credit_note}
terms:
  T1: {days: 14}
  T2: {months: 1, start: month_end}
where: {Open: ["1", "yes"]}
negative_invoice: credit_note
reductions: either
without_due_date: invoice_date
"""


def read(text: str, profile: str):
    return read_ledger(io.BytesIO(text.encode()), load_profile(profile), name="ledger.csv")


def test_a_profile_is_the_same_after_saving_and_loading():
    profile = load_profile(EVERYTHING)
    assert load_profile(save_profile(profile)) == profile
    assert profile_from_mapping(profile_to_mapping(profile)) == profile
    assert profile.mode is ImportMode.OPEN_ITEMS
    assert profile.kind is DocumentKind.PAYMENT
    assert profile.terms["T2"] == PaymentTerms(months=1, start=TermsStart.MONTH_END)
    assert profile.file.date_orders == {"Due": DateOrder.MDY}


@pytest.mark.parametrize("name", ["plain", "ibm-late-payments", "highradius-open-items", "ubl"])
def test_shipped_profiles_are_valid_and_keep_when_saved(name: str):
    profile = get_shipped_profile(name)
    assert profile.name == name
    assert profile.title
    assert profile.description
    assert load_profile(save_profile(profile)) == profile
    check_profile(profile)


def test_all_shipped_profiles_are_known_and_others_are_refused():
    assert set(shipped_profiles()) == {"plain", "ibm-late-payments", "highradius-open-items", "ubl"}
    with pytest.raises(Refusal) as caught:
        get_shipped_profile("unheard-of")
    assert caught.value.code == "unknown_profile"


def test_everything_wrong_with_a_profile_is_told_at_once():
    broken = """
    format: 2
    title: 7
    colour: red
    mode: sideways
    file: {encoding: klingon, delimiter: ab, decimal_separator: ";", date_order: ydm, century: 20, header_row: 0}
    defaults: {currency: XQX, country: QQ}
    columns:
      number: {column: A, constant: B}
      gross: {column: Sum, transform: numeric_country}
      customer: C
      disputed: {column: D, values: {X: 1}}
      terms: 5
    kinds: {F: bill}
    terms: {T: {days: -1}}
    """
    with pytest.raises(InvalidValues) as caught:
        load_profile(broken)
    found = {(problem.path, problem.code) for problem in caught.value.problems}
    assert found >= {
        ("format", "unknown_format"),
        ("name", "missing"),
        ("title", "not_a_text"),
        ("colour", "unknown_key"),
        ("mode", "not_allowed"),
        ("file.encoding", "unknown_encoding"),
        ("file.delimiter", "not_one_character"),
        ("file.decimal_separator", "not_allowed"),
        ("file.date_order", "not_allowed"),
        ("file.century", "not_a_number_between"),
        ("file.header_row", "not_a_number_between"),
        ("defaults.currency", "unknown_currency"),
        ("defaults.country", "unknown_country"),
        ("columns.number", "one_source_needed"),
        ("columns.gross.transform", "transform_does_not_fit"),
        ("columns.customer", "unknown_key"),
        ("columns.disputed.values.X", "not_a_text"),
        ("columns.document_on", "field_not_mapped"),
        ("columns.customer_number", "field_not_mapped"),
        ("kinds.F", "not_allowed"),
        ("terms.T.days", "not_a_number_between"),
    }


@pytest.mark.parametrize("text", ["a: [1, 2", "a: b: c", "!!python/object/apply:os.system ['true']", "\x00"])
def test_what_is_no_plain_yaml_is_refused(text: str):
    with pytest.raises(Refusal) as caught:
        load_profile(text)
    assert caught.value.code == "not_yaml"


@pytest.mark.parametrize("text", ["", "7", "[a, b]", "null"])
def test_what_is_no_mapping_is_refused(text: str):
    with pytest.raises(InvalidValues):
        load_profile(text)


def test_a_profile_put_together_in_code_is_checked_the_same_way():
    with pytest.raises(InvalidValues):
        check_profile(Profile("mine", columns={"number": ColumnRule(("A",))}))


def test_every_part_of_a_profile_acts_on_the_file():
    text = """x;y
report of the day;;

Series;Nr;Cust;Land;Art;Sum;Date;Due;Terms;Tvist;Open
A;7;0042.0;752;F;-1.234,50;15.01.24;02/14/2024;;X;1
A;8;0042.0;999;F;-10,00;15.01.24;;T2;-;yes
A;9;0042.0;752;F;-10,00;15.01.24;;T1;-;0
A;10;0043.0;752;K;5,00;16.01.24;;;-;1
A;11;0043.0;752;;6,00;16.01.24;;;-;1
A;12;0043.0;752;F;-7,00;16.01.24;;;-;1
"""
    profile = EVERYTHING.replace("header_row: 3", "header_row: 4").replace("encoding: cp1252", "encoding: utf-8")
    batch = read(text, profile)
    assert batch.problems == ()
    assert batch.rows_left_out == 1
    lines = batch.lines
    assert lines.number == ["A/7", "A/8", "A/10", "A/11", "A/12"]
    assert lines.customer_number == ["42", "42", "43", "43", "43"]
    assert lines.country == ["SE", "SE", "SE", "SE", "SE"]
    assert [(warning.row, warning.code) for warning in batch.warnings] == [(6, "unknown_country"), (10, "due_date_assumed")]
    assert set(lines.currency) == {"NOK"}
    assert lines.gross_minor == [123_450, 1_000, 500, 600, 700]
    assert lines.kind == [DocumentKind.INVOICE, DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT, DocumentKind.INVOICE]
    assert lines.due_on == [date(2024, 2, 14), date(2024, 2, 29), None, None, date(2024, 1, 16)]
    assert lines.terms_code == [None, "T2", None, None, None]
    assert lines.disputed == [True, False, False, False, False]


OPEN_ITEMS = """
format: 1
name: open
mode: open_items
defaults: {currency: EUR}
columns: {number: nr, customer_name: name, open: balance, document_on: date, terms: terms, dispute_reason: why, disputed_amount: part}
negative_invoice: credit_note
"""


def test_open_items_alone_give_the_whole_and_negative_ones_are_credit_notes():
    text = "nr;name;balance;date;terms;why;part\n1;A;10,00;2026-01-15;net 30;;\n2;A;-4,00;2026-01-16;;;\n3;B;7,00;2026-01-17;60 dagar;late;2,50\n"
    batch = read(text, OPEN_ITEMS)
    assert batch.problems == ()
    assert batch.lines.gross_minor == batch.lines.open_minor == [1_000, 400, 700]
    assert batch.lines.kind == [DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.INVOICE]
    assert batch.lines.due_on == [date(2026, 2, 14), None, date(2026, 3, 18)]
    assert batch.lines.terms_days == [30, None, 60]
    assert batch.lines.disputed == [False, False, True]
    assert batch.lines.disputed_minor == [None, None, 250]
    assert batch.lines.customer_number == ["A", "A", "B"]


def test_terms_that_nobody_explained_are_a_problem_where_the_due_date_hangs_on_them():
    text = "nr;name;balance;date;terms;why;part\n1;A;10,00;2026-01-15;30 EOM;;\n2;A;-4,00;2026-01-16;;;\n"
    assert [(each.row, each.code, each.value) for each in read(text, OPEN_ITEMS).problems] == [(2, "unknown_terms", "30 EOM")]


def test_amounts_that_do_not_fit_together_are_warnings():
    text = "nr;name;open;gross;date;due;part\n1;A;10,00;9,00;2026-01-15;2026-02-15;\n2;A;1,00;9,00;2026-01-16;2029-02-15;9,50\n3;A;0,00;0,00;2026-01-16;2026-02-15;\n"
    profile = """
format: 1
name: open
defaults: {currency: EUR}
columns: {number: nr, customer_name: name, open: open, gross: gross, document_on: date, due_on: due, disputed_amount: part}
"""
    batch = read(text, profile)
    assert len(batch.lines) == 3
    assert [(each.row, each.code) for each in batch.warnings] == [
        (2, "open_exceeds_gross"),
        (3, "due_date_far"),
        (3, "disputed_exceeds_gross"),
        (4, "amount_zero"),
    ]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("SE", "SE"),
        ("se", "SE"),
        ("SWE", "SE"),
        ("UK", "GB"),
        ("EL", "GR"),
        ("", None),
        ("752", "problem"),
        ("Sweden", "SE"),
        ("Svea", "problem"),
        ("Korea", "problem"),
    ],
)
def test_countries_by_codes_and_names(cell: Any, code: Any):
    profile = OPEN_ITEMS.replace("number: nr", "number: nr, country: land")
    batch = read(f"nr;name;balance;date;terms;land\n1;A;10,00;2026-01-15;30;{cell}\n", profile)
    assert batch.lines.country == ([] if code == "problem" else [code])


def test_the_documentation_names_every_column_of_the_plain_layout():
    page = Path(__file__).parents[4] / "docs" / "ledger-files.md"
    documented = set(re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    headings = {heading for rule in get_shipped_profile("plain").columns.values() for heading in rule.columns}
    assert documented == headings
    assert set(get_shipped_profile("plain").columns) == set(FIELDS)


def test_the_example_in_the_documentation_can_be_read():
    page = (Path(__file__).parents[4] / "docs" / "ledger-files.md").read_text(encoding="utf-8")
    example = re.search(r"```csv\n(.*?)```", page, re.DOTALL)
    assert example is not None
    batch = read_ledger(io.BytesIO(example[1].encode()), get_shipped_profile("plain"), name="example.csv")
    assert batch.problems == ()
    assert {DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE, DocumentKind.PAYMENT} == set(batch.lines.kind)
    profiles = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert profiles
    for text in profiles:
        assert yaml.safe_load(text)["name"] == load_profile(text).name
