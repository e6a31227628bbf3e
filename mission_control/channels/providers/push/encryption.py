"""Web push: encryption (RFC 8291, RFC 8188), and the token by which a push service knows us (VAPID, RFC 8292)."""

import os
import struct
from base64 import b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096
MOST_BYTES = RECORD - 86 - 16 - 1  # of a payload: the header with the key, the tag and the delimiter taken off
LIFETIME = 12 * 3600  # seconds of a token; push services refuse more than a day
AUTH_BYTES = 16


def unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """Return the bytes of base64url; raises ValueError."""
    return b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_to_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_numbers().private_value.to_bytes(32)


def key_from_bytes(stored: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(stored), ec.SECP256R1())


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Return what pages give a browser as `applicationServerKey`."""
    return unpadded(_point(key.public_key()))


def are_keys(p256dh: str, auth: str) -> bool:
    """Whether these are the keys of a subscription: a point of the curve and 16 bytes."""
    try:
        _theirs(p256dh)
        return len(bytes_of(auth)) == AUTH_BYTES
    except ValueError:
        return False


def encrypt(
    payload: bytes, p256dh: str, auth: str, mine: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Return the body for one subscription. Raises ValueError when the payload is too long or a key is none.

    Only a test gives `mine` and `salt`, to repeat the standard's example; every message has its own.
    """
    if len(payload) > MOST_BYTES:
        raise ValueError("The payload is too long for one record.")
    theirs, mine, salt = _theirs(p256dh), mine or new_key(), salt or os.urandom(16)
    shared, public = mine.exchange(ec.ECDH(), theirs), _point(mine.public_key())
    secret = _derived(shared, bytes_of(auth), b"WebPush: info\0" + _point(theirs) + public, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, payload + b"\x02", None)
    return salt + struct.pack("!LB", RECORD, len(public)) + public + sealed


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, subject: str, now: float) -> str:
    """Return the header by which the push service of an endpoint knows the installation."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + LIFETIME, "sub": subject}
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(key), algorithms=["ES256"])
    return f"vapid t={token}, k={public_text(key)}"


def _theirs(p256dh: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes_of(p256dh))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
