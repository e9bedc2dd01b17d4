"""torchvision's networks with random weights: parity_encoders.py's other side.

    python benchmarks/_torch_encoders.py FOLDER

Reads case.json and images.npz from the folder, writes the network's weights there as
weights.safetensors, as anyone would, and the maps of its levels for each picture, in
float64, as maps.npz. Knows torchvision and NumPy; nothing of segjax or JAX.
"""

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn


def randomise(net: nn.Module) -> None:
    """Nothing left at 0 or 1, where a term forgotten or done twice would not show."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.2)
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor, std=0.2)


def watched(net: nn.Module) -> list[nn.Module]:
    """The modules that give the levels' maps, the finest first."""
    if isinstance(net, torchvision.models.VGG):
        layers = list(net.features)
        return [a for a, b in pairwise(layers) if isinstance(b, nn.MaxPool2d)]
    return [net.relu, net.layer1, net.layer2, net.layer3, net.layer4]


def level_maps(net: nn.Module, image: np.ndarray) -> list[np.ndarray]:
    """What they give for one batch of pictures. f64[b,c,h,w]"""
    maps: list[np.ndarray] = []
    hooks = [
        # copied at once: the next layer may write over it
        module.register_forward_hook(lambda *of: maps.append(of[2].numpy().copy()))
        for module in watched(net)
    ]
    with torch.no_grad():
        net(torch.from_numpy(image))
    for hook in hooks:
        hook.remove()
    return maps


def main(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    torch.manual_seed(0)
    net = getattr(torchvision.models, case["form"])(num_classes=5).eval()
    if isinstance(net, torchvision.models.VGG):  # most of its numbers, and not asked
        net.classifier = nn.Linear(512 * 7 * 7, 5)
    randomise(net)
    save_file(net.state_dict(), folder / "weights.safetensors")
    net.double()  # the same numbers, float32 as they were written
    found = {}
    with np.load(folder / "images.npz", allow_pickle=False) as images:
        for size, image in images.items():
            for level, of_level in enumerate(level_maps(net, image)):
                found[f"{size}/{level}"] = of_level
    np.savez(folder / "maps.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
