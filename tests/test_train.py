"""Whole runs of a shipped config, shrunk."""

import csv
import io
import json
import os
import re
import signal
import time
from functools import partial
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest
from PIL import Image

import segjax
import segjax.run
from segjax import data, parallel, tasks
from segjax.base import GoneWrong, Mistake, Stopped
from segjax.compare._store import Store
from segjax.log import Progress
from segjax.run import load_config
from segjax.step import State
from segjax.train import Programs, alone, side_by_side, training

SHRUNK = {
    "steps": "6",
    "batch": "8",
    "data.size": "16",
    "data.pictures": "30",
    "model.width": "4",
    "log.evaluate": "2",
    "log.metrics": "2",
    "log.tensorboard": "false",
}


def shrunk(name="unet", **changes):
    shallow = {"model.depth": "1", "model.width": "2"} if name == "unet" else {}
    return load_config(name, (SHRUNK | shallow | changes).items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "unet"
    scores = segjax.train_and_evaluate(shrunk(**{"log.tensorboard": "true"}), folder)
    return folder, scores


def parameters(folder, step=6):
    return jax.device_get(segjax.load_run(folder, step=step).variables)


def left_by(folder):
    """All that a run leaves for its user, byte by byte."""
    files = [folder / name for name in ("metrics.jsonl", "rows.csv", "scores.json")]
    files += (folder / "pictures").iterdir()
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def same(a, b):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def test_a_streamed_run_learns_what_a_stored_one_does(finished, tmp_path, capsys):
    """The same batches by another program: equal to rounding."""
    folder, scores = finished
    streamed = segjax.train_and_evaluate(shrunk(**{"data.memory": "0"}), tmp_path)
    assert "streamed: the pictures take more" in capsys.readouterr().out
    for name, score in scores["scores"].items():
        assert streamed["scores"][name]["mean"] == pytest.approx(
            score["mean"], abs=0.02
        )
    one, other = (parameters(at)["params"] for at in (folder, tmp_path))
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-3), one, other)


def test_a_run_leaves_what_it_promises(finished):
    folder, scores = finished
    found = {p.name for p in folder.iterdir()}
    assert found == {
        *("config.json", "metrics.jsonl", "scores.json", "rows.csv"),
        *("pictures", "checkpoints", "tensorboard", "lock"),
    }
    assert json.loads((folder / "scores.json").read_text()) == scores
    assert {"step", "split", "size", "scores"} == set(scores)
    assert (scores["split"], scores["size"]) == ("test", "training")
    assert set(scores["scores"]["dice"]) == {"mean", "low", "high", "pooled", "n"}
    assert scores["scores"]["dice"]["n"] == 6
    lines = [
        json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines if "loss" in line] == [2, 4, 6]
    assert [line["step"] for line in lines if "val/dice" in line] == [2, 4, 6]
    pictures = sorted((folder / "pictures").iterdir())
    assert len(pictures) == 1 + 3 * 4
    with Image.open(pictures[0]) as picture:  # four examples, before the first step
        assert picture.size == (2 * 16, 4 * 16)
    with Image.open(pictures[1]) as picture:
        assert picture.size == (4 * 16, 16)
    assert any((folder / "tensorboard").iterdir())


