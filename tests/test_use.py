"""A run in use: scored at its pictures' own size, laid over files, reported."""

import json
import os
import re
import shutil
import signal

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import segjax
from segjax import evaluate, run
from segjax.__main__ import main
from segjax.base import Info
from segjax.predict._output import Output
from segjax.run import load_config
from segjax.tasks import make_task

TWO = Info(("skin", "nevus"), provides=("image", "semantic"))
THREE = Info(("a", "b", "c"), provides=("image", "semantic"))


def disc(h, w, y, x, r):
    rows, columns = np.ogrid[:h, :w]
    return ((rows - y) ** 2 + (columns - x) ** 2 <= r * r).astype(np.uint8)


def measured(truth, called, info=TWO, tolerance=2.0):
    """The scores of one picture, and its row."""
    task = make_task("semantic", info)
    chance = np.eye(len(info.classes), dtype=np.float32)[called]
    prediction = {"semantic": called, "probability": chance}
    row = task.measure(prediction, {"semantic": truth}, tolerance)
    return task.score({word: value[None] for word, value in row.items()}), row


def by_scipy(truth, called, tolerance=2.0):
    """The same, written down from their definitions."""
    surfaces = [m & ~ndimage.binary_erosion(m) for m in (truth, called)]
    to = [ndimage.distance_transform_edt(~s) for s in surfaces]
    gaps = [to[1][surfaces[0]], to[0][surfaces[1]]]
    both = np.concatenate(gaps)
    width = max(1, round(0.02 * np.hypot(*truth.shape)))
    inside = [
        ndimage.distance_transform_edt(np.pad(m, 1))[1:-1, 1:-1]
        for m in (truth, called)
    ]
    bands = [(d > 0) & (d <= width) for d in inside]
    return {
        "hd95": max(np.percentile(g, 95) for g in gaps),
        "asd": both.mean(),
        "surface_dice": (both <= tolerance).mean(),
        "boundary_iou": (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum(),
    }


def test_surface_scores_are_those_written_down_with_scipy():
    rng = np.random.default_rng(0)
    for _ in range(40):
        truth, called = (
            disc(60, 90, *rng.uniform((0, 0), (60, 90)), rng.uniform(1, 40))
            for _ in range(2)
        )
        called |= (rng.random((60, 90)) < 0.01).astype(np.uint8)
        if not truth.any():
            continue
        scores, _ = measured(truth, called)
        for name, value in by_scipy(truth == 1, called == 1).items():
            assert scores[name] == pytest.approx(value, rel=1e-9), name


def test_scores_of_shifted_squares_by_hand():
    """A square of 10 moved by 3: 30 of 100 pixels are missed and 30 too many."""
    truth, called = np.zeros((2, 40, 40), np.uint8)
    truth[10:20, 10:20] = called[10:20, 13:23] = 1
    scores, _ = measured(truth, called)
    assert scores["dice"] == pytest.approx(0.7)
    assert scores["iou"] == pytest.approx(70 / 130)
    assert scores["isic_jaccard"] == 0  # below .65
    assert scores["course_iou"] == pytest.approx(0.1)  # ceil(20 * .038) tenths
    assert scores["hd95"] == 3
    assert scores["ece"] == pytest.approx(60 / 1600)


def test_where_there_is_nothing():
    nothing, something = np.zeros((30, 40), np.uint8), disc(30, 40, 15, 20, 5)
    both_empty, _ = measured(nothing, nothing)
    assert [both_empty[n] for n in ("dice", "surface_dice", "boundary_iou")] == [1] * 3
    assert [both_empty[n] for n in ("hd95", "asd")] == [0, 0]
    for pair in ((nothing, something), (something, nothing)):
        one_empty, _ = measured(*pair)
        assert [one_empty[n] for n in ("dice", "surface_dice", "boundary_iou")] == [
            0
        ] * 3
        assert one_empty["hd95"] == one_empty["asd"] == 50  # the diagonal
    void = np.full((30, 40), 255, np.uint8)
    assert all(np.isnan(v) for v in measured(void, nothing)[0].values())


def test_many_classes_are_averaged_over_those_that_are_there():
    truth = np.zeros((30, 40), np.uint8)
    truth[:, 20:] = 1
    scores, row = measured(truth, truth, THREE)
    assert scores["hd95"] == scores["asd"] == 0
    assert scores["surface_dice"] == scores["boundary_iou"] == 1
    assert np.isnan(row["hd95"][2])


def test_void_pixels_move_nothing():
    rng = np.random.default_rng(0)
    truth, called = disc(40, 40, 20, 20, 9), disc(40, 40, 22, 19, 10)
    truth[:, 30:] = 255
    other = called.copy()
    other[:, 30:] = rng.integers(0, 2, (40, 10))
    first, second = measured(truth, called)[0], measured(truth, other)[0]
    assert first == second


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Thirty discs of two kinds, not square, of two sizes."""
    folder = tmp_path_factory.mktemp("discs")
    rng = np.random.default_rng(0)
    lines = ["image,mask,label,size,patient"]
    for k in range(30):
        h, w = (40, 56) if k % 2 else (48, 44)
        mask = disc(h, w, *rng.uniform(15, 30, 2), rng.uniform(6, 14))
        image = rng.normal(120, 20, (h, w, 3)) - 60 * mask[..., None]
        for name, array in (("images", image), ("masks", mask * 255)):
            (folder / name).mkdir(exist_ok=True)
            picture = Image.fromarray(array.clip(0, 255).astype(np.uint8))
            picture.save(folder / name / f"{k:02d}.png")
        kind = "large" if mask.sum() > 300 else "small"
        more = f"{kind},{('even', 'odd')[k % 2]},{'abc'[k % 3]}"
        lines.append(f"images/{k:02d}.png,masks/{k:02d}.png,{more}")
    (folder / "table.csv").write_text("\n".join(lines))
    return folder


def train(pictures, folder, seed=0):
    options = {
        "seed": str(seed),
        "data.dir": str(pictures),
        "data.table": "table.csv",
        "steps": "40",
        "batch": "8",
        "data.size": "32",
        "model.width": "4",
        "model.depth": "2",
        "log.evaluate": "20",
        "log.pictures": "1",
        "log.tensorboard": "false",
    }
    config = load_config("unet:folder", options.items())
    segjax.train_and_evaluate(config, folder)
    return folder


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    return train(pictures, tmp_path_factory.mktemp("runs") / "discs")


@pytest.fixture
def copied(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def test_evaluate_scores_at_the_pictures_own_size(copied, capsys):
    assert main(["evaluate", str(copied)]) == 0
    said = capsys.readouterr().out
    scores = json.loads((copied / "scores.json").read_text())
    assert scores["size"] == "native"
    assert scores["scores"]["dice"]["mean"] > 0.8
    assert set(scores["by_label"]) == {"large", "small"}
    assert "at temperature" in said
    of = run.load_run(copied)
    rows = evaluate.open_pictures(of, "test")
    example = rows[0]
    (prediction,) = of.predict([example["image"]])
    alone, _ = measured(example["semantic"], prediction["semantic"])
    table = run.read_rows(copied)
    assert table["name"][0] == example["name"]
    for name in ("dice", "hd95", "asd", "surface_dice", "boundary_iou"):
        assert float(table[name][0]) == pytest.approx(alone[name])


def test_a_temperature_moves_no_class(trained):
    of = run.load_run(trained)
    image = evaluate.open_pictures(of, "test")[0]["image"]
    views = of.seen(image)
    cold, warm = of.read(views, image.shape), of.read(views, image.shape, 3.0)
    np.testing.assert_array_equal(cold["semantic"], warm["semantic"])
    assert (
        np.abs(warm["probability"] - 0.5).max()
        < np.abs(cold["probability"] - 0.5).max()
    )


def test_eight_views_are_the_mean_of_eight_predictions(trained):
    of = run.load_run(trained)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    (eight,) = of.predict([image], tta=True)
    uncertainty = eight["uncertainty"]
    assert uncertainty.shape == (32, 32)
    assert 0 <= uncertainty.min() <= uncertainty.max() <= 1
    seen = []
    for flip in (False, True):
        for turns in range(4):
            view = np.rot90(image[:, ::-1] if flip else image, turns)
            found = of.predict([np.ascontiguousarray(view)])[0]["probability"]
            back = np.rot90(found, -turns)
            seen.append(back[:, ::-1] if flip else back)
    np.testing.assert_allclose(eight["probability"], np.mean(seen, 0), atol=1e-5)
    assert np.ptp(seen, axis=0).max() > 1e-3, "the views differ, or nothing is tested"


def test_scores_by_eight_views_are_those_of_such_predictions(copied, capsys):
    before = (copied / "scores.json").read_bytes()
    assert main(["evaluate", str(copied), "--tta"]) == 0
    said = capsys.readouterr().out
    assert "by the mean of eight views" in said
    (place,) = (copied / "evaluations").iterdir()
    assert (copied / "scores.json").read_bytes() == before, "not its scores as usual"
    of = run.load_run(copied)
    example = evaluate.open_pictures(of, "test")[0]
    (prediction,) = of.predict([example["image"]], tta=True)
    alone, _ = measured(example["semantic"], prediction["semantic"])
    assert float(run.read_rows(place)["dice"][0]) == pytest.approx(alone["dice"])


def test_against_itself_nothing_differs(copied, tmp_path, capsys):
    main(["evaluate", str(copied)])
    other = tmp_path / "rows.csv"
    shutil.copy(copied / "rows.csv", other)
    capsys.readouterr()
    assert main(["evaluate", str(copied), f"--against={other}"]) == 0
    said = capsys.readouterr().out
    assert "dice: +0.0000" in said
    assert "cannot be told apart" in said
    lines = other.read_text().splitlines()
    other.write_text("\n".join(lines[:-1]))
    assert main(["evaluate", str(copied), f"--against={other}"]) == 1
    assert "is of other pictures: 1 of ours are not there" in capsys.readouterr().out


def test_against_what_was_measured_in_another_way(copied, trained, capsys):
    main(["evaluate", str(copied)])
    assert main(["evaluate", str(copied), f"--against={trained}"]) == 2
    assert "is scored at training size" in capsys.readouterr().err
    words = [str(copied), f"--against={copied}", "--tolerance=3"]
    assert main(["evaluate", *words]) == 2
    assert "with a tolerance of 2 pixels, this run with 3" in capsys.readouterr().err
    out = copied / "exact"
    assert main(["evaluate", str(copied), "--tolerance=0", f"--out={out}"]) == 0
    assert main(["evaluate", str(copied), f"--against={out}"]) == 2
    assert "with a tolerance of 0 pixels, this run with 2" in capsys.readouterr().err
    loose = shutil.copy(trained / "rows.csv", copied / "loose.csv")
    assert main(["evaluate", str(copied), f"--against={loose}"]) == 2
    assert "is of a training, scored at training size" in capsys.readouterr().err


def test_columns_tell_pictures_apart_and_together(copied, tmp_path, capsys):
    words = ["evaluate", str(copied), "--by=size", "--group=patient"]
    assert main([*words, f"--out={tmp_path / 'o'}"]) == 0
    scores = json.loads((tmp_path / "o" / "scores.json").read_text())
    assert set(scores["by_label"]) == {"even", "odd"}
    table = run.read_rows(tmp_path / "o")
    assert set(table["group"]) <= {"a", "b", "c"}
    alone = json.loads((copied / "scores.json").read_text())
    assert alone["size"] == "training"  # what lies in --out moves nothing here
    assert main([*words[:2], "--by=patent"]) == 2
    assert "Did you mean 'patient'?" in capsys.readouterr().err


def test_a_broken_picture_is_named_and_the_others_are_scored(
    copied, pictures, tmp_path, capsys
):
    mine = shutil.copytree(pictures, tmp_path / "mine")
    words = ["evaluate", str(copied), f"--data={mine}", "--split=all"]
    before = files_in(copied)
    whole = (mine / "images" / "03.png").read_bytes()
    (mine / "images" / "03.png").write_bytes(whole[: len(whole) // 2])
    assert main(words) == 1
    said = capsys.readouterr().out
    assert "left out: " in said
    assert "03.png" in said
    assert "29 pictures of all splits" in said
    (folder,) = (copied / "evaluations").iterdir()
    assert "03" not in run.read_rows(folder)["name"]
    assert files_in(copied) - before == {
        f"evaluations/{folder.name}/{name}" for name in ("scores.json", "rows.csv")
    }


def test_a_task_without_classes_is_scored_laid_over_and_reported(
    pictures, tmp_path, capsys
):
    folder, out = tmp_path / "run", tmp_path / "out"
    small = ["--config.data.size=16", "--config.data.pictures=20", "--config.steps=2"]
    small += ["--config.batch=8", "--config.model.width=2"]
    small += ["--config.log.tensorboard=false", f"--workdir={folder}"]
    assert main(["train", "--config=configs/autoencoder.py", *small]) == 0
    assert main(["evaluate", str(folder)]) == 0
    assert "psnr" in run.read_scores(folder)["scores"]
    assert "psnr" in (folder / "report.html").read_text()
    words = ["predict", str(folder), f"{pictures}/images/00.png", f"--out={out}"]
    assert main([*words, "--tta"]) == 2
    assert (
        "is not read from probabilities alone; leave --tta out"
        in capsys.readouterr().err
    )
    assert not out.exists()
    assert main(words) == 0
    assert files_in(out) == {"00-overlay.png", "00.json", ".prediction.json"}


def test_pictures_that_have_been_moved_are_still_its_own(copied, pictures, tmp_path):
    moved = shutil.copytree(pictures, tmp_path / "moved")
    assert main(["evaluate", str(copied), f"--config.data.dir={moved}"]) == 0
    scores = run.read_scores(copied)
    assert scores["size"] == "native"
    assert "temperature" in scores["calibration"]
    assert "about" not in scores


def test_pictures_that_have_changed_since_are_no_test(copied, pictures, capsys):
    config = json.loads((copied / "config.json").read_text())
    words = ["evaluate", str(copied), "--config.data.fold=2"]
    assert main(words) == 0
    assert "may have learnt from some of these" in capsys.readouterr().out
    (copied / "config.json").write_text(json.dumps(config | {"pictures": "others"}))
    before = files_in(copied)
    assert main(words[:2]) == 2
    assert "have changed since it learnt" in capsys.readouterr().err
    assert files_in(copied) == before


def test_pictures_are_paired_by_what_they_are(copied, pictures, tmp_path, capsys):
    assert main(["evaluate", str(copied)]) == 0
    other = shutil.copytree(pictures, tmp_path / "other")
    for path in (other / "masks").iterdir():
        Image.fromarray(np.asarray(Image.open(path))[:, ::-1].copy()).save(path)
    capsys.readouterr()
    words = ["evaluate", str(copied), f"--data={other}", f"--against={copied}"]
    assert main([*words, "--config.data.table=table.csv"]) == 1
    said = capsys.readouterr().out
    assert "is another picture than ours" in said
    assert "boundary_iou" in said, "the scores are told all the same"
    seven = tmp_path / "seven.csv"
    lines = (copied / "rows.csv").read_text().splitlines()
    seven.write_text(
        "\n".join(["name,dice", *(f"{n.split(',')[0]},7" for n in lines[1:])])
    )
    assert main(["evaluate", str(copied), f"--against={seven}"]) == 1
    assert "has dice beyond 0 to 1" in capsys.readouterr().out


def test_a_training_scores_over_patients(pictures, tmp_path, capsys):
    """Three of them in three folds: one is tested, who alone has no interval."""
    words = [f"--config.data.dir={pictures}", "--config.data.table=table.csv"]
    words += ["--config.data.group=patient", "--config.data.folds=3"]
    words += ["--config.data.size=16", "--config.steps=1", "--config.batch=8"]
    words += ["--config.model.width=2", "--config.model.depth=1"]
    folder = tmp_path / "run"
    source = ["--config=configs/unet.py:folder", f"--workdir={folder}"]
    assert main(["train", *source, *words]) == 0
    assert "(95 % interval unknown)" in capsys.readouterr().out
    scores = run.read_scores(folder)
    assert scores["groups"] == 1
    assert scores["scores"]["dice"]["n"] == 10
    assert set(run.read_rows(folder)["group"]) < {"a", "b", "c"}
    assert main(["evaluate", str(folder)]) == 0
    assert "of which there are 1" in capsys.readouterr().out


def test_what_is_said_of_a_run_that_is_not_finished(copied, capsys):
    lines = (copied / "metrics.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line)["step"] <= 20]
    (copied / "metrics.jsonl").write_text("\n".join(kept) + "\n")
    assert main(["evaluate", str(copied)]) == 0
    assert "not finished: trained to step 20 of 40" in capsys.readouterr().out
    step = run.read_scores(copied)["step"]
    (other,) = {20, 40} - {step}
    words = ["predict", str(copied), "x", "--out=y", "--calibrated"]
    assert main([*words, f"--step={other}"]) == 2
    error = capsys.readouterr().err
    assert "was fitted for the checkpoint of step" in error


def test_stopped_by_the_system_it_says_how_to_go_on(
    trained, pictures, tmp_path, monkeypatch, capsys
):
    write = Output.write

    def asks_to_stop(self, *rest):
        write(self, *rest)
        os.kill(os.getpid(), signal.SIGTERM)

    command = ["predict", str(trained), f"{pictures}/images", f"--out={tmp_path / 'o'}"]
    monkeypatch.setattr(Output, "write", asks_to_stop)
    assert main(command) == 3
    assert "the same command goes on" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(command) == 0
    assert "1 of 30 are done already" in capsys.readouterr().out
    command = ["evaluate", str(trained), f"--out={tmp_path / 'e'}", "--split=val"]
    monkeypatch.setattr(evaluate, "evaluate", lambda *a, **k: os.kill(os.getpid(), 15))
    assert main(command) == 3
    assert not (tmp_path / "e").exists()


def test_scores_of_others_are_not_written_over(copied, trained, tmp_path, capsys):
    out = ["--split=val", f"--out={tmp_path / 'o'}"]
    assert main(["evaluate", str(copied), *out]) == 0
    assert main(["evaluate", str(copied), *out]) == 0  # the same again
    before = (tmp_path / "o" / "scores.json").read_bytes()
    capsys.readouterr()
    assert main(["evaluate", str(trained), *out]) == 2
    assert "holds something else than these scores" in capsys.readouterr().err
    assert main(["evaluate", str(copied), f"--out={trained}"]) == 2
    assert "holds something else than these scores" in capsys.readouterr().err
    (tmp_path / "file").write_text("mine")
    assert main(["evaluate", str(copied), f"--out={tmp_path / 'file' / 'x'}"]) == 2
    assert "is a file; give --out a folder" in capsys.readouterr().err
    assert (tmp_path / "o" / "scores.json").read_bytes() == before


def test_a_group_alone_has_no_interval(copied, tmp_path, capsys):
    words = ["evaluate", str(copied), "--group=label", "--by=patient"]
    (copied / "scores.json").unlink()
    assert main([*words, f"--out={tmp_path / 'o'}"]) == 0
    scores = json.loads((tmp_path / "o" / "scores.json").read_text())
    assert scores["groups"] == 2
    assert "of which there are 2" in capsys.readouterr().out
    alone = scores["by_label"].values()  # a patient's pictures, in one or two groups
    assert any(of["dice"]["low"] is None for of in alone)


def test_rows_are_a_table_and_an_overlay_a_picture(trained, pictures):
    of = segjax.load_run(trained)
    table = of.rows()
    assert len(table) == 6
    assert table["name"][0] == "images/00"
    assert table["dice"].dtype == np.float64
    image = np.asarray(Image.open(pictures / "images" / "00.png"))
    (prediction,) = of.predict([image])
    drawn = segjax.overlay(image, prediction)
    assert drawn.shape == image.shape
    background = prediction["semantic"] == 0
    np.testing.assert_array_equal(drawn[background], image[background])
    assert (drawn[~background] != image[~background]).any(1).all()


def files_in(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_predict_writes_masks_probabilities_overlays_and_areas(
    trained, pictures, tmp_path, capsys
):
    out = tmp_path / "out"
    assert main(["predict", str(trained), f"{pictures}/images", f"--out={out}"]) == 0
    assert "30 predicted" in capsys.readouterr().out
    assert len(files_in(out)) == 1 + 30 * 4
    about = json.loads((out / "00.json").read_text())
    mask = Image.open(out / "00-mask.png")
    assert mask.mode == "P"
    ids = np.asarray(mask)
    assert about["size"] == [48, 44] == list(ids.shape)
    areas = {c["name"]: c["pixels"] for c in about["classes"]}
    assert areas == {"background": (ids == 0).sum(), "foreground": (ids == 1).sum()}
    chance = np.asarray(Image.open(out / "00-p1-foreground.png"))
    np.testing.assert_array_equal(chance >= 128, ids == 1)
    image = np.asarray(Image.open(pictures / "images" / "00.png"))
    (direct,) = segjax.load_run(trained).predict([image])
    np.testing.assert_array_equal(direct["semantic"], ids)


def test_predict_goes_on_names_what_is_broken_and_does_the_others(
    trained, pictures, tmp_path, capsys
):
    folder, out = tmp_path / "mine", tmp_path / "out"
    shutil.copytree(pictures / "images", folder / "deep")
    (folder / "broken.png").write_bytes(b"no picture")
    whole = (folder / "deep" / "00.png").read_bytes()
    (folder / "short.png").write_bytes(whole[: len(whole) // 2])
    command = ["predict", str(trained), str(folder), f"--out={out}"]
    assert main(command) == 1
    said = capsys.readouterr().out
    assert "broken.png" in said
    assert "short.png" in said
    assert "30 predicted" in said
    assert "2 left out" in said
    (out / "deep" / "05.json").unlink()  # as if stopped before it
    before = (out / "deep" / "06-mask.png").stat().st_mtime_ns
    assert main(command) == 1
    said = capsys.readouterr().out
    assert "29 of 32 are done already" in said
    assert "1 predicted" in said
    assert (out / "deep" / "06-mask.png").stat().st_mtime_ns == before
    shutil.copy(folder / "deep" / "07.png", folder / "deep" / "06.png")
    main(command)
    assert "29 of 32 are done already" in capsys.readouterr().out
    assert (out / "deep" / "06-mask.png").stat().st_mtime_ns > before


def panels_in(folder):
    """The pictures in a report."""
    text = (folder / "report.html").read_text()
    return re.findall(r"data:image/jpeg;base64,[^\"]+", text)


def test_another_network_in_the_same_folder_is_another_prediction(
    copied, pictures, tmp_path, capsys
):
    command = ["predict", str(copied), f"{pictures}/images/00.png"]
    command.append(f"--out={tmp_path / 'out'}")
    assert main(command) == 0
    capsys.readouterr()
    assert main(command) == 0
    assert "1 of 1 are done already" in capsys.readouterr().out
    assert main(["report", str(copied)]) == 0
    before = panels_in(copied)
    shutil.rmtree(copied)
    train(pictures, copied, seed=1)
    assert main(["report", str(copied)]) == 0
    elsewhere = shutil.copytree(copied, tmp_path / "elsewhere")
    assert main(["report", str(elsewhere)]) == 0
    assert panels_in(copied) == panels_in(elsewhere) != before
    assert main(command) == 2
    assert "network was" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert "1 predicted" in capsys.readouterr().out
    assert main([*command, "--overwrite"]) == 0, "all is done anew"
    assert "1 predicted" in capsys.readouterr().out


def test_predictions_are_not_predicted(trained, pictures, tmp_path, capsys):
    """Neither those of this command, nor another's; patterns keep their folders."""
    for name in ("one", "two"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        shutil.copy(pictures / "images" / "00.png", tmp_path / "mine" / name / "a.png")
    run_of = ["predict", str(trained)]
    first, second = (f"--out={tmp_path / 'mine' / out}" for out in ("p", "q"))
    for _ in range(2):
        assert main([*run_of, f"{tmp_path}/mine/*/*.png", first]) == 0
    assert "2 of 2 are done already" in capsys.readouterr().out
    assert {"one/a.json", "two/a.json"} < files_in(tmp_path / "mine" / "p")
    assert main([*run_of, f"{tmp_path}/mine", second]) == 0
    assert len(list((tmp_path / "mine" / "q").rglob("*.json"))) == 3
    assert main([*run_of, f"{tmp_path}/mine/p/*/*.png", f"--out={tmp_path}/o"]) == 2
    assert "matches no file but predictions" in capsys.readouterr().err


def test_pictures_of_one_name_keep_apart(trained, pictures, tmp_path):
    folder, out = tmp_path / "mine", tmp_path / "out"
    folder.mkdir()
    image = Image.open(pictures / "images" / "00.png")
    image.save(folder / "a.png")
    image.convert("L").save(folder / "a.jpg")
    (tmp_path / "other").mkdir()
    image.save(tmp_path / "other" / "b.png")
    words = [str(folder), str(tmp_path / "other" / "*.png")]
    assert main(["predict", str(trained), *words, f"--out={out}"]) == 0
    assert {"a_png.json", "a_jpg.json", "b.json"} < files_in(out)


MISTAKES = {
    "no run": (["evaluate", "{tmp}/none"], "is not a run: it holds no config.json"),
    "a run without checkpoint": (["evaluate", "{bare}"], "has no checkpoint yet"),
    "a run of a newer version": (["evaluate", "{newer}"], "by a newer segjax"),
    "a run of another version": (["report", "{other}"], "no option 'model.swirl'"),
    "no such step": (["evaluate", "{run}", "--step=7"], "no checkpoint of step 7"),
    "a split that is none": (
        ["evaluate", "{run}", "--split=tset"],
        "--split is 'tset'",
    ),
    "a tolerance below 0": (
        ["evaluate", "{run}", "--tolerance=-1"],
        "0 or more pixels",
    ),
    "data that is none": (["evaluate", "{run}", "--data=ph3"], "ph3"),
    "an option that is none": (
        ["evaluate", "{run}", "--data=nevi", "--config.data.sze=3"],
        "Did you mean",
    ),
    "data of other classes": (
        ["evaluate", "{run}", "--data={three}"],
        "Scores need as many classes",
    ),
    "data of the classes in another order": (
        ["evaluate", "{run}", "--data={pictures}", "{turned}"],
        "puts them into the run's order",
    ),
    "against nothing": (["evaluate", "{run}", "--against={tmp}/x.csv"], "There is no"),
    "against a picture": (
        ["evaluate", "{run}", "--against={pictures}/images/00.png"],
        "is not a table of rows",
    ),
    "against a table without names": (
        ["evaluate", "{run}", "--against={tmp}/table.csv"],
        "has no column 'name'",
    ),
    "report of a run without scores": (["report", "{bare}"], "has no scores yet"),
    "report of nothing": (["report", "{tmp}/none"], "is no run, nor a comparison"),
    "predict without out": (["predict", "{run}", "{pictures}"], "--out"),
    "predict nothing": (
        ["predict", "{run}", "{tmp}/no.png", "--out={tmp}/o"],
        "not there",
    ),
    "predict a pattern of nothing": (
        ["predict", "{run}", "{tmp}/*.bmp", "--out={tmp}/o"],
        "matches no file",
    ),
    "predict an empty folder": (
        ["predict", "{run}", "{tmp}/empty", "--out={tmp}/o"],
        "holds no picture",
    ),
    "predict into the pictures": (
        ["predict", "{run}", "{pictures}/images", "--out={pictures}/images"],
        "a folder of their own",
    ),
    "predict into something else": (
        ["predict", "{run}", "{pictures}/images", "--out={pictures}"],
        "holds something that is not a prediction",
    ),
    "predict into a file": (
        ["predict", "{run}", "{pictures}/images", "--out={tmp}/table.csv"],
        "is a file; give --out a folder",
    ),
    "a temperature that was not fitted": (
        ["predict", "{run}", "{pictures}/images", "--out={tmp}/o", "--calibrated"],
        "has no temperature yet",
    ),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_and_change_nothing(
    words, trained, pictures, tmp_path, capsys
):
    typed, sentence = MISTAKES[words]
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    shutil.copy(trained / "config.json", tmp_path / "bare")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    places = {"run": trained, "pictures": pictures, "tmp": tmp_path}
    places["bare"] = tmp_path / "bare"
    config = json.loads((trained / "config.json").read_text())
    swirl = config | {"model": config["model"] | {"swirl": 3}}
    for name, changed in (("newer", config | {"format": 2}), ("other", swirl)):
        places[name] = tmp_path / name
        places[name].mkdir()
        (places[name] / "config.json").write_text(json.dumps(changed))
        shutil.copy(trained / "scores.json", places[name])
    places["turned"] = "--config.data.classes=('foreground','background')"
    places["three"] = shutil.copytree(pictures, tmp_path / "three")
    for path in (tmp_path / "three" / "masks").iterdir():
        ids = np.asarray(Image.open(path)) // 255
        ids[:2] = 2
        Image.fromarray(ids).save(path)
    before = {f: files_in(f) for f in (trained, pictures, tmp_path)}
    assert main([word.format(**places) for word in typed]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert {f: files_in(f) for f in (trained, pictures, tmp_path)} == before


def test_a_prediction_stopped_while_written_over_mixes_no_two(
    trained, pictures, tmp_path, monkeypatch
):
    """One way, then two pictures of another before it is stopped, then that again."""
    command = ["predict", str(trained), f"{pictures}/images/0[0-3].png"]
    command.append(f"--out={tmp_path / 'out'}")
    assert main(command) == 0
    written, write = [], Output.write

    def stops(self, *rest):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(write(self, *rest))

    monkeypatch.setattr(Output, "write", stops)
    assert main([*command, "--tta", "--overwrite"]) == 3
    monkeypatch.undo()
    assert main([*command, "--tta", "--overwrite"]) == 0
    for k in range(4):
        about = json.loads((tmp_path / "out" / f"0{k}.json").read_text())
        assert about["by"]["tta"] is True
        assert (tmp_path / "out" / f"0{k}-uncertainty.png").is_file()


def test_a_folder_inside_the_pictures_is_not_predicted_again(
    trained, pictures, tmp_path, capsys
):
    shutil.copytree(pictures / "images", tmp_path / "mine" / "deep")
    out = tmp_path / "mine" / "predicted"
    command = ["predict", str(trained), str(tmp_path / "mine"), f"--out={out}"]
    assert main(command) == 0
    before = files_in(out)
    assert main(command) == 0
    assert "30 of 30 are done already" in capsys.readouterr().out
    assert files_in(out) == before


def test_pictures_of_more_channels_are_read_as_told(trained, tmp_path, capsys):
    Image.fromarray(np.full((20, 30), 1000, np.uint16)).save(tmp_path / "deep.png")
    command = ["predict", str(trained), str(tmp_path / "deep.png")]
    assert main([*command, f"--out={tmp_path / 'a'}"]) == 1
    assert "data.white" in capsys.readouterr().out
    words = [f"--out={tmp_path / 'a'}", "--config.data.white=4095"]
    assert main([*command, *words]) == 2  # the folder is of another reading
    assert main([*command, words[1], f"--out={tmp_path / 'b'}"]) == 0
    assert main([*command, words[0], "--config.data.fold=3"]) == 2
    assert "config.data.fold counts not here" in capsys.readouterr().err


def test_another_prediction_is_not_written_over(trained, pictures, tmp_path, capsys):
    command = ["predict", str(trained), f"{pictures}/images/0*.png"]
    command.append(f"--out={tmp_path / 'out'}")
    assert main(command) == 0
    assert main([*command, "--tta"]) == 2
    assert "tta was False and is True" in capsys.readouterr().err
    assert main([*command, "--tta", "--overwrite"]) == 0
    assert (tmp_path / "out" / "00-uncertainty.png").is_file()
    (tmp_path / "other").mkdir()
    shutil.copy(pictures / "images" / "09.png", tmp_path / "other" / "00.png")
    before = (tmp_path / "out" / "00.json").read_bytes()
    other = ["predict", str(trained), str(tmp_path / "other"), command[-1], "--tta"]
    assert main(other) == 2
    assert "holds the prediction of" in capsys.readouterr().err
    assert (tmp_path / "out" / "00.json").read_bytes() == before


def test_a_report_holds_all_and_needs_nothing(copied, capsys):
    main(["evaluate", str(copied)])
    assert main(["report", str(copied)]) == 0
    text = (copied / "report.html").read_text()
    for said in ("Scores", "Calibration", "Worst by dice", "To repeat it", "hd95"):
        assert said in text
    assert "--config configs/unet.py:folder" in text
    assert text.count("<img ") == 4 * (4 + 4)
    for foreign in ("http:", "https:", "<script", "<link", "@import", "url("):
        assert foreign not in text


def test_a_report_without_its_pictures_says_so(copied, pictures, capsys):
    config = json.loads((copied / "config.json").read_text())
    config["data"]["dir"] = "/nowhere"
    (copied / "config.json").write_text(json.dumps(config))
    assert main(["report", str(copied)]) == 0
    assert "Not all pictures are shown" in (copied / "report.html").read_text()
