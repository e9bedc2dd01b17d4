"""What a newcomer types wrong: one sentence, exit code 2, nothing on disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import segjax.__main__ as commands
from segjax import parallel, run
from segjax.__main__ import main
from segjax.parallel import _cpu

ROOT = Path(__file__).parent.parent
GOOD = "--config=configs/unet.py"
MISTAKES = {
    "no config": ([], "--config"),
    "unknown flag": ([GOOD, "--worklist=x"], "--worklist"),
    "missing file": (["--config=configs/unett.py"], "Did you mean 'unet'"),
    "not a config": (["--config=launch.py"], "no function get_config"),
    "another file": (["--config=configs"], "There is no config 'configs'"),
    "unknown preset": ([f"{GOOD}:huge"], "no preset 'huge'"),
    "unknown key": ([GOOD, "--config.stpes=3"], "Did you mean 'steps'"),
    "unknown option": ([GOOD, "--config.model.wdith=3"], "Did you mean 'width'"),
    "unknown section": ([GOOD, "--config.modle.width=3"], "Did you mean 'model'"),
    "wrong type": (
        [GOOD, "--config.steps=many"],
        "steps is 'many'; it must be a whole",
    ),
    "half a step": ([GOOD, "--config.steps=1.5"], "it must be a whole number"),
    "no value": ([GOOD, "--config.steps"], "has no value"),
    "unknown model": ([GOOD, "--config.model.name=segnett"], "Did you mean 'segnet'"),
    "another model's option": ([GOOD, "--config.model.name=segnet"], "'model.depth'"),
    "unknown task": ([GOOD, "--config.task.name=semantics"], "Did you mean 'semantic'"),
    "unknown data": ([GOOD, "--config.data.name=nevus"], "Did you mean 'nevi'"),
    "batch to share": ([GOOD, "--config.batch=12"], "multiple of 8 devices, 16 for"),
    "zero batch": ([GOOD, "--config.batch=0"], "batch is 0"),
    "zero size": ([GOOD, "--config.data.size=0"], "data.size is 0"),
    "negative steps": ([GOOD, "--config.steps=-3"], "steps is -3"),
    "negative seed": ([GOOD, "--config.seed=-1"], "seed is -1"),
    "unknown fit": ([GOOD, "--config.data.fit=squash"], "data.fit is 'squash'"),
    "no such fold": ([GOOD, "--config.data.fold=9"], "data.fold is 9"),
    "few pictures": ([GOOD, "--config.data.pictures=2"], "The data has 2 pictures"),
    "a folder for drawn data": ([GOOD, "--config.data.dir=x"], "leave data.dir unset"),
    "no size": ([GOOD, "--config.data.size=none"], "data.size is 0; it must be"),
    "a section": ([GOOD, "--config.log=none"], "log is a section"),
    "nonsense": ([GOOD, "--config.steps={[]:1}"], "steps is '{[]:1}'; it must be a"),
    "maps too small": (
        [GOOD, "--config.model.padding=valid", "--config.model.margin=false"],
        "a task needs maps of the picture's size",
    ),
    "crop too large": ([GOOD, "--config.augment.crop=999"], "augment.crop is 999"),
    "two crops": (
        [GOOD, "--config.data.fit=crop", "--config.augment.crop=64"],
        "With data.fit=crop, data.size is the crop; unset augment.crop",
    ),
    "a canvas too small": (
        [GOOD, "--config.data.fit=crop", "--config.data.canvas=50"],
        "data.canvas is 50; it must be larger than data.size, 96",
    ),
    "a canvas for nothing": ([GOOD, "--config.data.canvas=200"], "data.canvas is for"),
    "no end of memory": ([GOOD, "--config.data.memory=1e999"], "data.memory is inf"),
    "warm-up too long": ([GOOD, "--config.optim.warmup=999"], "optim.warmup is 999"),
    "unknown optimizer": ([GOOD, "--config.optim.name=adam"], "Did you mean 'adamw'"),
    "unknown type": ([GOOD, "--config.model.dtype=half"], "model.dtype is 'half'"),
    "no run to start from": (
        [GOOD, "--config.init=nowhere"],
        "not the folder of a run",
    ),
}


@pytest.fixture
def in_clone(tmp_path, monkeypatch):
    """A folder with the configs, where a mistake must leave nothing."""
    for name in ("configs", "launch.py"):
        os.symlink(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        run, "load_splits", lambda *_: pytest.fail("it went on to train")
    )
    return tmp_path


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence(arguments, in_clone, capsys):
    words, culprit = arguments
    assert main(["train", *words]) == 2
    said = capsys.readouterr()
    assert culprit in said.err
    assert said.err.strip().startswith("segjax: ")
    assert said.err.strip().count("\n") == 0
    assert said.out == ""
    assert {p.name for p in in_clone.iterdir()} == {"configs", "launch.py"}


def test_a_task_that_the_data_cannot_serve(in_clone, capsys, monkeypatch):
    from segjax.base import Info
    from segjax.data import nevi

    monkeypatch.setattr(nevi, "make_info", lambda **_: Info(("a", "b")))
    assert main(["train", GOOD]) == 2
    assert "needs semantic; the data provides image" in capsys.readouterr().err


# the training of test_train.py and test_reliable.py: compiled once for all
SMALL = ["--config.steps=6", "--config.batch=8", "--config.data.size=16"]
SMALL += ["--config.data.pictures=30", "--config.model.width=2"]
SMALL += ["--config.model.depth=1", "--config.log.evaluate=0"]


def test_a_workdir_of_another_config_names_the_keys(tmp_path, capsys):
    there = [GOOD, *SMALL, f"--workdir={tmp_path / 'run'}"]
    assert main(["train", *there]) == 0
    before = sorted(p for p in tmp_path.rglob("*"))
    assert main(["train", *there, "--config.seed=3", "--config.model.width=8"]) == 2
    error = capsys.readouterr().err
    assert "model.width was 2 and is 8; seed was 0 and is 3" in error
    assert main(["train", *there, "--config.log.metrics=3"]) == 0
    assert sorted(p for p in tmp_path.rglob("*")) == before


def test_a_workdir_that_is_something_else(tmp_path, capsys):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    assert main(["train", GOOD, f"--workdir={tmp_path}"]) == 2
    assert "holds something that is not a run" in capsys.readouterr().err
    assert main(["train", GOOD, f"--workdir={tmp_path / 'photo.jpg' / 'run'}"]) == 2
    assert "is a file; give --workdir a folder" in capsys.readouterr().err


@pytest.mark.processes
def test_an_unwritable_workdir(tmp_path):
    """As another user, where root runs the tests: root may write anywhere."""
    tmp_path.chmod(0o555)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from segjax.base import Mistake\n"
        "from segjax.run import check_workdir, load_config\n"
        "config = load_config('unet')\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: check_workdir(Path(sys.argv[1]) / 'run', config)\n"
        "except Mistake as mistake: print(mistake)\n"
    )
    readable = tmp_path
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.getuid() and folder.name.startswith("pytest-"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", code, str(readable)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert "cannot be written to; give --workdir another folder" in done.stdout


def test_a_second_process_is_refused(tmp_path, capsys):
    from segjax.run import locked

    there = [GOOD, *SMALL, f"--workdir={tmp_path / 'run'}"]
    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run"):
        assert main(["train", *there]) == 2
    told = capsys.readouterr().err
    assert f"Another process ({os.getpid()} on " in told
    assert "is training in" in told


def test_an_accelerator_that_jax_does_not_see(monkeypatch, capsys):
    monkeypatch.setattr(parallel, "_machine_has", lambda: "gpu")
    monkeypatch.setattr(parallel, "_cpu_is_wanted", lambda: False)
    assert main(["train", GOOD]) == 2
    assert 'pip install "jax[cuda13]==' in capsys.readouterr().err
    monkeypatch.setattr(parallel, "_machine_has", lambda: None)
    parallel.check_accelerator()


def test_commands_are_told(capsys):
    assert main([]) == 0
    assert "train" in capsys.readouterr().out
    assert main(["trian"]) == 2
    assert "Did you mean 'train'" in capsys.readouterr().err


@pytest.mark.processes
def test_the_launcher_itself(in_clone):
    """The file, as typed: exit codes come out of it."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "launch.py"), GOOD, "--config.steps=0"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "segjax: steps is 0; it must be at least 1."
    helped = subprocess.run(
        [sys.executable, str(ROOT / "launch.py"), "--help"],
        capture_output=True,
        text=True,
    )
    assert helped.returncode == 0
    assert "--workdir" in helped.stdout


