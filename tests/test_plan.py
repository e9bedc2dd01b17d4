"""What `plan` says, beside numbers worked out by hand."""

import importlib.util

import jax
import jax.numpy as jnp
import pytest

from segjax import data, parallel, plan, run
from segjax.__main__ import main
from segjax.base import Mistake
from segjax.plan import _tell

TINY = ["--config.model.width=2", "--config.model.depth=1", "--config.data.size=16"]


def counted(function, *shapes) -> int:
    traced = jax.make_jaxpr(function)(*(jnp.zeros(shape) for shape in shapes))
    return plan.count_flops(traced.jaxpr)


def convolve(image, kernel, padding="SAME", **how):
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        image,
        kernel,
        **{"window_strides": (1, 1), "padding": padding, **how},
        dimension_numbers=numbers,
    )


def test_flops_of_products_by_hand():
    assert counted(jnp.matmul, (3, 5), (5, 7)) == 2 * 3 * 5 * 7
    both = lambda a, b: jnp.einsum("bij,bjk->bik", a, b)  # noqa: E731
    assert counted(both, (4, 3, 5), (4, 5, 7)) == 4 * 2 * 3 * 5 * 7
    assert counted(lambda a: a + jnp.sin(a), (3, 5)) == 0


def test_flops_of_convolutions_by_hand():
    image, kernel = (2, 8, 8, 3), (3, 3, 3, 5)
    valid = lambda a, b: convolve(a, b, "VALID")  # noqa: E731
    assert counted(valid, image, kernel) == 2 * 2 * 5 * 3 * (6 * 3) ** 2
    # SAME: the first and the last output have a cell of the kernel on the padding
    assert counted(convolve, image, kernel) == 2 * 2 * 5 * 3 * (8 * 3 - 2) ** 2
    # one group a channel: a kernel sees one of them
    apart = lambda a, b: convolve(a, b, "VALID", feature_group_count=3)  # noqa: E731
    assert counted(apart, image, (3, 3, 1, 6)) == 2 * 2 * 6 * 1 * (6 * 3) ** 2


def test_flops_of_a_transposed_convolution_by_hand():
    """Doubling the side by a 2x2 kernel: each output cell sees one input."""

    def doubled(image, kernel):
        return jax.lax.conv_transpose(image, kernel, (2, 2), "SAME")

    assert counted(doubled, (1, 4, 4, 3), (2, 2, 3, 5)) == 2 * 5 * 3 * 8 * 8


def test_flops_of_a_gradient_by_hand():
    """With respect to the kernel as many as forward, to the image as many again."""

    def loss(kernel, image):
        return convolve(image, kernel, "VALID").sum()

    forward = 2 * 2 * 5 * 3 * (6 * 3) ** 2
    kernel, image = (3, 3, 3, 5), (2, 8, 8, 3)
    assert counted(jax.grad(loss), kernel, image) == 2 * forward
    assert counted(jax.grad(loss, (0, 1)), kernel, image) == 3 * forward


def test_flops_inside_loops_branches_and_devices():
    def loop(a):
        return jax.lax.scan(lambda c, _: (c @ c, None), a, length=4)[0]

    def branch(a):
        return jax.lax.cond(a[0, 0] > 0, lambda a: a @ a @ a, lambda a: a @ a, a)

    one = 2 * 3**3
    assert counted(loop, (3, 3)) == 4 * one
    assert counted(branch, (3, 3)) == 2 * one
    assert counted(jax.jit(jax.checkpoint(lambda a: a @ a)), (3, 3)) == one
    # of one device, however many there are
    assert counted(jax.pmap(lambda a: a @ a), (jax.device_count(), 3, 3)) == one


@pytest.mark.parametrize("name", ["nevi", "pasture", "dancers"])
def test_shapes_of_examples_are_those_of_the_data(name):
    rows = data.load_split(name, "val", size=24, pictures=10)
    info = data.make_info(name)
    on_device = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, rows.arrays))
    made = {w: (a.shape[1:], a.dtype) for w, a in on_device.items()}
    assert data.example_shapes(info, 24) == made


def planned(*words):
    overrides = [tuple(w.removeprefix("--config.").split("=")) for w in (*TINY, *words)]
    config = run.load_config("unet:small", overrides)
    return config, run.build_parts(config)