def test_rows_hold_each_test_picture_and_make_the_scores(finished):
    folder, scores = finished
    with (folder / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    test = data.open_split("nevi", "test", size=16, pictures=30)
    assert [row["name"] for row in rows] == [test[i]["name"] for i in range(len(test))]
    mean = np.mean([float(row["dice"]) for row in rows])
    assert mean == pytest.approx(scores["scores"]["dice"]["mean"])
    tp, fp, fn = (
        sum(int(row[f"confusion[{i}, {j}]"]) for row in rows)
        for i, j in ((1, 1), (0, 1), (1, 0))
    )
    pooled = 2 * tp / (2 * tp + fp + fn)
    assert pooled == pytest.approx(scores["scores"]["dice"]["pooled"])


def test_the_same_config_gives_the_same_bits(finished, tmp_path):
    folder, _ = finished
    segjax.train_and_evaluate(shrunk(), tmp_path / "again")
    assert same(parameters(folder), parameters(tmp_path / "again"))
    segjax.train_and_evaluate(shrunk(seed="1"), tmp_path / "other")
    assert not same(parameters(folder), parameters(tmp_path / "other"))


def test_what_takes_long_is_told():
    out = io.StringIO()
    progress = Progress(1, out=out)
    with progress.waiting("compiling the training step"):
        time.sleep(1.05)
    with progress.waiting("what is done at once"):
        pass
    assert re.fullmatch(r"compiling the training step: 1\.\d s\n", out.getvalue())


def test_a_stopped_run_goes_on_to_the_same_bits(finished, tmp_path, monkeypatch):
    """SIGTERM at a third, between two evaluations; then the same command."""
    folder, _ = finished
    real = data.make_batch

    def stop_at_step_3(seed, step, *sizes):
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(seed, step, *sizes)

    with monkeypatch.context() as patched:
        patched.setattr(data, "make_batch", stop_at_step_3)
        with pytest.raises(Stopped, match="Stopped at step 3 of 6"):
            segjax.train_and_evaluate(shrunk(), tmp_path)
    assert not (tmp_path / "scores.json").exists()
    segjax.train_and_evaluate(shrunk(), tmp_path)
    assert same(parameters(folder), parameters(tmp_path))
    assert left_by(tmp_path) == left_by(folder)


def test_a_finished_run_says_so_and_changes_nothing(finished, capsys):
    folder, scores = finished

    def files():
        kept = [p for p in folder.rglob("*") if p.is_file() and p.name != "lock"]
        return {p: p.stat().st_mtime_ns for p in kept}

    before = files()
    assert (
        segjax.train_and_evaluate(shrunk(**{"log.tensorboard": "true"}), folder)
        == scores
    )
    assert "This run is finished" in capsys.readouterr().out
    assert files() == before


def test_the_output_names_what_a_user_must_know(tmp_path, capsys):
    segjax.train_and_evaluate(shrunk(steps="1"), tmp_path)
    said = capsys.readouterr().out
    for word in (
        *("devices: 8 x cpu", "preset:", "18 train, 6 val, 6 test pictures"),
        *("skin, nevus", "parameters", f"run:     {tmp_path}"),
        *("95 % interval", "load_run"),
    ):
        assert word in said, said


def test_a_run_can_be_used(finished):
    folder, _ = finished
    run = segjax.load_run(folder)
    assert run.config.model.name == "unet"
    images = [np.zeros((20, 30, 3), np.uint8), np.full((9, 9, 3), 200, np.uint8)]
    found = run.predict(images)
    assert [p["semantic"].shape for p in found] == [(20, 30), (9, 9)]
    assert found[0]["probability"].shape == (20, 30, 2)
    with pytest.raises(Mistake, match=r"this one is uint8\[9, 9\]"):
        run.predict([images[1][..., 0]])
    with pytest.raises(Mistake, match="is not a run"):
        segjax.load_run(folder.parent)
    with pytest.raises(Mistake, match="no checkpoint of step 3; it has: "):
        segjax.load_run(folder, step=3)


def test_predictions_are_those_that_were_scored(finished):
    folder, _ = finished
    run = segjax.load_run(folder)
    test = data.load_split("nevi", "test", size=16, pictures=30)
    predictions = run.predict(test.arrays["image"])
    with (folder / "rows.csv").open() as file:
        for row, found, truth in zip(
            csv.DictReader(file), predictions, test.arrays["semantic"]
        ):
            both = int(((found["semantic"] == 1) & (truth == 1)).sum())
            assert both == int(row["confusion[1, 1]"])


def test_a_run_can_start_from_another_ones_encoder(tmp_path, capsys):
    segjax.train_and_evaluate(shrunk("autoencoder"), tmp_path / "first")
    changes = {
        "init": str(tmp_path / "first"),
        "steps": "1",
        "optim.learning_rate": "0",
    }
    segjax.train_and_evaluate(shrunk("segnet:lesson", **changes), tmp_path / "second")
    assert "new: heads/mask/bias, heads/mask/kernel" in capsys.readouterr().out
    donor, fresh = (
        jax.device_get(segjax.load_run(tmp_path / name).variables["params"])
        for name in ("first", "second")
    )
    for part in ("encoder0_0", "bottom_0"):  # equal but for the rounding of the average
        jax.tree.map(
            partial(np.testing.assert_allclose, rtol=1e-5), donor[part], fresh[part]
        )


def test_every_evaluated_step_but_the_newest_two_and_the_best_is_cleared(finished):
    folder, scores = finished
    kept = {int(p.name) for p in (folder / "checkpoints").iterdir() if p.name.isdigit()}
    assert {4, 6} <= kept <= {4, 6, scores["step"]}


def test_measured_options_are_stored_and_used_again(tmp_path):
    changes = {"task.class_weights": "median_frequency", "steps": "2"}
    segjax.train_and_evaluate(shrunk(**changes), tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["task"]["class_weights"] == "median_frequency"
    assert len(saved["settled"]["task"]["class_weights"]) == 2
    segjax.load_run(tmp_path)
    segjax.train_and_evaluate(shrunk(**changes | {"steps": "4"}), tmp_path)
    again = json.loads((tmp_path / "config.json").read_text())
    assert again["settled"]["task"] == saved["settled"]["task"]


def test_fewer_steps_than_gone_are_refused(finished):
    folder, _ = finished
    before = (folder / "config.json").read_bytes()
    with pytest.raises(Mistake, match="has gone 6 steps already; steps is 4"):
        segjax.train_and_evaluate(shrunk(steps="4"), folder)
    assert (folder / "config.json").read_bytes() == before


def test_a_run_killed_before_its_first_file_starts_again(finished, tmp_path):
    """And one that scored fewer steps does not pass for finished."""
    folder, _ = finished
    for name in ("lock", "config.json.part"):
        (tmp_path / name).write_text("")
    (tmp_path / "checkpoints").mkdir()
    segjax.train_and_evaluate(shrunk(), tmp_path)
    assert same(parameters(folder), parameters(tmp_path))


def test_numbers_gone_wrong_stop_the_run(tmp_path):
    changes = {"optim.name": "sgd", "optim.learning_rate": "1e30", "optim.clip": "0"}
    with pytest.raises(GoneWrong, match=r"None of the updates from step [12] on"):
        segjax.train_and_evaluate(shrunk(steps="40", **changes), tmp_path)
    assert not (tmp_path / "scores.json").exists()


def test_a_run_to_start_from_is_looked_at_before_anything_is_written(
    finished, tmp_path
):
    folder, _ = finished
    changes = {"init": str(folder), "model.width": "5", "steps": "1"}
    with pytest.raises(Mistake, match="no kernel there fits this model"):
        segjax.train_and_evaluate(shrunk("segnet", **changes), tmp_path / "new")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(Mistake, match="has no checkpoint yet"):
        segjax.train_and_evaluate(
            shrunk(**changes | {"init": str(tmp_path)}), tmp_path / "new"
        )
    assert not (tmp_path / "new").exists()


def test_a_state_holds_arrays_only():
    assert State._fields == (
        "step",
        "params",
        "batch_stats",
        "ema",
        "opt_state",
        "seed",
    )


class Brightness(nn.Module):
    """A network that finds what is bright."""

    def __call__(self, image, train=False, keys=None):
        return {"mask": image[..., :1] * 100}


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop"])
def test_a_prediction_lies_where_the_picture_does(fit):
    """Padding is cut away again, and proportions come back."""
    config = load_config("unet", [("data.fit", fit), ("data.size", "32")])
    info = data.make_info("nevi")
    task = tasks.make_task("semantic", info)
    run = segjax.run.Run(Path(), config, info, task, Brightness(), {}, 0)
    for shape in ((20, 40), (60, 30)):
        image = np.zeros((*shape, 3), np.uint8)
        image[: shape[0] // 2] = 255
        (found,) = run.predict([image])
        truth = np.zeros(shape, np.uint8)
        truth[: shape[0] // 2] = 1
        assert found["semantic"].shape == shape
        assert (found["semantic"] != truth).mean() < 0.05


def test_training_says_when_the_prediction_is_constant(tmp_path, capsys):
    """A class that weighs nothing is never called."""
    black = {"task.class_weights": "(1, 0)", "task.dice": "0", "steps": "12"}
    config = shrunk(**black, **{"optim.learning_rate": "0.1", "log.evaluate": "12"})
    scores = segjax.train_and_evaluate(config, tmp_path)
    said = capsys.readouterr().out
    assert "step 12: every pixel is called 'skin'" in said
    assert "Something is wrong: every pixel is called 'skin'" in said
    assert "every pixel is called 'skin'" in scores["remark"]


def test_trainings_beside_each_other_are_those_alone(tmp_path):
    """Nine of them on eight devices, all by one program, each with its own batches."""
    made = []

    def counted(step):
        apart = parallel.train_apart(step)
        return lambda *given: made.append(given[2]["index"].shape[0]) or apart(*given)

    def trainings(where, programs, stop, seeds):
        for seed in seeds:
            config = shrunk(**{"seed": str(seed), "steps": "3", "log.pictures": "0"})
            folder = where / str(seed)
            yield training(config, folder, programs, stop, store.load_splits)

    with segjax.run.stop_requests() as stop:
        programs, store = Programs(counted), Store()
        apart = list(
            side_by_side(trainings(tmp_path / "apart", programs, stop, range(9)))
        )
        assert len(programs) == 1
        assert made == [8] * 6, "three steps of eight, then three of the ninth"
        few = trainings(tmp_path / "alone", Programs(), stop, (4, 8))
        whole = [alone(one) for one in few]
    assert len(apart) == 9
    for seed, scores in zip((4, 8), whole):
        folder = tmp_path / "apart" / str(seed)
        found = json.loads((folder / "scores.json").read_text())
        assert found["step"] == scores["step"]
        ours = parameters(folder, step=3)["params"]
        theirs = parameters(tmp_path / "alone" / str(seed), step=3)["params"]
        jax.tree.map(partial(np.testing.assert_allclose, atol=2e-3), ours, theirs)
