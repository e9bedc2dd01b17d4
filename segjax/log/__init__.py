"""What a run says: a line of progress, metrics, pictures, scores in words."""

from segjax.log._figures import (
    cautions,
    chance,
    is_defined,
    mean_and_span,
    pictures_needed,
    span,
    verdict,
)
from segjax.log._metrics import MetricsLog, read_metrics
from segjax.log._pictures import write_picture
from segjax.log._progress import Progress, duration
from segjax.log._tally import Tally

__all__ = [
    "MetricsLog",
    "Progress",
    "Tally",
    "cautions",
    "chance",
    "duration",
    "is_defined",
    "mean_and_span",
    "pictures_needed",
    "read_metrics",
    "span",
    "verdict",
    "write_picture",
]