@pytest.mark.processes
def test_a_reader_that_has_read_enough_is_no_error():
    """As in `python -m segjax list | head`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "segjax", "list"],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_pipe_that_breaks_elsewhere_does_not_pass_for_success(monkeypatch):
    """Storage far away breaks its pipes too, in the midst of a training."""

    def breaks(arguments):
        raise BrokenPipeError("the storage has gone")

    monkeypatch.setattr("segjax.command.train.main", breaks)
    with pytest.raises(BrokenPipeError):
        main(["train"])


def begun_anew(monkeypatch, typed, own, **environment):
    """The environment that a command's process would begin anew with, or None."""
    began = []
    monkeypatch.setattr(os, "execve", lambda *given: began.append(given))
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36")
    monkeypatch.setattr(sys, "orig_argv", typed)
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    commands._keep_pages(own)
    assert len(began) < 2
    return began[0][2] if began else None


def test_a_command_begins_anew_with_memory_that_is_kept(monkeypatch):
    typed = ["python", "launch.py", "--config=unet"]
    found = begun_anew(monkeypatch, typed, ["--config=unet"])
    assert "hugetlb=1" in found["GLIBC_TUNABLES"]
    assert found["PATH"]


@pytest.mark.parametrize(
    ("typed", "own", "environment"),
    [
        (["python", "launch.py", "a"], ["a"], {"GLIBC_TUNABLES": "mine"}),
        (["python", "-m", "ipykernel_launcher", "-f", "x.json"], ["a"], {}),
        (["python", "launch.py"], [], {}),
    ],
)
def test_a_process_that_is_not_the_commands_own_goes_on(
    monkeypatch, typed, own, environment
):
    assert begun_anew(monkeypatch, typed, own, **environment) is None


