"""Insurers, how each can be reached, what that was taken from, and what is missing. The README's table is made of this."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from insureflow.domain.connections import Confidence, Operation


class Way(StrEnum):
    """How an insurer is reached."""

    INTERFACE = "interface"
    FILE = "file"
    PORTAL = "portal"


_ASKING = (Operation.REQUEST_NEW, Operation.REQUEST_INCREASE, Operation.REQUEST_REDUCTION, Operation.REQUEST_CANCELLATION)
_FOLLOWING = (Operation.FIND_REQUEST, Operation.POLL_REQUESTS, Operation.LIST_COVERS)


@dataclass(frozen=True, slots=True)
class KnownInsurer:
    """One insurer. ``connector`` is the key of the connector to choose; ``operations`` what it can do at best.

    ``missing`` says what goes by hand or file and why, ``source`` what the shapes were taken from. Both are English notes for whoever
    sets a connection up.
    """

    key: str
    name: str
    country: str
    connector: str
    ways: tuple[Way, ...]
    confidence: Confidence
    operations: tuple[Operation, ...] = ()
    missing: str = ""
    source: str = ""


def _portal(key: str, name: str, country: str, source: str) -> KnownInsurer:
    return KnownInsurer(
        key,
        name,
        country,
        "manual",
        (Way.PORTAL, Way.FILE),
        Confidence.OWN,
        missing="everything: no public interface was found",
        source=source,
    )


def _file(key: str, name: str, country: str) -> KnownInsurer:
    return KnownInsurer(
        key,
        name,
        country,
        "file_exchange",
        (Way.FILE, Way.PORTAL),
        Confidence.OWN,
        missing="everything: nothing public was found on an interface",
        source="–",
    )


KNOWN: tuple[KnownInsurer, ...] = (
    KnownInsurer(
        "atradius",
        "Atradius",
        "NL",
        "atradius",
        (Way.INTERFACE, Way.FILE, Way.PORTAL),
        Confidence.CLIENTS,
        (Operation.FIND_COMPANY, *_ASKING, *_FOLLOWING, Operation.LIST_CHANGES, Operation.READ_GRADE),
        "overdues and claims; search by name",
        "two independent clients of the interface; the insurer's own pages are for subscribers",
    ),
    KnownInsurer(
        "allianz_trade",
        "Allianz Trade",
        "FR",
        "allianz_trade",
        (Way.INTERFACE, Way.FILE, Way.PORTAL),
        Confidence.CLIENTS,
        (Operation.FIND_COMPANY, Operation.REQUEST_NEW, Operation.REQUEST_INCREASE, *_FOLLOWING, Operation.RECEIVE_PUSH),
        "reduction, cancellation, overdues, claims",
        "official pages for log-in, jobs and pushes; clients of five parties for search and covers",
    ),
    KnownInsurer(
        "cesce",
        "CESCE",
        "ES",
        "cesce",
        (Way.INTERFACE, Way.FILE, Way.PORTAL),
        Confidence.BEST_EFFORT,
        (
            Operation.REQUEST_NEW,
            Operation.REQUEST_CANCELLATION,
            *_FOLLOWING,
            Operation.LIST_CHANGES,
            Operation.DECLARE_COLLECTION,
            Operation.DECLARE_TURNOVER,
        ),
        "names of most fields are for subscribers and are entered as options, without them nothing is offered; increase, reduction, search, "
        "declaring claims (their files are read)",
        "official pages: addresses, log-in, paging, keys",
    ),
    KnownInsurer(
        "coface",
        "Coface",
        "FR",
        "cofaserve",
        (Way.INTERFACE, Way.FILE, Way.PORTAL),
        Confidence.BEST_EFFORT,
        (Operation.FIND_COMPANY,),
        "limits, decisions and overdues: their messages are not public; names inside a company are entered as options",
        "official functional page, one client for log-in, one integrator's page for company search",
    ),
    _portal("credendo", "Credendo", "BE", "public steps of the portal"),
    _portal("edc", "Export Development Canada", "CA", "public steps of the portal"),
    _portal("us_exim", "Export-Import Bank of the United States", "US", "public steps of the portal"),
    _portal("k_sure", "K-SURE", "KR", "product pages only"),
    _portal("nexi", "NEXI", "JP", "product pages only"),
    _portal("sinosure", "Sinosure", "CN", "product pages only"),
    _file("aig", "AIG", "US"),
    _file("groupama", "Groupama Assurance-crédit & Caution", "FR"),
    _file("nexus", "Nexus Underwriting", "GB"),
    _file("qbe", "QBE", "AU"),
    _file("r_v", "R+V Versicherung", "DE"),
    _file("scor", "SCOR", "FR"),
    _file("tokio_marine_hcc", "Tokio Marine HCC", "US"),
    KnownInsurer(
        "edifact",
        "Any insurer or factor that takes EDIFACT RECECO",
        "",
        "file_exchange",
        (Way.FILE,),
        Confidence.OFFICIAL,
        missing="layers and kinds of limit beyond the named one; no insurer was seen using it",
        source="UN/EDIFACT directories D.96A, D.01B and D.10B",
    ),
    KnownInsurer(
        "other",
        "Any other insurer",
        "",
        "file_exchange",
        (Way.FILE, Way.PORTAL),
        Confidence.OWN,
        missing="whatever is not in a file",
        source="our own layout and profiles for lists",
    ),
)


def find_known(insurer: str) -> KnownInsurer | None:
    """What is known of an insurer by its key or the beginning of its name, letter case aside; None for nobody we know."""
    wanted = insurer.casefold().strip()
    if not wanted:
        return None
    return next(
        (each for each in KNOWN if each.country and (each.key == wanted.replace(" ", "_") or wanted.startswith(each.name.casefold()))), None
    )


def sends_pushes(connector: str) -> bool:
    """Whether an insurer behind a connector sends messages of its own accord, to an address that a request names."""
    return any(each.connector == connector and Operation.RECEIVE_PUSH in each.operations for each in KNOWN)
