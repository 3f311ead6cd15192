"""Which addresses a merchant file may name: https anywhere, http only to this machine unless the file says otherwise.

Pure: names are not looked up, so a name that leads to a forbidden address is not seen here.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_METADATA = frozenset({"metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal"})
_METADATA_ADDRESSES = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def wrong(url: str) -> str | None:
    """What is expected instead of this address; None: it may be named. The message repeats no user and password."""
    if re.fullmatch(r"https?://[!-~]*[^/\s]", url) is None:
        return "http://… or https://… without spaces and without / at the end"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "an address such as https://shop.example, with a port from 1 to 65535 if any"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        return "an address without user and password: they belong into a secret"
    if parts.query or parts.fragment:
        return "an address without ? and #"
    if not host:
        return "an address with a host"
    return _forbidden(host)


def leaves_plainly(url: str) -> bool:
    """Whether it is http:// to another machine: anyone on the way reads it."""
    return urlsplit(url).scheme == "http" and not is_loopback(url)


def is_loopback(url: str) -> bool:
    """Whether it leads to this machine."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def _forbidden(host: str) -> str | None:
    address = _address(host.rstrip("."))
    name = str(address) if address is not None else host.rstrip(".").lower()
    if name in _METADATA or name in _METADATA_ADDRESSES or (address is not None and address.is_link_local):
        return f"the address of a system, got a link-local or metadata address ({name})"
    if address is not None and (address.is_unspecified or address.is_multicast):
        return f"the address of one machine, got {name}"
    return None


def _address(host: str) -> Address | None:
    """The IP address, also in the short and numeric forms that systems take; None for a name."""
    try:
        found: Address = ipaddress.ip_address(host)
    except ValueError:
        return _numeric(host)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _numeric(host: str) -> ipaddress.IPv4Address | None:
    """IPv4 in one to four parts, each decimal, octal or hexadecimal, the last one filling what is left (inet_aton)."""
    try:
        parts = [int(re.sub(r"^0(?=[0-7]+$)", "0o", part.lower()), 0) for part in host.split(".")]
    except ValueError:
        return None
    *first, last = parts
    if len(parts) > 4 or any(not 0 <= part < 256 for part in first) or not 0 <= last < 256 ** (5 - len(parts)):
        return None
    return ipaddress.IPv4Address(sum(part << (24 - 8 * at) for at, part in enumerate(first)) + last)
