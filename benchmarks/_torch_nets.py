"""The networks in plain PyTorch, written from the papers: parity_torch.py's other side.

    python benchmarks/_torch_nets.py FOLDER

Reads case.json and given.npz from the folder, runs that network forward and backward
in float64, writes found.npz there. Knows PyTorch and NumPy; nothing of segjax or JAX.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Channels of each convolution of SegNet, level by level, in the order of its figure.
ENCODER = [(64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)]
DECODER = [(512, 512, 512), (512, 512, 256), (256, 256, 128), (128, 64), (64,)]


class ConvNorm(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(self, c_in, c_out, norm, kernel=3, padding="same", relu=True):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, padding=padding)
        self.norm = norm_layer(norm, c_out)
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.norm(self.conv(x)))


def norm_layer(kind: str, channels: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "group":  # with Flax's epsilon, which is not PyTorch's
        return nn.GroupNorm(math.gcd(8, channels), channels, eps=1e-6)
    return nn.Identity()


def conv_level(c_in: int, channels: tuple[int, ...], **settings) -> nn.Sequential:
    """The convolutions of one level, one after another."""
    pairs = zip((c_in, *channels), channels)
    return nn.Sequential(*(ConvNorm(a, b, **settings) for a, b in pairs))


def drop_biases(net: nn.Module) -> None:
    """No bias in convolutions that a normalisation follows: its mean takes it away."""
    for module in net.modules():
        if isinstance(module, ConvNorm):
            module.conv.register_parameter("bias", None)


class UNet(nn.Module):
    """arXiv 1505.04597: channels double on the way down and halve on the way up."""

    def __init__(
        self, c_in, c_out, width, norm="batch", padding="same", up="transposed"
    ):
        super().__init__()
        widths = [width << level for level in range(4)]
        settings = {"norm": norm, "padding": padding}
        self.encoder = nn.ModuleList(
            conv_level(before, (after, after), **settings)
            for before, after in zip([c_in, *widths], widths)
        )
        self.bottom = conv_level(8 * width, (16 * width, 16 * width), **settings)
        self.up = nn.ModuleList(up_layer(up, 2 * after, after) for after in widths)
        self.decoder = nn.ModuleList(
            conv_level(2 * after, (after, after), **settings) for after in widths
        )
        self.head = nn.Conv2d(width, c_out, 1)
        if norm != "none":
            drop_biases(self)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for convs in self.encoder:
            x = convs(x)
            skips.append(x)
            x = F.max_pool2d(x, 2, ceil_mode=True)
        x = self.bottom(x)
        for level in (3, 2, 1, 0):
            x = join(skips[level], self.up[level](x))
            x = self.decoder[level](x)
        return self.head(x)


def up_layer(how: str, c_in: int, c_out: int) -> nn.Module:
    """Twice the size: learnt, or interpolated after a 1x1 convolution."""
    if how == "transposed":
        return nn.ConvTranspose2d(c_in, c_out, kernel_size=2, stride=2)
    settings = {"align_corners": False} if how == "bilinear" else {}
    up = nn.Upsample(scale_factor=2, mode=how, **settings)
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1), up)


def join(skip: Tensor, x: Tensor) -> Tensor:
    """Side by side: the skip cut round its middle, x cut at the bottom and right."""
    h, w = (min(a, b) for a, b in zip(skip.shape[2:], x.shape[2:]))
    top, left = (skip.shape[2] - h) // 2, (skip.shape[3] - w) // 2
    return torch.cat([skip[:, :, top : top + h, left : left + w], x[:, :, :h, :w]], 1)


class SegNet(nn.Module):
    """arXiv 1511.00561, with PyTorch's own pooling indices and un-pooling. Levels are
    counted from the picture down, in the decoder too."""

    def __init__(self, c_in, c_out, width, norm="batch", variant="vgg16"):
        super().__init__()
        basic = variant == "basic"
        encoder, decoder = ([(64,)] * 4,) * 2 if basic else (ENCODER, DECODER)
        kernel = 7 if basic else 3

        def levels(all_channels, relu):
            nonlocal c_in
            made = nn.ModuleList()
            for channels in all_channels:
                channels = tuple(c * width // 64 for c in channels)
                made.append(
                    conv_level(c_in, channels, norm=norm, kernel=kernel, relu=relu)
                )
                c_in = channels[-1]
            return made

        self.encoder = levels(encoder, relu=True)
        self.decoder = levels(decoder, relu=not basic)[::-1]
        self.head = nn.Conv2d(c_in, c_out, 1 if basic else 3, padding="same")

    def forward(self, x: Tensor) -> Tensor:
        taken = []
        for convs in self.encoder:
            x = convs(x)
            size = x.shape[2:]
            x, index = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            taken.append((index, size))
        for convs, (index, size) in zip(self.decoder[::-1], taken[::-1]):
            x = convs(F.max_unpool2d(x, index, 2, output_size=size))
        return self.head(x)


class Lesson(nn.Module):
    """The lesson's small network: one convolution a level, bilinear on the way up."""

    def __init__(self, c_in, c_out, width, norm="batch"):
        super().__init__()
        widths = [width << level for level in range(5)]
        down, up = zip([c_in, *widths], widths[:4]), zip(widths[1:], widths)
        self.encoder = nn.ModuleList(conv_level(a, (b,), norm=norm) for a, b in down)
        self.bottom = conv_level(widths[3], (widths[4],), norm=norm)
        self.decoder = nn.ModuleList(conv_level(a, (b,), norm=norm) for a, b in up)
        self.head = nn.Conv2d(width, c_out, 1)
        if norm != "none":
            drop_biases(self)

    def forward(self, x: Tensor) -> Tensor:
        sizes = []
        for convs in self.encoder:
            x = convs(x)
            sizes.append(x.shape[2:])
            x = F.max_pool2d(x, 2, ceil_mode=True)
        x = self.bottom(x)
        for convs, (h, w) in zip(self.decoder[::-1], sizes[::-1]):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = convs(x[:, :, :h, :w])
        return self.head(x)


