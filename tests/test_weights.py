"""Other people's weights: every array stands where it belongs, or a sentence says why
not. The files are drawn: torchvision's names and shapes, written down here a second
time."""

import functools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from segjax import models, run
from segjax.__main__ import main
from segjax.base import Mistake
from segjax.run import load_config, start_from
from segjax.train._begin import begin
from segjax.train._programs import creation

FIRST, LAST = "params/encoder0_0/Conv_0/kernel", "params/encoder4_2/Conv_0/kernel"
# the N in features.N of each convolution of VGG16, and its channels
PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
PLACES_BN = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
CHANNELS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
random = np.random.default_rng(0)


def drawn(*shape):
    return random.random(shape, np.float32) - np.float32(0.5)


def norm_layer(name, channels):
    return {
        f"{name}.weight": drawn(channels),
        f"{name}.bias": drawn(channels),
        f"{name}.running_mean": drawn(channels),
        f"{name}.running_var": drawn(channels) + 1,
        f"{name}.num_batches_tracked": np.array(7),
    }


def vgg16(places, normed):
    weights, before = {}, 3
    for place, channels in zip(places, CHANNELS):
        weights[f"features.{place}.weight"] = drawn(channels, before, 3, 3)
        weights[f"features.{place}.bias"] = drawn(channels)
        if normed:
            weights |= norm_layer(f"features.{place + 1}", channels)
        before = channels
    classifiers = ("classifier.0.bias", "pre_logits.fc1.bias", "head.fc.bias")
    return weights | {name: drawn(9) for name in classifiers}


