"""The demo organisation: a made-up exporter with three policies, 400 buyers and two years of invoices, the same for a seed and a day."""

from __future__ import annotations

from insureflow.services.demo.connecting import SandboxLimit, sandbox_limits
from insureflow.services.demo.loading import DEMO_PASSWORD, DEMO_SLUG, DEMO_USERS, is_database_empty, load_demo

__all__ = ["DEMO_PASSWORD", "DEMO_SLUG", "DEMO_USERS", "SandboxLimit", "is_database_empty", "load_demo", "sandbox_limits"]
