"""COCO's annotations as pictures to be prepared: each with its file and its objects."""

import collections
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from segjax.base import Mistake
from segjax.data._coco.find_files import (
    Pictures,
    Source,
    by_split,
    find_sources,
    json_files,
    one_form,
    read_json,
)
from segjax.data._coco.legend import PANOPTIC, Legend, read_legend
from segjax.data._folds import FOLDS, deal
from segjax.data._intake import Files, listed, shown


class Picture(NamedTuple):
    """A picture and what COCO says of it."""

    name: str
    split: str  # of the builder: train, val and test, or fold0 ..
    image: str  # file of the picture
    size: tuple[int, int]  # height, width
    ids: str  # file of the segments' ids, panoptic; else ""
    marks: list[dict[str, Any]]  # its segments, or its objects
    legend: Legend
    source: str  # file of the annotations


class Document(NamedTuple):
    """A file of annotations, sorted by picture."""

    source: Source
    legend: Legend
    images: dict[int, dict]
    marks: dict[int, list[dict]]  # of each picture that has any
    problems: list[str]
    aside: list[
        str
    ]  # the categories of objects that are none where key points are read


class Scan(NamedTuple):
    pictures: list[Picture]
    problems: list[str]
    remarks: list[str]


def scan(files: Files, form: str) -> Scan:
    """The pictures of the annotations of a form."""
    sources = [s for s in find_sources(files) if s.form == form]
    if not sources:
        other = one_form(files)
        raise Mistake(
            f"{shown(files.where)} holds annotations of {other}, not of {form}."
        )
    documents = {s: read_document(files, of) for s, of in by_split(sources).items()}
    _check_same(list(documents.values()))
    there, scanned = Pictures(files), Scan([], [], [])
    seen: set[tuple[str, str]] = set()  # picture and annotations
    for split, document in documents.items():
        scanned.problems.extend(document.problems)
        for image, part in _dealt(document, split):
            try:
                picture = _picture(document, image, part, there)
                _check_new(picture, seen)
                scanned.pictures.append(picture)
            except Mistake as mistake:
                scanned.problems.append(str(mistake))
    read = [document.source.file for document in documents.values()]
    aside = [file for file in json_files(files) if file not in read]
    others = [name for document in documents.values() for name in document.aside]
    for what, names in (
        ("JSON files left aside", aside),
        ("pictures found by their name alone", there.by_name_alone),
        ("pictures that no annotation names", _odd_files(scanned.pictures, there)),
        (
            f"{len(others)} objects that have no key points, taken as background",
            sorted(set(others)),
        ),
    ):
        scanned.remarks.extend([f"{what}: {listed(names)}"] if names else [])
    return scanned._replace(pictures=_named(scanned.pictures))


def read_document(files: Files, source: Source) -> Document:
    """A file of annotations; what is wrong with a single one is among its problems."""
    content = source.content or read_json(files, source.file)
    for word in ("images", "annotations", "categories"):
        if not isinstance(content, dict) or not isinstance(content.get(word), list):
            raise Mistake(
                f"{shown(source.file)} has no list of {word!r}; it is not one of"
                " COCO's files of annotations."
            )
    legend = read_legend(content["categories"], source.form, source.file)
    images, twice, problems = _by_id(content["images"], source.file)
    known = images.keys() | twice
    others = {
        entry["id"]: shown(entry["name"])
        for entry in content["categories"]
        if entry["id"] not in legend.ids
    }
    marks: dict[int, list[dict]] = {}
    aside: list[str] = []
    for mark in content["annotations"]:
        of = mark.get("image_id") if isinstance(mark, dict) else None
        if type(of) is not int or of not in known:
            problems.append(_astray(mark, of, source.file))
        elif type(kind := mark.get("category_id")) is int and kind in others:
            aside.append(others[kind])
        elif of in images:
            marks.setdefault(of, []).append(mark)
    return Document(source, legend, images, marks, problems, aside)


def _astray(mark: Any, of: Any, file: str) -> str:
    """The sentence for an annotation of no picture."""
    entry = mark if isinstance(mark, dict) else {}
    which = shown(entry.get("id", entry.get("file_name", "without id")))
    return (
        f"Annotation {which} of {shown(file)} is of image {of!r}, which is not"
        " among its 'images'; add the image, or take the annotation out."
    )


