"""Lists of Allianz Trade, and the companies in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insureflow.connectors.insurers.http import Reply
from insureflow.connectors.insurers.interface import CompanyMatch, CompanyQuery, ItemFailed
from insureflow.connectors.insurers.reading import read_country, read_list, read_number, read_object, read_text, require_text

#: The insurer's own numbers of companies, shared by all its products.
COMPANY_SCHEME = "allianz_trade_company"


def read_rows(reply: Reply) -> tuple[list[Mapping[str, Any]], int | None]:
    """Rows and, where given, their total: a bare array, or an object with ``results``."""
    whole = reply.json()
    if isinstance(whole, list):
        return [read_object(row, "results") for row in whole], None
    said = read_object(whole, "results")
    if "results" not in said:
        raise ItemFailed("field_unreadable", field="results", value="")
    total = read_number(read_object(said.get("pagination"), "pagination").get("total"), "pagination.total")
    return [read_object(row, "results") for row in read_list(said["results"], "results")], None if total is None else int(total)


def read_matches(reply: Reply, query: CompanyQuery, *, is_exact: bool) -> tuple[CompanyMatch, ...]:
    """The companies of a search. Errors: ``ItemFailed``."""
    found = []
    for row in read_rows(reply)[0]:
        company = read_object(row.get("company"), "company")
        address = read_object(company.get("address"), "address")
        found.append(
            CompanyMatch(
                company_id=require_text(company.get("companyId"), "companyId"),
                scheme=COMPANY_SCHEME,
                name=read_text(read_object(company.get("legalData"), "legalData").get("companyName"), "companyName"),
                country=read_country(address.get("countryCode"), "countryCode") or query.country,
                city=read_text(address.get("town"), "town"),
                is_exact=is_exact,
            )
        )
    return tuple(found)
