"""A picture's maps of joints and limbs, and those of its mirror picture, as one."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from segjax.base import Info


def mirror_mean(info: Info) -> Callable:
    """mean(outputs of a picture, those of its mirror picture flipped back) -> outputs.

    In a mirror a left wrist is a right one, and what goes right goes left.
    """
    joints = list(info.mirror) or list(range(len(info.joints)))
    twins, signs = _twins(info.limbs, joints)
    # y and x of the ways; nothing of a limb without a twin, which only the picture
    # itself tells of
    turned = signs[:, None] * np.array([1.0, -1.0], np.float32)
    share = (abs(turned) / 2).ravel()

    def mean(plain, mirrored):
        found = {name: (plain[name] + mirrored[name]) / 2 for name in plain}
        found["heatmap"] = (plain["heatmap"] + mirrored["heatmap"][..., joints]) / 2
        if "paf" in plain:
            ways = jnp.reshape(mirrored["paf"], (*plain["paf"].shape[:2], -1, 2))
            theirs = (ways[..., twins, :] * turned).reshape(plain["paf"].shape)
            found["paf"] = plain["paf"] * (1 - share) + theirs / 2
        return found

    return mean


def _twins(limbs, mirror: list[int]) -> tuple[list[int], np.ndarray]:
    """The limb that each is in a mirror, and 1 where it goes the same way along it, -1
    where it goes back, 0 where no limb is it. i[l], f32[l]"""
    twins, signs = [], []
    for place, (a, b) in enumerate(limbs):
        ways = {(mirror[a], mirror[b]): 1, (mirror[b], mirror[a]): -1}
        other = next((k for k, limb in enumerate(limbs) if limb in ways), None)
        twins.append(place if other is None else other)
        signs.append(0 if other is None else ways[limbs[other]])
    return twins, np.array(signs, np.float32)
