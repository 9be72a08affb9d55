from __future__ import annotations

import pytest

from hub.accounts import passwords
from tests.hub.accounts.people import PASSWORD


class TestPasswords:
    def test_no_password_is_truncated(self) -> None:
        stored = passwords.hash_password("x" * 100 + "a")
        assert passwords.check_password("x" * 100 + "a", stored)
        assert not passwords.check_password("x" * 100 + "b", stored)

    def test_the_same_letters_in_other_code_points_fit(self) -> None:
        assert passwords.check_password("caf\u00e9 caf\u00e9", passwords.hash_password("cafe\u0301 cafe\u0301"))

    @pytest.mark.parametrize("stored", [None, "!", ""])
    def test_an_unknown_person_costs_a_whole_check(self, stored: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        costs = []
        real = passwords.bcrypt.checkpw

        def watched(password: bytes, hashed: bytes) -> bool:
            costs.append(hashed[:7])
            return real(password, hashed)

        monkeypatch.setattr(passwords.bcrypt, "checkpw", watched)
        assert not passwords.check_password(PASSWORD, stored)
        assert costs == [b"$2b$12$"]
