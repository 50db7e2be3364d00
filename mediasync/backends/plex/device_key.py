"""The key pair of this device, with which it gets tokens from Plex's own service."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from mediasync.errors import ConfigurationError, UsageError
from mediasync.settings.distribution import install_command

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AUDIENCE: Final = "plex.tv"
SCOPES: Final = "username,email,friendly_name"
_VALID_FOR: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """An Ed25519 key pair. Its ``repr`` does not show the private key.

    Plex knows the public key, and gives a token of seven days to whoever signs its nonce with the private one
    (https://developer.plex.tv/pms/, "Authenticating with Plex").

    Example:
        >>> key = DeviceKey.generate()
        >>> DeviceKey.parse(key.text()).public_jwk() == key.public_jwk()
        True
    """

    _private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"DeviceKey({self.key_id!r})"

    @classmethod
    def generate(cls) -> DeviceKey:
        """Return a new key pair.

        Raises:
            UsageError: if the extra ``plex`` is not installed.
        """
        return cls(_ed25519().Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> DeviceKey:
        """Return the key pair of a private key in PEM (PKCS #8).

        Raises:
            ConfigurationError: if it is not one; the message does not repeat it.
            UsageError: if the extra ``plex`` is not installed.
        """
        kind = _ed25519().Ed25519PrivateKey
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, kind):
            raise ConfigurationError(
                "it is not a private Ed25519 key in PEM: sign in again with mediasync init"
            )
        return cls(key)

    def text(self) -> str:
        """Return the private key in PEM."""
        from cryptography.hazmat.primitives import serialization as form

        plain = form.NoEncryption()
        return (
            self._private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, plain).decode().strip()
        )

    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JSON Web Key (RFC 8037)."""
        return {**self._required(), "use": "sig", "alg": "EdDSA", "kid": self.key_id}

    @property
    def key_id(self) -> str:
        """The thumbprint of the public key (RFC 7638)."""
        canonical = json.dumps(self._required(), separators=(",", ":"), sort_keys=True)
        return _base64(hashlib.sha256(canonical.encode()).digest())

    def sign(self, nonce: str, client_id: str, now: datetime | None = None) -> str:
        """Return a JSON Web Token that proves to Plex that this device has the private key.

        Args:
            nonce: given by Plex; it is valid for five minutes.
            client_id: the identifier of this installation.
            now: the time; by default that of the system.
        """
        import jwt

        moment = now or datetime.now(UTC)
        claims: dict[str, Any] = {
            "nonce": nonce,
            "scope": SCOPES,
            "aud": AUDIENCE,
            "iss": client_id,
            "iat": int(moment.timestamp()),
            "exp": int((moment + _VALID_FOR).timestamp()),
        }
        return jwt.encode(claims, self._private, algorithm="EdDSA", headers={"kid": self.key_id})

    def _required(self) -> dict[str, str]:
        return {"crv": "Ed25519", "kty": "OKP", "x": _base64(self._private.public_key().public_bytes_raw())}


def ends_at(token: str) -> datetime | None:
    """Return when a JSON Web Token ends; None for a token of another form, which has no stated end.

    The signature is not checked: the token came from Plex over TLS, and only Plex's servers judge it.

    Example:
        >>> ends_at("2ffLuB84dqLswk9skLos") is None
        True
    """
    _, _, rest = token.partition(".")
    payload, dot, _ = rest.partition(".")
    if not dot:
        return None
    try:
        end = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return datetime.fromtimestamp(end, UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _ed25519() -> Any:
    try:
        import jwt  # noqa: F401  (it signs; without it a key is of no use)
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise UsageError(
            f"signing in to Plex by a key pair needs an extra: {install_command('plex')}; or sign in by PIN"
        ) from None
    return ed25519
