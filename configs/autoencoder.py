"""The lesson's autoencoder on drawn nevi: give the picture back through a bottleneck.

    python launch.py --config configs/autoencoder.py
    python launch.py --config configs/segnet.py:lesson --config.init=runs/autoencoder

The second line starts a segmentation from its encoder. `small` runs in a few minutes
on two CPU cores; `large` is four times as wide, for a GPU or TPU; `auto` takes the one
that fits the machine.
"""

from ml_collections import ConfigDict, config_dict

PRESETS = ("auto", "small", "large")


def get_config(preset: str = "auto", accelerator: bool = False) -> ConfigDict:
    """The facts of a run. Options not listed keep their functions' defaults."""
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are: {PRESETS}.")
    if preset == "auto":
        preset = "large" if accelerator else "small"
    small = preset == "small"

    c = ConfigDict()
    c.preset = preset
    c.seed = 0
    c.steps = 250 if small else 3000
    c.batch = 16
    c.init = config_dict.placeholder(str)  # a run to start from

    c.model = ConfigDict()
    c.model.name = "lesson"  # no map is handed across: all must pass the bottom
    c.model.width = 16 if small else 64
    c.model.norm = "batch"
    c.model.dtype = "float32" if small else "bfloat16"

    c.task = ConfigDict()
    c.task.name = "reconstruct"

    c.data = ConfigDict()
    c.data.name = "nevi"
    c.data.dir = config_dict.placeholder(str)
    c.data.size = 96 if small else 256
    c.data.fit = "stretch"
    c.data.fold = config_dict.placeholder(int)  # the fold to be tested: 0 to 4

    c.augment = ConfigDict()
    c.augment.flip = True
    c.augment.quarter = True
    c.augment.rotate = 0.0
    c.augment.zoom = 0.0
    c.augment.shift = 0.0
    c.augment.crop = config_dict.placeholder(int)
    c.augment.brightness = 0.2
    c.augment.contrast = 0.2
    c.augment.saturation = 0.2
    c.augment.tint = 0.1

    c.optim = ConfigDict()
    c.optim.name = "adamw"
    c.optim.learning_rate = 3e-3 if small else 1e-3
    c.optim.warmup = config_dict.placeholder(int)
    c.optim.weight_decay = 1e-4
    c.optim.clip = 1.0
    c.optim.ema = 0.99 if small else 0.999
    c.optim.accumulate = 1

    c.log = ConfigDict()
    c.log.metrics = 10
    c.log.evaluate = 125 if small else 500
    c.log.pictures = 4
    c.log.tensorboard = True
    return c.lock()
