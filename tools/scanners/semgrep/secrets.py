# ruff: noqa
# fmt: off
import hashlib
import hmac
import logging
import random
import secrets

# ruleid: encryption-outside-the-vault
from cryptography.fernet import Fernet
# ok: encryption-outside-the-vault
from hub.crypto import current_vault

log = logging.getLogger(__name__)
# ruleid: secret-in-the-code
SECRET_KEY = "not-so-secret-after-all"
# ok: secret-in-the-code
SECRET_KEY_NAME = "ENCRYPTION_KEY"
# ruleid: key-of-the-hub-in-the-code
EXAMPLE = "hub_Ab12Cd34_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
# ok: key-of-the-hub-in-the-code
PREFIX = "hub_Ab12Cd34"


def make(text, password, user):
    # ruleid: weak-hash
    hashlib.md5(text)
    # ok: weak-hash
    hashlib.md5(text, usedforsecurity=False)
    # ok: weak-hash
    hashlib.sha256(text)
    # ruleid: guessable-random
    reset_token = random.getrandbits(128)
    # ok: guessable-random
    reset_token = secrets.token_urlsafe(32)
    # ok: guessable-random
    delay = random.uniform(0, 1)
    # ruleid: secret-in-a-log
    log.info("signed in with %s", password)
    # ruleid: secret-in-a-log
    log.warning(f"wrong {user.token}")
    # ok: secret-in-a-log
    log.info("signed in: %s", user.id)
    # ruleid: secret-compared-with-equals
    if user.signature == text:
        return True
    # ok: secret-compared-with-equals
    return hmac.compare_digest(user.signature, text)
