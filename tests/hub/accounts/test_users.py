from __future__ import annotations

import pytest

from hub.accounts import users
from hub.accounts.models import User
from hub.contracts.actor import Role
from hub.errors import Invalid
from tests.hub.accounts.people import HOME, PASSWORD, events


class TestRegistering:
    def test_keeps_no_password(self, carol: User) -> None:
        assert carol.email == "carol@example.com"
        assert carol.password.startswith("$2b$12$")
        assert (carol.role, carol.settings) == (Role.USER, {})
        assert events("user.register")[0].user_id == carol.id

    @pytest.mark.parametrize(
        ("email", "password", "name", "field"),
        [
            ("carol", PASSWORD, "Carol", "email"),
            ("a b@example.com", PASSWORD, "Carol", "email"),
            ("c@example.com", "short", "Carol", "password"),
            ("c@example.com", "x" * 1025, "Carol", "password"),
            ("c@example.com", PASSWORD, "  ", "name"),
        ],
    )
    def test_names_the_wrong_field(self, session: object, email: str, password: str, name: str, field: str) -> None:
        with pytest.raises(Invalid) as caught:
            users.register_user(email, password, name, client=HOME)
        assert list(caught.value.fields) == [field]

    def test_refuses_an_address_twice_in_any_case(self, carol: User) -> None:
        with pytest.raises(Invalid) as caught:
            users.register_user("CAROL@example.com", PASSWORD, "Carol", client=HOME)
        assert "email" in caught.value.fields

    def test_tells_the_rooms_above(self, session: object) -> None:
        told: list[User] = []
        with users.user_registered.connected_to(told.append):
            user = users.register_user("d@example.com", PASSWORD, "D", client=HOME)
        assert told == [user]
