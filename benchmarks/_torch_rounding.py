"""PyTorch's side of rounding.py: a 3x3 convolution in float32 and its gradients.

python benchmarks/_torch_rounding.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

folder = Path(sys.argv[1])
with np.load(folder / "given.npz", allow_pickle=False) as file:
    x, kernel, g = (torch.from_numpy(file[name]) for name in sorted(file))
maps, weights = x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1)
maps.requires_grad_()
weights.requires_grad_()
y = F.conv2d(maps, weights, padding=1)
y.backward(g.permute(0, 3, 1, 2))
found = (
    y.detach().permute(0, 2, 3, 1),
    maps.grad.permute(0, 2, 3, 1),
    weights.grad.permute(2, 3, 1, 0),
)
np.savez(folder / "found.npz", *(a.numpy() for a in found))
