"""Every sentence of the sign-in, consent and error pages, in three languages."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["es", "pt", "en"]

LANGUAGES: tuple[Language, ...] = ("es", "pt", "en")

# A language is offered under its own name, whatever the language of the page.
_LANGUAGE_NAMES: Mapping[str, str] = MappingProxyType(
    {"es": "Español", "pt": "Português", "en": "English"}
)

# RFC 9110 section 12.4.2: a weight is 0 to 1 with at most three decimals.
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The sentences of one language; words in braces are filled in by the templates."""

    strip: str
    language_navigation: str

    sign_in_title: str
    sign_in_lead: str
    sellers_heading: str
    no_sellers: str
    collaborator: str
    nickname_skip: str
    nickname_heading: str
    nickname_label: str
    nickname_submit: str
    nickname_invalid: str

    consent_title: str
    signed_in_as: str
    use_another_account: str
    areas_heading: str
    no_areas: str
    consent_return: str
    authorize: str
    cancel: str

    application_cannot_connect: str
    request_unknown: str
    sign_in_needed: str
    collaborator_account: str
    form_expired: str
    error_code_label: str
    why_title: str
    remedy_title: str
    journal_link: str

    area_offline_access: str
    area_payments: str
    area_read: str
    area_write: str
    area_other: str

    @property
    def language_names(self) -> Mapping[str, str]:
        """Each language under its own name, the same on every page."""
        return _LANGUAGE_NAMES


# The three `application_cannot_connect` sentences are Mercado Pago's own, as seen in public
# projects (es, pt) and in Mercado Libre, "Authentication and Authorization" (en).
_TABLE: Mapping[Language, Texts] = MappingProxyType(
    {
        "es": Texts(
            strip="mp-oauth-sandbox · doble de prueba no oficial",
            language_navigation="Idioma",
            sign_in_title="Inicia sesión como vendedor de prueba",
            sign_in_lead="{application} quiere conectarse a una cuenta de vendedor. "
            "Todo ocurre en este sandbox: no hace falta contraseña.",
            sellers_heading="Vendedores de prueba",
            no_sellers="Todavía no hay vendedores de prueba.",
            collaborator="colaborador",
            nickname_skip="Ir al campo de apodo",
            nickname_heading="O escribe un apodo",
            nickname_label="Apodo del vendedor",
            nickname_submit="Continuar",
            nickname_invalid="Este apodo no se puede usar. "
            "Escribe otro o elige un vendedor de la lista.",
            consent_title="Autorizar a {application}",
            signed_in_as="Sesión iniciada como",
            use_another_account="Usar otra cuenta",
            areas_heading="La aplicación podrá:",
            no_areas="La aplicación no pide ningún acceso en particular.",
            consent_return="Después de decidir, volverás a {origin}.",
            authorize="Autorizar",
            cancel="Cancelar",
            application_cannot_connect="La aplicación no está preparada para conectarse "
            "a Mercado Pago",
            request_unknown="Esta solicitud ya fue respondida o no existe. "
            "Vuelve a empezar desde la aplicación.",
            sign_in_needed="Inicia sesión para continuar. Vuelve a empezar desde la aplicación.",
            collaborator_account="Una cuenta de colaborador no puede autorizar aplicaciones. "
            "Inicia sesión con la cuenta principal.",
            form_expired="Este formulario venció o no es válido. "
            "Vuelve a empezar desde la aplicación.",
            error_code_label="Código de error",
            why_title="¿Por qué? (sandbox)",
            remedy_title="Qué hacer",
            journal_link="Ver la entrada en el registro",
            area_offline_access="Mantener el acceso cuando no estás conectado",
            area_payments="Crear y consultar pagos en tu nombre",
            area_read="Ver los datos y los movimientos de tu cuenta",
            area_write="Hacer cambios en tu cuenta",
            area_other="Otro acceso: {scope}",
        ),
        "pt": Texts(
            strip="mp-oauth-sandbox · dublê de teste não oficial",
            language_navigation="Idioma",
            sign_in_title="Entre como vendedor de teste",
            sign_in_lead="{application} quer se conectar a uma conta de vendedor. "
            "Tudo acontece neste sandbox: não é preciso senha.",
            sellers_heading="Vendedores de teste",
            no_sellers="Ainda não há vendedores de teste.",
            collaborator="colaborador",
            nickname_skip="Ir para o campo de apelido",
            nickname_heading="Ou digite um apelido",
            nickname_label="Apelido do vendedor",
            nickname_submit="Continuar",
            nickname_invalid="Este apelido não pode ser usado. "
            "Digite outro ou escolha um vendedor da lista.",
            consent_title="Autorizar {application}",
            signed_in_as="Sessão iniciada como",
            use_another_account="Usar outra conta",
            areas_heading="O aplicativo poderá:",
            no_areas="O aplicativo não pede nenhum acesso em particular.",
            consent_return="Depois de decidir, você voltará para {origin}.",
            authorize="Autorizar",
            cancel="Cancelar",
            application_cannot_connect="Desculpe, não foi possível conectar o aplicativo "
            "à sua conta",
            request_unknown="Esta solicitação já foi respondida ou não existe. "
            "Comece de novo a partir do aplicativo.",
            sign_in_needed="Entre para continuar. Comece de novo a partir do aplicativo.",
            collaborator_account="Uma conta de colaborador não pode autorizar aplicativos. "
            "Entre com a conta principal.",
            form_expired="Este formulário expirou ou não é válido. "
            "Comece de novo a partir do aplicativo.",
            error_code_label="Código de erro",
            why_title="Por quê? (sandbox)",
            remedy_title="O que fazer",
            journal_link="Ver a entrada no registro",
            area_offline_access="Manter o acesso quando você não está conectado",
            area_payments="Criar e consultar pagamentos em seu nome",
            area_read="Ver os dados e as movimentações da sua conta",
            area_write="Fazer alterações na sua conta",
            area_other="Outro acesso: {scope}",
        ),
        "en": Texts(
            strip="mp-oauth-sandbox · unofficial test double",
            language_navigation="Language",
            sign_in_title="Sign in as a test seller",
            sign_in_lead="{application} wants to connect to a seller's account. "
            "Everything happens in this sandbox: no password is needed.",
            sellers_heading="Test sellers",
            no_sellers="There are no test sellers yet.",
            collaborator="collaborator",
            nickname_skip="Go to the nickname field",
            nickname_heading="Or type a nickname",
            nickname_label="Seller's nickname",
            nickname_submit="Continue",
            nickname_invalid="This nickname cannot be used. "
            "Type another one or choose a seller from the list.",
            consent_title="Authorize {application}",
            signed_in_as="Signed in as",
            use_another_account="Use another account",
            areas_heading="The application will be able to:",
            no_areas="The application asks for no access in particular.",
            consent_return="After you decide, you will return to {origin}.",
            authorize="Authorize",
            cancel="Cancel",
            application_cannot_connect="Sorry, the application cannot connect to your account",
            request_unknown="This request was already answered or does not exist. "
            "Start again from the application.",
            sign_in_needed="Sign in to continue. Start again from the application.",
            collaborator_account="A collaborator account cannot authorize applications. "
            "Sign in with the main account.",
            form_expired="This form has expired or is not valid. Start again from the application.",
            error_code_label="Error code",
            why_title="Why? (sandbox)",
            remedy_title="What to do",
            journal_link="See the entry in the journal",
            area_offline_access="Keep access while you are away",
            area_payments="Create and look up payments on your behalf",
            area_read="See the data and movements of your account",
            area_write="Make changes in your account",
            area_other="Other access: {scope}",
        ),
    }
)


