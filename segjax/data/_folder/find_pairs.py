"""The pictures of a user's folder with their masks, or what keeps them apart."""

from pathlib import Path

from segjax.base import Mistake
from segjax.data._folder.gather import gather
from segjax.data._folder.pairs import Matched, Pair, match
from segjax.data._folder.picture_files import picture_files
from segjax.data._folder.splits import by_table, read_table
from segjax.data._intake import Files, listed, shown


def find_pairs(
    dir: str,
    images: str | None = None,
    masks: str | None = None,
    table: str | None = None,
    objects: bool = False,
) -> Matched:
    """The folder's pictures with their masks, or a Mistake if there are none.

    objects: masks of one object each are a mask together.
    """
    root = Path(dir)
    for option, folder in (("images", images), ("masks", masks)):
        if folder is not None and not (root / folder).is_dir():
            raise Mistake(f"data.{option} is {folder!r}, which is no folder in {dir}.")
    files = picture_files(root)
    gathered, doubts = gather(files, images, masks) if objects else ({}, [])
    apart = {file for parts in gathered.values() for file in parts}
    wholes = sorted({*gathered, *(file for file in files if file not in apart)})
    matched = match(wholes, images, masks, objects)
    if table is not None:
        rows = read_table(Files(root, [], []).read(table), table)
        pairs = by_table(rows, table, matched, root)
        taken = {file for pair in pairs for file in (pair.image, pair.mask)}
        every = [p.image for p in matched.pairs] + matched.lone_images
        rest = [file for file in every if file not in taken]
        matched = Matched(pairs, [], [], [], rest)
    elif not matched.pairs and not matched.doubles:
        told = _no_pairs(dir, files, matched)
        several = {} if objects else gather(files, images, masks)[0]
        raise Mistake(told + _of_objects(several))
    return matched._replace(
        pairs=_with_parts(matched.pairs, gathered), doubles=matched.doubles + doubts
    )


def _with_parts(pairs: list[Pair], gathered: dict[str, tuple[str, ...]]) -> list[Pair]:
    """The pairs with the files of their masks. Where a picture has several, a mask that
    is alone is that of one object, too."""
    if any(len(parts) > 1 for parts in gathered.values()):
        return [p._replace(parts=gathered.get(p.mask, (p.mask,))) for p in pairs]
    return [p._replace(mask=gathered.get(p.mask, (p.mask,))[0]) for p in pairs]


def _no_pairs(dir: str, files: list[str], matched: Matched) -> str:
    where = shown(dir)
    if not files:
        return f"{where} holds no picture. Give a folder that holds images/ and masks/."
    masks, lone = matched.lone_masks, matched.lone_images + matched.aside
    if not masks:
        return (
            f"{where} holds {len(lone)} pictures, such as {listed(lone, 2)}, and no"
            " masks: no folder is called masks, no file *_mask. Where are they?"
            " data.masks=FOLDER, or data.table=FILE.csv with the columns image and mask"
        )
    if not lone:
        return (
            f"{where} holds {len(masks)} masks, such as {listed(masks, 2)}, and no"
            " pictures. Where are they? data.images=FOLDER"
        )
    return (
        f"{where} holds {len(lone)} pictures, such as {listed(lone, 2)}, and"
        f" {len(masks)} masks, such as {listed(masks, 2)}; no names match. Give them"
        " the same names, or say data.images=FOLDER and data.masks=FOLDER, or"
        " data.table=FILE.csv with the columns image and mask."
    )


def _of_objects(gathered: dict[str, tuple[str, ...]]) -> str:
    """What to set where pictures have several masks."""
    several = [list(parts) for parts in gathered.values() if len(parts) > 1]
    if not several:
        return ""
    return (
        f" If masks such as {listed(several[0], 2)} are of one object each, set"
        " --config.data.objects=true."
    )
