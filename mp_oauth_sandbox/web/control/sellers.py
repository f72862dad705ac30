"""Creating and listing test sellers."""

from mp_oauth_sandbox.control import sellers
from mp_oauth_sandbox.control.sellers import SellerIn, SellerOut, SellersOut
from mp_oauth_sandbox.control.types import Listed
from mp_oauth_sandbox.core.records import Seller
from mp_oauth_sandbox.core.registration import NewSeller
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.engine.panel import Panel
from mp_oauth_sandbox.web.control.operations import Operation, does
from mp_oauth_sandbox.web.control.pages import page_of


class SellerOperations:
    """The test accounts."""

    def __init__(self, engine: Engine) -> None:
        """Work on this engine."""
        self._store = engine.store
        self._panel = Panel(engine)

    def operations(self) -> tuple[Operation, ...]:
        """What does each of the calls."""
        return (does(sellers.CREATE, self._create), does(sellers.LIST, self._list))

    async def _create(self, given: SellerIn) -> SellerOut:
        seller = self._panel.create_seller(
            NewSeller(
                country=given.country.upper(),
                nickname=given.nickname,
                user_id=given.user_id,
                collaborator_of=given.collaborator_of,
            )
        )
        return SellerOut.of(seller)

    async def _list(self, given: Listed) -> SellersOut:
        found, following = page_of(self._store, Seller, given, known=self._known)
        return SellersOut([SellerOut.of(one) for one in found], following)

    def _known(self, key: str) -> Seller | None:
        number = key.isascii() and key.isdigit() and len(key) < 20
        return self._panel.seller(int(key)) if number else None
