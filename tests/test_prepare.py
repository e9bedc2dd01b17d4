"""PH2 and MADS from what their owners hand out: read whole, and every way in which
such a folder or zip may be broken told in a sentence."""

import fcntl
import io
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from segjax import data
from segjax.__main__ import main
from segjax.base import Mistake
from segjax.data import _intake, mads, ph2
from segjax.data._records import build as building
from segjax.run import (
    announce,
    build_parts,
    check_workdir,
    conclude,
    fingerprint,
    load_config,
    open_rows,
    read_scores,
    write_config,
    write_scores,
)

ROOT = Path(__file__).parent.parent
NAMES = [f"IMD{k:03d}" for k in range(2, 14)]  # 12 pictures of three kinds
KIND = {name: str(k % 3) for k, name in enumerate(NAMES)}
HEAD = ["Name", "Histological Diagnosis", "Clinical Diagnosis", "Asymmetry", "Dots"]


def row(name):
    return [name, "", KIND[name], "0", "A"]


def official_table(names=NAMES):
    """As the owners write it: || between columns, | between those of a group."""
    lines = [HEAD, *map(row, names)]
    told = [f"|| {' || '.join(line[:4])} | {line[4]} ||" for line in lines]
    return "\n".join([*told, "", "Legend:", "Clinical Diagnosis: 0 - Common Nevus"])


def picture_of(name):
    rng = np.random.default_rng(int(name[3:]))
    shape = (6 + int(name[3:]) % 3, 9)
    mask = np.zeros(shape, np.uint8)
    mask[1:4, 2:6] = 255
    return rng.integers(0, 256, (*shape, 3), np.uint8), mask


def place(root, name):
    inside = root / "PH2Dataset" / "PH2 Dataset images" / name
    picture = inside / f"{name}_Dermoscopic_Image" / f"{name}.bmp"
    return picture, inside / f"{name}_lesion" / f"{name}_lesion.bmp"


@pytest.fixture
def folder(tmp_path):
    """PH2 as its owners give it, of small pictures; one mask is RGB, as one is."""
    root = tmp_path / "given"
    for name in NAMES:
        (image, mask), (picture, lesion) = picture_of(name), place(root, name)
        for path in (picture, lesion):
            path.parent.mkdir(parents=True)
        Image.fromarray(image).save(picture)
        whole = Image.fromarray(mask)
        whole.convert("RGB" if name == "IMD002" else "1").save(lesion)
    (root / "PH2Dataset" / "PH2_dataset.txt").write_text(official_table())
    return root


def prepare(name, source, to, *more):
    return main(["prepare", name, f"--from={source}", f"--to={to}", *more])


def all_rows(name, to, **config):
    for fold in range(5):
        rows = data.open_split(name, "test", dir=str(to), fold=fold, **config)
        yield from ((fold, rows[i]) for i in range(len(rows)))


