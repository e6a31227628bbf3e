"""Which addresses requests to the outside may reach."""

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Services of clouds for their own machines, on addresses that look like any other.
CLOUD_SERVICES = {
    ipaddress.ip_address(text) for text in ("168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
RELAYS_TO_6TO4 = ipaddress.ip_network("192.88.99.0/24")


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
    if address in RELAYS_TO_6TO4 or (
        isinstance(address, ipaddress.IPv6Address) and (address.sixtofour or address.teredo)
    ):
        return False  # tunnels of the past, whose other end nobody knows
    is_inside = address.is_private or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    if allow_private and (address.is_loopback or (is_inside and not address.is_reserved)):
        return True
    return address.is_global and not is_inside and not address.is_reserved
