# ruff: noqa
# fmt: off
# ruleid: network-outside-the-guard
import requests
# ruleid: network-outside-the-guard
from urllib.request import urlopen
# ok: network-outside-the-guard
from urllib.parse import urlsplit
# ok: network-outside-the-guard
from hub.egress import fetch
import ssl

from hub.extensions import csrf


def ask(url, context, response, bp):
    # ruleid: certificate-not-verified
    requests.get(url, verify=False)
    # ruleid: certificate-not-verified
    context.check_hostname = False
    # ruleid: certificate-not-verified
    context.verify_mode = ssl.CERT_NONE
    # ok: certificate-not-verified
    fetch(url)
    # ruleid: token-check-left-out
    csrf.exempt(bp)
    # ok: token-check-left-out
    csrf.protect()
    # ruleid: cookie-without-its-flags
    response.set_cookie("a", "b")
    # ruleid: cookie-without-its-flags
    response.set_cookie("a", "b", secure=True)
    # ok: cookie-without-its-flags
    response.set_cookie("a", "b", secure=True, httponly=True, samesite="Lax")
