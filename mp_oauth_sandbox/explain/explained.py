"""How what is known is put into words, and what must not be shown of an application."""

from collections.abc import Iterable

from mp_oauth_sandbox.control.explain import Explained, UrlPart
from mp_oauth_sandbox.core.messages import Refused
from mp_oauth_sandbox.core.records import Application, secrets_of
from mp_oauth_sandbox.core.refusals import explanation, remedy, visible
from mp_oauth_sandbox.engine.engine import Engine
from mp_oauth_sandbox.journal.masks import masked_paste

#: A text shorter than this is no secret that anybody chose in earnest.
_SECRET_LENGTH = 8

#: Of so many applications the secrets are looked for in what was pasted.
_APPLICATIONS = 1000


def verdict(refused: Refused | None, facts: dict[str, str], *, more: str = "") -> list[str]:
    """The lines "now" and "do"; the same goes into the facts."""
    facts["now"] = "accepted" if refused is None else "refused"
    if refused is None:
        return [f"now: would be accepted{more}"]
    refused = masked_paste(refused)
    facts["cause"] = refused.cause.value
    facts["explanation"], facts["remedy"] = explanation(refused), remedy(refused)
    why = facts["explanation"].replace("\n", "\n     ")
    return [
        f"now: would be refused: {refused.cause}. {why}",
        f"do: {facts['remedy']}",
    ]


def rows(findings: Iterable[UrlPart]) -> list[str]:
    """One line for each finding, and what to do below those that are not right."""
    findings = list(findings)
    width = max((len(finding.name) for finding in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        indent = " " * (width + 6)
        text = finding.text.replace("\n", f"\n{indent}")
        lines.append(f"  {'ok' if finding.ok else '!!'} {finding.name:<{width}} {text}")
        if finding.remedy:
            lines.append(f"{indent}do: {finding.remedy}")
    return lines


def named(application: Application) -> str:
    """An application by name and number."""
    return f"{visible(application.name)} ({application.client_id})"


def applications(engine: Engine) -> Iterable[Application]:
    """The applications that are looked through."""
    return engine.store.page(Application, limit=_APPLICATIONS)


def without_secrets(engine: Engine, explained: Explained) -> Explained:
    """The same without any application's secret, wherever somebody had put one."""
    told = [explained.text, *explained.facts.values()]
    told += [f"{finding.name} {finding.text} {finding.remedy}" for finding in explained.findings]
    whole = "\n".join(told)
    secrets = [
        secret
        for application in applications(engine)
        for secret in secrets_of(application).values()
        if len(secret) >= _SECRET_LENGTH and secret in whole
    ]
    if not secrets:
        return explained

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, engine.mint.label(secret))
        return text

    return Explained(
        kind=explained.kind,
        text=clean(explained.text),
        facts={name: clean(fact) for name, fact in explained.facts.items()},
        findings=[
            UrlPart(
                name=clean(finding.name),
                ok=finding.ok,
                text=clean(finding.text),
                remedy=clean(finding.remedy),
            )
            for finding in explained.findings
        ],
    )