def assert_whole(to):
    """Every picture and mask is bit-equal to the BMPs; folds share the kinds."""
    found = list(all_rows("ph2", to))
    assert sorted(example["name"] for _, example in found) == NAMES
    for _, example in found:
        image, mask = picture_of(example["name"])
        np.testing.assert_array_equal(example["image"], image)
        np.testing.assert_array_equal(example["semantic"], mask // 255)
        assert example["label"] == ph2.KINDS[int(KIND[example["name"]])]
    sizes = [sum(fold == k for fold, _ in found) for k in range(5)]
    assert sizes == [3, 3, 2, 2, 2]


def test_ph2_is_read_back_bit_equal(folder, tmp_path, capsys, monkeypatch):
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert prepare("ph2", folder, tmp_path / "to") == 0
    said = capsys.readouterr().out
    assert "4 typical nevus" in said
    assert "a part of PH2: 12 of its 200 pictures" in said
    assert_whole(tmp_path / "to")
    assert prepare("ph2", folder, tmp_path / "to") == 0
    assert "prepared already" in capsys.readouterr().out
    assert not list(temporary.iterdir())


def test_kinds_are_spread_evenly():
    kinds = ["typical nevus"] * 80 + ["atypical nevus"] * 80 + ["melanoma"] * 40
    table = {f"IMD{k:03d}": kind for k, kind in enumerate(kinds)}
    folds = ph2.deal(table)
    for fold in range(5):
        dealt = [table[name] for name in table if folds[name] == f"fold{fold}"]
        assert [dealt.count(kind) for kind in ph2.KINDS] == [16, 16, 8]
    assert [folds[f"IMD{k:03d}"] for k in (0, 4, 81, 199)] == [
        *("fold0", "fold4", "fold1", "fold4")
    ]


def test_a_picture_left_out_moves_no_other(folder, tmp_path):
    assert prepare("ph2", folder, tmp_path / "all") == 0
    shutil.rmtree(picture(folder).parent.parent)
    assert prepare("ph2", folder, tmp_path / "but") == 0
    before = {e["name"]: fold for fold, e in all_rows("ph2", tmp_path / "all")}
    after = {e["name"]: fold for fold, e in all_rows("ph2", tmp_path / "but")}
    assert before.pop("IMD007") == 4
    assert after == before


def tab_table(root):
    lines = [["\ufeffImage Name", *HEAD[1:]], *map(row, NAMES)]
    write_table(root, "\n".join("\t".join(line) for line in lines), "txt")


def csv_table(root):
    head = ["Clinical Diagnosis", "Colours", "Name"]  # in another order
    lines = [head, *([KIND[n], '"3, 4"', n] for n in NAMES)]
    write_table(root, "\n".join(",".join(line) for line in lines), "csv")


def semicolon_table(root):
    lines = "\r\n".join(";".join(line) for line in [HEAD, *map(row, NAMES)])
    write_table(root, lines.encode("latin-1") + b"\r\n;caf\xe9", "csv")


def marked_table(root):
    head = ["Image Name", "Common Nevus", "Atypical Nevus", "Melanoma"]
    marks = [[n, *("X" if KIND[n] == k else "" for k in "012")] for n in NAMES]
    write_table(root, "\n".join(",".join(line) for line in [head, *marks]), "csv")


def write_table(root, text, suffix):
    inside = root / "PH2Dataset"
    (inside / "PH2_dataset.txt").unlink()
    text = text if isinstance(text, bytes) else text.encode()
    (inside / f"PH2_dataset.{suffix}").write_bytes(text)


def jpeg_twins(root):
    for name in NAMES:
        picture, lesion = place(root, name)
        for path in (picture, lesion):
            with Image.open(path) as image:
                blank = Image.new("RGB", image.size, "gray")
            blank.save(path.with_suffix(".jpg"))


def nested_deeper(root):
    (root / "PH2Dataset").rename(root / "inner")
    (root / "PH2Dataset").mkdir()
    (root / "inner").rename(root / "PH2Dataset" / "PH2Dataset")


def flat(root):
    """All pictures and the table in one folder."""
    for name in NAMES:
        for path in place(root, name):
            path.rename(root / path.name)
    (root / "PH2Dataset" / "PH2_dataset.txt").rename(root / "PH2_dataset.txt")


def zipped(root):
    shutil.make_archive(str(root / "PH2Dataset"), "zip", root, "PH2Dataset")
    shutil.rmtree(root / "PH2Dataset")


def extras(root):
    """Regions of interest, a Mac's leavings, a link that leads in circles."""
    inside = place(root, "IMD005")[0].parent.parent
    (inside / "IMD005_roi").mkdir()
    (inside / "IMD005_roi" / "IMD005_R1_Label3.bmp").write_bytes(b"")
    (inside / "IMD005_lesion" / "._IMD005_lesion.bmp").write_bytes(b"\0")
    os.symlink(root, root / "PH2Dataset" / "again")


def grey_masks(root):
    """0 and 1, as some write them."""
    for name in NAMES:
        lesion = place(root, name)[1]
        with Image.open(lesion) as image:
            mask = (np.asarray(image.convert("L")) > 0).astype(np.uint8)
        Image.fromarray(mask).save(lesion)


def mixed_masks(root):
    """Of 0/1, palette, transparency and 16 bits, among those of 0/255."""
    for name, kind in zip(NAMES, ("L", "P", "LA", "I;16")):
        mask, path = picture_of(name)[1] // 255, place(root, name)[1]
        if kind == "P":
            image = Image.fromarray(mask, "P")
            image.putpalette([0, 0, 0, 100, 0, 0])
        elif kind == "LA":
            image = Image.fromarray(np.stack([mask * 0, mask * 255], -1), "LA")
        else:
            image = Image.fromarray(mask.astype(np.uint16 if kind == "I;16" else "u1"))
        image.save(path.with_suffix(".png"))
        path.unlink()


def shouting(root):
    for name in NAMES:
        for path in place(root, name):
            path.rename(path.with_name(path.name.upper()))


TABLES = (tab_table, csv_table, semicolon_table, marked_table)
READ = (*TABLES, jpeg_twins, nested_deeper, flat, zipped, extras, grey_masks)
READ += (mixed_masks, shouting)


@pytest.mark.parametrize("change", READ, ids=lambda f: f.__name__)
def test_forms_that_go_round_are_read(change, folder, tmp_path):
    change(folder)
    assert prepare("ph2", folder, tmp_path / "to") == 0
    assert_whole(tmp_path / "to")


def picture(root):
    return place(root, "IMD007")[0]


def lesion(root):
    return place(root, "IMD007")[1]


def edit_table(change):
    def edit(root):
        table = root / "PH2Dataset" / "PH2_dataset.txt"
        table.write_text(change(table.read_text()))

    return edit


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def smaller(path):
    Image.new("1", (4, 4)).save(path)


def bomb(path):
    """A PNG of a few bytes that says it is 60,000 x 60,000."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    side = (60_000).to_bytes(4, "big")
    head = chunk(b"IHDR", side + side + b"\x08\x02\0\0\0")
    body = chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    path.with_suffix(".png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + body)
    path.unlink()


def beside(path, name):
    shutil.copy(path, path.parent / name)


def line_of(name, text):
    return next(line for line in text.splitlines() if name in line)


BROKEN_PH2 = {
    "a picture without row": (
        edit_table(lambda text: text.replace(line_of("IMD007", text), "")),
        "IMD007.bmp has no row in PH2Dataset/PH2_dataset.txt",
    ),
    "no diagnosis": (
        edit_table(lambda text: text.replace("IMD007 ||  || 2", "IMD007 ||  ||  ")),
        "Line 7 of PH2Dataset/PH2_dataset.txt gives IMD007 no diagnosis",
    ),
    "a diagnosis of another kind": (
        edit_table(lambda text: text.replace("IMD007 ||  || 2", "IMD007 ||  || 9")),
        "gives IMD007 no diagnosis; it must be 0, 1 or 2",
    ),
    "a row cut short": (
        edit_table(lambda text: text.replace(line_of("IMD007", text), "|| IMD007")),
        "gives IMD007 no diagnosis",
    ),
    "two diagnoses": (
        edit_table(lambda text: f"{text}\n|| IMD007 ||  || 1 || 0 | A ||"),
        "gives IMD007 a second, other diagnosis",
    ),
    "a table of something else": (
        edit_table(lambda text: "name,size\nIMD002,3"),
        "has no column 'Clinical Diagnosis'",
    ),
    "an empty table": (edit_table(lambda text: ""), "no column 'Clinical Diagnosis'"),
    "no table": (
        lambda root: (root / "PH2Dataset" / "PH2_dataset.txt").unlink(),
        "no PH2_dataset.txt, the table of diagnoses; give the folder that holds both",
    ),
    "a missing mask": (
        lambda root: lesion(root).unlink(),
        "IMD007.bmp has no mask IMD007_lesion.bmp",
    ),
    "only a lossy mask": (
        lambda root: lesion(root).rename(lesion(root).with_suffix(".jpg")),
        "IMD007_lesion.jpg is lossy and not taken",
    ),
    "two masks": (
        lambda root: beside(lesion(root), "IMD007_lesion_2.bmp"),
        "IMD007 has 2 masks",
    ),
    "two pictures": (
        lambda root: beside(picture(root), "../IMD007.bmp"),
        "IMD007 has 2 pictures",
    ),
    "a mask without picture": (
        lambda root: picture(root).unlink(),
        "IMD007_lesion.bmp is a mask without its picture",
    ),
    "a picture cut short": (lambda root: cut(picture(root)), "IMD007.bmp is cut short"),
    "a mask cut short": (lambda root: cut(lesion(root)), "lesion.bmp is cut short"),
    "a picture of 0 bytes": (
        lambda root: picture(root).write_bytes(b""),
        "IMD007.bmp is empty (0 bytes)",
    ),
    "a text named .bmp": (
        lambda root: picture(root).write_text("not found"),
        "IMD007.bmp is not a picture: it begins with b'not found'",
    ),
    "a mask of another size": (
        lambda root: smaller(lesion(root)),
        "IMD007_lesion.bmp is 4x4, its picture 7x9",
    ),
    "a decompression bomb": (
        lambda root: bomb(picture(root)),
        "IMD007.png claims more than 100 million pixels",
    ),
    "a link to nowhere": (
        lambda root: (picture(root).unlink(), picture(root).symlink_to("gone")),
        "IMD007.bmp cannot be read: No such file",
    ),
    "a link to itself": (
        lambda root: (picture(root).unlink(), picture(root).symlink_to("IMD007.bmp")),
        "IMD007.bmp cannot be read: Too many levels of symbolic links",
    ),
    "a pipe": (
        lambda root: (picture(root).unlink(), os.mkfifo(picture(root))),
        "IMD007.bmp is not a file",
    ),
    "a name that is no text": (
        lambda root: (
            cut(picture(root)),
            picture(root).parent.parent.rename(
                os.fsdecode(os.fsencode(root / "PH2Dataset") + b"/\xff\xfe")
            ),
        ),
        "\\xff\\xfe/IMD007_Dermoscopic_Image/IMD007.bmp is cut short",
    ),
    "an empty folder": (
        lambda root: shutil.rmtree(root / "PH2Dataset"),
        "holds no picture of PH2, IMDxxx.bmp; give the folder PH2Dataset",
    ),
    "a rar not unpacked": (
        lambda root: (
            shutil.rmtree(root / "PH2Dataset"),
            (root / "PH2Dataset.rar").write_bytes(b"Rar!"),
        ),
        "Unpack PH2Dataset.rar first",
    ),
    "a picture of 16 bits": (
        lambda root: (
            Image.fromarray(np.full((7, 9), 999, np.uint16)).save(
                picture(root).with_suffix(".png")
            )
            or picture(root).unlink()
        ),
        "IMD007.png is a picture of kind 'I;16', not of 8 bits a channel",
    ),
    "no mask with anything in it": (
        lambda root: [
            Image.new("1", picture_of(n)[1].shape[::-1]).save(place(root, n)[1])
            for n in NAMES
        ],
        "Every mask is empty",
    ),
    "a line that never ends": (
        lambda root: write_table(
            root, 'Name,Clinical Diagnosis\n"' + "x" * 200_000, "csv"
        ),
        "IMD002.bmp has no row in PH2Dataset/PH2_dataset.csv",
    ),
    "too few for folds": (
        lambda root: [
            shutil.rmtree(place(root, n)[0].parent.parent) for n in NAMES[4:]
        ],
        "There are 4 whole pictures and none for fold",
    ),
}


def told(rc, words, capsys, to):
    """Exit code 2, the sentence, and nothing written."""
    said = capsys.readouterr()
    assert rc == 2, said.out
    assert words in said.err
    assert "Traceback" not in said.err
    assert not to.exists() or [p.name for p in to.iterdir()] == ["segjax_ph2.lock"]


@pytest.mark.parametrize(("harm", "words"), BROKEN_PH2.values(), ids=BROKEN_PH2)
def test_broken_ph2_is_told(harm, words, folder, tmp_path, capsys):
    harm(folder)
    told(prepare("ph2", folder, tmp_path / "to"), words, capsys, tmp_path / "to")


def test_all_problems_are_told_at_once_and_may_be_skipped(folder, tmp_path, capsys):
    cut(picture(folder))
    place(folder, "IMD004")[1].unlink()
    assert prepare("ph2", folder, tmp_path / "to") == 2
    said = capsys.readouterr().err
    assert "2 problems" in said
    assert "IMD004.bmp has no mask" in said
    assert "add --skip-broken" in said
    assert prepare("ph2", folder, tmp_path / "to", "--skip-broken") == 1
    assert "They were left out" in capsys.readouterr().out
    assert len(list(all_rows("ph2", tmp_path / "to"))) == 10


def test_two_diagnoses_are_none(folder, tmp_path):
    """Skipped is left out, as is said: neither of the two is taken for true."""
    BROKEN_PH2["two diagnoses"][0](folder)
    assert prepare("ph2", folder, tmp_path / "to", "--skip-broken") == 1
    left = {example["name"] for _, example in all_rows("ph2", tmp_path / "to")}
    assert left == {*NAMES} - {"IMD007"}


def test_masks_that_are_all_empty_cannot_be_skipped(folder, tmp_path, capsys):
    BROKEN_PH2["no mask with anything in it"][0](folder)
    done = prepare("ph2", folder, tmp_path / "to", "--skip-broken")
    told(done, "Every mask is empty", capsys, tmp_path / "to")


def test_a_row_without_picture_is_told_and_lived_with(folder, tmp_path, capsys):
    shutil.rmtree(picture(folder).parent.parent)
    assert prepare("ph2", folder, tmp_path / "to") == 0
    assert "rows of the table without picture: IMD007" in capsys.readouterr().out
    assert len(list(all_rows("ph2", tmp_path / "to"))) == 11


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere", "nowhere is not there; give the folder or zip"),
        ("PH2Dataset.rar", "is an archive; unpack it and give the folder"),
        ("text.zip", "is neither a folder nor a whole zip"),
    ],
)
def test_a_source_that_is_none(source, words, tmp_path, capsys):
    for file in ("PH2Dataset.rar", "text.zip"):
        (tmp_path / file).write_text("no archive at all")
    told(
        prepare("ph2", tmp_path / source, tmp_path / "to"),
        words,
        capsys,
        tmp_path / "to",
    )


def test_far_too_many_files(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_intake, "MOST_FILES", 10)
    words = "holds more than 10 files; give the folder of the data set itself"
    told(prepare("ph2", folder, tmp_path / "to"), words, capsys, tmp_path / "to")


def test_a_file_far_too_large(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_intake, "MOST_BYTES", 100)
    told(
        prepare("ph2", folder, tmp_path / "to"), "is 0 MB; no", capsys, tmp_path / "to"
    )


def test_unknown_names(tmp_path, capsys):
    for name, words in (
        ("ph3", "Did you mean 'ph2'"),
        ("nevi", "Data 'nevi' needs no preparing. What does: coco, mads, ph2."),
    ):
        told(prepare(name, tmp_path, tmp_path / "to"), words, capsys, tmp_path / "to")
    assert main(["prepare", "ph2"]) == 2
    assert "--from" in capsys.readouterr().err


@pytest.mark.processes
def test_no_permission(folder, tmp_path):
    """As another user, where root runs the tests: root may read and write anything."""
    picture(folder).chmod(0)
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and "pytest-" in str(parent):
            parent.chmod(0o755)
    # once as who we are: all modules are loaded, which another may not read
    code = (
        "import os, sys\n"
        "from segjax.__main__ import main\n"
        "source, to = sys.argv[1:]\n"
        f"main(['prepare', 'ph2', source, '--again', '--to={tmp_path / 'mine'}'])\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "sys.exit(main(['prepare', 'ph2', source, to]))\n"
    )

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-c", code, f"--from={folder}", *words],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        return done.returncode, done.stderr

    rc, said = run(f"--to={closed / 'to'}")
    assert rc == 2
    assert "closed cannot be written to; give --to another" in said
    closed.chmod(0o777)
    rc, said = run(f"--to={closed / 'to'}")
    assert rc == 2
    assert "IMD007.bmp cannot be read: Permission denied" in said
    picture(folder).chmod(0o644)
    picture(folder).parent.chmod(0)
    rc, said = run(f"--to={closed / 'to'}")
    assert rc == 2
    assert "IMD007_Dermoscopic_Image cannot be read: Permission denied" in said


def test_a_full_disk_keeps_what_was_there(folder, tmp_path, capsys, monkeypatch):
    to = tmp_path / "to"
    assert prepare("ph2", folder, to) == 0
    whole = building._write_contents

    def full(builder):
        raise RuntimeError("write() failed: No space left on device")

    monkeypatch.setattr(building, "_write_contents", full)
    assert prepare("ph2", folder, to, "--again") == 2
    assert (
        "The disk is full: segjax_ph2 cannot be written to" in capsys.readouterr().err
    )
    assert sorted(p.name for p in to.iterdir()) == ["segjax_ph2", "segjax_ph2.lock"]
    assert_whole(to)
    monkeypatch.setattr(building, "_write_contents", whole)
    assert prepare("ph2", folder, to, "--again") == 0
    assert_whole(to)


@pytest.mark.parametrize("moved", [False, True])
def test_after_an_interrupted_prepare(moved, folder, tmp_path, capsys):
    """A killed build leaves its part; while it changed places, the old one aside."""
    to = tmp_path / "to"
    assert prepare("ph2", folder, to) == 0
    half = to / "segjax_ph2.part" / "segjax_ph2" / "incomplete.X_1.0.0"
    half.mkdir(parents=True)
    (half / "segjax_ph2-fold0.array_record-00000-of-00001").write_bytes(b"half")
    if moved:
        (to / "segjax_ph2" / "1.0.0").rename(to / "segjax_ph2.old")
        with pytest.raises(Mistake, match="is not prepared"):
            data.open_split("ph2", "test", dir=str(to))
    assert prepare("ph2", folder, to, "--again") == 0
    assert sorted(p.name for p in to.iterdir()) == ["segjax_ph2", "segjax_ph2.lock"]
    assert_whole(to)


def test_a_run_knows_its_pictures_again(folder, tmp_path):
    """The same from a build repeated; others where a picture is."""
    to, work = tmp_path / "to", tmp_path / "run"
    config = load_config("unet:ph2", [("data.dir", str(to))])
    found = []
    for build in range(3):
        if build == 2:
            shutil.copy(place(folder, "IMD010")[1], lesion(folder))
            shutil.copy(place(folder, "IMD010")[0], picture(folder))
        assert prepare("ph2", folder, to, "--again") == 0
        found.append(fingerprint(open_rows(config)))
    assert found[0] == found[1] != found[2]
    work.mkdir()
    write_config(work, config, found[0], {})
    check_workdir(work, config, found[1])
    with pytest.raises(Mistake, match="learnt from other pictures: data 'ph2' has"):
        check_workdir(work, config, found[2])


def test_two_prepares_at_once(folder, tmp_path, capsys):
    to = tmp_path / "to"
    to.mkdir()
    with (to / "segjax_ph2.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = f"Another process is preparing segjax_ph2 in {to}; wait for it"
        told(prepare("ph2", folder, to), words, capsys, to)


def launched(to, capsys, name="ph2"):
    rc = main(["train", f"--config=unet:{name}", f"--config.data.dir={to}"])
    return rc, capsys.readouterr().err


def test_launch_says_what_to_type(tmp_path, capsys, monkeypatch):
    rc, said = launched(tmp_path, capsys)
    assert rc == 2
    assert "https://www.fc.up.pt/addi/ph2%20database.html (free for research" in said
    assert f"python -m segjax prepare ph2 --from FOLDER --to {tmp_path}" in said
    monkeypatch.setenv("SEGJAX_DATA", str(tmp_path))
    assert main(["train", "--config=unet:mads"]) == 2
    said = capsys.readouterr().err
    assert "CC BY-ND 4.0" in said
    assert said.strip().endswith("python -m segjax prepare mads --from FOLDER")


def torn(folder):
    cut(folder / "segjax_ph2-fold3.array_record-00000-of-00001")


def altered(folder):
    """A byte of a picture, in a file of the same size."""
    (record,) = folder.glob("*fold3*")
    content = bytearray(record.read_bytes())
    at = content.find(b"IDAT")
    content[at + 8] ^= 255
    record.write_bytes(content)


def edited(folder):
    info = folder / "features.json"
    info.write_text(info.read_text().replace("png", "gif"))


def lost(folder):
    (folder / "segjax_ph2-fold3.array_record-00000-of-00001").unlink()


def unlisted(folder):
    (folder / "contents.json").write_text('{"half')


def older(folder):
    folder.rename(folder.with_name("0.9.0"))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (torn, "is damaged (segjax_ph2-fold3.array_record-00000-of-00001 has"),
        (altered, "is damaged ("),
        (edited, "is damaged (features.json is altered)"),
        (lost, "is damaged (segjax_ph2-fold3.array_record-00000-of-00001 is missing"),
        (unlisted, "is damaged (contents.json is missing or torn)"),
        (older, "by another version of segjax (0.9.0; this one reads 1.0.0)"),
    ],
)
def test_prepared_data_that_cannot_be_used(harm, words, folder, tmp_path, capsys):
    assert prepare("ph2", folder, tmp_path / "to") == 0
    harm(tmp_path / "to" / "segjax_ph2" / "1.0.0")
    rc, said = launched(tmp_path / "to", capsys)
    assert rc == 2
    assert words in said
    assert "python -m segjax prepare" in said


def test_the_builders_are_tfds_builders(folder, tmp_path):
    """As who knows TFDS would use them."""
    builder = ph2.SegjaxPh2(data_dir=str(tmp_path / "tfds"))
    config = tfds.download.DownloadConfig(manual_dir=str(folder))
    builder.download_and_prepare(download_config=config)
    source = builder.as_data_source(split="fold0+fold1")
    assert len(source) == builder.info.splits["fold0"].num_examples + 3
    example = source[0]
    image, mask = picture_of(example["name"].decode())
    np.testing.assert_array_equal(example["image"], image)
    np.testing.assert_array_equal(example["semantic"][..., 0], mask // 255)


# MADS

SHOTS = [
    f"{action}_{action}{n}_C{camera}_{frame:05d}"
    for action in ("HipHop", "Jazz", "Kata", "Sports", "Taichi")
    for n in (1, 2)
    for camera in (0, 1, 2)
    for frame in (45, 90)
]
NEST = "segmentation_full_body_mads_dataset_1192_img/" * 2


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def shot(name):
    rng = np.random.default_rng(SHOTS.index(name))
    mask = (rng.random((5, 6)) > 0.5).astype(np.uint8)
    return rng.integers(0, 256, (5, 6, 3), np.uint8), mask


def mads_files():
    """What the zip of Kaggle holds: {entry: bytes}."""
    rows = [
        f"{k},images/{n}.png,masks/{n}.png,collages/{n}.jpg"
        for k, n in enumerate(SHOTS)
    ]
    files = {"df.csv": "\n".join([",images,masks,collages", *rows]).encode()}
    for name in SHOTS:
        image, mask = shot(name)
        files[f"{NEST}images/{name}.png"] = png(image)
        files[f"{NEST}masks/{name}.png"] = png(np.stack([mask * 255] * 3, -1))
        files[f"{NEST}collages/{name}.jpg"] = b"never read"
    return files


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in files.items():
            archive.writestr(entry, content)
    return path


@pytest.fixture
def archive(tmp_path):
    return write_zip(tmp_path / "archive.zip", mads_files())


def test_mads_as_it_comes_or_unpacked(archive, tmp_path, capsys):
    with zipfile.ZipFile(archive) as whole:
        whole.extractall(tmp_path / "unpacked")
    (tmp_path / "holds").mkdir()
    shutil.copy(archive, tmp_path / "holds" / "MADS.zip")
    for source in (archive, tmp_path / "unpacked", tmp_path / "holds"):
        to = tmp_path / f"to-{source.stem}"
        assert prepare("mads", source, to) == 0
        said = capsys.readouterr().out
        assert "12 HipHop, 12 Jazz, 12 Kata, 12 Sports, 12 Taichi" in said
        assert "by random: folds of 12/12/12/12/12; leaky: of" in said
        found = [example for _, example in all_rows("mads", to)]
        assert sorted(example["name"] for example in found) == sorted(SHOTS)
        for example in found:
            image, mask = shot(example["name"])
            np.testing.assert_array_equal(example["image"], image)
            np.testing.assert_array_equal(example["semantic"], mask)
            action, sequence = example["name"].split("_")[:2]
            assert example["label"] == action
            assert example["group"] == f"{action} {sequence}"
            assert set(example["fields"]) == {"sequence", "camera", "frame"}


@pytest.mark.parametrize(
    ("by", "part", "leak"),
    [("sequence", "sequence", 0), ("action", "action", 0), ("random", "frame", 1)],
)
def test_what_no_two_splits_of_mads_share(by, part, leak, archive, tmp_path):
    assert prepare("mads", archive, tmp_path / "to") == 0
    for fold in range(5):
        names = {}
        for split in data.SPLITS:
            rows = data.open_split(
                "mads", split, dir=str(tmp_path / "to"), fold=fold, by=by
            )
            names[split] = [rows[i]["name"] for i in range(len(rows))]
        parts = {
            split: {getattr(mads.read_name(n), part) for n in found}
            for split, found in names.items()
        }
        shared = parts["train"] & (parts["test"] | parts["val"])
        shared |= parts["val"] & parts["test"]
        assert bool(shared) == bool(leak)
        assert (mads.leaked(names["train"], names["test"]) > 0) == bool(leak)
        assert sum(map(len, names.values())) == len(SHOTS)


def test_leaks_by_hand():
    train = ["Jazz_Jazz1_C0_00045", "Jazz_Jazz1_C1_00090", "Kata_F2_C0_00045"]
    test = ["Jazz_Jazz1_C2_00045", "Jazz_Jazz1_C2_00135", "Jazz_Jazz2_C2_00045"]
    assert mads.leaked(train, test) == pytest.approx(1 / 3)


def test_sequences_are_dealt_in_order_of_name():
    names = [f"{a}_{n}" for a in "abc" for n in range(6)]
    folds = mads.folds_by("sequence", names)
    assert [folds[name] for name in names] == [k % 5 for k in range(18)]
    with pytest.raises(Mistake, match="There are 3 actions, a, b, c; 5 folds need"):
        mads.folds_by("action", names)


def test_a_random_split_is_called_leaky_wherever_it_is_printed(
    archive, tmp_path, capsys
):
    assert prepare("mads", archive, tmp_path / "to") == 0
    assert "by random: folds of 12/12/12/12/12; leaky" in capsys.readouterr().out
    words = [("data.by", "random"), ("data.dir", str(tmp_path / "to"))]
    config = load_config("unet:mads", words)
    parts, said = build_parts(config), []
    announce(said.append, config, parts, open_rows(config), tmp_path, [])
    assert "caution: leaky: random split" in "\n".join(said)
    score = {"mean": 0.9, "low": 0.8, "high": 1.0, "pooled": 0.9, "n": 12}
    beside = {"caution": parts.info.caution}
    write_scores(tmp_path, 1, "test", "training", {"dice": score}, **beside)
    conclude(said.append, read_scores(tmp_path), tmp_path, "0:01")
    assert "Caution, leaky: random split" in "\n".join(said)
    assert not data.make_info("mads").caution


def changed(change):
    def harm(path):
        files = mads_files()
        change(files)
        write_zip(path, files)

    return harm


FIRST = SHOTS[0]
BROKEN_MADS = {
    "an entry that points outside": (
        changed(lambda f: f.update({"../../etc/cron.d/x": b"x"})),
        "../../etc/cron.d/x in archive.zip points outside of the zip",
    ),
    "an absolute entry": (
        changed(lambda f: f.update({"/etc/x": b"x"})),
        "/etc/x in archive.zip points outside of the zip",
    ),
    "a zip cut short": (cut, "archive.zip is neither a folder nor a whole zip"),
    "a byte changed inside": (
        lambda path: path.write_bytes(
            path.read_bytes().replace(png(shot(FIRST)[0])[60:70], b"0123456789")
        ),
        f"images/{FIRST}.png is damaged inside the zip (Bad CRC-32",
    ),
    "a missing mask": (
        changed(lambda f: f.pop(f"{NEST}masks/{FIRST}.png")),
        f"images/{FIRST}.png has no mask of its name in 'masks'",
    ),
    "a mask without picture": (
        changed(lambda f: f.pop(f"{NEST}images/{FIRST}.png")),
        f"masks/{FIRST}.png is a mask without its picture",
    ),
    "two of a name": (
        changed(lambda f: f.update({f"images/{FIRST}.png": b"x"})),
        f"{FIRST} is there 2 times",
    ),
    "a name of another kind": (
        changed(
            lambda f: f.update(
                {f"{NEST}{w}/me.png": png(shot(FIRST)[0]) for w in ("images", "masks")}
            )
        ),
        "images/me.png is not named <Action>_<Sequence>_C<camera>_<frame>",
    ),
    "a mask of another size": (
        changed(
            lambda f: f.update(
                {f"{NEST}masks/{FIRST}.png": png(np.zeros((2, 2), np.uint8))}
            )
        ),
        f"masks/{FIRST}.png is 2x2, its picture 5x6",
    ),
    "a frame beyond counting": (
        changed(lambda f: f.update({f"{NEST}images/A_B_C1_{'9' * 5000}.png": b"x"})),
        "is not named <Action>_<Sequence>_C<camera>_<frame>",
    ),
    "another list": (
        changed(lambda f: f.update({"df.csv": b"a,b\n1,2\n"})),
        "df.csv names no pictures; it is not MADS's list",
    ),
    "no pictures": (
        lambda path: write_zip(path, {"readme.txt": b"hello"}),
        "holds no pictures in a folder 'images'",
    ),
    "too few sequences": (
        changed(lambda f: [f.pop(n) for n in list(f) if "HipHop" not in n]),
        "There are 2 sequences",
    ),
}


@pytest.mark.parametrize(("harm", "words"), BROKEN_MADS.values(), ids=BROKEN_MADS)
def test_broken_mads_is_told(harm, words, archive, tmp_path, capsys):
    harm(archive)
    told(prepare("mads", archive, tmp_path / "to"), words, capsys, tmp_path / "to")
    assert not Path("/etc/cron.d/x").exists()


def test_a_zip_with_a_password(archive, tmp_path, capsys):
    content = bytearray(archive.read_bytes())
    for mark, place_of_flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + place_of_flag] |= 1
            at = content.find(mark, at + 4)
    archive.write_bytes(content)
    words = "is locked with a password; unpack the zip yourself"
    told(prepare("mads", archive, tmp_path / "to"), words, capsys, tmp_path / "to")
