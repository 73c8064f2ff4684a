"""
Assertions of the JWT bearer flow: RS256, the app's certificate, and the four claims.

The claims are judged by real time, since a client signs them by its own clock, not by the world's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MAX_SECONDS_AHEAD = 300


class BadAssertion(Exception):
    """The assertion proves nothing; the text says why."""


def stated_issuer(assertion: str) -> str:
    """Give the client id that an assertion names, unproven. Raises BadAssertion when it is no JWT."""
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise BadAssertion(f"invalid assertion: {error}") from None
    return str(claims.get("iss", ""))


def subject(assertion: str, public_key_pem: str | None, audiences: Sequence[str]) -> str:
    """
    Give the username that a proven assertion speaks for.

    Raises BadAssertion unless the signature fits the key, `aud` is one of `audiences`, and `exp` lies at most five
    minutes ahead.
    """
    if not public_key_pem:
        raise BadAssertion("no certificate is uploaded for this app")
    try:
        claims = jwt.decode(
            assertion,
            _public_key(public_key_pem),
            algorithms=["RS256"],
            audience=audiences,
            options={"require": ["iss", "sub", "aud", "exp"]},
        )
    except jwt.InvalidAudienceError:
        raise BadAssertion("audience is invalid") from None
    except jwt.PyJWTError as error:
        raise BadAssertion(f"invalid assertion: {error}") from None
    if not isinstance(claims["aud"], str):
        raise BadAssertion("audience is invalid")
    if float(claims["exp"]) > time.time() + MAX_SECONDS_AHEAD:
        raise BadAssertion("the assertion expires too far in the future")
    return str(claims["sub"])


@lru_cache(maxsize=16)
def _public_key(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise BadAssertion(f"the app's key cannot be read: {error}") from None
    if not isinstance(key, RSAPublicKey):
        raise BadAssertion("the app's key is no RSA key")
    return key
