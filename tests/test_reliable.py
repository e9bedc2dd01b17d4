"""A run that cannot be lost: stopped, killed, damaged, gone wrong, continued."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import segjax
import segjax.models
import segjax.run
from segjax import checkpoint, data
from segjax.__main__ import main
from segjax.base import GoneWrong, Mistake, Stopped
from segjax.ops.color import normalise
from segjax.optim import make_optimizer
from segjax.run import load_config
from segjax.run._lock import held_alone
from segjax.train import replay

SHRUNK = {
    "steps": "6",
    "batch": "8",
    "data.size": "16",
    "data.pictures": "30",
    "model.width": "2",
    "model.depth": "1",
    "log.evaluate": "2",
    "log.metrics": "2",
    "log.pictures": "1",
    "log.tensorboard": "false",
}


def shrunk(**changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    return load_config("unet", (SHRUNK | dotted).items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    segjax.train_and_evaluate(shrunk(), folder)
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """A finished run without its scores, as one that was stopped before them."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    (folder / "scores.json").unlink()
    return folder


def left_by(folder):
    """All that a run leaves for its user, byte by byte."""
    files = [folder / name for name in ("metrics.jsonl", "rows.csv", "scores.json")]
    files += (folder / "pictures").iterdir()
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def variables(folder, step):
    return jax.device_get(segjax.load_run(folder, step=step).variables)


def same(a, b):
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, a, b)))


def largest(folder):
    files = [p for p in folder.rglob("*") if p.is_file()]
    return max(files, key=lambda p: p.stat().st_size)


