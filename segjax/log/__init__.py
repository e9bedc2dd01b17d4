"""What a run says while it runs: a line of progress, metrics, pictures."""

from segjax.log._metrics import MetricsLog, read_metrics
from segjax.log._pictures import write_picture
from segjax.log._progress import Progress, duration
from segjax.log._tally import Tally

__all__ = [
    "MetricsLog",
    "Progress",
    "Tally",
    "duration",
    "read_metrics",
    "write_picture",
]