def test_memory_by_part_by_hand():
    """Parts are of a device; they add up to what the compiler says, but for the
    pictures that choose, which no training step takes."""
    config, parts = planned("--config.data.pictures=100")
    target = parallel.find_target()
    pictures = plan.find_pictures(config, parts.info)
    assert pictures == (60, 20, True)
    shapes = plan.step_shapes(config, parts, pictures, 8, 16)
    traced, compiled = plan.compile_step(parts, target, shapes)
    costs, said = (
        plan.costs_of(shapes, pictures, traced, compiled),
        compiled.memory_analysis(),
    )
    memory, parameters = (
        costs.memory,
        sum(x.size for x in jax.tree.leaves(shapes[0].params)),
    )
    assert memory["parameters"] == memory["gradients"] == 4 * parameters
    assert memory["optimizer state"] == 2 * 4 * parameters + 2 * 4  # Adam's, two counts
    assert memory["averaged weights"] == 4 * parameters + memory["batch statistics"]
    assert memory["pictures"] == 80 * 16 * 16 * 4
    assert memory["batch"] == 2 * 2 * 4
    taken = said.argument_size_in_bytes + said.temp_size_in_bytes
    new = said.output_size_in_bytes - said.alias_size_in_bytes
    code = said.generated_code_size_in_bytes
    assert costs.total == taken + new + code + 20 * 16 * 16 * 4
    # the compiler counts what stands between the layers, too
    assert costs.layer_flops <= costs.flops < 3 * costs.layer_flops
    assert costs.bytes > costs.memory["pictures"]


def test_a_compiler_that_does_not_count_is_not_believed():
    class Silent:
        def cost_analysis(self):
            return [{"flops": -1.0}]

        memory_analysis = jax.jit(lambda: 1).lower().compile().memory_analysis

    config, parts = planned()
    shapes = plan.step_shapes(config, parts, plan.Pictures(), 8, 16)
    traced = jax.make_jaxpr(jnp.matmul)(jnp.zeros((3, 5)), jnp.zeros((5, 7)))
    costs = plan.costs_of(shapes, plan.Pictures(), traced, Silent())
    assert (costs.flops, costs.bytes) == (210, None)
    told = _tell.told_step(config, parallel.find_target(), 16, costs)
    assert "unknown" in told[-1]
    told = _tell.told_roofline(costs, 16, parallel.Peaks(2100, 1), measured=True)
    assert "100.0 ms" in told[1]
    assert "unknown" in told[2]
    assert "160 pictures" in told[3]
    assert "no table" in _tell.told_roofline(costs, 16, None, False)[0]


def test_streamed_pictures_are_part_of_the_batch():
    config, parts = planned("--config.data.memory=0")
    pictures = plan.find_pictures(config, parts.info)
    assert not pictures.resident
    _, source, batch = plan.step_shapes(config, parts, pictures, 8, 16)
    assert source == ()
    assert batch["examples"]["image"].shape == (8, 2, 16, 16, 3)


def growing(fixed, each, limit=None):
    """bytes_of a step, and the batches that were asked for."""
    asked = []

    def bytes_of(batch):
        asked.append(batch)
        return None if limit and batch > limit else fixed + each * batch

    return bytes_of, asked


def test_the_largest_batch_by_hand():
    bytes_of, asked = growing(100, 10)
    assert plan.largest_batch(bytes_of, 16, 8, 1000, make_sure=False) == 88
    assert asked == [16, 32]
    bytes_of, asked = growing(100, 10)
    assert plan.largest_batch(bytes_of, 16, 8, 1000, make_sure=True) == 88
    assert asked == [16, 32, 88]
    for sure in (False, True):  # not even one unit fits; a smaller batch does
        assert plan.largest_batch(growing(990, 10)[0], 16, 8, 1000, sure) == 0
        assert plan.largest_batch(growing(100, 10)[0], 640, 8, 1000, sure) == 88


