"""The compiled step: exact over devices, and never left with broken numbers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from segjax import models, parallel, tasks
from segjax.base import VOID, Info
from segjax.data import Split
from segjax.ops.augment import augment
from segjax.optim import make_optimizer
from segjax.step import (
    create_state,
    evaluate,
    evaluated_variables,
    make_eval_step,
    make_train_step,
    mean_loss,
)
from segjax.step._train import picture_keys

pytestmark = pytest.mark.usefixtures("strict_promotion")
INFO = Info(("no", "yes"), provides=("image", "semantic"))
SIZE, BATCH, PICTURES = 16, 16, 24


def store():
    """Noise, with void spread so that devices count different numbers of pixels."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (PICTURES, SIZE, SIZE, 3), np.uint8)
    semantic = (image[..., 0] > 128).astype(np.uint8)
    for i in range(PICTURES):
        semantic[i, : i % SIZE] = VOID
    return {"image": image, "semantic": semantic}


def parts(stages=0, depth=2, dtype="float32", **options):
    optim = {"name": "sgd", "learning_rate": 0.5, "schedule": "constant", "warmup": 0}
    optim |= {"clip": 0.0, "weight_decay": 0.0, "ema": 0.9} | options
    task = tasks.make_task("semantic", INFO, dice=0.5)
    config = {"width": 4, "dropout": 0.2, "dtype": dtype, "axis_name": parallel.AXIS}
    model = models.build("unet", task.heads, depth=depth, stages=stages, **config)
    return task, model, make_optimizer(100, **optim)


unchanged = functools.partial(augment, flip=False)
CHANGE = {"flip": True, "quarter": True, "rotate": 20, "brightness": 0.3}


def on_devices(step, devices):
    """The step on some of the devices, its state not donated: it is looked at again."""
    return jax.pmap(
        step,
        axis_name=parallel.AXIS,
        devices=jax.devices()[:devices],
        in_axes=(None, None, 0),
        out_axes=(None, None),
    )


def run(steps, devices, **options):
    """The state after some steps on so many devices, and where it started."""
    task, model, optimizer = parts(**options)
    step = make_train_step(model, task, optimizer, functools.partial(augment, **CHANGE))
    create = jax.jit(lambda: create_state(model, optimizer, 0, SIZE))
    pmapped = on_devices(step, devices)
    first = state = jax.device_get(create())
    source = store()
    history = []
    for k in range(steps):
        index = (np.arange(BATCH) * 5 + k) % PICTURES
        batch = {"index": index, "position": np.arange(BATCH)}
        batch = jax.tree.map(lambda a: a.reshape(devices, -1), batch)
        state, metrics = jax.device_get(pmapped(state, source, batch))
        history.append(metrics)
    return first, state, history


def largest_difference(a, b, scale):
    """Of all arrays, relative to the largest value that each array was moved by."""
    pairs = zip(*(jax.tree.leaves(t) for t in (a, b, scale)))
    return max(np.abs(x - y).max() / max(np.abs(z).max(), 1e-12) for x, y, z in pairs)


@pytest.mark.parametrize("options", [{}, {"stages": 1, "depth": 1}])
def test_eight_devices_make_the_updates_of_one(options):
    # in 32 bits one of a million ReLUs is so near 0 that rounding opens or shuts it
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        first, one, history = run(5, 1, dtype="float64", **options)
        _, eight, _ = run(5, 8, dtype="float64", **options)
    for field in ("params", "batch_stats"):
        start, alone, shared = (getattr(s, field) for s in (first, one, eight))
        moved = jax.tree.map(np.subtract, alone, start)
        others = jax.tree.map(np.subtract, shared, start)
        # biases before a norm aside, every array must have been moved
        assert min(np.abs(m).max() for m in jax.tree.leaves(moved)) > 1e-4
        assert largest_difference(moved, others, moved) < 1e-5
    assert history[-1]["loss"] < history[0]["loss"]


