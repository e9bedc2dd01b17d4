"""PyTorch's side of speed.py: the same networks, losses and optimizer, as most people
run them ("stock"), or laid out and compiled as PyTorch's own advice has it.

    python benchmarks/_speed_torch.py '{"net": "unet", "width": 16, "batch": 16,
        "size": 256, "mode": "train", "form": "channels_last", "steps": 6}'
"""

import json
import sys
import time

import _speed_clock
import numpy as np
import torch
import torch.nn.functional as F
from _torch_nets import NETS
from torch import nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PEAK_SIDE, PEAK_TIMES = 2048, 5


def main(case: dict) -> None:
    if case["mode"] == "peak":
        _speed_clock.tell({"peak_flops": peak_flops(), "torch": torch.__version__})
        return
    rng = np.random.default_rng(0)
    shape = (case["batch"], case["size"], case["size"])
    images = torch.from_numpy(rng.integers(0, 256, (*shape, 3), np.uint8))
    masks = torch.from_numpy(rng.integers(0, 2, shape, np.uint8))
    net = NETS[case["net"]](3, 1, case["width"])
    flops = conv_flops(net, case)
    if case["form"] != "stock":
        net = net.to(memory_format=torch.channels_last)
    called = torch.compile(net) if case["form"] == "compiled" else net
    make = {"train": train_step, "infer": infer_step}[case["mode"]]
    step = make(net, called, images, masks, case["form"])
    found = _speed_clock.time_steps(step, case["steps"])
    _speed_clock.tell(found | {"flops": flops, "torch": torch.__version__})


def pictures(images, form: str):
    """As the network takes them. u8[b,h,w,3] -> f32[b,3,h,w]"""
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    x = ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)
    return x.contiguous() if form == "stock" else x


def train_step(net, called, images, masks, form):
    net.train()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": 1e-4},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, fused=form != "stock")

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = called(pictures(images, form))
        loss = F.binary_cross_entropy_with_logits(logits[:, 0], masks.float())
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def infer_step(net, called, images, masks, form):
    net.eval()

    def step():
        with torch.inference_mode():
            return called(pictures(images, form))

    return step


def conv_flops(net: nn.Module, case: dict) -> float:
    """Multiplications and additions of the convolutions of one step; in training those
    of the gradients too, of which the first layer needs that of its weights alone."""
    forward: list[float] = []

    def note(module, inputs, output):
        seen = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        places = seen.shape[0] * seen.shape[2] * seen.shape[3]
        forward.append(2.0 * places * module.weight.numel())

    kinds = nn.Conv2d | nn.ConvTranspose2d
    hooks = [
        m.register_forward_hook(note) for m in net.modules() if isinstance(m, kinds)
    ]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, case["size"], case["size"]))
    for hook in hooks:
        hook.remove()
    total = 3 * sum(forward) - forward[0] if case["mode"] == "train" else sum(forward)
    return total * case["batch"]


def peak_flops() -> float:
    """The most that a large product of matrices reaches here."""
    a, b = torch.randn(2, PEAK_SIDE, PEAK_SIDE)
    a @ b
    best = float("inf")
    for _ in range(PEAK_TIMES):
        began = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - began)
    return 2 * PEAK_SIDE**3 / best


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
