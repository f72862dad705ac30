"""The first run: the same application and sellers each time, so a copied .env keeps working."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mp_oauth_sandbox.core.records import Application, Seller

if TYPE_CHECKING:
    # The commands read the port here, and start faster without the sandbox itself.
    from mp_oauth_sandbox.sandbox import Sandbox

PORT = 8970

#: Obviously fake, and of the real shapes.
CLIENT_ID = "1234567890123456"
CLIENT_SECRET = "SandboxOnlySecret000000000000000"  # noqa: S105 - public, and of no use elsewhere

_SELLERS = (("AR", "TESTSELLER_AR", 200000001), ("BR", "TESTSELLER_BR", 200000002))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """What a sandbox starts with."""

    application: Application
    sellers: tuple[Seller, ...]


def first_run(
    sandbox: "Sandbox",
    *,
    client_id: str = CLIENT_ID,
    client_secret: str = CLIENT_SECRET,
    redirect_uris: Sequence[str] = (),
) -> FirstRun:
    """Make sure that the first application and two sellers exist, and keep them over resets.

    Over a data file of an earlier run they are taken up again, with this secret and these
    redirect URIs. Without any, the application gets the built-in callback page, beside those
    it has.

    Raises InvalidInputError naming what cannot be used.
    """
    callback = f"{sandbox.url}/callback"
    sellers = tuple(
        sandbox.seller(user_id)
        or sandbox.create_seller(country=country, nickname=nickname, user_id=user_id)
        for country, nickname, user_id in _SELLERS
    )

    def as_asked(known: Application) -> Application:
        uris = tuple(redirect_uris) or tuple(dict.fromkeys((callback, *known.redirect_uris)))
        return replace(known, client_secret=client_secret, redirect_uris=uris)

    if sandbox.application(client_id) is None:
        application = sandbox.register_application(
            name="Sandbox application",
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=tuple(redirect_uris) or (callback,),
        )
    else:
        application = sandbox.update_application(client_id, as_asked)
    return FirstRun(application=application, sellers=sellers)
