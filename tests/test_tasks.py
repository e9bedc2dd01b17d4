"""What every task promises, and scores worked out by hand."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from segjax import data, models, tasks
from segjax.base import VOID, Info, Mistake, find, names

FOUR_CLASSES = Info(("a", "b", "c", "d"), provides=("image", "semantic"))
TWO_CLASSES = Info(("no", "yes"), provides=("image", "semantic"))
OBJECTS = TWO_CLASSES._replace(
    things=("yes",), provides=("image", "semantic", "instance")
)
TWO_THINGS = OBJECTS._replace(classes=("a", "b", "c", "d"), things=("b", "d"))
PEOPLE = TWO_CLASSES._replace(
    joints=("head_top", "right_hip", "left_shoulder", "left_wrist"),
    limbs=((0, 2), (2, 1), (2, 3)),
    provides=("image", "semantic", "keypoints"),
)
CASES = {
    **{name: (name, OBJECTS, {}) for name in names("tasks")},
    "pose": ("pose", PEOPLE, {}),
    "pose-2": ("pose", PEOPLE, {"people": 2, "stride": 1}),
    "pose-silhouette": ("pose", PEOPLE, {"silhouette": 1.0}),
    "semantic-dice-focal": ("semantic", TWO_CLASSES, {"dice": 1.0, "focal": 1.0}),
    "semantic-4": ("semantic", FOUR_CLASSES, {}),
    "semantic-4-dice": ("semantic", FOUR_CLASSES, {"dice": 1.0}),
    "instance-4": ("instance", TWO_THINGS, {}),
    "panoptic-4": ("panoptic", TWO_THINGS, {}),
}
SIZE = 16
SKELETON = (6, 3, 2), (14, 6, 2), (8, 9, 1), (13, 13, 2)  # y, x, visible


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    name, info, config = request.param
    return tasks.make_task(name, info, **config), info


def drawn_example(info, seed=0, void=True):
    """Noise with blocks of every class, each an object where its class has some, and a
    void corner."""
    rng = np.random.default_rng(seed)
    blocks = rng.permuted(np.arange(16) % len(info.classes)).reshape(4, 4)
    is_thing = np.isin(np.array(info.classes)[blocks], info.things).ravel()
    ids = np.where(is_thing, np.cumsum(is_thing), 0).reshape(4, 4)
    semantic = np.kron(blocks, np.ones((4, 4))).astype(np.uint8)
    instance = np.kron(ids, np.ones((4, 4))).astype(np.int32)
    if void:
        semantic[:4, :5] = VOID
        instance[:4, :5] = -1
    image = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    example = {"image": image, "semantic": semantic, "instance": instance}
    if info.joints:
        del example["instance"]
        example["keypoints"] = np.array(SKELETON, np.float32)[None]
    return {word: jnp.array(values) for word, values in example.items()}


def total(task, outputs, targets):
    sums = task.loss(outputs, targets)
    return sum(n / w for n, w in sums.values())


def ideal_maps(task, targets):
    """The maps that the loss itself asks for: found by descending it."""

    @jax.jit
    def descend(maps):
        optimizer = optax.adam(optax.cosine_decay_schedule(0.3, 400))

        def step(carry, _):
            maps, state = carry
            gradient = jax.grad(lambda m: total(task, m, targets))(maps)
            updates, state = optimizer.update(gradient, state)
            return (optax.apply_updates(maps, updates), state), None

        start = (maps, optimizer.init(maps))
        return jax.lax.scan(step, start, None, length=400)[0][0]

    return descend({n: jnp.zeros((SIZE, SIZE, c)) for n, c in task.heads.items()})


def rows_of(task, maps, example):
    row = jax.jit(task.count)(jax.jit(task.decode)(maps), example)
    return {word: np.asarray(value)[None] for word, value in row.items()}


def test_ideal_maps_cost_nothing_and_score_perfectly(case):
    """Fails, for one, when a loss has the wrong sign."""
    task, info = case
    example = drawn_example(info)
    targets = jax.jit(task.encode)(example)
    maps = ideal_maps(task, targets)
    assert 0 <= total(task, maps, targets) < 0.02
    scores = task.score(rows_of(task, maps, example))
    best = next(iter(scores.values()))
    assert best > (50 if "psnr" in scores else 0.999)


def test_pixels_that_do_not_count_move_nothing(case):
    task, info = case
    example = drawn_example(info)
    void = example["semantic"] == VOID
    rng = np.random.default_rng(1)
    maps = {
        n: jnp.array(rng.standard_normal((SIZE, SIZE, c), np.float32))
        for n, c in task.heads.items()
    }
    other_maps = {n: jnp.where(void[..., None], 9.0, m) for n, m in maps.items()}
    other_image = jnp.where(void[..., None], jnp.uint8(3), example["image"])
    other = {**example, "image": other_image}

    @jax.jit
    def all_of(m, e):
        targets = task.encode(e)
        gradient = jax.grad(lambda m: total(task, m, targets))(m)
        return task.loss(m, targets), task.count(task.decode(m), e), gradient

    found = [all_of(m, e) for m, e in ((maps, example), (other_maps, other))]
    (loss, row, gradient), (other_loss, other_row, _) = found
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-6), loss, other_loss
    )
    # a call that is mostly over void is no mistake, and a skeleton is one
    if not {"instance", "keypoints"} & set(task.needs):
        jax.tree.map(
            functools.partial(np.testing.assert_allclose, rtol=1e-6), row, other_row
        )
    for map_gradient in gradient.values():
        assert not np.asarray(map_gradient)[np.asarray(void)].any()


def test_nothing_that_counts_gives_no_nan(case):
    task, info = case
    example = drawn_example(info)
    example["semantic"] = jnp.full((SIZE, SIZE), VOID, jnp.uint8)
    if "keypoints" in example:
        example["keypoints"] = jnp.zeros_like(example["keypoints"])
    maps = {n: jnp.ones((SIZE, SIZE, c)) for n, c in task.heads.items()}
    targets = jax.jit(task.encode)(example)
    for numerator, weight in jax.jit(task.loss)(maps, targets).values():
        assert (numerator, weight) == (0, 0)
    scores = task.score(rows_of(task, maps, example))
    if "keypoints" in task.needs:  # nobody is there, and none is called
        assert scores.pop("count_error", 0) == 0
    assert all(np.isnan(v) for v in scores.values())


def test_the_weight_of_a_loss_does_not_depend_on_the_outputs(case):
    """The step relies on it: it asks for the weights before it knows the outputs."""
    task, info = case
    targets = jax.jit(task.encode)(drawn_example(info))
    weights = [
        {
            name: float(w)
            for name, (_, w) in task.loss(
                {n: jnp.full((SIZE, SIZE, c), v) for n, c in task.heads.items()},
                targets,
            ).items()
        }
        for v in (0.0, 3.0)
    ]
    assert weights[0] == weights[1]


def test_decode_keeps_its_shapes_under_jit_and_vmap(case):
    task, _ = case
    maps = {n: jnp.ones((3, SIZE, SIZE, c)) for n, c in task.heads.items()}
    many = jax.jit(jax.vmap(task.decode))(maps)
    one = jax.eval_shape(task.decode, {n: m[0] for n, m in maps.items()})
    assert {k: v.shape[1:] for k, v in many.items()} == {
        k: v.shape for k, v in one.items()
    }


def test_draw_gives_a_picture(case):
    task, info = case
    example = drawn_example(info)
    maps = {n: jnp.ones((SIZE, SIZE, c)) for n, c in task.heads.items()}
    found = jax.jit(task.decode)(maps)
    for truth in ((), (None,), (example,)):
        picture = task.draw(np.asarray(example["image"]), found, *truth)
        assert picture.dtype == np.uint8
        assert picture.shape[0] == SIZE
        assert picture.shape[2] == 3


def data_for(task, size):
    """Four pictures of the plainest data set that provides what the task needs, things
    and others as two classes."""
    takes = {n: inspect.signature(find("data", n).open_split) for n in names("data")}
    drawn = [name for name in takes if "dir" not in takes[name].parameters]
    provided = {name: data.make_info(name).provides for name in drawn}
    for name in sorted(drawn, key=lambda name: len(provided[name])):
        if set(task.needs) <= set(provided[name]):
            split = data.load_split(name, "train", size=size, pictures=10)
            words = {word: array[:4] for word, array in split.arrays.items()}
            if "instance" in words:
                words["semantic"] = (words["instance"] > 0).astype(np.uint8)
            return words
    raise AssertionError(f"no data set provides {task.needs}")


def nevi_in_halves(size):
    """Objects that touch along a seam, two a picture. A sheep behind a fence is in
    pieces, which task 'border' takes for many."""
    split = data.load_split("nevi", "train", size=size, pictures=10)
    words = {word: array[:4] for word, array in split.arrays.items()}
    half = size // 2
    words["image"] = words["image"].copy()
    words["image"][:, :, half - 1 : half + 1] //= 2
    number = 1 + (np.arange(size) >= half)
    words["instance"] = np.where(words["semantic"] == 1, number, 0).astype(np.int32)
    return words


@pytest.mark.parametrize("name", names("tasks"))
def test_four_pictures_can_be_learnt_by_heart(name):
    info = data.make_info("dancers") if name == "pose" else OBJECTS
    task = tasks.make_task(name, info)
    size, steps = (48, 240) if "center" in task.heads else (32, 150)
    found = nevi_in_halves(size) if name == "border" else data_for(task, size)
    pictures = jax.tree.map(jnp.asarray, found)
    model = models.build("unet", task.heads, width=8, depth=2)
    variables = jax.jit(lambda: models.initialise(model, jax.random.key(0), size))()
    optimizer = optax.adam(optax.cosine_onecycle_schedule(steps, 1e-2))
    keys = jax.random.split(jax.random.key(0), 4)

    targets = jax.jit(jax.vmap(task.encode))(pictures)

    @jax.jit
    def step(variables, state, images, targets):
        def loss(params):
            (outputs,), stats = models.forward_train(
                model, {**variables, "params": params}, images, keys
            )
            sums = jax.vmap(task.loss)(outputs, targets)
            return sum(n.sum() / w.sum() for n, w in sums.values()), stats

        gradients, stats = jax.grad(loss, has_aux=True)(variables["params"])
        updates, state = optimizer.update(gradients, state)
        params = optax.apply_updates(variables["params"], updates)
        return {"params": params, "batch_stats": stats}, state

    @jax.jit
    def rows(variables, pictures):
        outputs = models.forward(model, variables, pictures["image"])
        return jax.vmap(task.count)(jax.vmap(task.decode)(outputs), pictures)

    state = optimizer.init(variables["params"])
    for _ in range(steps):
        variables, state = step(variables, state, pictures["image"], targets)
    scores = task.score(jax.device_get(rows(variables, pictures)))
    headline, value = next(iter(scores.items()))
    assert value > {"psnr": 25, "pq": 0.9}.get(headline, 0.97), scores


def score_of(info, matrix):
    rows = {"confusion": np.array([matrix])}
    return tasks.make_task("semantic", info).score(rows)


def test_scores_of_two_classes_by_hand():
    scores = score_of(TWO_CLASSES, [[50, 10], [5, 35]])
    expected = {
        "dice": 70 / 85,
        "iou": 35 / 50,
        "miou": (35 / 50 + 50 / 65) / 2,
        "accuracy": 85 / 100,
        "sensitivity": 35 / 40,
        "specificity": 50 / 60,
    }
    assert scores == pytest.approx(expected)


def test_what_is_rightly_found_absent_scores_one_and_a_false_alarm_nothing():
    absent = score_of(TWO_CLASSES, [[100, 0], [0, 0]])
    assert (absent["dice"], absent["iou"], absent["miou"]) == (1, 1, 1)
    assert np.isnan(absent["sensitivity"])
    alarm = score_of(TWO_CLASSES, [[90, 10], [0, 0]])
    assert (alarm["dice"], alarm["iou"]) == (0, 0)


def test_scores_of_many_classes_by_hand():
    matrix = [[4, 1, 0, 0], [0, 3, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]]
    scores = score_of(FOUR_CLASSES, matrix)
    assert scores["iou/a"] == 4 / 7
    assert scores["iou/b"] == 3 / 4
    assert scores["iou/c"] == 0
    assert np.isnan(scores["iou/d"])
    assert scores["miou"] == pytest.approx((4 / 7 + 3 / 4) / 3)
    assert scores["accuracy"] == 7 / 10
    assert scores["sensitivity"] == pytest.approx((4 / 5 + 1 + 0) / 3)


def test_median_frequency_by_hand():
    """Arrays of which the paper's formula can be worked out on paper."""
    semantic = np.zeros((2, 2, 5), np.uint8)
    semantic[0, 0, :4] = 1  # 4 of the 10 pixels of the one picture that holds class 1
    semantic[1, 0, 0] = VOID
    info = Info(("no", "yes", "never"))
    examples = [{"semantic": mask} for mask in semantic]
    found = tasks.settle("semantic", info, examples, class_weights="median_frequency")
    common, rare = (6 + 9) / 19, 4 / 10
    median = (common + rare) / 2
    expected = (median / common, median / rare, 1.0)
    assert found["class_weights"] == pytest.approx(expected, abs=1e-6)
    assert tasks.settle("semantic", info, examples, dice=1.0) == {"dice": 1.0}


