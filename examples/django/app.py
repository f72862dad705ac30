"""A small marketplace whose sellers link Mercado Pago, with Django: a whole project in one file.

Start `mp-oauth-sandbox serve --redirect-uri http://localhost:8000/mp/callback`, then, with the
variables that it prints, `MP_AUTH_URL=... MP_... python examples/django/app.py`. See ../README.md.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Generic
from wsgiref.simple_server import make_server

import django
import httpx
from django.apps import apps
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, connection, models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils.translation import get_language_from_request
from django.views.decorators.http import require_GET, require_POST

from mp_oauth_sandbox import client as mp
from mp_oauth_sandbox.client.records import R

sys.path.insert(0, str(Path(__file__).parents[1]))
import marketplace
from testing import Testing

DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": marketplace.DATABASE}
settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY=marketplace.new_secret(),  # Keep yours: a new one ends all sessions.
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    DATABASES={"default": DATABASE},
    INSTALLED_APPS=["django.contrib.sessions"],
    LANGUAGES=[(one, one) for one in marketplace.LANGUAGES],
    LOGGING_CONFIG=None,
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", f"{__name__}.guard"],
    SESSION_COOKIE_SECURE=marketplace.HTTPS,  # HttpOnly and SameSite=Lax it is by default.
)
django.setup()

# ---- links in the ORM: for your models.py ----


class Row(models.Model):
    """A record as text, beside what it is found by. Tokens are in it: encrypt it if you can."""

    key = models.CharField(max_length=255, primary_key=True)
    generation = models.PositiveBigIntegerField()
    seller = models.BigIntegerField(null=True, db_index=True)
    due = models.DateTimeField(null=True, db_index=True)
    record = models.TextField()
    objects = models.Manager()

    class Meta:
        abstract = True
        app_label = "marketplace"


class LinkRow(Row):
    """The link of one account."""


class PendingRow(Row):
    """A linking that was begun."""


class Store(Generic[R]):
    """The client's TokenStore with links, and its PendingStore with what is pending."""

    def __init__(self, kind: type[R], rows: models.Manager) -> None:
        self.kind, self.rows = kind, rows

    def get(self, key: str, /) -> R | None:
        return next(iter(self.found(pk=key)), None)

    def replace(self, record: R, /, *, expected: int) -> bool:
        values = {"generation": record.generation, "record": mp.dump(record)}
        values |= {"seller": record.seller_id, "due": record.due_at}
        try:
            # Durable: committed before Mercado Pago is asked, and whatever the view comes to. In
            # a transaction of the view's, as with ATOMIC_REQUESTS, Django raises RuntimeError
            # instead: decorate views that use `linking` with transaction.non_atomic_requests.
            with transaction.atomic(durable=True):
                if expected == 0:
                    self.rows.create(pk=record.key, **values)
                    return True
                # One statement: the second of two racers finds that the generation has changed.
                return self.rows.filter(pk=record.key, generation=expected).update(**values) == 1
        except IntegrityError:
            if expected or self.get(record.key) is None:
                raise
            return False  # Somebody else was first to insert it.

    def of_seller(self, seller_id: int, /) -> Sequence[R]:
        return self.found(seller=seller_id)

    def due(self, now: datetime, limit: int) -> Sequence[R]:
        return self.found(due__lte=now, order="due", limit=limit)

    def purge(self, before: datetime, /) -> None:
        self.rows.filter(due__lt=before).delete()

    def found(self, *, order: str = "pk", limit: int | None = None, **by: object) -> Sequence[R]:
        rows = self.rows.filter(**by).order_by(order)[:limit]
        return [mp.load(self.kind, record) for record in rows.values_list("record", flat=True)]


# ---- linking: for your views.py ----

links, pending = Store(mp.Link, LinkRow.objects), Store(mp.Pending, PendingRow.objects)
tables: list[type[models.Model]] = [LinkRow, PendingRow, *apps.get_models()]
testing = Testing(links.found, lambda: [table.objects.all().delete() for table in tables])
store = testing.store(links)
linking = mp.Linking(marketplace.settings(), store, pending, now=testing.clock)
api = httpx.Client(base_url=linking.flows.settings.api_url, timeout=10)


