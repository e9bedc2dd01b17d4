"""Files as a data set's owner hands them out: a folder, or a zip as it comes.

Nothing is unpacked: a zip's entries are read one at a time, so none can land outside.
Whatever is wrong with a file is a Mistake, one sentence that names it.
"""

import contextlib
import io
import os
import stat
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from segjax.base import Mistake

MOST_FILES = 1_000_000  # COCO has 410,000
MOST_BYTES = 2**28  # of one picture or table
MOST_PIXELS = 100_000_000
_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK")
_FORMATS = ("BMP", "PNG", "JPEG", "TIFF")  # and nothing that starts other programs
_PICTURES = (".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff")


class Files:
    """What lies in a folder or a zip: names, with /, and each one's bytes."""

    def __init__(self, where: Path, names: list[str], problems: list[str]):
        self.where, self.names, self.problems = where, names, problems

    def read(self, name: str, most: int | None = None) -> bytes:
        """The file's bytes. most: that it may have, unset for those of a picture."""
        try:
            size = self._size(name)
            if size > (MOST_BYTES if most is None else most):
                raise Mistake(
                    f"{shown(name)} is {size / 2**20:,.0f} MB; no"
                    f" {'picture' if most is None else 'such file'} is nearly as large."
                )
            return self._read(name)
        except OSError as error:
            raise Mistake(f"{shown(name)} cannot be read: {error.strerror}.") from None

    def _size(self, name: str) -> int:
        return (self.where / name).stat().st_size

    def _read(self, name: str) -> bytes:
        if not stat.S_ISREG((self.where / name).stat().st_mode):
            raise Mistake(f"{shown(name)} is not a file.")  # a pipe would wait for ever
        return (self.where / name).read_bytes()


class _Zipped(Files):
    def __init__(self, where: Path, archive: zipfile.ZipFile, entries, problems):
        super().__init__(where, sorted(entries), problems)
        self._archive, self._entries = archive, entries

    def _size(self, name: str) -> int:
        return self._entries[name].file_size

    def _read(self, name: str) -> bytes:
        try:
            return self._archive.read(self._entries[name])
        except NotImplementedError as error:
            raise Mistake(f"{shown(name)}: {error}; unpack the zip yourself.") from None
        except RuntimeError:  # zipfile's word for a password
            raise Mistake(
                f"{shown(name)} is locked with a password; unpack the zip yourself."
            ) from None
        except Exception as error:  # each kind of compression has its own words
            raise Mistake(
                f"{shown(name)} is damaged inside the zip ({error}); get the zip anew."
            ) from None


def open_files(where: str | Path) -> Files:
    """The files of a folder, of a zip, or of the one zip that a folder holds."""
    where = Path(os.path.expanduser(where))
    try:
        if where.is_dir():
            files = _walk(where)
            pictures = any(n.lower().endswith(_PICTURES) for n in files.names)
            zips = [n for n in files.names if n.lower().endswith(".zip")]
            only_zip = len(zips) == 1 and not pictures
            return _open_zip(where / zips[0]) if only_zip else files
        if where.is_file():
            return _open_zip(where)
    except OSError as error:
        raise Mistake(
            f"{shown(where)} cannot be read: {error.strerror or error}."
        ) from None
    raise Mistake(f"{shown(where)} is not there; give the folder or zip of the data.")


def shown(name: object) -> str:
    """A name that any terminal can print: bytes that are no text as \\xNN."""
    text = str(name)
    with contextlib.suppress(UnicodeEncodeError):  # half a character, as JSON may hold
        text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def listed(names: list[str], most: int = 5) -> str:
    """'a, b, c and 4 more'"""
    told = ", ".join(shown(n) for n in names[:most])
    return told + (f" and {len(names) - most} more" if len(names) > most else "")


def decode_picture(data: bytes, name: str) -> np.ndarray:
    """A picture's pixels. u8[h,w,3]"""
    image = decode(data, name)
    if image.mode not in _EIGHT_BITS:
        raise Mistake(
            f"{shown(name)} is a picture of kind {image.mode!r}, not of 8 bits a"
            " channel; this data set has none such."
        )
    return np.asarray(image.convert("RGB"))


def decode_mask(data: bytes, name: str) -> np.ndarray:
    """A mask's brightness: the brightest of its colour channels, or its transparency if
    that is where it lies. u8[h,w]"""
    image = decode(data, name)
    if image.mode not in _EIGHT_BITS:  # 16 bits, floats: their share of the brightest
        values = np.nan_to_num(np.asarray(image, np.float64))
        return (255 * values / max(values.max(), 1e-9)).clip(0, 255).astype(np.uint8)
    mask = np.asarray(image.convert("RGB")).max(axis=-1)
    if image.mode in ("LA", "PA", "RGBA") and mask.min() == mask.max():
        return np.asarray(image.getchannel("A"))
    return mask


def encode_png(array: np.ndarray) -> bytes:
    """Without loss."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG", compress_level=4)
    return file.getvalue()


def decode(
    data: bytes,
    name: str,
    formats: tuple[str, ...] = _FORMATS,
    whole: bool = True,
) -> Image.Image:
    """A picture file, decoded (whole), or its header read; or a Mistake that says what
    is wrong with it."""
    if not data:
        raise Mistake(f"{shown(name)} is empty (0 bytes); get it anew.")
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
        if image.width * image.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        if whole:
            image.load()
    except Image.UnidentifiedImageError:
        raise Mistake(
            f"{shown(name)} is not a picture: it begins with {data[:12]!r}."
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Mistake(
            f"{shown(name)} claims more than {MOST_PIXELS // 10**6} million pixels; it"
            " is damaged, or made to harm."
        ) from None
    except Exception as error:  # Pillow has many words for a file that is cut short
        raise Mistake(f"{shown(name)} is cut short or damaged ({error}).") from None
    return image


def _walk(folder: Path) -> Files:
    names: list[str] = []
    problems: list[str] = []

    def closed(error: OSError) -> None:
        problems.append(f"{shown(error.filename)} cannot be read: {error.strerror}.")

    for at, _, files in os.walk(folder, onerror=closed):  # follows no links: no loops
        inside = Path(at).relative_to(folder).as_posix()
        names += [name if inside == "." else f"{inside}/{name}" for name in files]
        if len(names) > MOST_FILES:
            raise Mistake(
                f"{shown(folder)} holds more than {MOST_FILES:,} files; give the folder"
                " of the data set itself."
            )
    return Files(folder, sorted(names), problems)


def _open_zip(path: Path) -> Files:
    if path.suffix.lower() in (".rar", ".7z", ".tar", ".gz", ".tgz"):
        raise Mistake(
            f"{shown(path)} is an archive; unpack it and give the folder it makes."
        )
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception:  # names that are no text, unknown versions
        raise Mistake(
            f"{shown(path)} is neither a folder nor a whole zip; if it was to be a zip,"
            " get it anew."
        ) from None
    entries: dict[str, zipfile.ZipInfo] = {}
    problems = []
    for entry in archive.infolist():
        name = entry.filename.replace("\\", "/")  # as some Windows programs write it
        told = f"{shown(entry.filename)} in {shown(path.name)}"
        if _leads_outside(name):
            problems.append(
                f"{told} points outside of the zip; such a zip is made to harm. Get it"
                " from the owner of the data."
            )
        elif name in entries:
            problems.append(f"{told} is there twice; get the zip anew.")
        elif not entry.is_dir():
            entries[name] = entry
    return _Zipped(path, archive, entries, problems)


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or ":" in name.split("/")[0]
