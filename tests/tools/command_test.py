#!/usr/bin/python3
"""The tlsshim command: what it makes is judged by OpenSSL's and GnuTLS's own commands, and its files are safe."""
import os
import pathlib
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.promise import BUILD, TOP, command, run

TLSSHIM = BUILD / "tlsshim"
FOLDER = tempfile.TemporaryDirectory()
HERE = pathlib.Path(FOLDER.name)
SERVERS = {"server": "root", "server-rsa": "root-rsa", "server-ed25519": "root", "other-server": "other-root"}
CLIENTS = {"client": "root", "client-rsa": "root-rsa", "other-client": "other-root"}


def told(*words, status=0, folder=HERE):
    """Runs the command; gives all that it said."""
    done = subprocess.run([str(TLSSHIM), *map(str, words)], capture_output=True, text=True, check=False, cwd=folder,
                          stdin=subprocess.DEVNULL)
    said = done.stdout + done.stderr
    assert done.returncode == status, f"tlsshim {' '.join(map(str, words))}: status {done.returncode}\n{said}"
    return said


def the_description_fills_a_directory():
    command(TOP / "scripts" / "certs", HERE, env=dict(os.environ, TOP=str(TOP), BUILD=str(BUILD)))
    names = [line.split()[0] for line in (TOP / "certs" / "certificates.conf").read_text().splitlines()
             if line and not line.startswith("#")]
    assert len(names) >= 15
    for name in names:
        for ending, mode in ((".pem", 0o644), (".key", 0o600)):
            have = stat.S_IMODE((HERE / f"{name}{ending}").stat().st_mode)
            assert have & ~mode == 0, f"{name}{ending}: {have:o}"


def openssl_accepts_every_good_chain_in_strict_mode():
    for purpose, leaves in (("sslserver", SERVERS), ("sslclient", CLIENTS)):
        for leaf, root in leaves.items():
            command("openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", f"{root}.pem", "-untrusted",
                    f"{leaf}.pem", f"{leaf}.pem", cwd=HERE)
    command("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "localhost", "-CAfile",
            "self-signed.pem", "self-signed.pem", cwd=HERE)


def gnutls_accepts_every_good_chain():
    for leaf, root in {**SERVERS, **CLIENTS}.items():
        command("certtool", "--verify", "--load-ca-certificate", f"{root}.pem", "--infile", f"{leaf}.pem", cwd=HERE)


def nss_accepts_every_good_chain():
    store = HERE / "nss"
    store.mkdir()

    def certutil(*words):
        return command("certutil", *words, "-d", f"sql:{store}", cwd=HERE)

    certutil("-N", "--empty-password")
    for name in ("root", "root-rsa", "other-root"):
        certutil("-A", "-n", name, "-t", "CT,C,C", "-i", f"{name}.pem")
    for name in ("intermediate", "intermediate-rsa"):
        certutil("-A", "-n", name, "-t", ",,", "-i", f"{name}.pem")
    certutil("-A", "-n", "self-signed", "-t", "P,,", "-i", "self-signed.pem")
    assert "is valid" in certutil("-V", "-n", "self-signed", "-u", "V")
    for usage, leaves in (("V", SERVERS), ("C", CLIENTS)):
        for leaf in leaves:
            # NSS 3.87 does not know Ed25519.
            if leaf != "server-ed25519":
                certutil("-A", "-n", leaf, "-t", ",,", "-i", f"{leaf}.pem")
                assert "is valid" in certutil("-V", "-n", leaf, "-u", usage)


def serve_once(listener, context):
    try:
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True) as conn:
            conn.recv(4096)
            conn.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            conn.settimeout(10)
            conn.unwrap()
    except OSError:
        pass  # the client's own verdict counts