def overwrite(folder):
    path = largest(folder / "model")
    held = bytearray(path.read_bytes())
    count = min(4096, len(held) // 2)
    start = (len(held) - count) // 2
    held[start : start + count] = bytes(255 - b for b in held[start : start + count])
    path.write_bytes(held)


DAMAGE = {
    "overwritten": overwrite,
    "truncated": lambda folder: os.truncate(largest(folder / "training"), 100),
    "a file gone": lambda folder: largest(folder / "training").unlink(),
    "metadata gone": lambda folder: (folder / "model" / "_METADATA").unlink(),
    "a part gone": lambda folder: shutil.rmtree(folder / "training"),
    "record gone": lambda folder: (folder / "record" / "metadata").unlink(),
    "record altered": lambda folder: (folder / "record" / "metadata").write_text(
        (folder / "record" / "metadata")
        .read_text()
        .replace("[", "[ ", 1)
        .replace("1", "2")
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(
    finished, copied, kind, capsys
):
    DAMAGE[kind](copied / "checkpoints" / "6")
    segjax.train_and_evaluate(shrunk(), copied)
    said = capsys.readouterr()
    assert "The checkpoint of step 6 is damaged: " in said.out
    assert "going on from step 4" in said.out
    assert said.err == ""
    assert (copied / "checkpoints" / "damaged-6").is_dir()
    assert same(variables(copied, 6), variables(finished, 6))
    assert left_by(copied) == left_by(finished)


def held_by(folder):
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "lock"]
    return {p: p.read_bytes() for p in files}


def test_where_all_are_damaged_nothing_is_restored_nor_changed(finished, tmp_path):
    """Not the config of more steps either, nor the scores of those that were gone."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    steps = [p for p in (folder / "checkpoints").iterdir() if p.name.isdigit()]
    for step in steps:
        overwrite(step)
    before = held_by(folder)
    with pytest.raises(Mistake, match=r"No checkpoint in .* is whole \(step 6: "):
        segjax.train_and_evaluate(shrunk(steps="12"), folder)
    assert held_by(folder) == before
    with pytest.raises(Mistake, match=r"step \d in .* is damaged"):
        segjax.load_run(folder)


def test_a_mistake_deletes_no_checkpoint(copied):
    """Not where they lie alone, without the config of their run."""
    (copied / "config.json").unlink()
    for name in ("metrics.jsonl", "rows.csv"):
        (copied / name).unlink()
    for name in ("pictures", "tensorboard"):
        shutil.rmtree(copied / name, ignore_errors=True)
    before = held_by(copied)
    for changes in ({"steps": "4"}, {"seed": "5"}):
        with pytest.raises(Mistake, match=r"has gone 6 steps|of another config: seed"):
            segjax.train_and_evaluate(shrunk(**changes), copied)
        assert held_by(copied) == before


def test_an_array_that_is_gone_is_damage(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for path in (folder / "checkpoints").glob("*/model/_METADATA"):
        told = json.loads(path.read_text())
        gone = next(k for k in told["tree_metadata"] if "ema" in k and "kernel" in k)
        del told["tree_metadata"][gone]
        path.write_text(json.dumps(told))
    with pytest.raises(Mistake, match=r"is damaged: model/ema/.*kernel is not what"):
        segjax.load_run(folder)


def test_a_checkpoint_of_something_else_is_refused(finished, copied):
    """Of another config, and of another network that calls itself the same."""
    path = copied / "config.json"
    saved = json.loads(path.read_text())
    path.write_text(json.dumps(saved | {"seed": 5}))
    with pytest.raises(Mistake, match="are of another config: seed was 0 and is 5"):
        segjax.train_and_evaluate(shrunk(seed="5"), copied)
    with checkpoint.open_checkpoints(copied / "checkpoints") as manager:
        wanted = {"model": {"params": {"other": np.zeros((2, 3), np.float32)}}}
        with pytest.raises(Mistake, match=r"is of another network.* is float32\["):
            checkpoint.read(manager, 6, wanted)


class Marked(Exception):
    pass


def break_step(step, folder, monkeypatch):
    """A hook behind the normalisation: a picture of that step's batch, as augmented,
    is no number any more, wherever the network meets it."""
    from segjax.train import _replay

    kept = {}

    def keep(workdir, step, parts, state, source, batch):
        examples = _replay.changed_examples(
            parts.augment, state, source, {k: v.reshape(-1) for k, v in batch.items()}
        )
        kept["marker"] = np.asarray(examples["image"][0])
        raise Marked

    with monkeypatch.context() as patched:
        patched.setattr(_replay, "_draw", keep)
        with pytest.raises(Marked):
            replay(folder, step)

    def broken(images):
        unlike = jnp.abs(images - kept["marker"]).max((1, 2, 3), keepdims=True)
        return jnp.where(unlike < 1, jnp.nan, normalise(images))

    monkeypatch.setattr(segjax.models, "normalise", broken)


def test_a_step_gone_wrong_is_counted_kept_out_and_can_be_replayed(
    finished, tmp_path, monkeypatch, capsys
):
    break_step(5, finished, monkeypatch)
    folder = tmp_path / "run"
    segjax.train_and_evaluate(shrunk(log__save="1", log__metrics="1"), folder)
    said = capsys.readouterr().out
    assert "step 5: 1 of the last updates were left out" in said
    lines = [json.loads(x) for x in (folder / "metrics.jsonl").read_text().splitlines()]
    skipped = {x["step"]: x["skipped"] for x in lines if "skipped" in x}
    assert skipped == {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 0}
    kept = {int(p.name) for p in (folder / "checkpoints").iterdir()}
    assert 4 in kept, "the step before stays, to replay from"
    check_what_was_kept(folder)
    segjax.train_and_evaluate(
        shrunk(log__save="1", log__metrics="1", steps="9"), folder
    )
    kept = {int(p.name) for p in (folder / "checkpoints").iterdir()}
    assert 4 in kept, "after a restart too"
    capsys.readouterr()
    assert main(["replay", str(folder), "--step=5"]) == 1
    said = capsys.readouterr().out
    assert "from the checkpoint of step 4" in said
    assert "Not finite first: the pictures as the network takes them." in said
    assert (folder / "pictures" / "000005-replay.png").is_file()
    assert main(["replay", str(folder), "--step=6"]) == 0
    assert "All its numbers are finite" in capsys.readouterr().out


def check_what_was_kept(folder):
    """Of step 5, which went wrong: the whole state of step 4."""
    with checkpoint.open_checkpoints(folder / "checkpoints", to_read=True) as manager:
        old, new = (
            checkpoint.read(manager, step, dict.fromkeys(checkpoint.PARTS)).parts
            for step in (4, 5)
        )
    assert int(old["training"].pop("step")) == 4
    assert int(new["training"].pop("step")) == 5
    assert len(jax.tree.leaves(new)) > 60
    assert same(new, old)


def test_numbers_that_stay_wrong_end_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(
        segjax.models, "normalise", lambda images: normalise(images) * jnp.nan
    )
    changes = {"log__skips": "3", "log__evaluate": "0"}
    with pytest.raises(GoneWrong, match="None of the updates from step 1 on"):
        segjax.train_and_evaluate(shrunk(**changes), tmp_path)


def stop_in(step, monkeypatch, number=signal.SIGTERM):
    """The signal comes while that step's batch is made."""
    real = data.make_batch

    def make_batch(seed, index, *sizes):
        if index == step - 1:
            os.kill(os.getpid(), number)
        return real(seed, index, *sizes)

    monkeypatch.setattr(data, "make_batch", make_batch)


@pytest.fixture
def heard():
    """Signals that whoever started the tests may have wished to be ignored."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {n: signal.signal(n, signal.default_int_handler) for n in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.usefixtures("heard")
def test_a_stopped_run_leaves_what_one_leaves_that_was_not(
    finished, tmp_path, monkeypatch, number
):
    """Stopped between two lines of the log, too."""
    with monkeypatch.context() as patched:
        stop_in(5, patched, number)
        with pytest.raises(Stopped, match="Stopped at step 5 of 6, saved in"):
            segjax.train_and_evaluate(shrunk(), tmp_path)
    segjax.train_and_evaluate(shrunk(), tmp_path)
    assert same(variables(tmp_path, 6), variables(finished, 6))
    assert left_by(tmp_path) == left_by(finished)


def test_a_request_during_an_evaluation_loses_nothing(finished, tmp_path, monkeypatch):
    from segjax.train import _judge

    def told(*_):
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("it went on")

    with monkeypatch.context() as patched:
        patched.setattr(_judge, "score_each", told)
        with pytest.raises(Stopped, match="Stopped at step 2 of 6, saved in"):
            segjax.train_and_evaluate(shrunk(), tmp_path)
    segjax.train_and_evaluate(shrunk(), tmp_path)
    assert left_by(tmp_path) == left_by(finished)


def test_a_last_evaluation_that_was_stopped_is_made_again(tmp_path, monkeypatch):
    """Also where the last step is no multiple of log.evaluate."""
    from segjax.train import _judge

    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    segjax.train_and_evaluate(shrunk(steps="7"), whole)
    real, calls = _judge.score_each, []

    def told(*_):
        calls.append(None)
        if len(calls) == 4:  # after those of steps 2, 4 and 6
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*_)

    with monkeypatch.context() as patched:
        patched.setattr(_judge, "score_each", told)
        with pytest.raises(Stopped, match="Stopped at step 7 of 7, saved in"):
            segjax.train_and_evaluate(shrunk(steps="7"), stopped)
    segjax.train_and_evaluate(shrunk(steps="7"), stopped)
    assert left_by(stopped) == left_by(whole)


@pytest.mark.processes
@pytest.mark.usefixtures("heard")
def test_a_terminal_that_is_gone_changes_no_exit_code(tmp_path):
    """A connection is dropped: SIGHUP, and nothing can be printed any more."""
    ours, theirs = pty.openpty()
    process = launch(tmp_path / "run", "--config.steps=4000", said=theirs)
    os.close(theirs)
    while newest(tmp_path / "run") < 2:
        os.read(ours, 1000)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    try:
        assert process.wait(60) == 3
    finally:
        process.kill()
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert newest(tmp_path / "run") >= json.loads(lines[-1])["step"]


@pytest.mark.usefixtures("heard")
def test_a_hang_up_that_comes_twice_is_one_request():
    with segjax.run.stop_requests() as stop:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.01)
        assert stop.made


def test_a_disk_that_takes_nothing_for_a_while_loses_nothing_after(
    finished, tmp_path, monkeypatch, capsys
):
    real, refused = checkpoint.save, []

    def save(manager, step, *rest, **parts):
        if step < 6:
            refused.append(step)
            raise OSError(28, "No space left on device")
        real(manager, step, *rest, **parts)

    monkeypatch.setattr(checkpoint, "save", save)
    segjax.train_and_evaluate(shrunk(), tmp_path)
    said = capsys.readouterr().out
    assert refused == [2, 4]
    assert "the checkpoint of step 4 is not written: No space left on device" in said
    assert "its newest checkpoint is none" in said
    assert same(variables(tmp_path, 6), variables(finished, 6))
    metrics = "metrics.jsonl"
    assert (tmp_path / metrics).read_bytes() == (finished / metrics).read_bytes()


def test_a_last_checkpoint_that_cannot_be_written_is_no_success(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(
        Stopped, match=r"Step 6 could not be saved.*lies there is nothing"
    ):
        segjax.train_and_evaluate(shrunk(), tmp_path)


def test_more_steps_go_over_to_their_course(finished, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    segjax.train_and_evaluate(shrunk(steps="12"), folder)
    said = capsys.readouterr().out
    assert "steps was 6 up to step 6 and is 12: the learning rate goes over" in said
    saved = json.loads((folder / "config.json").read_text())
    assert saved["settled"]["optim"] == {"changes": [[6, 6]]}
    rates = {
        x["step"]: x["learning_rate"]
        for x in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
        if "learning_rate" in x
    }
    assert list(rates) == [2, 4, 6, 8, 10, 12]
    assert rates[8] > rates[6]
    assert rates[8] > rates[10] > rates[12]
    left = left_by(folder)
    segjax.train_and_evaluate(shrunk(steps="12"), folder)
    assert left_by(folder) == left


def test_a_course_that_changes_leaps_nowhere():
    options = {"learning_rate": 1.0, "warmup": 10}

    def rates(*course):
        schedule = make_optimizer(*course, **options).schedule
        return np.array([schedule(k) for k in range(201)], np.float64)

    once, plain = rates(100), rates(200)
    changed = rates(200, [(100, 100)])
    np.testing.assert_allclose(changed[:101], once[:101], atol=1e-6)
    assert changed[105] == pytest.approx(plain[105] / 2, abs=0.03)
    np.testing.assert_allclose(changed[110:], plain[110:], atol=1e-6)
    assert np.abs(np.diff(changed)).max() <= 0.101


def test_patience_ends_a_training_and_says_so(tmp_path, capsys, monkeypatch):
    changes = {"steps": "40", "optim__learning_rate": "0", "log__patience": "2"}
    scores = segjax.train_and_evaluate(shrunk(**changes), tmp_path)
    said = capsys.readouterr().out
    assert "Ended at step 6: the last 2 evaluations found nothing better" in said
    assert segjax.train_and_evaluate(shrunk(**changes), tmp_path) == scores
    assert "This run is finished" in capsys.readouterr().out


def test_a_folder_elsewhere_is_one_that_can_be_gone_on_with(
    finished, tmp_path, monkeypatch
):
    """Stopped, the machine lost, and gone on with on a new one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    elsewhere = "memory://bucket/run"
    with monkeypatch.context() as patched:
        stop_in(3, patched)
        with pytest.raises(Stopped):
            segjax.train_and_evaluate(shrunk(), elsewhere)
    (spool,) = (tmp_path / ".cache/segjax/spool").iterdir()
    shutil.rmtree(spool)
    segjax.train_and_evaluate(shrunk(), elsewhere)
    assert left_by(spool) == left_by(finished)
    shutil.rmtree(spool)
    assert segjax.load_run(elsewhere).step in (2, 4, 6)
    assert left_by(spool) == left_by(finished)
    with pytest.raises(Mistake, match="nowhere://x cannot be reached"):
        segjax.train_and_evaluate(shrunk(), "nowhere://x")


def test_a_folder_that_another_host_trains_in_is_refused(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text(json.dumps({"host": "elsewhere", "process": 7}))
    config = shrunk()
    with pytest.raises(
        Mistake, match=r"Another process \(7 on elsewhere; its last sign"
    ):
        segjax.train_and_evaluate(config, tmp_path)
    long_ago = time.time() - 100
    os.utime(lock, (long_ago, long_ago))
    with held_alone(lock):  # it has died
        assert json.loads(lock.read_text())["process"] == os.getpid()
    assert lock.read_text() == ""


def launch(folder, *words, devices=1, said=None):
    """The launcher in a process of its own, on the smallest network."""
    options = SHRUNK | {"log.save": "1", "steps": "12"}
    command = [
        sys.executable,
        "launch.py",
        "--config=unet",
        "--cpu",
        f"--workdir={folder}",
    ]
    command += [f"--config.{k}={v}" for k, v in options.items()]
    flags = (
        f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    )
    with Path(f"{folder}.said").open("a") as file:
        return subprocess.Popen(
            [*command, *words],
            cwd=Path(__file__).parent.parent,
            env=os.environ | {"XLA_FLAGS": flags},
            stdout=said or file,
            stderr=said or file,
        )


def newest(folder):
    names = [p.name for p in (folder / "checkpoints").glob("[0-9]*")]
    return max((int(n) for n in names if n.isdigit()), default=0)


@pytest.mark.processes
def test_a_killed_run_goes_on_from_its_newest_checkpoint(tmp_path):
    """benchmarks/kills.py does this a hundred times."""
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    first = launch(alone)
    process, seen = launch(killed), 0
    assert first.wait(120) == 0
    while process.poll() is None and newest(killed) < 3:
        time.sleep(0.001)
    process.kill()
    process.wait()
    seen = newest(killed)
    assert launch(killed).wait(120) == 0
    if seen < 12:
        assert f"going on from step {seen}" in Path(f"{killed}.said").read_text()
    assert left_by(killed) == left_by(alone)
    assert same(variables(killed, 12), variables(alone, 12))


@pytest.mark.processes
def test_two_processes_train_as_one_and_stop_as_one(tmp_path):
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def start():  # as streams: each decodes its own rows
        words = [f"--cluster=127.0.0.1:{port},2,{i}" for i in (0, 1)]
        return [launch(shared, w, "--config.data.memory=0", devices=2) for w in words]

    first = launch(alone, devices=4)
    together = start()
    while together[1].poll() is None and newest(shared) < 3:
        time.sleep(0.01)
    together[1].terminate()
    assert [p.wait(120) for p in together] == [3, 3], Path(f"{shared}.said").read_text()
    together = start()
    assert [p.wait(120) for p in together] == [0, 0], Path(f"{shared}.said").read_text()
    assert first.wait(120) == 0
    assert Path(f"{shared}.said").read_text().count("going on from step") == 1
    names = [
        [line.split(",")[0] for line in (folder / "rows.csv").read_text().splitlines()]
        for folder in (alone, shared)
    ]
    assert names[0] == names[1]
    one, other = (variables(folder, 12) for folder in (alone, shared))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), one, other)
