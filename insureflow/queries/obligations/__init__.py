"""Duties and expected dates under the policies.

``account_duties`` works them out for one account; the calendar and its counts are in ``calendar``.
"""

from __future__ import annotations
