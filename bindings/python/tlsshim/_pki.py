"""Keys, certificates, identities, templates, trust."""

from __future__ import annotations

import time
from datetime import datetime
from os import PathLike
from typing import Any, Iterable, Optional, Union

from ._object import Field, Handle, checked, constant, data, date, listed, mask, raw, seconds_of

Path = Union[str, bytes, "PathLike[str]"]
Secret = Union[str, bytes]
INT64_MIN = -(2**63)


class Key(Handle):
    """A private key, or a public one; Key("P-256") makes a new one."""

    def __init__(self, algorithm: str = "P-256"):
        super().__init__(raw.key_generate(algorithm))

    @classmethod
    def load(cls, pem_or_der: bytes, passphrase: Secret = "") -> Key:
        return cls._of(raw.key_load(pem_or_der, passphrase))

    @classmethod
    def load_file(cls, path: Path, passphrase: Secret = "") -> Key:
        return cls._of(raw.key_load_file(path, passphrase))

    @classmethod
    def external(cls, public_key: Key) -> Key:
        """The public half of a key that is elsewhere."""
        return cls._of(raw.key_external(public_key._handle))

    def export(self, format: str = "pem", passphrase: Secret = "") -> bytes:
        """Formats: pem, der, public_pem, public_der."""
        return data(raw.key_export(self._handle, constant("FORMAT", format), passphrase))

    @property
    def algorithm(self) -> str:
        return data(raw.key_algorithm(self._handle))

    @property
    def bits(self) -> int:
        return checked(raw.key_bits(self._handle))

    def sign(self, message: bytes, digest: str = "") -> bytes:
        return data(raw.key_sign(self._handle, digest, message))

    def verify(self, message: bytes, signature: bytes, digest: str = "") -> bool:
        return checked(raw.key_verify(self._handle, digest, message, signature)) == 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and checked(raw.key_equal(self._handle, other._handle)) == 1

    __hash__ = Handle.__hash__


class Cert(Handle):
    """A certificate, followed by its chain."""

    def __init__(self) -> None:
        raise TypeError("Cert.load, Cert.load_file or a template make certificates")

    subject = Field[str](raw.cert_text, raw.CERT_SUBJECT, str)
    issuer = Field[str](raw.cert_text, raw.CERT_ISSUER, str)
    common_name = Field[str](raw.cert_text, raw.CERT_COMMON_NAME, str)
    serial = Field[str](raw.cert_text, raw.CERT_SERIAL, str)
    fingerprint = Field[str](raw.cert_text, raw.CERT_FINGERPRINT, str)
    spki_sha256 = Field[str](raw.cert_text, raw.CERT_SPKI_SHA256, str)
    key_algorithm = Field[str](raw.cert_text, raw.CERT_KEY_ALGORITHM, str)
    full = Field[str](raw.cert_text, raw.CERT_FULL, str)
    not_before = Field[datetime](raw.cert_number, raw.CERT_NOT_BEFORE, date)
    not_after = Field[datetime](raw.cert_number, raw.CERT_NOT_AFTER, date)
    path_length = Field[int](raw.cert_number, raw.CERT_PATH_LENGTH, int)
    key_bits = Field[int](raw.cert_number, raw.CERT_KEY_BITS, int)
    is_ca = Field[bool](raw.cert_number, raw.CERT_IS_CA, bool)
    self_signed = Field[bool](raw.cert_number, raw.CERT_SELF_SIGNED, bool)
    must_staple = Field[bool](raw.cert_number, raw.CERT_MUST_STAPLE, bool)

    @classmethod
    def load(cls, pem_or_der: bytes) -> Cert:
        return cls._of(raw.cert_load(pem_or_der))

    @classmethod
    def load_file(cls, path: Path) -> Cert:
        return cls._of(raw.cert_load_file(path))

    def __len__(self) -> int:
        return checked(raw.cert_count(self._handle))

    def __getitem__(self, index: int) -> Cert:
        """One certificate of the chain alone, 0 = the leaf."""
        found = self._of_any(raw.cert_at(self._handle, index)) if index >= 0 else None
        if found is None:
            raise IndexError(index)
        return found

    def join(self, rest: Cert) -> Cert:
        return self._of(raw.cert_join(self._handle, rest._handle))

    def export(self, format: str = "pem") -> bytes:
        return data(raw.cert_export(self._handle, constant("FORMAT", format)))

    def digest(self, name: str = "") -> bytes:
        return data(raw.cert_digest(self._handle, name))

    def matches(self, name: str) -> bool:
        return checked(raw.cert_matches_name(self._handle, name)) == 1

    @property
    def public_key(self) -> Key:
        return Key._of(raw.cert_public_key(self._handle))

    @property
    def names(self) -> list[str]:
        """The names that it is for: ["DNS:localhost", "IP:127.0.0.1"]."""
        def part(index: int, which: int) -> Any:
            return data(raw.cert_list_at(self._handle, raw.CERT_LIST_NAMES, index, which))
        total = checked(raw.cert_list_count(self._handle, raw.CERT_LIST_NAMES))
        return [f"{part(i, raw.PART_KIND)}:{part(i, raw.PART_VALUE)}" for i in range(total)]


