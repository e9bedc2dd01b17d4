"""A run, or a comparison of runs, in one file that can be sent to a colleague:
report.html."""

from segjax.report._comparison import is_comparison, write_comparison
from segjax.report._run import write_report

__all__ = ["is_comparison", "write_comparison", "write_report"]
