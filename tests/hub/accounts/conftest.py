"""Carol, who has just registered."""

from __future__ import annotations

import pytest

from hub.accounts import users
from hub.accounts.models import User
from tests.hub.accounts.people import HOME, PASSWORD


@pytest.fixture
def carol(session: object) -> User:
    return users.register_user(" Carol@Example.com ", PASSWORD, "Carol", client=HOME)