def a_self_signed_certificate_is_its_own_anchor_in_real_connections():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(HERE / "self-signed.pem", HERE / "self-signed.key")
    for client in (
            ("curl", "-sS", "--noproxy", "*", "--max-time", "20", "--cacert", "self-signed.pem",
             "https://localhost:{}/"),
            ("gnutls-cli", "--x509cafile", "self-signed.pem", "-p", "{}", "localhost"),
            ("openssl", "s_client", "-verify_return_error", "-verify_hostname", "localhost", "-x509_strict", "-CAfile",
             "self-signed.pem", "-connect", "localhost:{}")):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(30)
            server = threading.Thread(target=serve_once, args=(listener, context))
            server.start()
            words = [word.format(listener.getsockname()[1]) for word in client]
            command(*words, cwd=HERE, input="GET / HTTP/1.0\r\n\r\n", timeout=30)
            server.join()


def verify_gives_the_verdict_and_its_reason():
    for leaf, root in SERVERS.items():
        assert "good: " in told("verify", f"{leaf}.pem", "--trust", f"{root}.pem", "--name", "localhost", "--strict")
    for leaf, code, part in (("expired", "E_EXPIRED", "2020-12-31"), ("wrong-host", "E_NAME", "elsewhere.example"),
                             ("other-server", "E_VERIFY", "Another Root"), ("client", "E_VERIFY", "only for: client"),
                             ("self-signed", "E_VERIFY", "signed by itself")):
        said = told("verify", f"{leaf}.pem", "--trust", "root.pem", "--name", "localhost", status=1)
        assert code in said and part in said, said
    assert "E_EXPIRED" in told("verify", "server.pem", "--trust", "root.pem", "--at", "2040-01-01", status=1)
    assert "good: " in told("verify", "client.pem", "--trust", "root.pem", "--purpose", "client")


def a_request_travels_to_the_ca_and_back():
    told("cert", "csr", "away.test", "--subject", "CN=away.test,O=Far", "--out", "away")
    command("openssl", "req", "-in", "away.csr", "-verify", "-noout", cwd=HERE)
    assert "names: DNS:away.test" in told("show", "away.csr")
    told("cert", "issue", "away.csr", "--ca", "intermediate", "--days", "30")
    assert "good: " in told("verify", "away.pem", "--trust", "root.pem", "--name", "away.test", "--strict")
    assert "CN=away.test,O=Far" in told("show", "away.pem")


def nothing_is_overwritten_unless_asked():
    before = (HERE / "server.key").read_bytes()
    said = told("cert", "leaf", "--ca", "root", "--out", "server", "x.test", status=1)
    assert "server.key is there already" in said and "--force" in said, said
    assert (HERE / "server.key").read_bytes() == before
    (HERE / "open.key").write_text("old")
    (HERE / "open.key").chmod(0o644)
    told("cert", "self-signed", "x.test", "--out", "open", "--force")
    assert stat.S_IMODE((HERE / "open.key").stat().st_mode) == 0o600


def a_key_is_encrypted_with_a_passphrase_and_never_asked_for():
    (HERE / "phrase").write_text("correct horse\n")
    told("cert", "ca", "--out", "encrypted", "--passphrase-file", "phrase")
    assert "ENCRYPTED" in (HERE / "encrypted.key").read_text()
    command("openssl", "pkey", "-in", "encrypted.key", "-passin", "file:phrase", "-noout", cwd=HERE)
    said = told("cert", "leaf", "--ca", "encrypted", "x.test", "--out", "never", status=1)
    assert "encrypted.key" in said and "passphrase" in said, said
    told("cert", "leaf", "--ca", "encrypted", "--ca-passphrase-file", "phrase", "x.test", "--out", "below")
    assert "encrypted with a passphrase" in told("show", "encrypted.key")


def constraints_reach_the_certificates():
    told("cert", "ca", "--ca", "root", "--out", "narrow", "--permit", "corp.test", "--exclude", "10.0.0.0/8",
         "--path-length", "0")
    for name, status in (("a.corp.test", 0), ("a.other.test", 1), ("10.1.1.1", 1), ("11.1.1.1", 0)):
        told("cert", "leaf", "--ca", "narrow", name, "--out", "narrowed", "--force")
        told("verify", "narrowed.pem", "--trust", "root.pem", "--name", name, status=status)


