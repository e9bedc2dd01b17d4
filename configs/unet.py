"""U-Net on nevi, drawn or photographed, and on people: which pixels are it?

    python launch.py --config configs/unet.py
    python launch.py --config configs/unet.py:ph2 --config.data.fold=0
    python launch.py --config configs/unet.py:mads --config.data.fold=0
    python launch.py --config configs/unet.py:folder --config.data.dir=DIR

`small` runs in a few minutes on two CPU cores; `paper` is the network of arXiv
1505.04597 with batch normalisation, for a GPU or TPU; `auto` takes the one that fits
the machine, and so do `ph2` and `mads`, the lesson's exercise and its lab, which are
prepared once (python -m segjax prepare ph2 --from PH2Dataset), and `folder`, for
pictures and masks of your own (python -m segjax doctor DIR looks at them first).
"""

from ml_collections import ConfigDict, config_dict

PRESETS = ("auto", "small", "paper", "ph2", "mads", "folder")


def get_config(preset: str = "auto", accelerator: bool = False) -> ConfigDict:
    """The facts of a run. Options not listed keep their functions' defaults."""
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are: {PRESETS}.")
    if preset == "auto":
        preset = "paper" if accelerator else "small"
    real = preset in ("ph2", "mads", "folder")
    small = preset == "small" or (real and not accelerator)

    c = ConfigDict()
    c.preset = preset
    c.seed = 0
    c.steps = (1200 if real else 320) if small else 3000
    c.batch = 16
    c.init = config_dict.placeholder(str)  # a run or weights to start from

    c.model = ConfigDict()
    c.model.name = "unet"
    c.model.width = 16 if small else 64
    c.model.depth = 4
    c.model.norm = "batch"
    c.model.up = "transposed"
    c.model.dropout = 0.3 if real else 0.0
    c.model.dtype = "float32" if small else "bfloat16"

    c.task = ConfigDict()
    c.task.name = "semantic"
    c.task.cross_entropy = 1.0
    c.task.dice = 1.0

    c.data = ConfigDict()
    c.data.name = preset if real else "nevi"
    c.data.dir = config_dict.placeholder(str)
    c.data.size = (128 if real else 96) if small else 256
    if preset == "mads":
        c.data.by = "sequence"  # no sequence in two splits
    c.data.fit = "stretch"
    c.data.fold = config_dict.placeholder(int)  # the fold to be tested: 0 to 4

    c.augment = ConfigDict()
    c.augment.flip = True
    c.augment.quarter = preset not in ("mads", "folder")  # what stands upright
    c.augment.rotate = {"ph2": 45.0, "mads": 10.0, "folder": 10.0}.get(preset, 0.0)
    c.augment.zoom = 0.2 if real else 0.0
    c.augment.shift = 0.05 if real else 0.0
    c.augment.crop = config_dict.placeholder(int)
    c.augment.brightness = 0.3 if real else 0.2
    c.augment.contrast = 0.3 if real else 0.2
    c.augment.saturation = 0.3 if real else 0.2
    c.augment.tint = 0.1

    c.optim = ConfigDict()
    c.optim.name = "adamw"
    c.optim.learning_rate = 3e-3 if small else 1e-3
    c.optim.warmup = config_dict.placeholder(int)
    c.optim.weight_decay = 1e-4
    c.optim.clip = 1.0
    c.optim.ema = (0.995 if real else 0.99) if small else 0.999
    c.optim.accumulate = 1

    c.log = ConfigDict()
    c.log.metrics = 10
    c.log.evaluate = (100 if real else 160) if small else 500
    c.log.pictures = 4
    c.log.tensorboard = True
    return c.lock()