NETS = {"unet": UNet, "segnet": SegNet, "lesson": Lesson}


def load(net: nn.Module, given: dict[str, np.ndarray]) -> None:
    """The weights and statistics put in; every one must find its place."""
    weights = {name: torch.from_numpy(array) for name, array in given.items()}
    counters = {n: v for n, v in net.state_dict().items() if "num_batches" in n}
    net.load_state_dict(weights | counters, strict=True)


def pixels_seen(net: nn.Module) -> dict[str, int]:
    """Filled by the next forward pass: how many values each BatchNorm averaged."""
    seen: dict[str, int] = {}

    def watch(name):
        def note(module, inputs):
            seen[name] = inputs[0].numel() // inputs[0].shape[1]

        return note

    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(watch(name))
    return seen


def biased(old: Tensor, new: Tensor, n: int, momentum: float = 0.1) -> Tensor:
    """The running variance had it averaged the variance divided by n, as the paper of
    batch normalisation trains with, and not PyTorch's, divided by n - 1."""
    kept = (1 - momentum) * old
    return kept + (new - kept) * (n - 1) / n


def run(net: nn.Module, image: Tensor, upstream: Tensor) -> dict[str, np.ndarray]:
    """Output, gradients of upstream * output, and the statistics afterwards."""
    before = {name: value.clone() for name, value in net.named_buffers()}
    seen = pixels_seen(net)
    image.requires_grad_()
    output = net(image)
    output.backward(upstream)
    found = {"output": output.detach(), "gradient/image": image.grad}
    for name, parameter in net.named_parameters():
        found[f"gradient/{name}"] = parameter.grad
    for name, value in net.named_buffers():
        layer = name.rpartition(".")[0]
        if name.endswith("running_var") and net.training:
            value = biased(before[name], value, seen[layer])
        if not name.endswith("num_batches_tracked"):
            found[f"statistics/{name}"] = value
    return {name: value.numpy() for name, value in found.items()}


def main(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    with np.load(folder / "given.npz", allow_pickle=False) as file:
        given = dict(file)
    image, upstream = (torch.from_numpy(given.pop(n)) for n in ("image", "upstream"))
    channels = image.shape[1], upstream.shape[1]
    net = NETS[case["net"]](*channels, **case["settings"]).double()
    load(net, given)
    net.train(case["train"])
    np.savez(folder / "found.npz", **run(net, image, upstream))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