@pytest.mark.parametrize(
    ("batch", "cores", "devices"),
    [(16, 2, 2), (7, 2, 1), (2, 16, 2), (9, 4, 3), (64, 64, 8), (0, 2, 2), (4, 1, 1)],
)
def test_cores_share_the_batch_evenly(batch, cores, devices):
    assert _cpu._sharers(batch, cores) == devices


def test_devices_that_are_asked_for_stay():
    parallel.use_cores(2)
    parallel.use_cores(2)
    assert _cpu._give_back_after_compiling.cache_info().currsize == 1
    assert parallel.devices_here() == 8
    assert "eigen=false" not in os.environ.get("XLA_FLAGS", "")


def test_memory_is_given_back_after_long_compilations_alone(monkeypatch):
    heard, trimmed = [], []

    class Libc:
        malloc_trim = trimmed.append

    monkeypatch.setattr(_cpu.ctypes, "CDLL", lambda name: Libc)
    monkeypatch.setattr(
        _cpu.jax.monitoring, "register_event_duration_secs_listener", heard.append
    )
    give_back = _cpu._give_back_after_compiling.__wrapped__
    give_back()
    (listen,) = heard
    listen("/jax/core/compile/backend_compile_duration", 0.01)
    listen("/jax/something/else", 10.0)
    assert trimmed == []
    listen("/jax/core/compile/backend_compile_duration", 10.0)
    assert trimmed == [0]

    monkeypatch.setattr(_cpu.ctypes, "CDLL", lambda name: object())
    give_back()  # no such function, and nothing to do
    assert len(heard) == 1


def test_a_config_without_a_batch_is_a_mistake(tmp_path, capsys):
    words = ["--config", "unet", "--cpu", "--workdir", str(tmp_path / "run")]
    assert main(["train", *words, "--config.batch=none"]) == 2
    assert "set --config.batch" in capsys.readouterr().err