def what_is_revoked_is_refused():
    told("cert", "crl", "--ca", "intermediate", "--revoke", "server.pem,superseded", "--number", "7", "--out", "list")
    command("openssl", "crl", "-in", "list.crl", "-CAfile", "intermediate.pem", "-noout", cwd=HERE)
    for leaf, status in (("server", 1), ("server-ed25519", 0)):
        said = told("verify", f"{leaf}.pem", "--trust", "root.pem", "--trust", "list.crl", "--crl-leaf", status=status)
        assert ("E_REVOKED" in said and "superseded" in said) == bool(status), said
    assert "list of revoked certificates" in told("show", "list.crl")
    told("cert", "ocsp", "--ca", "intermediate", "server.pem", "--status", "revoked")
    said = command("openssl", "ocsp", "-respin", "server.ocsp", "-issuer", "intermediate.pem", "-cert", "server.pem",
                   "-CAfile", "root.pem", "-verify_other", "intermediate.pem", cwd=HERE)
    assert "server.pem: revoked" in said, said
    assert "Cert Status: revoked" in told("show", "server.ocsp")


def pkcs12_opens_in_openssl_and_back():
    told("cert", "pkcs12", "server", "--passphrase-file", "phrase", "--name", "mine")
    said = command("openssl", "pkcs12", "-in", "server.p12", "-passin", "file:phrase", "-nodes", cwd=HERE)
    assert "friendlyName: mine" in said and said.count("BEGIN CERTIFICATE") == 2, said
    assert "give its passphrase" in told("show", "server.p12")
    assert "private key" in told("show", "server.p12", "--passphrase-file", "phrase")


def errors_name_the_file_and_the_mend():
    for words, status, parts in (
            (("cert", "leaf", "--ca", "nowhere", "x.test"), 1, ("nowhere.pem", "No such file")),
            (("cert", "leaf", "x.test"), 2, ("--ca",)),
            (("cert", "self-signed"), 2, ("at least one name",)),
            (("cert", "self-signed", "bad name"), 1, ('"bad name" is no host name',)),
            (("cert", "self-signed", "x.test", "--days", "soon"), 2, ("--days", "soon")),
            (("cert", "self-signed", "x.test", "--colour"), 2, ("--colour",)),
            (("cert", "self-signed", "x.test", "--usage", "sever"), 2, ("sever", "server")),
            (("cert", "ca", "--key-type", "RSA-512"), 1, ("--key-type", "RSA-2048")),
            (("cert", "leaf", "--ca", "server", "x.test", "--out", "never"), 1, ("no CA",)),
            (("show", "phrase"), 1, ("phrase is neither PEM nor DER",)),
            (("show",), 2, ("wants a file",)),
            (("verify", "server.pem", "--trust", "phrase"), 1, ("phrase",)),
            (("verify", "server.pem", "--at", "noon"), 2, ("noon",)),
            (("fly",), 2, ("fly",)),
            ((), 2, ("tlsshim cert",))):
        said = told(*words, status=status)
        assert all(part in said for part in parts), said
    assert not list(HERE.glob("never*")), "an error has left files behind"


def help_is_there():
    for words in (("--help",), ("cert", "--help"), ("show", "--help"), ("verify", "--help")):
        assert told(*words).startswith("tlsshim ")
    assert "OpenSSL 3" in told("version")


run([the_description_fills_a_directory, openssl_accepts_every_good_chain_in_strict_mode,
     gnutls_accepts_every_good_chain, nss_accepts_every_good_chain,
     a_self_signed_certificate_is_its_own_anchor_in_real_connections, verify_gives_the_verdict_and_its_reason,
     a_request_travels_to_the_ca_and_back,
     nothing_is_overwritten_unless_asked, a_key_is_encrypted_with_a_passphrase_and_never_asked_for,
     constraints_reach_the_certificates, what_is_revoked_is_refused, pkcs12_opens_in_openssl_and_back,
     errors_name_the_file_and_the_mend, help_is_there])
