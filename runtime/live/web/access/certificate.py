"""Encryption for the page: a certificate of one's own, or one made for this run."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import os
import ssl
import tempfile
from pathlib import Path

from ....errors import InputError, MissingExtraError

AUTO = "auto"
_VALID = datetime.timedelta(days=90)


def context(spec: str, host: str) -> tuple[ssl.SSLContext, str]:
    """What a server needs to speak TLS, and the SHA-256 fingerprint of the certificate it made ("" for a given one).

    Args:
        spec: "auto", a PEM file that holds certificate and key, or two files as "CERT,KEY".
        host: the name or address that a certificate made here is for, besides this machine's own.

    Raises:
        InputError: a file is missing, is no certificate, or the key is not the certificate's.
        MissingExtraError: "auto" without the `web` extra.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if spec == AUTO:
        return made, _load_new(made, host)
    certificate, _, key = spec.partition(",")
    for path in filter(None, (certificate, key)):
        if not Path(path).is_file():
            raise InputError(f"there is no file {path}", todo="--tls takes auto, FILE.pem, or CERT.pem,KEY.pem")
    try:
        made.load_cert_chain(certificate, key or None, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise InputError(
            f"{spec.replace(',', ' and ')} cannot be used for TLS: {getattr(error, 'reason', None) or error}",
            "a certificate and its unencrypted private key, both PEM",
            "to try without one of your own: --tls auto",
        ) from None
    return made, ""


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _load_new(made: ssl.SSLContext, host: str) -> str:
    """Loads a new self-signed certificate; its key touches the disk for a moment only, readable by us alone."""
    pem, fingerprint = _self_sign(host)
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        made.load_cert_chain(name)
    finally:
        os.unlink(name)
    return fingerprint


def _self_sign(host: str) -> tuple[bytes, str]:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise MissingExtraError(error.name or "cryptography", "web") from None

    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edgegan")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return certificate.public_bytes(serialization.Encoding.PEM) + secret, ":".join(
        digest[i : i + 2] for i in range(0, len(digest), 2)
    )
