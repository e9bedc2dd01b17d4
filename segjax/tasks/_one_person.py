"""The skeleton of the one person of a picture: each joint is the place that its map
prefers to all others. Points and maps are coarse ones, of few cells."""

import jax
import jax.numpy as jnp

from segjax.ops import losses, skeleton


def heads(info) -> dict[str, int]:
    return {"heatmap": len(info.joints)}


def encode(points, counts, wide: float):
    """f32[1,j,3], f32[h,w] -> {"heat": f32[h,w,j], "counts": f32[h,w]}"""
    last = jnp.array(counts.shape) - 1
    y, x = jnp.moveaxis(jnp.clip(jnp.round(points[..., :2]), 0, last), -1, 0)
    # of one where nothing counts, what its heat leaves elsewhere would be called
    counted = counts[y.astype(jnp.int32), x.astype(jnp.int32)]
    points = points.at[..., 2].multiply(counted)
    return {"heat": skeleton.heat(points, counts.shape, wide), "counts": counts}


def loss(maps, targets, heat: float):
    missed, joints = losses.place_cross_entropy(
        maps["heatmap"], targets["heat"], targets["counts"]
    )
    return {"heat": (heat * missed, joints)}


def decode(maps, window: int):
    """The joints, and how sure they are: the share of what the map says that is about
    its highest place. f32[1,j,3], f32[1]"""
    share = jax.nn.softmax(maps["heatmap"], axis=(0, 1))
    found = skeleton.joint_peaks(share, window, 1)
    near = jax.lax.reduce_window(
        share, 0.0, jax.lax.add, (window, window, 1), (1, 1, 1), "SAME"
    )
    y, x = jnp.round(found[:, 0, :2]).astype(jnp.int32).T
    sure = jnp.clip(near[y, x, jnp.arange(len(found))], 0, 1)
    points = found.at[:, 0, 2].set(sure).swapaxes(0, 1)
    return points, points[..., 2].mean(-1)
