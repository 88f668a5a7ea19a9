"""The connectors by their key. A new one is a module with a connector class and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from insureflow.connectors.insurers.allianz_trade import AllianzTrade
from insureflow.connectors.insurers.atradius import Atradius
from insureflow.connectors.insurers.cesce import Cesce
from insureflow.connectors.insurers.cofaserve import Cofaserve
from insureflow.connectors.insurers.file_exchange import FileExchange
from insureflow.connectors.insurers.interface import InsurerConnector
from insureflow.connectors.insurers.manual import Manual
from insureflow.domain.errors import Refusal

_ALL: tuple[InsurerConnector, ...] = (Atradius(), AllianzTrade(), Cesce(), Cofaserve(), FileExchange(), Manual())

#: Every connector by its key, in the order in which they are offered.
CONNECTORS: Mapping[str, InsurerConnector] = MappingProxyType({connector.key: connector for connector in _ALL})


def get_connector(key: str) -> InsurerConnector:
    """A connector by its key. Errors: ``Refusal`` ``connector_unknown``."""
    connector = CONNECTORS.get(key)
    if connector is None:
        raise Refusal("connector_unknown", connector=key)
    return connector
