"""Which addresses credentials may be sent to: https anywhere, http on this machine only."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def address_problem(address: str) -> str | None:
    """Tell what is wrong with a base or token URL, without repeating it; None when nothing is."""
    if not address.isascii() or not address.isprintable() or " " in address or "\\" in address:
        return "holds a space, a backslash or another character that an address cannot have"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("https", "http") or not host:
        return "has to begin with https:// and name a host"
    if "@" in parts.netloc:
        return "holds a user name or password; credentials belong in auth"
    if parts.query or parts.fragment or "?" in address or "#" in address:
        return "has a ? or #; only a path may follow the host"
    if parts.scheme == "http" and not _is_loopback(host):
        return "uses http:// for a host that is not this machine; use https://"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
