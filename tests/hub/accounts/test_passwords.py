from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.accounts import passwords
from hub.errors import TooMany
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

    @pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux alone")
    def test_strangers_hashes_give_way_to_pages(self) -> None:
        def priority() -> int:
            return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        assert passwords._acquaintances.run(priority) == priority()
        assert passwords._strangers.run(priority) == min(19, priority() + 10)

    def test_few_hash_at_a_time_and_strangers_keep_no_acquaintance_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entered, leave = threading.Semaphore(0), threading.Event()

        def slow(*_arguments: object) -> bool:
            entered.release()
            leave.wait(30)
            return True

        monkeypatch.setattr(passwords.bcrypt, "checkpw", slow)
        strangers = passwords._Queue(waiting=1)
        monkeypatch.setattr(passwords, "_strangers", strangers)
        with ThreadPoolExecutor(3) as pool:
            first = pool.submit(passwords.check_password, PASSWORD, "$2", stranger=True)
            assert entered.acquire(timeout=30)
            assert strangers._places.acquire(timeout=30)  # somebody waits
            with pytest.raises(TooMany) as caught:
                passwords.check_password(PASSWORD, "$2", stranger=True)
            assert caught.value.retry_after == 5
            known = pool.submit(passwords.check_password, PASSWORD, "$2")
            assert entered.acquire(timeout=30)
            leave.set()
            assert first.result(30)
            assert known.result(30)
        strangers._places.release()
        assert passwords.check_password(PASSWORD, "$2", stranger=True)
