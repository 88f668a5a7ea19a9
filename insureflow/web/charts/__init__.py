"""Charts drawn on the server: SVG with a title, a description and the same figures as a table."""

from insureflow.web.charts.bars import CoverRow, Stack, cover_strip, covered_bars, stacked_bars
from insureflow.web.charts.language import Language, request_language
from insureflow.web.charts.limits import ExposureOn, LimitDecision, Shipment, limit_stack, limit_timeline, sparkline
from insureflow.web.charts.pictures import LegendEntry, Part, Picture, TableCell
from insureflow.web.charts.svg import Tone
from insureflow.web.charts.world import CountryExposure, world_map

__all__ = [
    "CountryExposure",
    "CoverRow",
    "ExposureOn",
    "Language",
    "LegendEntry",
    "LimitDecision",
    "Part",
    "Picture",
    "Shipment",
    "Stack",
    "TableCell",
    "Tone",
    "cover_strip",
    "covered_bars",
    "limit_stack",
    "limit_timeline",
    "request_language",
    "sparkline",
    "stacked_bars",
    "world_map",
]
