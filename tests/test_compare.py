"""Whole comparisons, tiny: what they train, what they say, and how they go on."""

import csv
import json
import os
import shutil
import signal

import numpy as np
import pytest

import segjax
from segjax import compare, parallel, report, run
from segjax.__main__ import main
from segjax.compare._judge import collect, judge
from segjax.compare._plan import Cell
from segjax.train import training
from segjax.train._keeper import Keeper
from segjax.train._programs import Programs

SMALL = ["--data=nevi", "--config.data.pictures=30", "--config.data.size=16"]
SMALL += ["--config.steps=6", "--config.batch=8", "--config.model.depth=1"]
SMALL += ["--config.log.evaluate=3", "--config.log.pictures=0"]
SMALL += ["--config.log.tensorboard=false"]
WIDTHS = ["configs/unet.py", "--sweep=model.width=2,3", "--folds=2", *SMALL]


def compared(folder, *words):
    code = main(["compare", *words, f"--workdir={folder}"])
    path = folder / "comparison.json"
    return code, json.loads(path.read_text()) if path.exists() else None


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared") / "widths"
    code, content = compared(folder, *WIDTHS, "--seeds=2")
    assert code == 0
    return folder, content


def test_every_run_is_an_ordinary_one(finished):
    folder, content = finished
    assert len(content["runs"]) == 8
    for one in content["runs"]:
        of = segjax.load_run(folder / one["folder"])
        assert of.config.seed == one["seed"]
        assert of.config.data.fold == one["fold"]
        assert of.config.model.width == int(one["candidate"].removeprefix("unet-width"))
        scores = run.read_scores(folder / one["folder"])
        assert scores["size"] == "native"
        assert "temperature" in scores["calibration"]
        assert (folder / one["folder"] / "report.html").is_file()


def test_the_table_is_the_mean_of_the_runs_rows(finished):
    folder, content = finished
    for name in ("unet-width2", "unet-width3"):
        of_picture = {}
        for one in content["runs"]:
            if one["candidate"] == name:
                with (folder / one["folder"] / "rows.csv").open() as file:
                    for line in csv.DictReader(file):
                        of_picture.setdefault(line["name"], []).append(
                            float(line["dice"])
                        )
        assert all(len(found) == 2 for found in of_picture.values())
        told = content["table"][name]["dice"]
        assert told["n"] == len(of_picture) == 12
        assert told["mean"] == pytest.approx(np.mean(list(of_picture.values())))
        columns = run.read_rows(folder)
        means = [np.mean(of_picture[one]) for one in columns["name"]]
        assert run.numbers_of(columns[f"{name}/dice"], folder) == pytest.approx(means)


def test_the_choosing_folds_choose_and_the_tested_ones_do_not(finished):
    _, content = finished
    assert content["chosen"] == max(content["choosing"], key=content["choosing"].get)
    (other,) = content["against"]
    table = content["table"]
    gap = table[content["chosen"]]["dice"]["mean"] - table[other]["dice"]["mean"]
    assert content["against"][other]["dice"]["difference"] == pytest.approx(gap)


def test_rows_that_were_changed_by_hand_are_not_taken(finished, tmp_path, capsys):
    folder = shutil.copytree(finished[0], tmp_path / "c")
    rows = folder / "unet-width3" / "fold1-seed1" / "rows.csv"
    lines = rows.read_text().splitlines()
    rows.write_text("\n".join(lines[:-1]))
    assert compared(folder, *WIDTHS, "--seeds=2")[0] == 2
    assert "or one beside it lacks" in capsys.readouterr().err
    rows.write_text("\n".join(lines).replace("dice", "dize", 1))
    assert compared(folder, *WIDTHS, "--seeds=2")[0] == 2
    assert "has no column 'dice'" in capsys.readouterr().err
    (rows.parent / "scores.json").unlink()  # as it says
    code, content = compared(folder, *WIDTHS, "--seeds=2")
    assert code == 0
    assert content["table"] == finished[1]["table"]


def test_the_same_command_finds_all_done(finished, capsys):
    folder, content = finished
    before = {p: p.stat().st_mtime_ns for p in folder.glob("*/*/metrics.jsonl")}
    code, again = compared(folder, *WIDTHS, "--seeds=2")
    assert (code, again["table"]) == (0, content["table"])
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert "by seed" in capsys.readouterr().out


def test_its_report_needs_nothing_but_itself(finished, capsys):
    folder, content = finished
    (folder / "report.html").unlink()
    assert main(["report", str(folder)]) == 0
    text = (folder / "report.html").read_text()
    assert content["verdicts"].popitem()[1] in text
    assert "python -m segjax compare configs/unet.py" in text
    assert text.count("data:image/jpeg;base64") == 2 * 3 * 2 * 4
    assert not any(word in text for word in ("http://", "https://", "<script"))