@functools.cache
def resnet18():
    weights = {"conv1.weight": drawn(64, 3, 7, 7), **norm_layer("bn1", 64)}
    before = 64
    for layer, channels in enumerate((64, 128, 256, 512), 1):
        for block in (0, 1):
            at = f"layer{layer}.{block}"
            weights[f"{at}.conv1.weight"] = drawn(channels, before, 3, 3)
            weights[f"{at}.conv2.weight"] = drawn(channels, channels, 3, 3)
            weights |= norm_layer(f"{at}.bn1", channels)
            weights |= norm_layer(f"{at}.bn2", channels)
            if before != channels:
                weights[f"{at}.downsample.0.weight"] = drawn(channels, before, 1, 1)
                weights |= norm_layer(f"{at}.downsample.1", channels)
            before = channels
    return weights | {"fc.weight": drawn(10, 512), "fc.bias": drawn(10)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files FORM.safetensors, and the folders FORM that were made of them."""
    made = tmp_path_factory.mktemp("weights")
    drawings = {
        "vgg16": vgg16(PLACES, normed=False),
        "vgg16_bn": vgg16(PLACES_BN, normed=True),
        "resnet18": resnet18(),
    }
    for form, weights in drawings.items():
        save_file(weights, made / f"{form}.safetensors")
        assert convert(made / f"{form}.safetensors", form, made / form) == 0
    return made


def convert(file, form, out):
    return main(["weights", str(file), "--as", form, "--out", str(out)])


def shapes_of(name, **config):
    return models.variable_shapes(models.build(name, {"mask": 1}, **config))


def flat(tree):
    return {
        "/".join(part.key for part in path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    }


def test_arrays_stand_where_they_belong(folder):
    found, _ = start_from(str(folder / "resnet18"), shapes_of("unet", **RESNET))
    found, given = flat(found), load_file(folder / "resnet18.safetensors")
    norm = "Norm_0/BatchNorm_0"
    for ours, theirs in {
        "params/encoder0_0/Conv_0/kernel": "conv1.weight",
        f"params/encoder0_0/{norm}/scale": "bn1.weight",
        f"params/encoder0_0/{norm}/bias": "bn1.bias",
        f"batch_stats/encoder0_0/{norm}/mean": "bn1.running_mean",
        f"batch_stats/encoder0_0/{norm}/var": "bn1.running_var",
        "params/encoder1_1/conv1/Conv_0/kernel": "layer1.1.conv1.weight",
        "params/encoder3_1/conv2/Conv_0/kernel": "layer3.1.conv2.weight",
        f"params/encoder3_0/conv1/{norm}/scale": "layer3.0.bn1.weight",
        f"batch_stats/encoder3_0/conv2/{norm}/var": "layer3.0.bn2.running_var",
        "params/encoder4_0/shortcut/Conv_0/kernel": "layer4.0.downsample.0.weight",
        f"params/encoder2_0/shortcut/{norm}/bias": "layer2.0.downsample.1.bias",
    }.items():
        assert found[ours].dtype == np.float32
        array = given[theirs]
        if array.ndim == 4:
            assert found[ours][0, -1, 2, 5] == array[5, 2, 0, -1]
            array = np.moveaxis(array, (0, 1), (3, 2))
        np.testing.assert_array_equal(found[ours], array)


RESNET = {"encoder": "resnet18", "width": 4}


def test_one_folder_serves_both_networks(folder):
    given = load_file(folder / "vgg16_bn.safetensors")
    last = np.moveaxis(given["features.40.weight"], (0, 1), (3, 2))
    mean = given["features.41.running_mean"]
    for name, config in [("unet", {"encoder": "vgg16_bn", "width": 4}), ("segnet", {})]:
        found, told = start_from(str(folder / "vgg16_bn"), shapes_of(name, **config))
        found = flat(found)
        np.testing.assert_array_equal(found[LAST], last)
        stats = "batch_stats/encoder4_2/Norm_0/BatchNorm_0/mean"
        np.testing.assert_array_equal(found[stats], mean)
        assert f"init: 78 of {len(found)} arrays from {folder / 'vgg16_bn'}" in told
        assert told.split("; new: ")[1].startswith("decoder, heads")
        assert "encoder" not in told.split("; new: ")[1]


def test_segnet_takes_vgg16_and_keeps_its_normalisation(folder):
    found, told = start_from(str(folder / "vgg16"), shapes_of("segnet"))
    found = flat(found)
    given = load_file(folder / "vgg16.safetensors")
    np.testing.assert_array_equal(
        found["params/encoder2_1/Conv_0/bias"], given["features.12.bias"]
    )
    fresh = found["params/encoder2_1/Norm_0/BatchNorm_0/scale"]
    assert isinstance(fresh, jax.ShapeDtypeStruct)
    assert told.endswith("new: decoder, heads, normalisation of the encoder")


def test_a_run_starts_from_it(folder, capsys):
    """The state before the first step: weights, statistics, and their averages."""

    config = load_config(
        "unet",
        {
            "model.encoder": "resnet18",
            "model.width": "4",
            "data.size": "32",
            "init": str(folder / "resnet18"),
        }.items(),
    )
    keeper = SimpleNamespace(newest=None)
    create = creation(config, run.build_parts(config))

    def zeros(seed):  # a random start takes its time, and is not asked for here
        shapes = jax.eval_shape(create, seed)
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    state, _ = begin(config, zeros, keeper, print)
    assert "init: 100 of 162 arrays from" in capsys.readouterr().out
    given = load_file(folder / "resnet18.safetensors")
    mean = state.batch_stats["encoder1_0"]["conv2"]["Norm_0"]["BatchNorm_0"]["mean"]
    np.testing.assert_array_equal(mean, given["layer1.0.bn2.running_mean"])
    ours = {"params": state.params, "batch_stats": state.batch_stats}
    assert jax.tree.all(jax.tree.map(np.array_equal, state.ema, ours))


@pytest.mark.parametrize(
    ("held", "name", "config", "word"),
    [
        ("resnet18", "unet", {"encoder": "resnet34"}, "model.encoder=resnet18 of unet"),
        ("resnet18", "segnet", {}, "encoder=resnet18 of unet."),
        ("vgg16", "unet", {}, "encoder=vgg16 of unet, or take segnet"),
        ("vgg16", "lesson", {}, "this model has another"),
        ("vgg16", "segnet", {"width": 16}, "Set --config.model.width=64"),
        ("vgg16_bn", "unet", {"encoder": "vgg16"}, "model.encoder=vgg16_bn of unet"),
        ("vgg16_bn", "segnet", {"norm": "none"}, "model.norm=batch"),
    ],
)
def test_another_networks_encoder_is_refused(folder, held, name, config, word):
    with pytest.raises(Mistake, match=word):
        start_from(str(folder / held), shapes_of(name, **config))


def test_a_folder_that_is_broken_or_something_else(folder, tmp_path):
    shapes = shapes_of("unet", **RESNET)
    with pytest.raises(Mistake, match="not the folder of a run, nor one that"):
        start_from(str(tmp_path), shapes)
    content = (folder / "resnet18" / "encoder.safetensors").read_bytes()
    (tmp_path / "encoder.safetensors").write_bytes(content[:-1])
    with pytest.raises(Mistake, match="write it again with: python -m segjax weights"):
        start_from(str(tmp_path), shapes)
    save_file({"a": drawn(1)}, tmp_path / "encoder.safetensors")
    with pytest.raises(Mistake, match="is not what `python -m segjax weights` writes"):
        start_from(str(tmp_path), shapes)


def test_what_was_taken_and_left_is_said(folder, tmp_path, capsys):
    file = folder / "resnet18.safetensors"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "encoder.safetensors.part").touch()  # of a killed process
    assert convert(file, "resnet18", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "resnet18: 100 arrays, 11,186,112 numbers" in said
    assert "left:  fc.bias, fc.weight\n" in said
    assert f"encoder=resnet18 --config.init={tmp_path / 'out'}" in said
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["encoder.safetensors"]


@pytest.mark.parametrize("kind", [np.float64, np.float16, ml_dtypes.bfloat16])
def test_other_types_become_float32(folder, tmp_path, kind):
    kernel = resnet18()["conv1.weight"].astype(kind)
    save_file(resnet18() | {"conv1.weight": kernel}, tmp_path / "x.safetensors")
    assert convert(tmp_path / "x.safetensors", "resnet18", tmp_path / "out") == 0
    found = load_file(tmp_path / "out" / "encoder.safetensors")[FIRST]
    assert found.dtype == np.float32
    expected = kernel.astype(np.float32)
    np.testing.assert_array_equal(found, np.moveaxis(expected, (0, 1), (3, 2)))


BROKEN = {  # bytes, or what is otherwise in ResNet-18's (None: not there)
    "an array lacks": (
        {"bn1.running_var": None},
        "it lacks 1 array (bn1.running_var).",
    ),
    "one too many": (
        {"layer4.2.conv1.weight": drawn(2)},
        "it holds 1 array (layer4.2.conv1.weight).",
    ),
    "another shape": (
        {"conv1.weight": drawn(64, 1, 7, 7)},
        "conv1.weight is [64, 1, 7, 7] and must be [64, 3, 7, 7].",
    ),
    "not a number": (
        {"bn1.bias": np.full(64, np.nan, np.float32)},
        "bn1.bias in FILE holds numbers that are not finite",
    ),
    "too large": ({"bn1.bias": np.full(64, 1e60)}, "numbers that are not finite"),
    "whole numbers": ({"bn1.bias": np.ones(64, np.int8)}, "bn1.bias in FILE is I8"),
    "other names": (
        {"bn1.bias": None, "norm1.bias": drawn(64)},
        "it lacks 1 array (bn1.bias), and it holds 1 array (norm1.bias).",
    ),
    "nothing in it": (b"", "is not a safetensors file, or not all of it"),
    "noise": (bytes(range(200, 256)), "is not a safetensors file"),
    "a zip of PyTorch": (b"PK\x03\x04 and so on", "is a pickle"),
    "an old pickle": (b"\x80\x02\x8a\nl\xfc", "torch.load('FILE'"),
}


@pytest.mark.parametrize(("content", "word"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence(content, word, tmp_path, capsys):
    file = tmp_path / "x.safetensors"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        weights = resnet18() | content
        save_file({n: w for n, w in weights.items() if w is not None}, file)
    check_refused(file, "resnet18", word.replace("FILE", str(file)), capsys)


def check_refused(file, form, word, capsys):
    out = file.parent / "deep" / "out"
    assert convert(file, form, out) == 2
    said = capsys.readouterr().err.strip()
    assert word in said
    assert said.startswith("segjax: ")
    assert "\n" not in said
    assert not (file.parent / "deep").exists()


def test_the_wrong_form_names_the_right_one(folder, capsys):
    for file, form, word in [
        ("vgg16_bn", "vgg16", "is not vgg16 but vgg16_bn; type --as vgg16_bn."),
        ("vgg16", "vgg16_bn", "is not vgg16_bn but vgg16; type --as vgg16."),
        ("resnet18", "resnet34", "is not resnet34 but resnet18; type --as resnet18."),
        ("resnet18", "resnet8", "--as is 'resnet8'; it must be one of 'vgg16',"),
        ("none", "vgg16", "none.safetensors cannot be read: No such file"),
        ("", "vgg16", "is a folder; give a file"),
    ]:
        check_refused(folder / (file and f"{file}.safetensors"), form, word, capsys)


def test_a_file_cut_short(folder, tmp_path, capsys):
    content = (folder / "resnet18.safetensors").read_bytes()
    for length in (20, 5000, len(content) - 1):
        (tmp_path / "x.pth").write_bytes(content[:length])
        check_refused(tmp_path / "x.pth", "resnet18", "is a pickle", capsys)
        (tmp_path / "x").write_bytes(content[:length])
        check_refused(tmp_path / "x", "resnet18", "or not all of it", capsys)


def test_a_folder_that_cannot_be_written(folder, tmp_path, capsys, monkeypatch):
    file, full = folder / "resnet18.safetensors", tmp_path / "full"
    full.mkdir()
    (full / "photo.jpg").write_bytes(b"mine")
    for out, word in [
        (full, "is not empty; give --out a new folder"),
        (full / "photo.jpg", "is a file; give --out a new folder"),
        (full / "photo.jpg" / "deep", "is a file; give --out a new folder"),
    ]:
        assert convert(file, "resnet18", out) == 2
        assert word in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda *_: False)
    assert convert(file, "resnet18", tmp_path / "new" / "deep") == 2
    assert f"{tmp_path} cannot be written to" in capsys.readouterr().err
    assert [p.name for p in tmp_path.rglob("*")] == ["full", "photo.jpg"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch, failure):
    def fail(*_):
        raise failure

    monkeypatch.setattr("pathlib.Path.replace", fail)
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "new" / "deep", tmp_path / "empty"):
        with pytest.raises((Mistake, KeyboardInterrupt)):
            run.write_encoder(out, "vgg16", {"a": drawn(1)})
    assert [p.name for p in tmp_path.rglob("*")] == ["empty"]