class Identity(Handle):
    """A certificate with its chain, and its private key."""

    def __init__(self, cert: Cert, key: Key):
        super().__init__(raw.identity_new(cert._handle, key._handle))

    @classmethod
    def load(cls, pem_or_pkcs12: bytes, passphrase: Secret = "") -> Identity:
        return cls._of(raw.identity_load(pem_or_pkcs12, passphrase))

    @classmethod
    def load_file(cls, path: Path, passphrase: Secret = "") -> Identity:
        return cls._of(raw.identity_load_file(path, passphrase))

    @classmethod
    def load_files(cls, cert_file: Path, key_file: Path, passphrase: Secret = "") -> Identity:
        with Cert.load_file(cert_file) as cert, Key.load_file(key_file, passphrase) as key:
            return cls(cert, key)

    @classmethod
    def load_parts(cls, cert: bytes, key: bytes, passphrase: Secret = "") -> Identity:
        with Cert.load(cert) as loaded, Key.load(key, passphrase) as private:
            return cls(loaded, private)

    @classmethod
    def external(cls, cert: Cert) -> Identity:
        """Of a certificate whose private key is elsewhere: its signatures are asked for by "sign" events."""
        with cert.public_key as public, Key.external(public) as key:
            return cls(cert, key)

    @property
    def cert(self) -> Cert:
        return Cert._of(raw.identity_cert(self._handle))

    @property
    def key(self) -> Key:
        return Key._of(raw.identity_key(self._handle))

    def export(self, passphrase: Secret, friendly_name: str = "") -> bytes:
        """As PKCS#12."""
        return data(raw.identity_export_pkcs12(self._handle, passphrase, friendly_name))

    def issue(self, *, key: Optional[Key] = None, **template: Any) -> Identity:
        """As a CA makes an identity: issue(names=["www.test"], days=90). Without a key a new one is made."""
        with Template(**template) as tmpl:
            new = key or Key()
            return Identity(tmpl.issue(new, self), new)

    def crl(self, entries: Iterable[str] = (), *, days: int = 7, at: Optional[datetime] = None,
            format: str = "pem") -> bytes:
        """As a CA lists what it has revoked: "SERIAL [reason] [seconds since 1970]" each, and "number 7" once."""
        begin = int(time.time()) if at is None else seconds_of(at)
        until = begin + days * 86400
        return data(raw.crl_issue(self._handle, "\n".join(entries), begin, until, constant("FORMAT", format)))

    def ocsp(self, cert: Cert, status: str = "good", *, days: int = 7, at: Optional[datetime] = None,
             revoked_at: Optional[datetime] = None) -> bytes:
        """As a CA answers for a certificate: good, revoked or unknown."""
        begin = int(time.time()) if at is None else seconds_of(at)
        revoked = begin if revoked_at is None else seconds_of(revoked_at)
        return data(raw.ocsp_issue(cert._handle, self._handle, constant("OCSP", status), revoked, begin,
                                   begin + days * 86400))


