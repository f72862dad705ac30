"""One page of a list of records."""

from collections.abc import Callable, Sequence

from mp_oauth_sandbox.control.types import PAGE_LIMIT, Listed
from mp_oauth_sandbox.core.registration import InvalidInputError
from mp_oauth_sandbox.stores.protocol import R, Store, key_of


def page_of(
    store: Store, kind: type[R], given: Listed, *, known: Callable[[str], object]
) -> tuple[Sequence[R], str | None]:
    """The records of a page, and the key after which the next one begins, None at the end.

    `known` finds a record by its key. Raises InvalidInputError for an `after` that there is not.
    """
    if given.after and not known(given.after):
        raise InvalidInputError("after", "must be the `next` of the page before")
    limit = min(given.limit, PAGE_LIMIT)
    # One more than wanted tells whether there is another page.
    found = store.page(kind, after=given.after, limit=limit + 1)
    return found[:limit], key_of(found[limit - 1]) if len(found) > limit else None