def link(request: HttpRequest, account: str) -> HttpResponse:
    start = linking.start(account, binding=request.session["binding"])
    return HttpResponseRedirect(start.url, status=303)


def callback(request: HttpRequest) -> HttpResponse:
    query, language = request.META["QUERY_STRING"], get_language_from_request(request)
    account, binding = request.session.get("account"), request.session.get("binding")
    text = None
    if account is not None:
        outcome = linking.callback(query, account=account, binding=binding)
        if isinstance(outcome, mp.Linked):
            return HttpResponseRedirect("/", status=303)
        text = outcome.for_seller(language)
    return HttpResponse(marketplace.not_linked_page(text, language), status=400)


def unlink(_: HttpRequest, account: str) -> HttpResponse:
    linking.unlink(account)
    return HttpResponseRedirect("/", status=303)


def webhook(request: HttpRequest) -> HttpResponse:
    try:
        linking.notified(request.META["QUERY_STRING"], request.headers, request.body)
    except mp.NotificationError:
        return HttpResponse(status=401)
    return HttpResponse()


def status_of(account: str) -> marketplace.LinkStatus:
    return marketplace.link_status(linking.link(account))


def sales(request: HttpRequest, account: str) -> HttpResponse:
    try:
        answer = api.post("/v1/payments", **marketplace.order(), auth=linking.auth(account))
        answer.raise_for_status()
        marketplace.log.info("sold, for %s", account)
    except (mp.LinkingError, httpx.HTTPError) as error:
        told, status = marketplace.not_sold(error, get_language_from_request(request))
        return JsonResponse(told, status=status)
    return JsonResponse({"sold": True})


# ---- pages ----


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """In place of CsrfViewMiddleware, whose tokens a test driver would have to find and send."""

    def guarded(request: HttpRequest) -> HttpResponse:
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        form = request.method == "POST" and request.path != "/mp/webhook"
        refused = form and marketplace.sent_by_another_site(origin, site)
        response = HttpResponse(status=403) if refused else get_response(request)
        for name, value in marketplace.HEADERS.items():
            response[name] = value
        return response

    return guarded


def logged_in(view: Callable[[HttpRequest, str], HttpResponse]) -> Callable[..., HttpResponse]:
    def checked(request: HttpRequest) -> HttpResponse:
        account = request.session.get("account")
        return HttpResponse("Log in first.", status=401) if not account else view(request, account)

    return checked


def home(request: HttpRequest) -> HttpResponse:
    account = request.session.get("account")
    if account is None:
        return HttpResponse(marketplace.login_page())
    return HttpResponse(marketplace.account_page(account, **status_of(account)))


def log_in(request: HttpRequest) -> HttpResponse:
    account = request.POST.get("account", "")
    if not marketplace.is_account_name(account):
        return HttpResponse(status=400)
    request.session.flush()  # A new session: its binding goes with this login, and no other.
    request.session.update({"account": account, "binding": marketplace.new_secret()})
    return HttpResponseRedirect("/", status=303)


def log_out(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return HttpResponseRedirect("/", status=303)


urlpatterns = [
    path("", home),
    path("login", require_POST(log_in)),
    path("logout", require_POST(log_out)),
    path("mp/link", require_POST(logged_in(link))),
    path("mp/callback", require_GET(callback)),  # GET alone: HEAD is from no seller's browser.
    path("mp/status", logged_in(lambda _, account: JsonResponse(status_of(account)))),
    path("mp/unlink", require_POST(logged_in(unlink))),
    path("mp/webhook", require_POST(webhook)),
    path("sales", require_POST(logged_in(sales))),
    path("health", lambda _: JsonResponse({"ok": True})),
]

with connection.schema_editor() as editor:  # A project of more files has migrations instead.
    for table in tables:
        if table._meta.db_table not in connection.introspection.table_names():
            editor.create_model(table)


class Handler(WSGIRequestHandler):
    disable_nagle_algorithm = True  # Or a body waits until the browser has acknowledged its head.


def serve() -> None:
    application = testing.wsgi(get_wsgi_application(), linking.renew_due)
    server = make_server(*marketplace.ADDRESS, application, ThreadedWSGIServer, Handler)
    marketplace.serve_forever(server)


if __name__ == "__main__":
    marketplace.run(serve=serve, renew=linking.renew_due)
