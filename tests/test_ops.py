"""Array functions against figures worked out by hand and independent forms."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from segjax.ops import color, losses, pool, up, warp
from segjax.ops.augment import augment
from segjax.ops.bootstrap import summarise
from segjax.ops.confusion import class_pixels, confusion
from segjax.ops.pool import max_pool, max_pool3, max_pool_places, mean_pool, unpool
from segjax.ops.up import bilinear2, conv_transpose2, nearest2

pytestmark = pytest.mark.usefixtures("strict_promotion")
rng = np.random.default_rng(0)


def noise(*shape):
    return jnp.array(rng.standard_normal(shape, np.float32))


@pytest.mark.parametrize("ours", [max_pool, pool._by_window])
@pytest.mark.parametrize("size", [(8, 6), (7, 9), (1, 1)])
def test_max_pool_equals_flax_in_value_and_gradient(size, ours):
    """The form for TPUs, too."""
    x, g = noise(2, *size, 3), noise(2, -(-size[0] // 2), -(-size[1] // 2), 3)
    theirs = lambda x: nn.max_pool(x, (2, 2), (2, 2), [(0, s % 2) for s in size])  # noqa: E731
    for f, h in zip(jax.vjp(ours, x), jax.vjp(theirs, x)):
        a, b = (f, h) if not callable(f) else (f(g)[0], h(g)[0])
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [(8, 6), (7, 9), (1, 2)])
def test_max_pool3_equals_flax_in_value_and_gradient(size):
    """On numbers below 0, where padding with zeros would show."""
    x = noise(2, *size, 3) - 9
    g = noise(2, -(-size[0] // 2), -(-size[1] // 2), 3)
    theirs = lambda x: nn.max_pool(x, (3, 3), (2, 2), [(1, 1), (1, 1)])  # noqa: E731
    (a, pull_a), (b, pull_b) = (jax.vjp(f, x) for f in (max_pool3, theirs))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(pull_a(g)[0], pull_b(g)[0], atol=1e-6)


def test_mean_pool_by_hand():
    """Beyond the edge is the edge: the last column counts twice."""
    x = jnp.array([[1.0, 2.0, 5.0], [3.0, 6.0, 9.0]])[None, ..., None]
    assert mean_pool(x, 2)[0, ..., 0].tolist() == [[3.0, 7.0]]
    assert mean_pool(x, 1) is x


def test_max_pool_takes_the_first_of_equals():
    values, index = max_pool_places(jnp.zeros((2, 2, 1)))
    assert (values.item(), index.item()) == (0, 0)
    _, index = max_pool_places(jnp.array([[0.0, 1.0], [1.0, 1.0]])[..., None])
    assert index.item() == 1


def test_unpool_puts_each_maximum_back_where_it_was():
    x = noise(2, 5, 7, 3)
    values, index = max_pool_places(x)
    back = unpool(values, index, (5, 7))
    np.testing.assert_array_equal(back, jnp.where(back != 0, x, 0))
    assert (back != 0).sum() == values.size
    g = jax.grad(lambda v: (unpool(v, index, (5, 7)) * x).sum())(values)
    np.testing.assert_array_equal(g, values)


def test_unpool_for_a_tpu_is_the_same():
    x, g = noise(2, 3, 4, 5), noise(2, 6, 8, 5)
    index = jnp.array(rng.integers(0, 4, x.shape, np.int8))
    (a, pull_a), (b, pull_b) = (
        jax.vjp(lambda x, f=f: f(x, index), x) for f in (pool._spread, pool._stacked)
    )
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(pull_a(g)[0], pull_b(g)[0])


@pytest.mark.parametrize("ours", [conv_transpose2, up._dilated])
def test_conv_transpose_equals_the_general_one(ours):
    """The form for TPUs, too."""
    x, kernel = noise(2, 5, 4, 3), noise(2, 2, 3, 6)
    # the general form slides the kernel the other way round
    general = jax.lax.conv_transpose(
        x,
        kernel[::-1, ::-1],
        (2, 2),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    np.testing.assert_allclose(ours(x, kernel), general, atol=1e-5)
    y = ours(jnp.ones((1, 1, 1, 1)), jnp.arange(4.0).reshape(2, 2, 1, 1))
    np.testing.assert_array_equal(y[0, ..., 0], [[0, 1], [2, 3]])


@pytest.mark.parametrize("size", [(5, 4), (1, 2), (1, 1)])
def test_enlarging_and_its_gradients_equal_jax_image(size):
    h, w = size
    x, g = noise(2, h, w, 3), noise(2, 2 * h, 2 * w, 3)
    for ours, method in ((nearest2, "nearest"), (bilinear2, "bilinear")):
        resize = functools.partial(
            jax.image.resize, shape=(2, 2 * h, 2 * w, 3), method=method
        )
        (y, back), (true, true_back) = jax.vjp(ours, x), jax.vjp(resize, x)
        np.testing.assert_allclose(y, true, atol=1e-6)
        np.testing.assert_allclose(back(g)[0], true_back(g)[0], atol=2e-6)


def example(size=(16, 16)):
    """A picture whose red channel is its own mask: they must move alike."""
    mask = (rng.random(size) < 0.5).astype(np.uint8)
    image = np.stack([mask * 200, mask * 0, mask * 0 + 7], -1).astype(np.uint8)
    return {"image": jnp.array(image), "semantic": jnp.array(mask)}


@pytest.mark.parametrize("seed", range(8))
def test_flips_and_quarter_turns_are_exact_and_move_mask_and_picture_alike(seed):
    old = example()
    new = augment(jax.random.key(seed), old, flip=True, quarter=True)
    np.testing.assert_array_equal(
        new["image"][..., 0], new["semantic"].astype(jnp.float32) * 200
    )
    either = [
        np.rot90(m, k) for m in (old["semantic"], old["semantic"].T) for k in range(4)
    ]
    assert any(np.array_equal(new["semantic"], m) for m in either)


def test_all_eight_turns_occur():
    old = example()
    keys = jax.random.split(jax.random.key(0), 100)
    masks = jax.vmap(lambda k: augment(k, old, quarter=True)["semantic"])(keys)
    assert len({m.tobytes() for m in np.asarray(masks)}) == 8


def test_mask_and_picture_stay_together_under_every_affine_change():
    """A mask shifted by one pixel against its picture fails this."""
    y, x = np.mgrid[:64, :64]
    mask = (np.hypot(y - 30, x - 36) < 14).astype(np.uint8)
    old = {
        "image": jnp.array(np.repeat(mask[..., None] * 200, 3, -1)),
        "semantic": jnp.array(mask),
    }
    for seed in range(6):
        new = augment(
            jax.random.key(seed),
            old,
            quarter=True,
            rotate=30,
            zoom=0.3,
            shift=0.1,
            crop=48,
        )
        new = jax.tree.map(np.asarray, new)
        counts = new["semantic"] != 255
        bright = (new["image"][..., 0] > 100) & counts
        differ = (bright != (new["semantic"] == 1)) & counts
        edge = 2 * np.pi * 14 * 1.3  # a nearest pixel may differ on the edge, by half
        assert differ.sum() < 0.1 * edge
        shifted = np.roll(new["semantic"], 1, axis=0)
        assert ((bright != (shifted == 1)) & counts).sum() > 0.3 * edge


def test_affine_turns_the_way_it_says():
    image = noise(9, 9, 1)
    matrix = warp.affine_matrix(jnp.pi / 2, 1.0, jnp.zeros(2), (9, 9))
    y, x = warp.sample_positions(matrix, (9, 9))
    turned = warp.sample_bilinear(image, y, x)
    np.testing.assert_allclose(turned, jnp.rot90(image, 1), atol=1e-4)
    matrix = warp.affine_matrix(0.0, 1.0, jnp.array([2.0, -1.0]), (9, 9))
    labels = jnp.arange(81).reshape(9, 9)
    moved = warp.sample_nearest(
        labels, *warp.sample_positions(matrix, (9, 9)), outside=-1
    )
    np.testing.assert_array_equal(moved[2:, :-1], labels[:-2, 1:])
    assert (moved[:2] == -1).all()


def test_crop_is_a_window_of_the_picture():
    old = example((16, 16))
    new = augment(jax.random.key(3), old, flip=False, crop=9)
    windows = [
        np.array_equal(old["semantic"][i : i + 9, j : j + 9], new["semantic"])
        for i in range(8)
        for j in range(8)
    ]
    assert any(windows)
    np.testing.assert_array_equal(
        new["image"][..., 0], new["semantic"].astype(jnp.float32) * 200
    )


def test_jitter_stays_in_range_and_nothing_asked_changes_nothing():
    image = jnp.array(rng.integers(0, 256, (8, 8, 3)), jnp.float32)
    np.testing.assert_array_equal(color.jitter(jax.random.key(0), image), image)
    light = {"brightness": 0.9, "contrast": 0.9, "saturation": 0.9, "tint": 0.9}
    new = color.jitter(jax.random.key(0), image, **light)
    assert new.min() >= 0
    assert new.max() <= 255
    assert jnp.abs(new - image).max() > 1


def test_normalise_by_hand():
    out = color.normalise(jnp.array([[[255, 0, 0]]], jnp.uint8))[0, 0]
    np.testing.assert_allclose(
        out, [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5
    )


def test_sigmoid_cross_entropy_by_hand():
    logits, labels = jnp.array([[0.0, 2.0, 9.0]]), jnp.array([[1, 0, 255]], jnp.uint8)
    n, w = losses.sigmoid_cross_entropy(logits, labels, losses.counted(labels))
    np.testing.assert_allclose(n, np.log(2) + np.log1p(np.exp(2)), rtol=1e-6)
    assert w == 2


def test_softmax_cross_entropy_by_hand():
    logits = jnp.array([[[0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [0.0, jnp.inf, 0.0]]])
    labels = jnp.array([[2, 0, 255]], jnp.uint8)
    n, w = losses.softmax_cross_entropy(logits, labels, losses.counted(labels) * 2)
    expected = np.log(3) + np.log(np.exp([1, 2, 3]).sum()) - 1
    np.testing.assert_allclose(n, 2 * expected, rtol=1e-6)
    assert w == 4


def test_focal_is_cross_entropy_where_the_net_is_unsure():
    labels = jnp.array([[1, 0]], jnp.uint8)
    for focal, logits in (
        (losses.sigmoid_focal, jnp.zeros((1, 2))),
        (losses.softmax_focal, jnp.zeros((1, 2, 2))),
    ):
        n, _ = focal(logits, labels, jnp.ones((1, 2)))
        np.testing.assert_allclose(n, 2 * np.log(2) * 0.5**2, rtol=1e-6)


def test_soft_dice_by_hand():
    p, t = jnp.array([[[1.0], [0.5], [1.0]]]), jnp.array([[[1.0], [0.0], [0.0]]])
    counts = jnp.array([[1.0, 1.0, 0.0]])
    n, w = losses.soft_dice(p, t, counts)
    np.testing.assert_allclose(n, 1 - (2 * 1 + 1) / (1.5 + 1 + 1), rtol=1e-6)
    assert w == 1
    assert losses.soft_dice(p, t, counts * 0) == (0, 0)


def test_confusion_by_hand():
    truth = jnp.array([[0, 1, 1, 2, 255]], jnp.uint8)
    called = jnp.array([[0, 1, 2, 2, 1]], jnp.uint8)
    expected = [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    np.testing.assert_array_equal(confusion(truth, called, 3), expected)


def test_class_pixels_by_hand():
    labels = np.array([[[0, 0, 1, 255]], [[0, 0, 0, 0]]], np.uint8)
    pixels, around = class_pixels(labels, 2)
    np.testing.assert_array_equal(pixels, [6, 1])
    np.testing.assert_array_equal(around, [7, 3])


def test_summarise_says_mean_pooled_and_interval():
    rows = {"right": np.array([1, 3, 0]), "all": np.array([2, 4, 0])}

    def score(rows):
        right, total = rows["right"].sum(), rows["all"].sum()
        return {"accuracy": right / total if total else np.nan}

    found = summarise(score, rows)["accuracy"]
    assert found["mean"] == (0.5 + 0.75) / 2
    assert found["pooled"] == 4 / 6
    assert found["n"] == 2
    # Student's of two values: .625 -+ 12.7 * .125, and no score is beyond 0 to 1
    assert (found["low"], found["high"]) == (0, 1)


def test_interval_is_the_normal_one_where_that_holds():
    values = rng.normal(0.9, 0.05, 400)
    found = summarise(lambda r: {"v": r["v"].mean()}, {"v": values})["v"]
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose(found["high"] - found["low"], 2 * half, rtol=0.1)
