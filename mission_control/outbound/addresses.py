"""The addresses that outbound requests may reach."""

import ipaddress

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Cloud providers' metadata services at addresses that look public.
CLOUD_SERVICES = {
    ipaddress.ip_address(text) for text in ("168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
RELAYS_TO_6TO4 = ipaddress.ip_network("192.88.99.0/24")


def may_reach(text: str, *, allow_private: bool) -> bool:
    """Return whether an address, or the IPv4 address wrapped in it, belongs to the public internet.

    `allow_private` adds private and loopback addresses; metadata, link-local and multicast stay refused.
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
        return False  # obsolete tunnels with an unknown other end
    is_inside = address.is_private or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    if allow_private and (address.is_loopback or (is_inside and not address.is_reserved)):
        return True
    return address.is_global and not is_inside and not address.is_reserved
