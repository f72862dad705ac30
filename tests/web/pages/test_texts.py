"""The sentences of the pages: complete in each language, and the right language for a page."""

import string
from dataclasses import fields

import pytest

from mp_oauth_sandbox.web.pages.texts import (
    LANGUAGES,
    Language,
    Texts,
    areas_of_access,
    language_of_country,
    pick_language,
    texts,
)

KEYS = [field.name for field in fields(Texts)]


def sentence(language: Language, key: str) -> str:
    value = getattr(texts(language), key)
    assert isinstance(value, str)
    return value


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", KEYS)
def test_every_language_has_the_sentence_with_the_same_placeholders(key: str) -> None:
    sentences = [sentence(language, key) for language in LANGUAGES]

    assert all(text.strip() for text in sentences)
    assert all(placeholders(text) == placeholders(sentences[0]) for text in sentences)


def test_the_error_page_speaks_in_the_words_that_integrators_have_seen() -> None:
    assert [texts(language).application_cannot_connect for language in LANGUAGES] == [
        "La aplicación no está preparada para conectarse a Mercado Pago",
        "Desculpe, não foi possível conectar o aplicativo à sua conta",
        "Sorry, the application cannot connect to your account",
    ]


def test_every_page_can_name_every_language_in_its_own_words() -> None:
    for language in LANGUAGES:
        assert dict(texts(language).language_names) == {
            "es": "Español",
            "pt": "Português",
            "en": "English",
        }


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_scope_is_described_in_plain_words(language: Language) -> None:
    areas = areas_of_access(["offline_access", "payments", "read", "write"], language=language)

    assert len(set(areas)) == 4
    assert not any("_" in area for area in areas)


def test_a_scope_nobody_described_is_shown_by_its_name_unchanged() -> None:
    assert areas_of_access(["{orders} 100%"], language="en") == ["Other access: {orders} 100%"]


@pytest.mark.parametrize(
    ("country", "language"), [("BR", "pt"), ("br", "pt"), ("AR", "es"), ("MX", "es"), ("", "es")]
)
def test_brazil_reads_portuguese_and_everybody_else_spanish(
    country: str, language: Language
) -> None:
    assert language_of_country(country) == language


@pytest.mark.parametrize(
    ("lang_parameter", "accept_language", "country", "language"),
    [
        ("en", "pt", "AR", "en"),
        ("PT-br", None, None, "pt"),
        ("pt_BR", None, None, "pt"),
        ("de", "en", "BR", "pt"),
        (None, "en-GB,en;q=0.9", "AR", "es"),
        (None, "de-DE, en;q=0.5, pt;q=0.8", None, "pt"),
        (None, "en, pt", None, "en"),
        (None, "en;q=0, pt;q=0.1", None, "pt"),
        (None, "en;q=nan", None, "en"),
        (None, "*", "", "es"),
        (None, ",;q=1,;;==", None, "es"),
        (None, None, None, "es"),
        ("", "", "", "es"),
    ],
)
def test_the_most_deliberate_wish_for_a_language_wins(
    lang_parameter: str | None,
    accept_language: str | None,
    country: str | None,
    language: Language,
) -> None:
    picked = pick_language(lang_parameter, accept_language=accept_language, country=country)

    assert picked == language