def test_every_answer_has_its_loss():
    """Each alone teaches what comes before it, where the later ones are cut off from
    it; together they weigh as much as the last."""
    task, model, optimizer = parts(stages=2, depth=1)
    step = on_devices(make_train_step(model, task, optimizer, unchanged), 1)
    state = jax.device_get(jax.jit(lambda: create_state(model, optimizer, 0, SIZE))())
    batch = {"index": np.arange(8)[None], "position": np.arange(8)[None]}

    def stepped(cut):
        """How far parts move when these stages say the same of all pixels."""
        params = dict(state.params)
        for part in cut:
            heads = jax.tree.map(np.zeros_like, params[part]["heads"])
            params[part] = {**params[part], "heads": heads}
        after, metrics = step(state._replace(params=params), store(), batch)
        after = jax.device_get(after.params)
        moved = {
            name: max(jax.tree.leaves(jax.tree.map(furthest, after[name], part)))
            for name, part in params.items()
        }
        return moved, metrics

    def furthest(a, b):
        return np.abs(a - b).max()

    @jax.jit
    def losses(state):
        examples = {word: array[:8] for word, array in store().items()}
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        _, keys = picture_keys(state, np.arange(8))
        alone = model.clone(axis_name=None)
        answers, _ = models.forward_train(alone, variables, examples["image"], keys)
        targets = jax.vmap(task.encode)(examples)
        sums = [jax.vmap(task.loss)(maps, targets) for maps in answers]
        return [{k: n.sum() / w.sum() for k, (n, w) in s.items()} for s in sums]

    moved, metrics = stepped([])
    assert min(moved.values()) > 1e-4
    first, second, last = jax.device_get(losses(state))
    for name, value in last.items():
        assert metrics[f"loss/{name}"] == pytest.approx(value, rel=1e-4)
    earlier = (sum(first.values()) + sum(second.values())) / 2
    assert metrics["loss/earlier"] == pytest.approx(earlier, rel=1e-4)
    assert metrics["loss"] == pytest.approx(earlier + sum(last.values()), rel=1e-4)
    by_first, _ = stepped(["stage0", "stage1"])
    assert min(by_first["heads"], by_first["encoder0_0"]) > 1e-4
    by_second, _ = stepped(["stage1"])
    assert by_second["stage0"] > 1e-4


def test_a_stage_learns_what_the_network_is_too_small_to_see():
    """The four columns at the left tell the class of all pixels; the others, beyond 16
    of which the network does not see, tell nothing."""
    image = np.full((16, 32, 32, 3), 128, np.uint8)
    image[:, :, :4] = 255 * (np.arange(16) % 2)[:, None, None, None]
    semantic = np.broadcast_to(image[:, :1, :1, 0] // 255, (16, 32, 32))
    given = {"image": image, "semantic": semantic}
    task, _, optimizer = parts(learning_rate=0.2, ema=0.0)
    model = models.build("unet", task.heads, width=4, depth=1, stages=1)
    step = on_devices(make_train_step(model, task, optimizer, unchanged), 1)
    state = jax.jit(lambda: create_state(model, optimizer, 0, 32))()
    batch = {"index": np.arange(16)[None], "position": np.arange(16)[None]}
    for _ in range(40):
        state, metrics = step(state, given, batch)
    split = Split(given, ("",) * 16, ("",) * 16)
    rows = evaluate(
        parallel.evaluate_on_devices(make_eval_step(model, task)),
        parallel.replicate(evaluated_variables(jax.device_get(state))),
        parallel.replicate(split.source),
        split,
        16,
    )
    assert "loss/earlier" not in rows
    assert mean_loss(rows) < 0.1
    assert metrics["loss/earlier"] > 0.3


def test_accumulating_is_the_whole_batch_where_nothing_is_normalised():
    def updated(accumulate):
        task, _, optimizer = parts(accumulate=accumulate)
        model = models.build("unet", task.heads, width=4, depth=1, norm="none")
        step = make_train_step(model, task, optimizer, functools.partial(augment))
        state = jax.device_get(
            jax.jit(lambda: create_state(model, optimizer, 0, SIZE))()
        )
        batch = {"index": np.arange(8)[None], "position": np.arange(8)[None]}
        pmapped = on_devices(step, 1)
        after, _ = pmapped(state, store(), batch)
        return jax.tree.map(lambda a, b: np.asarray(a) - b, after.params, state.params)

    whole, parted = updated(1), updated(4)
    assert largest_difference(whole, parted, whole) < 1e-4


def test_working_out_again_changes_no_gradient_and_keeps_less():
    def moved(remat):
        first, last, _ = run(2, 2, remat=remat)
        return jax.tree.map(np.subtract, last.params, first.params)

    kept, again = moved(False), moved(True)
    assert largest_difference(kept, again, kept) < 1e-3

    _, model, _ = parts()
    variables = models.variable_shapes(model)
    images = jax.ShapeDtypeStruct((4, SIZE, SIZE, 3), np.uint8)
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), 4))

    def bytes_kept(forward):
        def backward(variables, images, keys):
            return jax.vjp(lambda v: forward(v, images, keys)[0], variables)[1]

        residuals = jax.tree.leaves(jax.eval_shape(backward, variables, images, keys))
        return sum(r.size * r.dtype.itemsize for r in residuals)

    forward = functools.partial(models.forward_train, model.clone(axis_name=None))
    assert bytes_kept(models.keeping_little(forward)) < 0.6 * bytes_kept(forward)


