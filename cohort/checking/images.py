"""Whether the crops in an HDF5 file match a table; no crop is decoded, no link followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from cohort.findings import Check, Finding
from cohort.reading import Cohort
from cohort.stores.hdf5 import Hdf5Store
from engine.errors import InputError

DAMAGED = Check("UD141", "an image file that cannot be opened or points to other files", "error")
NO_CROP = Check("UD142", "lesions without a crop", "error")
NO_LESION = Check("UD143", "crops without a lesion", "info")


def check_crops(path: Path, cohort: Cohort | None) -> Iterator[Finding]:
    """Findings about the ids in an HDF5 file of crops; none if there is no such file."""
    if not path.is_file():
        return
    with closing(Hdf5Store(path)) as store:
        yield from _check_store(store, path, cohort)


def _check_store(store: Hdf5Store, path: Path, cohort: Cohort | None) -> Iterator[Finding]:
    try:
        crops, links = set(store.ids), store.links
    except InputError as error:
        yield DAMAGED.found(error.what, where=path.name)
        return
    if links:
        yield DAMAGED.found(f"{len(links)} links to other places, the first is {links[0]}", where=path.name)
    else:
        yield DAMAGED.clear(f"{len(crops)} crops, no links", where=path.name, crops=len(crops))
    if cohort is None:
        for check in (NO_CROP, NO_LESION):
            yield check.not_applicable("the table is absent or cannot be read", where=path.name)
        return
    lesions = set(cohort.given_order)
    yield _difference(NO_CROP, {isic_id for isic_id in lesions if not store.has(isic_id)}, len(lesions), path.name)
    yield _difference(NO_LESION, crops - lesions, len(crops), path.name)


def _difference(check: Check, ids: set[str], total: int, where: str) -> Finding:
    if not ids:
        return check.clear(f"none of {total}", where=where)
    return check.found(f"{len(ids)} of {total}, the first is {min(ids)}", where=where, count=len(ids))
