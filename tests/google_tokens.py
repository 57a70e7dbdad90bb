"""Tokens as Google signs them for Pub/Sub's pushes, with keys made here, and the certificates as Google serves them."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

AUDIENCE = "https://worker.example.org/push"
ACCOUNT = "push@athlete-dashboard.iam.gserviceaccount.com"


class SigningKey:
    """A private key and its certificate."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(encoding, pkcs8, serialization.NoEncryption())
        self._signer = crypt.RSASigner.from_string(pem, key_id)
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon")]), datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
        certificate = builder.sign(key, hashes.SHA256())
        self.certificate = certificate.public_bytes(encoding).decode()

    def header(self, *, issued_in_s: int = 0, expires_in_s: int = 3600, **changes: Any) -> str:
        """Return the `Authorization` header of a push, with times from now on; a claim that is None is left out."""
        now = int(time.time())
        claims: Mapping[str, Any] = {
            "aud": AUDIENCE,
            "azp": "113774264463038321964",
            "email": ACCOUNT,
            "email_verified": True,
            "exp": now + expires_in_s,
            "iat": now + issued_in_s,
            "iss": "https://accounts.google.com",
            "sub": "113774264463038321964",
            **changes,
        }
        told = {name: value for name, value in claims.items() if value is not None}
        return f"Bearer {jwt.encode(self._signer, told).decode()}"


@cache
def signing_key(name: str = "google's", key_id: str = "") -> SigningKey:
    """Return a key by its name, which is its id too unless another is given; it takes a moment to make one."""
    return SigningKey(key_id or name)


def served(*keys: SigningKey) -> bytes:
    """Return what https://www.googleapis.com/oauth2/v1/certs answers."""
    return json.dumps({key.key_id: key.certificate for key in keys}).encode()