def test_stopped_on_the_way_it_goes_on_to_the_same(finished, tmp_path, monkeypatch):
    """All runs beside each other save what they have."""
    whole, _ = finished
    noted, note = [], Keeper.save

    def save(self, step, *rest):
        note(self, step, *rest)
        noted.append(step)
        if len(noted) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Keeper, "save", save)
    words = [*WIDTHS, "--folds=1", "--seeds=2"]
    assert compared(tmp_path / "c", *words) == (3, None)
    monkeypatch.undo()
    saved = sorted((tmp_path / "c" / "unet-width2").glob("*/checkpoints/3"))
    assert len(saved) == 2
    assert not (tmp_path / "c" / "unet-width3").exists()
    code, _ = compared(tmp_path / "c", *words)
    assert code == 0
    ours, others = (
        set((at / "rows.csv").read_text().splitlines())
        for at in (tmp_path / "c", whole)
    )
    assert len(ours) == 1 + 6
    assert ours < others
    for one in ("unet-width2/fold0-seed1", "unet-width3/fold0-seed0"):
        for name in (f"{one}/rows.csv", f"{one}/metrics.jsonl"):
            assert (tmp_path / "c" / name).read_bytes() == (whole / name).read_bytes()


def test_one_after_another_gives_the_same_as_side_by_side(
    finished, tmp_path, monkeypatch
):
    beside, _ = finished
    monkeypatch.setattr(parallel, "devices_here", lambda: 1)
    code, _ = compared(tmp_path, *WIDTHS, "--folds=1")
    assert code == 0
    for name in ("unet-width2/fold0-seed0", "unet-width3/fold0-seed0"):
        scores = [
            run.read_scores(folder / name)["scores"]["dice"]["mean"]
            for folder in (beside, tmp_path)
        ]
        assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_what_was_measured_is_part_of_the_program():
    """Class weights are measured in each fold: other folds do not run with them. Seeds
    and folds themselves make no other program."""
    config = run.load_config("configs/unet.py", [("model.depth", "1")])
    parts, programs = run.build_parts(config), Programs()
    first = programs.of(config, {"class_weights": [1.0, 2.0]}, parts)
    assert programs.of(config, {"class_weights": [1.0, 3.0]}, parts) is not first
    config.seed, config.data.fold = 5, 3
    config.log.metrics = 7
    assert programs.of(config, {"class_weights": [1.0, 2.0]}, parts) is first
    assert len(programs) == 2


def test_a_training_asks_for_a_program_of_its_folds_weights(tmp_path, monkeypatch):
    class Asked(Exception):
        pass

    def of(self, config, settled, parts):
        raise Asked(settled)

    monkeypatch.setattr(Programs, "of", of)
    found = []
    for fold in ("0", "1"):
        options = [("data.fold", fold), ("data.pictures", "30"), ("data.size", "16")]
        options += [("task.class_weights", "median_frequency"), ("model.depth", "1")]
        config = run.load_config("configs/unet.py", options)
        with run.stop_requests() as stop, pytest.raises(Asked) as asked:
            next(training(config, tmp_path / fold, Programs(), stop))
        found.append(asked.value.args[0])
    assert "class_weights" in str(found[0])
    assert found[0] != found[1]


def test_numbers_gone_wrong_leave_one_candidate_out(tmp_path, capsys):
    rates = ["configs/unet.py", "--sweep=optim.learning_rate=0.003,1e38", "--folds=1"]
    width = ["--config.model.width=2", "--config.log.skips=3"]
    code, content = compared(tmp_path / "c", *rates, *SMALL, *width)
    assert code == 4
    assert list(content["table"]) == ["unet-learning_rate0.003"]
    (sentence,) = content["gone_wrong"]["unet-learning_rate1e38"]
    assert "segjax replay" in sentence
    assert "unet-learning_rate1e38 is left out" in capsys.readouterr().out


def test_what_choosing_gives_is_chosen_on_other_pictures(tmp_path):
    """a is preferred over all, but on fold 1 its choosing pictures prefer b."""
    a = [
        rows_of(tmp_path, "a", 0, 0, [0.9], [0.8, 0.6]),
        rows_of(tmp_path, "a", 1, 0, [0.5], [0.9]),
    ]
    b = [
        rows_of(tmp_path, "b", 0, 0, [0.2], [0.1, 0.1]),
        rows_of(tmp_path, "b", 1, 0, [0.6], [0.3]),
    ]
    content = judge({"a": collect(a), "b": collect(b)}, (), {})
    assert content["chosen"] == "a"
    assert content["picked"]["by_fold"] == {"0": "a", "1": "b"}
    assert content["picked"]["mean"] == pytest.approx((0.8 + 0.6 + 0.3) / 3)