def test_the_largest_batch_of_a_compiler_that_refuses():
    bytes_of, asked = growing(100, 10, limit=80)
    assert plan.largest_batch(bytes_of, 16, 8, 1000, make_sure=True) == 80
    assert asked == [16, 32, 88, 56, 72, 80]
    assert plan.largest_batch(growing(0, 1, 20)[0], 16, 8, 1000, make_sure=True) == 16
    assert plan.largest_batch(growing(0, 1, 1)[0], 8, 8, 1000, make_sure=True) == 0


def test_the_largest_batch_where_few_pictures_are_padded_to_more():
    asked = []

    def bytes_of(batch):
        asked.append(batch)
        return 100 + 10 * max(batch, 40)

    assert plan.largest_batch(bytes_of, 16, 8, 1000, make_sure=True) == 88
    assert asked == [16, 32, 64, 96, 88]
    # nothing ever costs more: it ends all the same
    assert plan.largest_batch(growing(9, 0)[0], 16, 8, 1000, make_sure=True) == 1024


def test_amounts_have_three_digits():
    shown = [
        _tell.amount(v) for v in (0, 7, 999.4, 999.6, 38.95e9, 1e12, 4.55e15, 1e19)
    ]
    assert shown[:4] == ["0.00 ", "7.00 ", "999 ", "1.00 k"]
    assert shown[4:] == ["39.0 G", "1.00 T", "4.55 P", "10000 P"]


@pytest.fixture
def quick_peaks(monkeypatch):
    """Measuring takes its second, and is tested by itself."""
    from segjax.parallel import _target

    monkeypatch.setattr(_target, "measure_peaks", lambda *_: parallel.Peaks(1e11, 1e10))


def test_a_plan_as_typed(quick_peaks, capsys):
    assert main(["plan", "--config", "unet:small", *TINY, "--for", "cpu"]) == 0
    told = capsys.readouterr().out
    for said in (
        " parameters\n",
        "A step of 16 pictures of 16x16 on 8 x cpu",
        "optimizer state",
        "600 to learn from and 200 that choose",
        "Roofline of 100 GFLOP/s and 10.0 GB/s, measured here",
        "Largest batch: about ",
    ):
        assert said in told


def test_data_that_is_not_at_hand(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path))
    config = run.load_config("unet:ph2")
    pictures = plan.find_pictures(config, data.make_info("ph2"))
    assert pictures == (0, 0, False)
    costs = plan.Costs(1, 1, 1, {"batch": 1})
    told = _tell.told_memory(config, pictures, costs)
    assert "data 'ph2' is not at hand to be counted" in told[-1]
    # what has classes of its own cannot be planned for unseen
    assert main(["plan", "unet:folder"]) == 2
    assert "--config.data.dir=" in capsys.readouterr().err


def test_a_plan_begins_with_the_papers_counts():
    config = run.load_config("unet:paper")
    lines = plan.plan(config, run.build_parts(config), parallel.find_target())
    assert "31,037,633 parameters" in next(lines)[-1]


def test_mistakes_of_a_plan(capsys, monkeypatch):
    def told(*words):
        assert main(["plan", *words]) == 2
        return capsys.readouterr().err

    assert "--config" in told()
    assert "not allowed" in told("unet", "--config=unet")
    assert "must be cpu, gpu, or TPUs" in told("unet:small", *TINY, "--for=fast")
    assert "jax sees none here" in told("unet:small", *TINY, "--for=gpu")
    assert "There is no config 'unett'" in told("unett")  # in its place
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda n, *a: None if n == "libtpu" else known(n, *a),
    )
    assert 'pip install "jax[tpu]==' in told("unet", "--for=v5e:2x2")


def test_the_batch_is_checked_against_the_target():
    config = run.load_config("unet:small", [("batch", "4")])
    with pytest.raises(Mistake, match="8 devices"):
        run.build_parts(config)
    assert run.build_parts(config, devices=4).task.heads


def test_what_a_device_can_do_is_measured(monkeypatch):
    from segjax.parallel import _peaks

    monkeypatch.setattr(_peaks, "_SIDES", (64, 128))
    monkeypatch.setattr(_peaks, "_COPIED", 2**22)
    peaks = _peaks.measure_peaks(jax.local_device_count(), "bfloat16")
    assert 1e6 < peaks.flops < 1e15
    assert 1e6 < peaks.bytes < 1e14
