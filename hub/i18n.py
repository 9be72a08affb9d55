"""Language of a request: the person's choice (cookie), else what the browser prefers. English and Arabic."""

from __future__ import annotations

from flask import Flask, has_request_context, request
from flask_babel import get_locale as babel_locale

from hub.config import ROOT
from hub.cookies import read_cookie
from hub.extensions import babel

LANGUAGES = {"en": "English", "ar": "العربية"}
LANGUAGE_COOKIE = "hub_language"


def choose_language() -> str:
    """The language code of the present request; English outside of one."""
    if not has_request_context():
        return "en"
    chosen = read_cookie(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def current_language() -> str:
    """The active language code; unlike ``choose_language`` it sees ``force_locale``."""
    locale = babel_locale()
    return locale.language if locale else "en"


def text_direction() -> str:
    """``rtl`` for Arabic, else ``ltr``."""
    return "rtl" if current_language() == "ar" else "ltr"


def init_app(app: Flask) -> None:
    """Bind Flask-Babel and give templates the language, its direction and the list of languages."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(ROOT / "translations")
    babel.init_app(app, locale_selector=choose_language)
    app.jinja_env.globals.update(current_language=current_language, text_direction=text_direction, languages=LANGUAGES)
