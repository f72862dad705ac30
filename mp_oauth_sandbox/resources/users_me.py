"""The body of GET /users/me: keys and order of an official SDK's fixture of a test user."""

from mp_oauth_sandbox.core.records import Seller
from mp_oauth_sandbox.core.registration import SITES


def profile_of(seller: Seller) -> dict[str, object]:
    """A seller's profile as Mercado Pago shows it to the seller's own token.

    Source: the user fixture of Mercado Pago's Java SDK (a Brazilian test user).
    """
    site = SITES[seller.country]
    registered = seller.registered_at.isoformat(timespec="milliseconds")
    return {
        "id": seller.user_id,
        "nickname": seller.nickname,
        "registration_date": registered,
        "first_name": "Test",
        "last_name": "Seller",
        "gender": "",
        "country_id": seller.country,
        "email": f"test_user_{seller.user_id}@testuser.com",
        "identification": {"number": "1111111", "type": "DNI"},
        "address": {"address": "Test Address 123", "city": "", "state": "", "zip_code": "1111"},
        "phone": {"area_code": "01", "extension": "", "number": "1111-1111", "verified": False},
        "alternative_phone": {"area_code": "", "extension": "", "number": ""},
        "user_type": "normal",
        "tags": ["normal", "test_user", "user_info_verified"],
        "logo": None,
        "points": 100,
        "site_id": site,
        "permalink": "",
        "shipping_modes": ["custom", "not_specified"],
        "seller_experience": "ADVANCED",
        "bill_data": {"accept_credit_note": None},
        "seller_reputation": {
            "level_id": None,
            "power_seller_status": None,
            "transactions": {
                "canceled": 0,
                "completed": 0,
                "period": "historic",
                "ratings": {"negative": 0, "neutral": 0, "positive": 0},
                "total": 0,
            },
        },
        "buyer_reputation": {
            "canceled_transactions": 0,
            "tags": [],
            "transactions": {"completed": None, "period": "historic", "total": None},
        },
        "status": {
            "billing": {"allow": True, "codes": []},
            "buy": {"allow": True, "codes": []},
            "confirmed_email": True,
            "list": {"allow": True, "codes": []},
            "mercadopago_account_type": "personal",
            "mercadopago_tc_accepted": True,
            "sell": {"allow": True, "codes": []},
            "site_status": "active",
            "user_type": "simple_registration",
        },
        "secure_email": f"test_user_{seller.user_id}@mail.example",
        "company": {
            "brand_name": "",
            "city_tax_id": "",
            "corporate_name": "",
            "identification": "",
        },
        "credit": {"consumed": 0, "credit_level_id": "MLA1", "rank": "newbie"},
        "context": {},
        "registration_identifiers": [],
    }