def test_a_step_gone_wrong_keeps_the_whole_old_state():
    _, state, history = run(1, 1, learning_rate=1.0)
    task, model, optimizer = parts(learning_rate=1.0)
    broken = task._replace(
        loss=lambda o, t: {"nan": (o["mask"].sum() * jnp.nan, jnp.ones(()))}
    )
    step = make_train_step(model, broken, optimizer, functools.partial(augment))
    batch = {"index": np.arange(4)[None], "position": np.arange(4)[None]}
    pmapped = on_devices(step, 1)
    after, metrics = jax.device_get(pmapped(state, store(), batch))
    assert history[0]["finite"]
    assert not metrics["finite"]
    assert after.step == 2
    same = jax.tree.map(np.array_equal, after._replace(step=0), state._replace(step=0))
    assert all(jax.tree.leaves(same))


def test_the_average_is_warmed_up_and_used():
    first, state, _ = run(1, 1)
    averaged = evaluated_variables(state)["params"]
    # decay of the first step: (1 + 0) / (10 + 0)
    expected = jax.tree.map(lambda a, b: 0.1 * a + 0.9 * b, first.params, state.params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), averaged, expected
    )


def test_evaluation_gives_a_row_a_picture_whatever_the_batch():
    """Fails when an evaluation uses batch statistics, or drops the last pictures."""
    task, model, optimizer = parts()
    state = jax.jit(lambda: create_state(model, optimizer, 0, SIZE))()
    variables = parallel.replicate(evaluated_variables(state))
    split = Split(store(), ("",) * PICTURES, ("",) * PICTURES)
    source = parallel.replicate(split.source)
    step = parallel.evaluate_on_devices(make_eval_step(model, task))
    rows = evaluate(step, variables, source, split, 8)
    others = evaluate(step, variables, source, split, 16)
    assert rows["confusion"].shape == (PICTURES, 2, 2)
    np.testing.assert_array_equal(rows["confusion"], others["confusion"])
    counted = (store()["semantic"] != VOID).sum((1, 2))
    np.testing.assert_array_equal(rows["confusion"].sum((1, 2)), counted)
    np.testing.assert_allclose(mean_loss(rows), mean_loss(others), rtol=1e-5)


def test_weight_decay_spares_biases_and_norms():
    optimizer = make_optimizer(
        10,
        name="sgd",
        learning_rate=1.0,
        schedule="constant",
        warmup=0,
        weight_decay=0.1,
    )
    params = {"kernel": jnp.ones((1, 1)), "bias": jnp.ones(1), "scale": jnp.ones(1)}
    zeros = jax.tree.map(jnp.zeros_like, params)
    updates, _ = optimizer.update.update(zeros, optimizer.update.init(params), params)
    assert updates["kernel"] == pytest.approx(-0.1)
    assert updates["bias"] == updates["scale"] == 0


def test_learning_rate_rises_and_falls():
    schedule = make_optimizer(100, learning_rate=1.0, warmup=10).schedule
    rates = [float(schedule(k)) for k in (0, 9, 10, 55, 100)]
    assert rates == pytest.approx([0.1, 0.91, 1.0, 0.5, 0.0], abs=1e-6)


def test_each_host_takes_its_own_rows(monkeypatch):
    """Two hosts of four devices: each decodes half of the global batch."""
    batch = {"index": np.arange(100, 116), "position": np.arange(16)}
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    taken = []
    for host in (0, 1):
        monkeypatch.setattr(jax, "process_index", lambda host=host: host)
        mine = parallel.own(batch)
        taken.append(mine["index"])
        assert mine["position"].tolist() == list(range(8 * host, 8 * host + 8))
        assert parallel.share_local(mine)["index"].shape == (8, 1)
    np.testing.assert_array_equal(np.concatenate(taken), batch["index"])