def _by_id(entries: list, file: str) -> tuple[dict[int, dict], set[int], list[str]]:
    """The entries of pictures by their ids, the ids that several have, and what is
    wrong."""
    images: dict[int, dict] = {}
    twice: set[int] = set()
    problems = []
    for place, entry in enumerate(entries, 1):
        key = entry.get("id") if isinstance(entry, dict) else None
        if type(key) is not int:
            problems.append(
                f"Image {place} of the list in {shown(file)} has no whole number as its"
                " 'id'; give it one."
            )
        elif key in images and key not in twice:
            twice.add(key)
            problems.append(
                f"{shown(file)} has several images of the id {key}; leave one, or"
                " number them apart."
            )
        else:
            images[key] = entry
    return {k: e for k, e in images.items() if k not in twice}, twice, problems


def _check_same(documents: list[Document]) -> None:
    first, *others = documents
    for other in others:
        if other.legend != first.legend:
            raise Mistake(
                f"{shown(first.source.file)} and {shown(other.source.file)} have other"
                " categories; a class must be the same in both."
            )


def _dealt(document: Document, split: str) -> Iterator[tuple[dict, str]]:
    """Each picture with its part: that of its file; of a file alone each picture
    has its fold. All are dealt out, broken or not: one left out moves no other."""
    ordered = sorted(document.images)
    if split:
        yield from ((document.images[key], split) for key in ordered)
        return
    folds = deal(FOLDS, ordered, [""] * len(ordered))
    yield from ((document.images[k], f"fold{f}") for k, f in zip(ordered, folds))


def _picture(document: Document, image: dict, part: str, there: Pictures) -> Picture:
    """A picture with its files, or a Mistake."""
    key, file, source = image["id"], image.get("file_name"), document.source
    what = f"Image {key} of {shown(source.file)}"
    size = image.get("height"), image.get("width")
    if not isinstance(file, str) or not file:
        raise Mistake(f"{what} has no 'file_name'; say which picture it is.")
    if None in size:
        raise Mistake(f"{what} has no 'height' and 'width'; add the picture's.")
    if not all(type(side) is int and side > 0 for side in size):
        raise Mistake(
            f"{what} has a 'height' of {size[0]!r} and a 'width' of {size[1]!r}; give"
            " the picture's, whole numbers of 1 or more."
        )
    marks = document.marks.get(key, [])
    told, png, ids = f"{what}, {shown(file)},", "", ""
    folder = PurePosixPath(source.file).stem  # of the PNGs of a panoptic form
    if source.form == PANOPTIC:
        png, marks = _segments(what, marks)
    found = there.find(file, source.split, told, but=png and f"{folder}/{png}")
    if png:
        told = f"{what}: its PNG of segments, {shown(png)} in a folder {shown(folder)},"
        ids = there.find(png, folder, told, but=found)
    return Picture(
        name="",  # to be chosen when all are known
        split=part,
        image=found,
        size=size,  # type: ignore[arg-type]
        ids=ids,
        marks=marks,
        legend=document.legend,
        source=source.file,
    )


def _segments(what: str, marks: list[dict]) -> tuple[str, list[dict]]:
    """The PNG of a picture's segments, and what the annotation says of them."""
    if len(marks) != 1:
        raise Mistake(f"{what} has {len(marks)} annotations; it must have one.")
    png, segments = marks[0].get("file_name"), marks[0].get("segments_info")
    if not isinstance(png, str) or not png or not isinstance(segments, list):
        raise Mistake(
            f"{what} has an annotation without 'file_name' and 'segments_info';"
            " get the file anew."
        )
    return png, segments


def _check_new(picture: Picture, seen: set[tuple[str, str]]) -> None:
    """A Mistake for a picture that is in a file of annotations twice."""
    key = picture.image, picture.source
    if key in seen:
        raise Mistake(
            f"{shown(picture.source)} has several images that are"
            f" {shown(picture.image)}; leave one."
        )
    seen.add(key)


def _named(pictures: list[Picture]) -> list[Picture]:
    """Each by the shortest name that is its own: without folders and ending, without
    ending, or whole."""
    paths = [PurePosixPath(picture.image) for picture in pictures]
    choices = [(p.stem, str(p.with_suffix("")), str(p)) for p in paths]
    count = collections.Counter(name for names in choices for name in set(names))
    return [
        picture._replace(
            name=shown(next((n for n in names if count[n] == 1), names[2]))
        )
        for picture, names in zip(pictures, choices)
    ]


def _odd_files(pictures: list[Picture], there: Pictures) -> list[str]:
    """Pictures that no annotation names."""
    known = [p.image for p in pictures] + [p.ids for p in pictures if p.ids]
    return there.others(known)
