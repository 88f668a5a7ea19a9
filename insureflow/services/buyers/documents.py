"""What hangs on a buyer: which tables name one, and in what sense. A new table that names a buyer belongs to its documents by itself."""

from __future__ import annotations

from typing import Any

from insureflow.models.base import Base, TenantOwned
from insureflow.models.buyers import BuyerAddress, BuyerIdentifier, BuyerName, CustomerNumber, InsurerIdentity
from insureflow.models.cover import AccountState, Exposure, InvoicePosition, Obligation, ObligationMark, ObligationOwner
from insureflow.models.limits import LimitGroupMember, SharedUse

#: How a buyer is known and where it is: part of the buyer itself.
IDENTITY = (BuyerName, BuyerIdentifier, BuyerAddress, CustomerNumber, InsurerIdentity)

#: What is worked out from the rest and can be worked out anew.
DERIVED = (InvoicePosition, AccountState, Exposure, Obligation, SharedUse)

_DUTY = ("policy_id", "invoice_id", "kind", "due_on")
#: What there can be only one of for a buyer, and by what: of two buyers made one, the row of the one that stays holds.
ONE_OF_A_KIND: dict[Any, tuple[str, ...]] = {ObligationMark: _DUTY, ObligationOwner: _DUTY, LimitGroupMember: ("group_id",)}


def documents() -> tuple[Any, ...]:
    """Every table that holds something that happened with a buyer, what it has one of aside, in the order of their names."""
    named = {
        mapper.class_
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantOwned) and "buyer_id" in mapper.local_table.columns
    }
    return tuple(sorted(named - {*IDENTITY, *DERIVED, *ONE_OF_A_KIND}, key=lambda model: model.__name__))
