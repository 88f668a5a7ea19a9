"""Payment plans: the designer, the list, the plans of a buyer, and the page of a plan."""

from __future__ import annotations

from insureflow.web.payment_plans import designer, pages
from insureflow.web.payment_plans.routes import blueprint

__all__ = ["blueprint", "designer", "pages"]
