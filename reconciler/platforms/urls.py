"""Addresses that credentials may be sent to: https, or http on this machine itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def unsafe(url: str) -> str | None:
    """Give the reason why nothing secret may be sent to a URL, or None when it may: https, or http to loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not host:
        return "is not an http or https URL"
    if any(ord(character) <= 0x20 or ord(character) > 0x7E for character in url):
        return "has blanks or characters beyond ASCII in it"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "has a user, a query or a fragment in it"
    if parts.scheme == "http" and not is_loopback(host):
        return "is http, which is allowed for this machine itself only; use https"
    return None


def host_of(url: str) -> str:
    """Give the host of a URL for a message, without user, path or query; `?` when there is none."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
