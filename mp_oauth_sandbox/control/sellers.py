"""Sellers: the test accounts."""

from typing import Annotated

from msgspec import Meta, Struct, convert

from mp_oauth_sandbox.control.types import Call, Listed
from mp_oauth_sandbox.core.records import Seller
from mp_oauth_sandbox.core.registration import SITES

Country = Annotated[str, Meta(extra_json_schema={"enum": list(SITES)})]


class SellerIn(Struct, forbid_unknown_fields=True):
    """A new test seller; `collaborator_of` makes it an operator of another account."""

    country: Country
    nickname: str | None = None
    user_id: int | None = None
    collaborator_of: int | None = None


class SellerOut(Struct):
    """A test seller."""

    user_id: int
    nickname: str
    country: Country
    collaborator_of: int | None

    @classmethod
    def of(cls, seller: Seller) -> "SellerOut":
        """How the control API shows it."""
        return convert(seller, cls, from_attributes=True)


class SellersOut(Struct):
    """Sellers in the order of their creation, owners of applications too.

    `next` is what to give as `after` for those that follow, None where there are no more.
    """

    sellers: list[SellerOut]
    next: str | None


CREATE = Call(
    "create_seller", "POST", "/sellers", "Create a test seller", SellerIn, SellerOut, status=201
)
LIST = Call(
    "sellers", "GET", "/sellers", "The sellers, owners of applications too", Listed, SellersOut
)

CALLS = (CREATE, LIST)
