"""A run in one file that can be sent to a colleague: report.html."""

from segjax.report._run import write_report

__all__ = ["write_report"]