class Template(Handle):
    """What a certificate is to say. What is not given follows from the rest."""

    def __init__(self, *, subject: str = "", names: Union[str, Iterable[str]] = (), days: Optional[int] = None,
                 not_before: Optional[datetime] = None, not_after: Optional[datetime] = None, ca: bool = False,
                 path_length: int = -1, usage: Union[str, Iterable[str], None] = None,
                 usage_oids: Union[str, Iterable[str]] = (), serial: Optional[bytes] = None,
                 digest: Optional[str] = None, must_staple: bool = False, crl_url: str = "", ocsp_url: str = "",
                 permitted: Union[str, Iterable[str]] = (), excluded: Union[str, Iterable[str]] = ()):
        super().__init__(raw.template_new())
        if subject:
            checked(raw.template_set_subject(self._handle, subject))
        for name in listed(names):
            checked(raw.template_add_name(self._handle, name))
        if days is not None or not_after is not None:
            begin = seconds_of(not_before) if not_before else int(time.time()) - 3600
            end = seconds_of(not_after) if not_after else begin + (days or 0) * 86400
            checked(raw.template_set_validity(self._handle, begin, end))
        if ca:
            checked(raw.template_set_ca(self._handle, path_length))
        if usage is not None:
            checked(raw.template_set_usage(self._handle, mask("USAGE", usage)))
        for oid in listed(usage_oids):
            checked(raw.template_add_usage(self._handle, oid))
        if serial is not None:
            checked(raw.template_set_serial(self._handle, serial))
        if digest is not None:
            checked(raw.template_set_digest(self._handle, digest))
        if must_staple:
            checked(raw.template_set_must_staple(self._handle, 1))
        if crl_url or ocsp_url:
            checked(raw.template_set_urls(self._handle, crl_url, ocsp_url))
        for allow, constraints in ((1, permitted), (0, excluded)):
            for constraint in listed(constraints):
                checked(raw.template_add_constraint(self._handle, allow, constraint))

    @classmethod
    def from_request(cls, csr: bytes) -> Template:
        return cls._of(raw.template_from_request(csr))

    @property
    def key(self) -> Optional[Key]:
        return Key._of_any(raw.template_key(self._handle))

    def request(self, key: Key, format: str = "pem") -> bytes:
        return data(raw.template_request(self._handle, key._handle, constant("FORMAT", format)))

    def self_sign(self, key: Key) -> Cert:
        return Cert._of(raw.template_self_sign(self._handle, key._handle))

    def issue(self, key: Optional[Key], ca: Identity) -> Cert:
        """Without a key: that of the request which the template came from."""
        return Cert._of(raw.template_issue(self._handle, key._handle if key else 0, ca._handle))


def self_signed(*names: str, key: Optional[Key] = None, **template: Any) -> Identity:
    """A server's identity for these names, at once: self_signed("localhost", "127.0.0.1")."""
    with Template(names=names, **template) as tmpl:
        new = key or Key()
        return Identity(tmpl.self_sign(new), new)


def ca(subject: str, *, key: Optional[Key] = None, **template: Any) -> Identity:
    """A root: ca("CN=My CA").issue(names=["www.test"])."""
    with Template(subject=subject, ca=True, **template) as tmpl:
        new = key or Key()
        return Identity(tmpl.self_sign(new), new)


def crl_text(crl: bytes) -> str:
    return data(raw.crl_text(crl))


def ocsp_text(response: bytes) -> str:
    return data(raw.ocsp_text(response))


def request_text(csr: bytes) -> str:
    return data(raw.request_text(csr))


class Trust(Handle):
    """Anchors and revocation lists."""

    def __init__(self, *, file: Any = None, data: Any = None, cert: Any = None, system: bool = False):
        super().__init__(raw.trust_new())
        for path in listed(file):
            self.add_file(path)
        for pem_or_der in listed(data):
            self.add(pem_or_der)
        for each in [cert] if isinstance(cert, Cert) else listed(cert):
            self.add_cert(each)
        if system:
            self.add_system()

    def add(self, pem_or_der: bytes) -> int:
        return checked(raw.trust_add(self._handle, pem_or_der))

    def add_file(self, path: Path) -> int:
        return checked(raw.trust_add_file(self._handle, path))

    def add_cert(self, cert: Cert) -> int:
        return checked(raw.trust_add_cert(self._handle, cert._handle))

    def add_system(self) -> int:
        return checked(raw.trust_add_system(self._handle))

    def __len__(self) -> int:
        return checked(raw.trust_count(self._handle, raw.TRUST_ANCHORS))

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> Cert:
        found = Cert._of_any(raw.trust_at(self._handle, index)) if index >= 0 else None
        if found is None:
            raise IndexError(index)
        return found

    def verify(self, cert: Cert, *, name: str = "", purpose: Optional[str] = None, at: Optional[datetime] = None,
               flags: Union[str, Iterable[str]] = ()) -> None:
        """Judges a chain as a handshake does; raises what is wrong with it."""
        moment = INT64_MIN if at is None else seconds_of(at)
        checked(raw.trust_verify(self._handle, cert._handle, mask("USAGE", purpose), name, moment,
                                 mask("VERIFY", flags)))
