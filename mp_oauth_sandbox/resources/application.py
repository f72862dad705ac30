"""The body of GET /applications/{id}: what its owner's own token reads of an application."""

from mp_oauth_sandbox.core.records import Application


def shown_to_owner(application: Application) -> dict[str, object]:
    """An application as its owner reads it.

    Source: the fields that 3 public projects (MP, 2026) saw between them. Their order, the number
    as `id`, and what `sandbox_mode` and the topics say are guesses.
    """
    webhook = application.webhook
    return {
        "id": int(application.client_id),
        "name": application.name,
        "active": application.status == "active",
        "callback_url": application.redirect_uris[0],
        "callback_urls": application.redirect_uris,
        "notifications_callback_url": webhook.url if webhook else None,
        "notifications_topics": ["mp-connect"] if webhook and webhook.enabled else [],
        "use_pkce": application.pkce_required,
        "sandbox_mode": False,
    }