def texts(language: Language) -> Texts:
    """The sentences of one language."""
    return _TABLE[language]


def areas_of_access(scopes: Iterable[str], *, language: Language) -> list[str]:
    """What each scope allows, in plain words, in the order given.

    A scope without a description of its own is shown by its name.
    """
    known = texts(language)
    descriptions = {
        "offline_access": known.area_offline_access,
        "payments": known.area_payments,
        "read": known.area_read,
        "write": known.area_write,
    }
    return [
        descriptions[scope] if scope in descriptions else known.area_other.format(scope=scope)
        for scope in scopes
    ]


def language_of_country(country: str) -> Language:
    """Portuguese for sellers of Brazil (ISO 3166 alpha-2 `BR`), Spanish for all others."""
    return "pt" if country.upper() == "BR" else "es"


def pick_language(
    lang_parameter: str | None, *, accept_language: str | None, country: str | None
) -> Language:
    """The language of a page, from the most to the least deliberate wish.

    The `lang` parameter wins, then the country of the signed-in seller, then the browser's
    `Accept-Language`; Spanish when none of them says anything usable.
    """
    if asked := _supported(lang_parameter or ""):
        return asked
    if country:
        return language_of_country(country)
    return _accepted(accept_language or "") or "es"


def _supported(tag: str) -> Language | None:
    """The language of a tag such as `pt-BR`, if the pages speak it."""
    primary = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return next((language for language in LANGUAGES if language == primary), None)


def _accepted(header: str) -> Language | None:
    """The supported language with the highest weight; the first of equals (RFC 9110 12.5.4)."""
    best: Language | None = None
    best_weight = 0.0
    for choice in header.split(","):
        tag, _, parameter = choice.partition(";")
        name, _, value = parameter.strip().partition("=")
        weight = float(value) if name.lower() == "q" and _WEIGHT.fullmatch(value) else 1.0
        if (language := _supported(tag)) and weight > best_weight:
            best, best_weight = language, weight
    return best