def test_class_weights_weigh():
    task = tasks.make_task("semantic", TWO_CLASSES, class_weights=(1.0, 3.0))
    example = {"semantic": jnp.array([[0, 1, VOID]], jnp.uint8)}
    sums = task.loss({"mask": jnp.zeros((1, 3, 1))}, task.encode(example))
    numerator, weight = sums["cross_entropy"]
    assert weight == 4
    assert numerator == pytest.approx(4 * np.log(2))


def test_psnr_by_hand():
    task = tasks.make_task("reconstruct", TWO_CLASSES)
    scores = task.score(
        {"squared_error": np.array([1.0, 3.0]), "pixels": np.array([100.0, 300.0])}
    )
    assert scores == pytest.approx({"psnr": 20.0, "rmse": 0.1})


@pytest.mark.parametrize(
    ("name", "info", "config", "words"),
    [
        ("semantics", TWO_CLASSES, {}, "Did you mean 'semantic'"),
        ("semantic", Info(("a", "b")), {}, "needs semantic; the data provides image"),
        ("semantic", Info(("a",)), {}, "needs two classes; the data has 1"),
        ("semantic", TWO_CLASSES, {"dice": -1}, "task.dice is -1"),
        ("semantic", TWO_CLASSES, {"cross_entropy": 0}, "Every term of the loss is 0"),
        ("semantic", TWO_CLASSES, {"class_weights": (1, 2, 3)}, "has 3 numbers"),
        ("semantic", TWO_CLASSES, {"class_weights": (0, 0)}, "are all 0"),
        (
            "semantic",
            TWO_CLASSES,
            {"class_weights": "median"},
            "one number a class, or",
        ),
    ],
)
def test_mistakes_name_the_culprit(name, info, config, words):
    with pytest.raises(Mistake, match=words.replace("(", r"\(")):
        tasks.make_task(name, info, **config)


@pytest.mark.parametrize(
    ("confusion", "words"),
    [
        ([[90, 0], [10, 0]], "every pixel is called 'no', which 90.0% of them are"),
        ([[0, 90], [0, 10]], "every pixel is called 'yes', which 10.0% of them are"),
        ([[90, 0], [9, 1]], ""),
        ([[100, 0], [0, 0]], ""),  # and rightly so
        ([[0, 0], [0, 0]], ""),
    ],
)
def test_a_constant_prediction_cannot_pass_unseen(confusion, words):
    task = tasks.make_task("semantic", TWO_CLASSES)
    half = np.array(confusion) / 2
    said = task.remark({"confusion": np.stack([half, half])})
    assert words in said
    assert bool(said) == bool(words)
    if words:
        assert "the rarest class has 10.0% of the pixels" in said
