"""Buyers: how names are compared, groups without circles, and insurers that know two buyers apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insureflow.domain.buyers import closes_circle, conflicting_insurers, plain_name, search_name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Åkerlöf & Söner AB", "akerlof and soner"),
        ("ROSSI S.p.A.", "rossi"),
        ("Müller GmbH & Co. KG", "muller and"),
        ("Øresund A/S", "oresund"),
        ("Łódź Sp. z o.o.", "lodz"),
        ("GmbH", "gmbh"),
        ("Đuro Đaković d.d.", "duro dakovic"),
        ("Société Générale SA", "societe generale"),
        ("株式会社トヨタ", "株式会社トヨタ"),
        ("Æther Ltd.", "aether"),
    ],
)
def test_names_are_compared_without_what_does_not_count(name: str, found: str) -> None:
    assert search_name(name) == found


@pytest.mark.parametrize(
    ("name", "plain"), [("  Müller   GmbH ", "muller gmbh"), ("ØRESUND A/S", "oresund a/s"), ("Straße AG", "strasse ag"), (" ", "")]
)
def test_a_whole_name_is_compared_without_case_and_accents(name: str, plain: str) -> None:
    assert plain_name(name) == plain == plain_name(plain)


@given(st.text(max_size=400))
def test_a_compared_name_is_short_and_compared_the_same_again(name: str) -> None:
    once = search_name(name)
    assert len(once) <= 300
    assert once == once.strip()


@pytest.mark.parametrize(
    ("parents", "buyer", "parent", "circle"),
    [
        ({}, 1, 2, False),
        ({}, 1, 1, True),
        ({2: 3, 3: 1}, 1, 2, True),
        ({2: 3, 3: None}, 1, 2, False),
        ({2: 3, 3: 2}, 1, 2, False),
    ],
)
def test_a_group_is_no_circle(parents: dict[int, int | None], buyer: int, parent: int, circle: bool) -> None:
    assert closes_circle(parents, buyer, parent) is circle


@pytest.mark.parametrize(
    ("kept", "merged", "conflicts"),
    [
        ({}, {"Atradius": {"1"}}, []),
        ({"Atradius": {"1"}}, {"Atradius": {"2"}, "Coface": {"9"}}, ["Atradius"]),
        ({"Atradius": {"1", "2"}}, {"Atradius": {"2"}}, []),
        ({"B": {"1"}, "A": {"1"}}, {"A": {"2"}, "B": {"2"}}, ["A", "B"]),
    ],
)
def test_two_debtors_of_an_insurer(kept: dict[str, set[str]], merged: dict[str, set[str]], conflicts: list[str]) -> None:
    assert conflicting_insurers(kept, merged) == conflicts
