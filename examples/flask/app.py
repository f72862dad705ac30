"""A small marketplace whose sellers link Mercado Pago, with Flask.

Start `mp-oauth-sandbox serve --redirect-uri http://localhost:8000/mp/callback`, then, with the
variables that it prints, `MP_AUTH_URL=... MP_... python examples/flask/app.py`. See ../README.md.
"""

import sys
from pathlib import Path

import httpx
from flask import Blueprint, Flask, abort, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from mp_oauth_sandbox.client import (
    Linked,
    Linking,
    LinkingError,
    NotificationError,
    SQLitePendingStore,
    SQLiteTokenStore,
)

sys.path.insert(0, str(Path(__file__).parents[1]))
import marketplace
from testing import Testing

testing, logins = Testing(), marketplace.logins

# ---- linking ----

settings = marketplace.settings()
links = testing.store(SQLiteTokenStore(marketplace.DATABASE))
pending = SQLitePendingStore(marketplace.DATABASE)
linking = Linking(settings, links, pending, now=testing.clock)
api = httpx.Client(base_url=settings.api_url, timeout=10)
app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
mp = Blueprint("mp", __name__, url_prefix="/mp")


@mp.post("/link")
def link() -> Response:
    """Send the seller to Mercado Pago."""
    login = logged_in()
    start = linking.start(login.account, binding=login.binding)
    return redirect(start.url, 303)


@mp.get("/callback")
def callback() -> ResponseReturnValue:
    """Take the seller back, with a code or without."""
    if request.method == "HEAD":  # Flask asks this view for HEAD too; no seller's browser does.
        abort(405)
    language = wanted_language()
    if g.login is None:
        return marketplace.not_linked_page(None, language), 400
    query, login = request.query_string, g.login
    outcome = linking.callback(query, account=login.account, binding=login.binding)
    if isinstance(outcome, Linked):
        return redirect("/", 303)
    return marketplace.not_linked_page(outcome.for_seller(language), language), 400


@mp.post("/unlink")
def unlink() -> Response:
    """Forget the seller's tokens."""
    linking.unlink(logged_in().account)
    return redirect("/", 303)


@mp.get("/status")
def status() -> marketplace.LinkStatus:
    """What has become of the account's link."""
    return status_of(logged_in().account)


@mp.post("/webhook")
def webhook() -> ResponseReturnValue:
    """Hear of sellers who unlinked us at Mercado Pago."""
    try:
        linking.notified(request.query_string, dict(request.headers), request.get_data())
    except NotificationError:
        return "", 401
    return "", 200


def status_of(account: str) -> marketplace.LinkStatus:
    """The status of the account's link, and the seller it is linked to."""
    return marketplace.link_status(linking.link(account))


@app.post("/sales")
def sales() -> ResponseReturnValue:
    """Sell one thing, for the account's own seller."""
    login = logged_in()
    try:
        answer = api.post("/v1/payments", **marketplace.order(), auth=linking.auth(login.account))
        answer.raise_for_status()
        marketplace.log.info("sold, for %s", login.account)
    except (LinkingError, httpx.HTTPError) as error:
        return marketplace.not_sold(error, wanted_language())
    return {"sold": True}


# ---- pages ----


@app.before_request
def check_who_asks() -> None:
    """Know the login, and refuse forms that other sites send in its name."""
    g.login = logins.get(request.cookies.get("session"))
    form = request.method == "POST" and request.endpoint != "mp.webhook"
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if form and marketplace.sent_by_another_site(origin, site):
        abort(403)


@app.after_request
def add_headers(response: Response) -> Response:
    """What every page is sent with."""
    response.headers.update(marketplace.HEADERS)
    return response


def logged_in() -> marketplace.Login:
    """Who asks; 401 if nobody is logged in."""
    return g.login or abort(401)


def wanted_language() -> str:
    """The language to talk to the seller in."""
    # Not `best_match`: for "pt-BR, en" it finds en.
    return marketplace.language(request.headers.get("Accept-Language", ""))


@app.get("/")
def home() -> str:
    """The only page there is."""
    if g.login is None:
        return marketplace.login_page()
    return marketplace.account_page(g.login.account, **status_of(g.login.account))


@app.post("/login")
def log_in() -> Response:
    """Log in, always in a new session."""
    account = request.form.get("account", "")
    if not marketplace.is_account_name(account):
        abort(400)
    logins.end(request.cookies.get("session"))
    response = redirect("/", 303)
    response.set_cookie("session", logins.begin(account), **marketplace.COOKIE)
    return response


@app.post("/logout")
def log_out() -> Response:
    """Log out."""
    logins.end(request.cookies.get("session"))
    response = redirect("/", 303)
    response.delete_cookie("session", **marketplace.COOKIE)
    return response


@app.get("/health")
def health() -> ResponseReturnValue:
    """It is up."""
    return {"ok": True}


app.register_blueprint(mp)


def serve() -> None:
    """Until Ctrl-C. In production: gunicorn, or what you have."""
    application = testing.wsgi(app, linking.renew_due)
    server = make_server(*marketplace.ADDRESS, application, threaded=True)
    marketplace.serve_forever(server)


if __name__ == "__main__":
    marketplace.run(serve=serve, renew=linking.renew_due)