MISTAKES = {
    "one alone": (["configs/unet.py", *SMALL], "nothing to compare"),
    "one twice": (["configs/unet.py", "configs/unet.py", *SMALL], "go by one name"),
    "no folds": ([*WIDTHS, "--folds=0"], "--folds is 0"),
    "too many folds": (
        [*WIDTHS, "--folds=7"],
        "--folds is 7; the data of unet-width2 has 5 folds",
    ),
    "no seeds": ([*WIDTHS, "--seeds=0"], "--seeds is 0"),
    "a sweep of nothing": ([*WIDTHS, "--sweep=batch"], "write OPTION=A,B"),
    "a sweep of one and nothing": ([*WIDTHS, "--sweep=batch=8,"], "write OPTION=A,B"),
    "a sweep of no option": ([*WIDTHS, "--sweep=model.wdth=2,3"], "'width'"),
    "other tasks": (
        ["configs/unet.py", "configs/autoencoder.py", *SMALL[:3]],
        "cannot be compared",
    ),
    "other pictures": (
        ["configs/unet.py", "--sweep=data.pictures=30,40", *SMALL[2:], "--data=nevi"],
        "not tested on the same pictures",
    ),
    "a seed of one's own": ([*WIDTHS, "--config.seed=3"], "--seeds says how many"),
    "a sweep of folds": ([*WIDTHS, "--sweep=data.fold=0,1"], "--folds says how many"),
    "no workdir": ([*WIDTHS], "--workdir"),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_and_leave_nothing(words, tmp_path, capsys):
    typed, sentence = MISTAKES[words]
    where = [] if words == "no workdir" else [f"--workdir={tmp_path / 'c'}"]
    assert main(["compare", *typed, *where]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_else(finished, tmp_path, capsys):
    folder, _ = finished
    (tmp_path / "notes.txt").write_text("mine")
    assert compared(tmp_path, *WIDTHS) == (2, None)
    assert "not a comparison" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    before = (folder / "plan.json").read_bytes()
    assert compared(folder, *WIDTHS, "--seeds=3")[0] == 2
    assert "seeds was 2 and is 3" in capsys.readouterr().err
    assert compared(folder, *WIDTHS, "--seeds=2", "--config.steps=7")[0] == 2
    error = capsys.readouterr().err
    assert "unet-width2 was configs/unet.py" in error
    assert "steps=6" in error
    assert "steps=7" in error
    assert main(["compare", *WIDTHS, "--workdir=gs://bucket/c"]) == 2
    assert "needs a folder here" in capsys.readouterr().err
    assert compared(folder / "plan.json", *WIDTHS) == (2, None)
    assert "is a file; give --workdir a folder" in capsys.readouterr().err
    assert (folder / "plan.json").read_bytes() == before
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "plan.json").write_text("{}")
    assert main(["report", str(tmp_path / "unfinished")]) == 2
    assert "not finished" in capsys.readouterr().err


def rows_of(folder, name, fold, seed, choosing, dice):
    """A finished run, as far as a comparison reads it."""
    at = folder / f"{name}-{fold}-{seed}"
    at.mkdir()
    lines = [f"p{fold}{k},kind,{value}" for k, value in enumerate(dice)]
    (at / "rows.csv").write_text("\n".join(["name,label,dice", *lines]))
    run.write_scores(at, 1, "test", "native", {"dice": {}})
    (at / "metrics.jsonl").write_text(
        "\n".join(
            json.dumps({"step": step, "val/dice": value})
            for step, value in enumerate(choosing, 1)
        )
    )
    return Cell(name, fold, seed, None, at, 0)


def test_a_judgement_by_hand(tmp_path):
    a = [
        rows_of(tmp_path, "a", 0, 0, [0.1, 0.5, 0.4], [0.8, 0.6]),
        rows_of(tmp_path, "a", 0, 1, [0.7], [0.6, 0.4]),
        rows_of(tmp_path, "a", 1, 0, [0.6], [0.9]),
        rows_of(tmp_path, "a", 1, 1, [0.6], [0.7]),
    ]
    b = [
        rows_of(tmp_path, "b", 0, 0, [0.2], [0.9, 0.9]),
        rows_of(tmp_path, "b", 1, 0, [0.2], [0.9]),
    ]
    found = {"a": collect(a), "b": collect(b)}
    content = judge(found, ("hd95",), {})
    assert content["chosen"] == "a"  # though b is better on the tested pictures
    assert content["choosing"] == pytest.approx({"a": 0.6, "b": 0.2})
    assert content["trainings"] == 2
    assert content["by_seed"]["a"] == pytest.approx({"0": 2.3 / 3, "1": 1.7 / 3})
    assert content["table"]["a"]["dice"]["mean"] == pytest.approx((0.7 + 0.5 + 0.8) / 3)
    against = content["against"]["b"]["dice"]
    assert against["difference"] == pytest.approx(-(0.2 + 0.4 + 0.1) / 3)
    assert (against["n"], against["first"], against["second"]) == (3, 0, 3)
    assert against["p"] == pytest.approx(2 / 8)  # all three flipped, or none
    # a is picked on both folds, so what it reaches is what choosing gives
    assert content["picked"]["by_fold"] == {"0": "a", "1": "a"}
    assert content["picked"]["mean"] == content["table"]["a"]["dice"]["mean"]
    content |= {"verdicts": {}, "gone_wrong": {}, "cautions": []}
    lines = "\n".join(compare.told(content))
    assert "0.7667 0.5667" in lines
    assert "prefer a." in lines
    assert not report.is_comparison(tmp_path)
