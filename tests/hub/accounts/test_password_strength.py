from __future__ import annotations

import string

import pytest
from flask import Flask

from hub.accounts import password_strength
from hub.accounts.password_strength import estimate_strength, password_problem


@pytest.fixture(autouse=True)
def words(app: Flask) -> object:
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "PASSWORD",
        "12345678",
        "qwertyuiop",
        "Password1!",
        "p@ssw0rd",
        "aaaaaaaaaaaa",
        "abcdefgh1",
        "password123",
        "iloveyou",
    ],
)
def test_common_and_simple_passwords_are_refused(password: str) -> None:
    assert password_problem(password)


@pytest.mark.parametrize("password", ["correct horse", "كلمة سر طويلة جدا", "x7#Kq!m2", "violet harbour", "四つの言葉があります"])
def test_others_are_not(password: str) -> None:
    assert password_problem(password) is None


@pytest.mark.parametrize(("length", "refused"), [(7, True), (8, False), (64, False), (1024, False), (1025, True)])
def test_length(length: int, refused: bool) -> None:
    password = ("k9#vLq2!pTzw" * 100)[:length]
    assert (password_problem(password) is not None) is refused


def test_what_is_known_of_a_person_is_easy_to_guess() -> None:
    assert estimate_strength("brunhilde.hinterseer", ["brunhilde.hinterseer@example.com"]).score < 2
    assert estimate_strength("brunhilde.hinterseer").score >= 2


@pytest.mark.parametrize("password", ["ai-http-hub", "AI-HTTP Hub", "aihttphub", "AiHttpHub1", "n8nworkflow", "hubhubhub"])
def test_words_of_this_product_are_easy_to_guess(password: str) -> None:
    assert password_problem(password)


def test_words_come_with_every_score() -> None:
    assert [estimate_strength(text).words for text in ("abc", "violet1!", "correct horse battery staple")] == [
        "Very weak",
        "Weak",
        "Strong",
    ]
    assert estimate_strength("abc").advice == "Use at least 8 characters."
    assert estimate_strength("qwertyuiop").advice == "This is one of the commonest passwords."
    assert estimate_strength("correct horse battery staple").advice == ""


def test_what_is_judged_stays_small_whatever_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Length and signs that stand for letters are what the estimate's work grows with."""
    judged: list[str] = []
    real = password_strength.zxcvbn
    monkeypatch.setattr(password_strength, "zxcvbn", lambda text, **options: judged.append(text) or real(text, **options))
    estimate_strength(string.printable.strip() * 10)
    estimate_strength("4@8({[<36|1!7+0$5%2" * 50)
    assert [len(text) for text in judged] == [32, 32]
    assert all(len(set(text) & password_strength._SUBSTITUTE_SIGNS) <= 6 for text in judged)
