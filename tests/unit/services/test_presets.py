"""Every preset can be used, says where each of its parameters comes from, and invents nothing."""

from __future__ import annotations

import time

import pytest

from insureflow.domain.countries import is_country
from insureflow.domain.currencies import is_currency
from insureflow.domain.errors import InvalidValue, InvalidValues, Refusal
from insureflow.domain.policies import parse_terms, terms_to_data
from insureflow.i18n.policies import describe, describe_schedule, label_of
from insureflow.services.policies import (
    Confidence,
    get_preset,
    list_presets,
    origin_of,
    prepare_terms,
    read_terms_text,
    write_terms_text,
    writing,
)
from insureflow.services.policies.presets import Origin, leaves_of, load_preset

PRESETS = list_presets()
KEYS = [preset.key for preset in PRESETS]


def test_the_presets_that_the_trade_needs_are_there() -> None:
    assert {"atradius-nl", "allianz-trade-ch", "coface-uk", "us-exim-multi-buyer", "german-classic", "plain"} <= set(KEYS)
    assert len(KEYS) == len(set(KEYS)) >= 20


@pytest.mark.parametrize("key", KEYS)
def test_a_preset_is_readable_terms_and_survives_the_round_trip(key: str) -> None:
    preset = get_preset(key)
    currency = preset.currency or "EUR"
    assert is_currency(currency)
    assert all(is_country(code) for code in preset.countries)
    data = prepare_terms(currency=currency, preset=preset)
    terms = parse_terms(data, extensions=True)
    assert terms == parse_terms({**preset.terms, "currency": currency})
    assert terms_to_data(terms) == data
    assert prepare_terms(currency=currency, terms=read_terms_text(write_terms_text(data))) == data


@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_has_a_source_and_every_source_a_parameter(key: str) -> None:
    preset = get_preset(key)
    leaves = [path for path, _value in leaves_of(preset.terms)]
    assert leaves
    for path in leaves:
        source = preset.source_of(path)
        assert source is not None, path
        assert source.fact.endswith((".", ")")), path
        assert bool(source.published) == (source.confidence is Confidence.PUBLISHED), path
        assert all(address.startswith("https://") for _name, address in source.published)
    for source in preset.sources:
        assert any(preset.source_of(path) is source for path in leaves), f"{source.parameter} explains nothing"


@pytest.mark.parametrize("key", KEYS)
def test_what_must_be_confirmed_is_a_parameter_people_know(key: str) -> None:
    preset = get_preset(key)
    for each in preset.to_confirm:
        label = label_of(each.parameter, "en")
        assert label != each.parameter
        assert "%(" not in label
        assert each.known.endswith(".")


@pytest.mark.parametrize("key", KEYS)
def test_every_parameter_can_be_said_in_words(key: str) -> None:
    preset = get_preset(key)
    data = prepare_terms(currency=preset.currency or "EUR", preset=preset)
    said = {entry.path for group in describe(data, "en") for entry in group.entries}
    said |= {entry.path for _country, entries in describe_schedule(data, "en") for entry in entries}
    silent = [path for path, _value in leaves_of(data) if not any(path == own or path.startswith((f"{own}.", f"{own}[")) for own in said)]
    assert silent == []


def test_a_preset_knows_what_is_its_own() -> None:
    preset = get_preset("atradius-nl")
    data = prepare_terms(currency="EUR", preset=preset, overrides={"insured_percentage": "90", "overdue_notification.days": 20})
    assert origin_of("maximum_extension_period", data, preset.key) is Origin.PRESET
    assert origin_of("overdue_notification", data, preset.key) is Origin.OWN
    assert origin_of("insured_percentage.default", data, preset.key) is Origin.OWN
    assert origin_of("claim_rate", data, preset.key) is Origin.STANDARD
    assert origin_of("maximum_extension_period", data, None) is Origin.OWN


