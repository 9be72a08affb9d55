from __future__ import annotations

import pytest

from hub.egress import EgressError, check_url, may_reach

REFUSED = {
    "host": [
        "http:///127.0.0.1/",
        "http:/127.0.0.1/",
        "http://",
        "http://127.0.0.1./",
        "http://localhost./",
        "http://127%2e0%2e0%2e1/",
        "http://%31%32%37.0.0.1/",
        "http://127.0.0.1%00.example.com/",
        "http://example.com;127.0.0.1/",
        "http://example.com,127.0.0.1/",
        "http://example.com&127.0.0.1/",
        "http://example.com:99999/",
        "http://example.com:-1/",
        "http://example.com:80:80/",
        "http://[::1/",
        "http://[127.0.0.1]/",
        "http://[::g]/",
        "http://[fe80::1%25eth0]/",
        "http://①②⑦.⓪.⓪.①/",
        "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "http://127。0。0。1/",
        "http://loc\u00adalhost/",
        "http://" + "a." * 130 + "example.com/",
    ],
    "ipv4": [
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0x0.0x0.0x1/",
        "http://0177.0.0.1/",
        "http://017700000001/",
        "http://0/",
        "http://425.510.425.510/",
        "http://2852039166/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://169.16689662/",
    ],
    "ipv6": ["http://[v1.127.0.0.1]/"],
    "userinfo": [
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1@example.com/",
        "http://user:word@example.com/",
        "http://127.0.0.1%23@example.com/",
        "http://127.0.0.1%2f@example.com/",
    ],
    "characters": [
        "http://127.0.0.1\t/",
        "http://127\t.0.0.1/",
        " http://127.0.0.1/",
        "http://127.0.0.1 .example.com/",
        "http://example.com\\@127.0.0.1/",
        "http:\\\\127.0.0.1\\",
        "http://example.com/\r\nHost: other",
        "http://example.com/\x00",
        "http://example.com\u2028/",
    ],
    "scheme": [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "ftp://127.0.0.1/",
        "data:text/plain,hi",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
        "//127.0.0.1/",
        "127.0.0.1",
        "",
    ],
    "port": ["http://example.com:0/", "http://example.com:/"],
    "too-long": ["http://example.com/" + "a" * 9000],
}


@pytest.mark.parametrize(("reason", "url"), [(reason, url) for reason, urls in REFUSED.items() for url in urls])
def test_a_url_that_two_parsers_may_read_differently_is_refused(reason: str, url: str) -> None:
    with pytest.raises(EgressError) as refused:
        check_url(url)
    assert refused.value.code == "bad-url"
    assert refused.value.details["reason"] == reason


@pytest.mark.parametrize(
    ("url", "origin", "port"),
    [
        ("http://example.com", "http://example.com", 80),
        ("HTTPS://N8N.Example.com:443/x", "https://n8n.example.com", 443),
        ("https://n8n.example.com:5678/path?query#part", "https://n8n.example.com:5678", 5678),
        ("http://example.com#@127.0.0.1/", "http://example.com", 80),
        ("http://[2606:4700:0::1111]:5678/", "http://[2606:4700::1111]:5678", 5678),
        ("http://8.8.8.8/", "http://8.8.8.8", 80),
        ("http://my_n8n:5678/", "http://my_n8n:5678", 5678),
        ("https://موقع.example/", "https://xn--4gbrim.example", 443),
    ],
)
def test_a_plain_url_is_read(url: str, origin: str, port: int) -> None:
    target = check_url(url)
    assert (target.origin, target.port) == (origin, port)


@pytest.mark.parametrize(
    ("pattern", "url", "reached"),
    [
        ("api.test", "https://api.test/", True),
        ("API.test ", "https://api.test:8443/", True),
        ("api.test:443", "https://api.test/", True),
        ("api.test:443", "http://api.test/", False),
        ("api.test", "https://a.api.test/", False),
        ("*.api.test", "https://a.b.api.test/", True),
        ("*.api.test", "https://api.test/", False),
        ("*.api.test:8443", "https://a.api.test/", False),
        ("*.api.test", "https://evil-api.test/", False),
        ("*", "https://api.test/", False),
        ("*.", "https://api.test/", False),
        ("", "https://api.test/", False),
        ("[2606:4700::1111]:8080", "http://[2606:4700::1111]:8080/", True),
        ("2606:4700::1111", "http://[2606:4700::1111]:8080/", True),
    ],
)
def test_a_pattern_names_a_host_or_what_is_below_it(pattern: str, url: str, reached: bool) -> None:
    assert may_reach([pattern], check_url(url)) is reached
    assert not may_reach([], check_url(url))
