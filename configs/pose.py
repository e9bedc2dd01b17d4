"""Skeletons: of drawn dancers, of one person in a folder of pictures, of COCO's people.

    python launch.py --config configs/pose.py
    python launch.py --config configs/pose.py:many
    python launch.py --config configs/pose.py:folder --config.data.dir=DIR
    python launch.py --config configs/pose.py:coco

`small` finds the joints of one dancer (PCK@0.2 .60 in 12 minutes on two CPU cores),
`many` those of up to five (AP .14 in 13 minutes); `paper` and the others on a GPU or
TPU take a U-Net of full width. `folder` is for pictures with joints.json or joints.mat
beside them, of one person each or of several; `coco` is prepared once (python -m segjax
prepare coco --from DIR --annotations keypoints). For how many people there is room the
data says. `--config.model.stages=2` adds stages that see the first answer and answer
anew, each with a loss.
"""

from ml_collections import ConfigDict, config_dict

PRESETS = ("auto", "small", "paper", "many", "folder", "coco")


def get_config(preset: str = "auto", accelerator: bool = False) -> ConfigDict:
    """The facts of a run. Options not listed keep their functions' defaults."""
    if preset not in PRESETS:
        raise ValueError(f"There is no preset {preset!r}; there are: {PRESETS}.")
    if preset == "auto":
        preset = "paper" if accelerator else "small"
    real = preset in ("folder", "coco")
    folder = preset == "folder"
    small = preset == "small" or (preset != "paper" and not accelerator)

    c = ConfigDict()
    c.preset = preset
    c.seed = 0
    c.steps = 4000 if small else 20_000
    c.batch = (8 if folder else 4) if small else 16
    c.init = config_dict.placeholder(str)  # a run or weights to start from

    c.model = ConfigDict()
    c.model.name = "unet"
    c.model.width = 16 if small else 64
    c.model.depth = 4
    c.model.norm = "batch"
    c.model.up = "transposed"
    c.model.dtype = "float32" if small else "bfloat16"

    c.task = ConfigDict()
    c.task.name = "pose"
    c.task.stride = 2
    c.task.heat = 1.0
    c.task.sigma = 0.02

    c.data = ConfigDict()
    c.data.name = {"coco": "coco", "folder": "joints"}.get(preset, "dancers")
    c.data.dir = config_dict.placeholder(str)
    if preset == "coco":
        c.data.form = "keypoints"
    if not real:
        c.data.pictures = 3000
        c.data.people = 5 if preset == "many" else 1
    c.data.size = (64 if folder else 96) if small else 256
    c.data.fit = "stretch"
    c.data.fold = config_dict.placeholder(int)  # tested; of coco, what chooses

    c.augment = ConfigDict()
    c.augment.flip = True
    c.augment.rotate = 30.0 if real else 10.0
    c.augment.zoom = 0.3 if real else 0.0
    c.augment.shift = 0.1 if real else 0.0
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
    c.log.evaluate = 500 if small else 1000
    c.log.pictures = 4
    c.log.tensorboard = True
    return c.lock()
