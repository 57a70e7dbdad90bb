"""HTTP clients that know where a proxy has no place: a proxy cannot reach this machine's own loopback."""

import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx


class ProxyUnusable(Exception):
    """HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names a proxy that cannot be used; the sentence says what to do."""


def loopback_client(*, timeout: float) -> httpx.AsyncClient:
    """Return a client for programs on this machine, past any proxy that the environment names.

    It knows no authorities, which take 20 ms to load: none of them certifies an address of this machine.
    """
    return httpx.AsyncClient(timeout=timeout, trust_env=False, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def client_for(*urls: str, timeout: float) -> httpx.AsyncClient:
    """Return a client that takes the environment's proxy, unless all these addresses are on loopback.

    Raises ProxyUnusable.
    """
    if all(map(is_loopback, urls)):
        return loopback_client(timeout=timeout)
    try:
        return httpx.AsyncClient(timeout=timeout)
    except (ImportError, ValueError) as error:  # `from None`: a proxy's address may hold a password
        kind = "a SOCKS proxy, which is not supported" if isinstance(error, ImportError) else "no proxy's address"
        raise ProxyUnusable(
            f"HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names {kind}: set an http:// proxy, or unset it."
        ) from None


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine's loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
