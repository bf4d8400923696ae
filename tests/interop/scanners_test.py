#!/usr/bin/python3
"""A server and a client with the defaults, judged by scanners: sslscan, nmap, testssl, GnuTLS, OpenSSL.

The server shows an EC and an RSA certificate of 397 days by a private authority. Nothing of medium or worse may be
found but what follows from that authority. SOAK=1 lets testssl try all that it knows.
time limit: 400 s
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.interop import PATIENCE, PEER, Program, crt, folder, free_port, key, ours_connects, with_program
from support.promise import command, run

VERSIONS = {"TLSv1.2", "TLSv1.3"}
SUITES = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
}
GROUPS = {"X25519", "P-256", "P-384", "P-521", "X448"}


class Scanned(Program):
    """Our server, for any number of connections."""

    grace = 5

    def __init__(self):
        identities = [path for name in ("server", "server-rsa") for path in (crt(name), key(name))]
        super().__init__(PEER.with_name("scanned_host"), *identities)
        self.port = int(self.expect(rb"port (\d+)\n").group(1))


def scan(*words, seconds=PATIENCE, most=0):
    """What a scanner writes to the file named FILE in its command; `most` is the highest status of a whole scan."""
    with tempfile.TemporaryDirectory(prefix="tlsshim-scan-") as place:
        report = pathlib.Path(place, "report")
        done = subprocess.run([str(word).replace("FILE", str(report)) for word in words], check=False, text=True,
                              timeout=seconds, stdin=subprocess.DEVNULL, capture_output=True)
        assert 0 <= done.returncode <= most, f"{words[0]}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return report.read_text(encoding="utf-8")


# --- sslscan ---------------------------------------------------------------------------------------------------------

def sslscan_finds_two_versions_and_no_weak_cipher():
    with Scanned() as server:
        test = xml.fromstring(scan("sslscan", "--no-colour", "--xml=FILE", f"127.0.0.1:{server.port}")).find("ssltest")
    spoken = {f"{p.get('type')}{p.get('version')}" for p in test.iter("protocol") if p.get("enabled") == "1"}
    assert spoken == {"tls1.2", "tls1.3"}, spoken
    ciphers = {cipher.get("cipher"): cipher for cipher in test.iter("cipher")}
    assert set(ciphers) == SUITES, ciphers.keys()
    grades = {cipher.get("strength") for cipher in ciphers.values()}
    assert grades <= {"strong", "acceptable"}, grades
    bits = [int(group.get("bits")) for group in test.iter("group")]
    assert len(bits) == 2 * len(GROUPS) and min(bits) >= 128, bits
    assert [h.get("vulnerable") for h in test.iter("heartbleed")] == ["0", "0"]
    assert [r.get("supported") for r in test.iter("renegotiation")] == ["0"]
    assert {c.findtext("expired") for c in test.iter("certificate")} == {"false"}
    print(f"sslscan: {sorted(spoken)}, {len(ciphers)} ciphers, graded {sorted(grades)}")


# --- nmap ------------------------------------------------------------------------------------------------------------

def nmap_grades_everything_a_and_warns_of_nothing():
    with Scanned() as server:
        host = xml.fromstring(scan("nmap", "-Pn", "-n", "--script", "ssl-enum-ciphers", "-oX", "FILE",
                                   "-p", server.port, "127.0.0.1"))
    script = host.find(".//script[@id='ssl-enum-ciphers']")
    assert script is not None, "nmap has not tried the ciphers"
    assert {table.get("key") for table in script.findall("table")} == VERSIONS
    grades = [grade.text for grade in script.iterfind(".//elem[@key='strength']")]
    assert len(grades) == len(SUITES) and set(grades) == {"A"}, grades
    assert script.findtext("elem[@key='least strength']") == "A"
    assert script.find(".//table[@key='warnings']") is None, script.get("output")
    preferences = [order.text for order in script.iterfind(".//elem[@key='cipher preference']")]
    assert set(preferences) == {"server"}, preferences
    print(f"nmap: {len(grades)} ciphers, all graded A")


# --- testssl ---------------------------------------------------------------------------------------------------------

# What may stand, and why.
ALLOWED = {
    "engine_problem": "it is about testssl's own openssl, which has no engine for GOST",
    "cert_revocation": "the private authority of the tests names no place for CRLs or OCSP",
}
FINE = {"OK", "INFO", "LOW", "DEBUG"}
# Where one of these is missing, nothing was judged.
JUDGED = {
    "SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
    "cipherlist_LOW", "cipherlist_3DES_IDEA", "cipherlist_STRONG", "PFS", "PFS_ECDHE_curves", "cipher_order",
    "cert_numbers", "cert_signatureAlgorithm", "cert_keySize", "cert_trust", "cert_chain_of_trust",
    "cert_expirationStatus", "cert_validityPeriod", "heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_renego",
    "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "fallback_SCSV", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST",
    "LUCKY13", "RC4", "scanTime",
}
MOST = 199  # below the statuses for trouble of its own: so many findings
PARTS = ("-p", "-s", "-f", "-P", "-S", "-U")  # versions, ciphers, forward secrecy, preference, defaults, known holes


def testssl_finds_nothing_of_medium_or_worse():
    whole = bool(os.environ.get("SOAK"))
    began = time.monotonic()
    with Scanned() as server:
        findings = json.loads(scan("testssl", "--nodns", "none", "--warnings", "batch", "--color", "0", "--quiet",
                                   "--add-ca", crt("root"), "--jsonfile", "FILE", *(() if whole else PARTS),
                                   f"127.0.0.1:{server.port}", seconds=3000 if whole else 350, most=MOST))
    seen = {}
    for finding in findings:
        seen.setdefault(finding["id"].split()[0], []).append(finding)
    assert JUDGED <= set(seen), f"not judged: {sorted(JUDGED - set(seen))}"
    assert [finding["finding"] for finding in seen["cert_numbers"]] == ["2"], seen["cert_numbers"]
    assert len(seen["cert_chain_of_trust"]) == 2, seen["cert_chain_of_trust"]
    bad = [finding for name in sorted(seen) for finding in seen[name]
           if finding["severity"] not in FINE and name not in ALLOWED]
    assert not bad, "\n".join(f"{f['severity']} {f['id']}: {f['finding']}" for f in bad)
    low = [f"{f['id']}: {f['finding']}" for f in findings if f["severity"] == "LOW"]
    print(f"testssl: {len(findings)} findings in {time.monotonic() - began:.0f} s, none of medium or worse, "
          f"low: {low or 'none'}, let stand: {sorted(set(seen) & set(ALLOWED))}")


# --- GnuTLS ----------------------------------------------------------------------------------------------------------

# The questions of gnutls-cli-debug whose answers matter here. (It asks for NIST curves with ciphers that we have not.)
ANSWERS = {
    "TLS 1.0 (RFC2246) support": "no", "TLS 1.1 (RFC4346) support": "no", "TLS 1.2 (RFC5246) support": "yes",
    "TLS 1.3 (RFC8446) support": "yes", "TLS1.2 neg fallback from TLS 1.6 to": "TLS1.2",
    "certificate chain order": "sorted", "safe renegotiation (RFC5746) support": "yes",
    "ext master secret (RFC7627) support": "yes", "heartbeat (RFC6520) support": "no",
    "small records (512 bytes) are tolerated on handshake": "yes", "the server understands TLS closure alerts": "yes",
    "the server supports session resumption": "yes", "anonymous authentication support": "no",
    "RSA key exchange support": "no", "ephemeral Diffie-Hellman support": "no",
    "ephemeral EC Diffie-Hellman support": "yes", "AES-GCM cipher (RFC5288) support": "yes",
    "AES-CBC cipher (RFC3268) support": "no", "3DES-CBC cipher (RFC2246) support": "no",
    "ARCFOUR 128 cipher (RFC2246) support": "no", "MD5 MAC support": "no", "SHA1 MAC support": "no",
}


def gnutls_finds_what_is_modern_and_nothing_else():
    with Scanned() as server:
        told = command("gnutls-cli-debug", "-p", server.port, "127.0.0.1", timeout=PATIENCE, stdin=subprocess.DEVNULL)
    answers = dict(re.findall(r"^ *(?:for |whether )?(.*)\.\.\. (.*)$", told, re.M))
    wrong = {question: answers.get(question) for question, answer in ANSWERS.items() if answers.get(question) != answer}
    assert not wrong, f"{wrong}\n{told}"
    print(f"gnutls-cli-debug: {len(ANSWERS)} of its {len(answers)} answers matter, all as they should be")


# --- our client ------------------------------------------------------------------------------------------------------

def hello_of(trace):
    """The first ClientHello of an openssl trace: its lists by name."""
    hello = re.search(r"ClientHello, Length=\d+\n(.*?)\n\n", trace, re.S).group(1)
    lists = {"extensions": re.findall(r"extension_type=(\w+)", hello)}
    for name, start in (("suites", "cipher_suites"), ("compression", "compression_methods"),
                        ("groups", "extension_type=supported_groups"),
                        ("versions", "extension_type=supported_versions"),
                        ("schemes", "extension_type=signature_algorithms")):
        # The deeper lines below the one that begins it.
        found = re.search(rf"^( *){start}[^\n]*\n((?:\1 +[^\n]*\n?)+)", hello, re.M)
        lists[name] = [line.strip() for line in found.group(2).splitlines()] if found else []
    return lists


def openssl_traces_nothing_weak_in_the_hello_of_our_client():
    port = free_port()
    with Program("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", crt("server"), "-cert_chain",
                 crt("server"), "-key", key("server"), "-trace", "-rev", "-naccept", "1") as server:
        server.expect(rb"ACCEPT")
        facts = ours_connects(port, talk="reverse")
        assert facts.get("version") == "TLSv1.3", facts
        server.process.wait(PATIENCE)
        hello = hello_of((server.output + server.process.stdout.read()).decode("utf-8", "replace"))
    suites = {re.sub(r"^\{.*\} ", "", suite) for suite in hello["suites"]} - {"TLS_EMPTY_RENEGOTIATION_INFO_SCSV"}
    good = r"TLS_(ECDHE_(ECDSA|RSA)_WITH_)?(AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+"
    assert len(suites) == len(SUITES) and all(re.fullmatch(good, suite) for suite in suites), suites
    assert hello["versions"] == ["TLS 1.3 (772)", "TLS 1.2 (771)"], hello["versions"]
    assert hello["compression"] == ["No Compression (0x00)"], hello["compression"]
    assert len(hello["groups"]) == len(GROUPS), hello["groups"]
    good = r"(ecdsa_secp\d+r1_sha\d{3}|ed\d+|rsa_(pss_rsae|pss_pss|pkcs1)_sha\d{3}) .*"
    assert hello["schemes"] and all(re.fullmatch(good, scheme) for scheme in hello["schemes"]), hello["schemes"]
    assert {"server_name", "extended_master_secret", "key_share"} <= set(hello["extensions"]), hello["extensions"]
    print(f"openssl: our client offers {len(suites)} suites, all with forward secrecy and AEAD")


if __name__ == "__main__":
    folder()
    run(with_program("sslscan", [sslscan_finds_two_versions_and_no_weak_cipher])
        + with_program("nmap", [nmap_grades_everything_a_and_warns_of_nothing])
        + with_program("testssl", [testssl_finds_nothing_of_medium_or_worse])
        + with_program("gnutls-cli-debug", [gnutls_finds_what_is_modern_and_nothing_else])
        + with_program("openssl", [openssl_traces_nothing_weak_in_the_hello_of_our_client]))
