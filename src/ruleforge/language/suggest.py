"""suggest: a name that is not there -> the nearest one that is

Near means: what a person's slip of the hand would turn into the other (difflib's ratio, after
folding case and hyphens).
"""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_CANDIDATES = (
    5_000  # a comparison with every one of 100,000 names would cost more than the hint is worth
)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, or None where none is like it."""

    def fold(text: str) -> str:
        return text.casefold().replace("-", "_").replace(" ", "_")

    by_fold = {fold(each): each for each in sorted(candidates)[:_MOST_CANDIDATES]}
    found = get_close_matches(fold(name), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None
