"""Encryption of pushes, by the standard's own example, and the token of the installation."""

import secrets

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from mission_control.channels.providers.push.encryption import (
    LIFETIME,
    MOST_BYTES,
    are_keys,
    authorization,
    bytes_of,
    encrypt,
    key_from_bytes,
    key_to_bytes,
    new_key,
    public_text,
    unpadded,
)
from tests.channels.push_service import Browser

# RFC 8291, appendix A.
SERVER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w"
    "EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_example_of_the_standard_to_the_byte() -> None:
    key = key_from_bytes(bytes_of(SERVER))
    sealed = encrypt(b"When I grow up, I want to be a watermelon", BROWSER, AUTH, key, bytes_of(SALT))
    assert unpadded(sealed) == BODY


def test_longest_payload_fills_one_record() -> None:
    browser, payload = Browser("phone", "", ""), secrets.token_bytes(MOST_BYTES)
    keys = browser.subscription["p256dh"], browser.subscription["auth"]
    body = encrypt(payload, *keys)
    assert len(body) == 4096 and browser.decrypt(body) == payload
    with pytest.raises(ValueError, match="too long"):
        encrypt(payload + b"x", *keys)


def test_each_message_has_its_own_key_and_salt() -> None:
    first, second = (encrypt(b"{}", BROWSER, AUTH) for _ in range(2))
    assert first[:16] != second[:16] and first[21:86] != second[21:86]


def test_key_is_kept_as_bytes() -> None:
    key = new_key()
    assert len(key_to_bytes(key)) == 32
    assert public_text(key_from_bytes(key_to_bytes(key))) == public_text(key)


def test_token_names_the_service_and_ends() -> None:
    key = new_key()
    header = authorization(key, "https://push.example.org/send/abc?x=1", "mailto:ada@example.org", 1000.7)
    token, known = header.removeprefix("vapid t=").split(", k=")
    assert known == public_text(key)
    claims = jwt.decode(token, ECKey.import_key(key), algorithms=["ES256"]).claims
    assert claims == {"aud": "https://push.example.org", "exp": 1000 + LIFETIME, "sub": "mailto:ada@example.org"}


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", AUTH), (BROWSER[:-4], AUTH), ("!" * 87, AUTH), ("é" * 87, AUTH), (BROWSER, ""), (BROWSER, SERVER)],
    ids=["none", "short", "no base64", "no ascii", "no auth", "long auth"],
)
def test_what_is_no_key_is_found(p256dh: str, auth: str) -> None:
    assert are_keys(BROWSER, AUTH) and not are_keys(p256dh, auth)
