"""What hangs on a buyer: which tables name one, and in what sense. A new table that names a buyer belongs to its documents by itself."""

from __future__ import annotations

from typing import Any

from insureflow.models.base import Base, TenantOwned
from insureflow.models.buyers import BuyerAddress, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation, ObligationMark

#: How a buyer is known and where it is: part of the buyer itself.
IDENTITY = (BuyerName, BuyerIdentifier, BuyerAddress, CustomerNumber, InsurerIdentity)

#: What is worked out from the rest and can be worked out anew.
DERIVED = (InvoicePosition, AccountState, Exposure, Obligation)


def documents() -> tuple[Any, ...]:
    """Every table that holds something that happened with a buyer, marks of duties aside, in the order of their names."""
    named = {
        mapper.class_
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantOwned) and "buyer_id" in mapper.local_table.columns
    }
    return tuple(sorted(named - {*IDENTITY, *DERIVED, ObligationMark}, key=lambda model: model.__name__))
