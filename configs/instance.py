"""Objects told apart: the sheep of a drawn pasture, nuclei, people, things of COCO.

    python launch.py --config configs/instance.py
    python launch.py --config configs/instance.py:nuclei --config.data.dir=DIR
    python launch.py --config configs/instance.py:people --config.data.dir=DIR
    python launch.py --config configs/instance.py:coco

`small` runs on two CPU cores; `paper` is the U-Net of arXiv 1505.04597 with batch
normalisation, for a GPU or TPU; `auto` takes the one that fits the machine. `nuclei`
(a folder whose masks number hundreds of touching objects) and `people` (some large
ones, such as Penn-Fudan) take it too, and so does `coco`, which is prepared once
(python -m segjax prepare coco --from DIR --annotations instances). `nuclei_centers` and
`nuclei_parts` are the two other roads for nuclei, to compare with: middles and ways,
and the parts of a plain mask.
"""

from ml_collections import ConfigDict, config_dict

NUCLEI = ("nuclei", "nuclei_centers", "nuclei_parts")
PRESETS = ("auto", "small", "paper", *NUCLEI, "people", "coco")


def get_config(preset: str = "auto", accelerator: bool = False) -> ConfigDict:
    """The facts of a run. Options not listed keep their functions' defaults."""
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are: {PRESETS}.")
    if preset == "auto":
        preset = "paper" if accelerator else "small"
    nuclei = preset in NUCLEI
    real = nuclei or preset in ("people", "coco")
    small = preset == "small" or (real and not accelerator)

    c = ConfigDict()
    c.preset = preset
    c.seed = 0
    c.steps = 2800 if small else 20_000
    c.batch = 4 if small else 16
    c.init = config_dict.placeholder(str)  # a run or weights to start from

    c.model = ConfigDict()
    c.model.name = "unet"
    c.model.width = 16 if small else 64
    c.model.depth = 4
    c.model.norm = "batch"
    c.model.up = "transposed"
    c.model.dtype = "float32" if small else "bfloat16"

    c.task = ConfigDict()
    if preset in ("nuclei", "nuclei_parts"):
        c.task.name = "border"  # they touch by the hundreds
        c.task.rim = preset == "nuclei"
        c.task.border = 3.0
        c.task.cross_entropy = 1.0
    else:
        c.task.name = "instance"
        c.task.cross_entropy = 10.0  # or middles and ways drown the classes
        c.task.center = 1.0
        c.task.offset = 1.0
    if nuclei:
        c.task.objects = 512
    else:
        c.task.objects = 128 if preset == "coco" else 32
    c.task.dice = 1.0

    c.data = ConfigDict()
    c.data.name = {"coco": "coco"}.get(preset, "folder") if real else "pasture"
    if nuclei or preset == "people":
        c.data.objects = True
    if preset == "coco":
        c.data.form = "instances"
    c.data.dir = config_dict.placeholder(str)
    c.data.size = (160 if nuclei else 128 if real else 96) if small else 512
    if not real:
        c.data.pictures = 2500
    c.data.fit = "crop" if nuclei else "stretch"
    if nuclei:
        c.data.canvas = 512 if small else 768
    c.data.fold = config_dict.placeholder(int)  # tested; of coco, what chooses

    c.augment = ConfigDict()
    c.augment.flip = True
    c.augment.quarter = nuclei  # the others stand upright
    c.augment.rotate = 10.0 if real else 0.0
    c.augment.zoom = 0.3 if real else 0.0
    c.augment.shift = 0.0
    c.augment.brightness = 0.3 if real else 0.1
    c.augment.contrast = 0.3 if real else 0.1
    c.augment.saturation = 0.3 if real else 0.1
    c.augment.tint = 0.1

    c.optim = ConfigDict()
    c.optim.name = "adamw"
    c.optim.learning_rate = 3e-3 if small else 1e-3
    c.optim.warmup = config_dict.placeholder(int)
    c.optim.weight_decay = 1e-4
    c.optim.clip = 1.0
    c.optim.ema = 0.995 if small else 0.999
    c.optim.accumulate = 1

    c.log = ConfigDict()
    c.log.metrics = 10
    c.log.evaluate = 700 if small else 1000
    c.log.pictures = 4
    c.log.tensorboard = True
    return c.lock()
