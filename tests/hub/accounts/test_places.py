from __future__ import annotations

import pytest
from flask import Flask

from hub.accounts.places import describe_place


@pytest.mark.parametrize(
    ("address", "present", "words"),
    [
        ("192.0.2.7", "192.0.2.7", "This network"),
        ("2001:db8:1:2::3", "2001:db8:1:2::4", "This network"),
        ("9.9.9.8", "8.8.8.8", "9.9.9.8"),
        ("192.168.1.20", "192.168.1.21", "Private network 192.168.1.x"),
        ("fd00:1:2:3::4", None, "Private network fd00:1:2:3::/64"),
        ("2606:4700::1111", "8.8.8.8", "2606:4700::1111"),
        ("9.9.9.9", None, "9.9.9.9"),
        ("127.0.0.1", "127.0.0.1", "The computer that the hub runs on"),
        ("::1", None, "The computer that the hub runs on"),
        (None, "192.0.2.7", "Unknown place"),
        ("rubbish", "rubbish", "Unknown place"),
    ],
)
def test_it_says_what_is_certain(app: Flask, address: str | None, present: str | None, words: str) -> None:
    with app.test_request_context():
        assert describe_place(address, present) == words
