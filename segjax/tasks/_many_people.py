"""The skeletons of many people: heat says how surely a joint of its kind is somewhere,
and fields along the limbs join them (OpenPose, arXiv 1812.08008). Points and maps are
coarse ones, of few cells."""

import jax
import jax.numpy as jnp

from segjax.ops import losses, skeleton
from segjax.tasks._centers import RARE

_MARGIN = 0.25  # of a person's box, beyond it: where a joint that nobody marked may be


def heads(info) -> dict[str, int]:
    return {"heatmap": len(info.joints), "paf": 2 * len(info.limbs)}


def encode(points, counts, wide: float, limbs, width: float):
    """f32[p,j,3], f32[h,w] -> {"heat": f32[h,w,j], "counts": f32[h,w,j], "joints":
    f32[], "ways": f32[h,w,l,2], "on": f32[h,w,l], how much each cell weighs}"""
    known = _known(points, counts.shape) * counts[..., None]
    ways, people = skeleton.fields(points, limbs, counts.shape, width)
    start, end = (jnp.array([limb[k] for limb in limbs]) for k in (0, 1))
    on = (people > 0) * counts[..., None]
    off = known[..., start] * known[..., end] * (people == 0)
    # all that is off weighs as much as what is on; where nobody is, as limbs would that
    # are dots, or nothing would tell that no limb is there
    dots = len(limbs) * (2 * width + 1) ** 2
    weighs = jnp.where(on.sum() > 0, on.sum(), dots)
    share = weighs / jnp.maximum(off.sum(), 1)
    return {
        "heat": skeleton.heat(points, counts.shape, wide),
        "counts": known,
        "joints": (points[..., 2] > 0).sum().astype(jnp.float32),
        "ways": ways,
        "on": on + share * off,
    }


def loss(maps, targets, heat: float, field: float):
    sums = {}
    if heat:
        logits = maps["heatmap"] + RARE
        missed = losses.soft_focal(logits, targets["heat"], targets["counts"])
        sums["heat"] = heat * missed, targets["joints"]
    if field:
        found = maps["paf"].reshape(targets["ways"].shape)
        away = jnp.square(found - targets["ways"]).sum(-1)
        on = targets["on"]
        sums["field"] = field * jnp.where(on > 0, away * on, 0).sum(), on.sum()
    return sums


def decode(maps, window: int, limbs, slots: int, least: float, parts: int):
    """The people, the surest first, and how sure each is, -1 for nobody. f32[k,j,3],
    f32[k]"""
    heat = jax.nn.sigmoid(maps["heatmap"] + RARE)
    found = skeleton.joint_peaks(heat, window, slots)
    found = jnp.where(found[..., 2:] > least, found, 0)
    ways = maps["paf"].reshape(*heat.shape[:2], len(limbs), 2)
    return skeleton.join(found, ways, limbs, parts)


def _known(points, shape: tuple[int, int]):
    """1 where it is known whether a joint is there: not about a person of whom it was
    not marked. f32[h,w,j]"""
    marked = points[..., 2] > 0
    some = marked.any(-1)

    def spanned(values, cells):
        low = jnp.where(marked, values, jnp.inf).min(-1, keepdims=True)
        high = jnp.where(marked, values, -jnp.inf).max(-1, keepdims=True)
        more = 1 + _MARGIN * (high - low)
        return ((cells >= low - more) & (cells <= high + more)).astype(jnp.float32)

    down, across = (
        spanned(points[..., k], jnp.arange(n, dtype=jnp.float32))
        for k, n in enumerate(shape)
    )
    lacks = (some[:, None] & ~marked).astype(jnp.float32)
    return (jnp.einsum("ph,pw,pj->hwj", down, across, lacks) == 0).astype(jnp.float32)
