"""The parameters of the papers' networks: python benchmarks/parameters.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from segjax import models

PAPER = {"norm": "none", "padding": "valid"}
FORMS = [  # model, options, channels in, classes out, published count
    ("unet", PAPER, 1, 2, 31_030_658),
    ("unet", {}, 3, 1, 31_037_633),
    ("segnet", {}, 3, 11, 29_449_355),
    ("segnet", {"variant": "basic"}, 3, 11, 1_416_587),
]

for name, options, channels, classes, published in FORMS:
    model = models.build(name, {"semantic": classes}, **options)
    count = sum(models.count_parameters(model, channels).values())
    told = "as published" if count == published else f"published: {published:,}"
    form = ", ".join(options.values()) or "default"
    print(f"{name:<7}{form:<12}{channels} in{classes:>3} out{count:>12,}  {told}")