def test_amounts_of_a_preset_are_not_taken_into_another_currency() -> None:
    preset = get_preset("us-exim-multi-buyer")
    with pytest.raises(InvalidValue) as caught:
        prepare_terms(currency="EUR", preset=preset)
    assert caught.value.code == "preset_in_other_currency"
    assert caught.value.parameters["parameters"] == "overdue_notification_threshold.amount"
    data = prepare_terms(currency="EUR", preset=preset, overrides={"overdue_notification_threshold.amount": "20000"})
    assert data["overdue_notification_threshold"] == {"amount": "20000.00"}


def test_every_problem_of_the_terms_is_named_with_its_path() -> None:
    with pytest.raises(InvalidValues) as caught:
        prepare_terms(
            currency="EUR",
            preset=get_preset("plain"),
            overrides={
                "maximum_extension_period.days": "sixty",
                "insured_percentage": "120",
                "colour": "red",
                "countries_covered": ["DE", "XY"],
            },
        )
    found = {(problem.code, problem.path) for problem in caught.value.problems}
    assert found == {
        ("not_a_whole_number", "policy.maximum_extension_period.days"),
        ("out_of_range", "policy.insured_percentage"),
        ("unknown_field", "policy.colour"),
        ("not_a_country", "policy.countries_covered[1]"),
    }


def test_the_sources_of_a_preset_are_those_it_speaks_of() -> None:
    names = [name for name, _address in get_preset("finnvera").references]
    assert names == ["S110"]
    assert [name for name, _address in get_preset("allianz-simplicity-ch").references] == ["S16b", "S17", "S21b", "S21c", "S44"]


def test_a_preset_without_a_source_is_refused() -> None:
    data = {
        "key": "x",
        "insurer": "I",
        "product": "P",
        "title": "T",
        "countries": [],
        "terms": {"vat_covered": True},
        "sources": {},
        "to_confirm": [],
    }
    with pytest.raises(InvalidValues) as caught:
        load_preset("x.yaml", data)
    assert [problem.path for problem in caught.value.problems] == ["x.yaml.sources.vat_covered"]
    with pytest.raises(InvalidValues) as caught:
        load_preset("x.yaml", {**data, "colour": "red"})
    assert [problem.code for problem in caught.value.problems] == ["unknown_field"]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(Refusal, match="preset_unknown"):
        get_preset("nobody")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1", "terms_not_readable"),
        ("a: 1\na: 2", "terms_not_readable"),
        ("a: &x 1\nb: *x", "terms_with_aliases"),
        ("- 1", "terms_not_a_map"),
        ("!!python/object/apply:os.getcwd []", "terms_not_readable"),
        ("x" * 40_001, "terms_too_long"),
        ("a: " + "[" * 21, "terms_too_deep"),
        ("? [a]\n: b", "terms_not_readable"),
        ("[" * 1500, "terms_too_deep"),
    ],
)
def test_a_text_that_is_no_terms_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_terms_text(text)
    assert caught.value.code == code


@pytest.mark.parametrize("repeated", ["[", "{a: ", "- ", "[a, ", "x: []\n", "? a\n"])
def test_no_text_takes_long_to_read(repeated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand signs that lie in one another, and as many as are read that lie side by side."""
    lies_deep = repeated in {"[", "{a: ", "- ", "[a, "}
    monkeypatch.setattr(writing, "LONGEST_TEXT", 100_000 if lies_deep else writing.LONGEST_TEXT)
    began = time.process_time()
    with pytest.raises(InvalidValue) as caught:
        read_terms_text(repeated * (writing.LONGEST_TEXT // len(repeated)))
    assert time.process_time() - began < (1 if lies_deep else 10)
    assert caught.value.code == ("terms_too_deep" if lies_deep else "terms_not_readable")


def test_values_stay_exactly_what_was_typed() -> None:
    assert read_terms_text("rate: 0.10\ncountry: NO\nday: 2026-01-31\nyes: true\ncount: 60\nnone: null\noct: 010") == {
        "rate": "0.10",
        "country": "NO",
        "day": "2026-01-31",
        "yes": True,
        "count": 60,
        "none": None,
        "oct": "010",
    }
