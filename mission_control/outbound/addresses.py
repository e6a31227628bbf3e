"""Which addresses requests to the outside may reach."""

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A cloud's services for its own machines, on an address that looks like any other.
CLOUD_SERVICES = {ipaddress.ip_address("168.63.129.16")}
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def may_reach(text: str, *, allow_private: bool) -> bool:
    """Whether an address, or the older address wrapped in it, belongs to the public internet.

    With `allow_private` also private and loopback addresses; metadata, link-local and multicast never.
    """
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return _is_fine(_unwrapped(address), allow_private=allow_private)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _is_fine(address: Address, *, allow_private: bool) -> bool:
    if address in CLOUD_SERVICES or address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.sixtofour or address.teredo):
        return False  # tunnels of the past, whose other end nobody knows
    if allow_private and (address.is_loopback or (address.is_private and not address.is_reserved)):
        return True
    return address.is_global and not address.is_reserved
