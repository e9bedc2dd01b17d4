"""segjax: segmentation in JAX. See README.md; in a notebook:

run = segjax.load_run("runs/unet")
predictions = run.predict(images)
segjax.overlay(images[0], predictions[0])
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_HOMES = {
    "load_run": "segjax.run",
    "overlay": "segjax.tasks",
    "train_and_evaluate": "segjax.train",
}
__all__ = ["__version__", "load_run", "overlay", "train_and_evaluate"]


def __getattr__(name: str) -> Any:
    """The doors, opened when used: `import segjax` itself stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'segjax' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
