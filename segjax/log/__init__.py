"""What a run says while it runs: a line of progress, metrics, pictures."""

from segjax.log._metrics import MetricsLog
from segjax.log._pictures import write_picture
from segjax.log._progress import Progress, duration

__all__ = ["MetricsLog", "Progress", "duration", "write_picture"]
