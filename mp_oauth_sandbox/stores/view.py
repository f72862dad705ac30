"""Which records some keys name: resolved here for every store."""

from collections.abc import Callable

from msgspec import Struct

from mp_oauth_sandbox.core.records import (
    Application,
    Credential,
    Grant,
    Keys,
    Link,
    Notification,
    Seller,
    View,
)


class Lookup(Struct, frozen=True, kw_only=True):
    """How a store finds one record by its key, or None. A link's key is client id and user id.

    Functions and not methods to write: the store in memory gives its dictionaries' own `get`,
    and so nothing stands between a view and its records.
    """

    application: Callable[[str], Application | None]
    seller: Callable[[int], Seller | None]
    link: Callable[[tuple[str, int]], Link | None]
    grant: Callable[[str], Grant | None]
    credential: Callable[[str], Credential | None]
    notification: Callable[[int], Notification | None]


def view_of(find: Lookup, keys: Keys) -> View:
    """The view that these keys name, as Keys explains it."""
    if keys.notification_id is not None:
        found = find.notification(keys.notification_id)
        return View(
            notification=found,
            application=find.application(found.client_id) if found else None,
        )
    client_id, user_id = keys.client_id, keys.user_id
    credential = None if keys.secret is None else find.credential(keys.secret)
    grant = None if credential is None else find.grant(credential.grant_id)
    if grant is not None:
        issuer = find.application(grant.client_id)
        application = issuer
        if client_id is not None and client_id != grant.client_id:
            application = find.application(client_id)
        return View(
            application=application,
            credential=credential,
            grant=grant,
            issuer=issuer,
            link=find.link((grant.client_id, grant.user_id)),
            seller=find.seller(grant.user_id),
        )
    application = None if client_id is None else find.application(client_id)
    if user_id is None and keys.secret is None and application is not None:
        user_id = application.owner
    if user_id is None:
        return View(application=application)
    link = None if client_id is None else find.link((client_id, user_id))
    return View(application=application, link=link, seller=find.seller(user_id))
