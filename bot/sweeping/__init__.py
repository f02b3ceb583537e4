"""The sweep: what stands, held against our own book, in both directions."""

from bot.sweeping.looking import sweep
from bot.sweeping.report import Line, Orphan, Report

__all__ = ["Line", "Orphan", "Report", "sweep"]
