"""Carol, who has just registered."""

from __future__ import annotations

import pytest

from hub.accounts import passwords, users
from hub.accounts.models import User
from hub.extensions import db
from tests.hub.accounts.people import HOME, PASSWORD


@pytest.fixture
def carol(session: object) -> User:
    return users.register_user(" Carol@Example.com ", PASSWORD, "Carol", client=HOME)


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little, where they are not the matter."""
    monkeypatch.setattr(passwords, "COST", 4)
    monkeypatch.setattr(passwords, "_NOBODYS_HASH", passwords.hash_password("nobody's"))


@pytest.fixture
def dana(quick_hashes: None, session: object) -> User:
    """Has confirmed her address."""
    user = users.register_user("dana@example.com", PASSWORD, "Dana", client=HOME, verified=True)
    db.session.commit()
    return user
