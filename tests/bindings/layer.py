"""What the Python package does, told as every host's layer tells it; layer_test.py compares them."""
import gc
import sys
from datetime import datetime, timedelta, timezone

import tlsshim
from telling import done, error_of, raised, refused, say

say("at first", tlsshim.live())
say("library", tlsshim.version()[0].isdigit(), tlsshim.has("tls"), tlsshim.has("nonsense"))


def keys():
    key = tlsshim.Key("P-256")
    signature = key.sign(b"message")
    say("key", key.algorithm, key.bits, key.verify(b"message", signature), key.verify(b"another", signature))
    locked = key.export("pem", "open sesame")
    say("equal", tlsshim.Key.load(locked, "open sesame") == key, tlsshim.Key("P-256") == key)
    refused("no passphrase", tlsshim.Key.load, locked)
    refused("no key", tlsshim.Key.load, b"nonsense")
    refused("no file", tlsshim.Key.load_file, "/nonexistent/key")
    error = error_of(tlsshim.Key.load_file, "/nonexistent/key")
    assert isinstance(error, OSError) and error.errno == 2
    say("parts", error.number("errno"), error.number("depth"), error.part("subject"))
    refused("no algorithm", tlsshim.Key, "P-257")
    raised("no format", key.export, "xml")


def certificates():
    root = tlsshim.ca("CN=Root")
    middle = root.issue(subject="CN=Middle", ca=True, path_length=0)
    server = middle.issue(names=["www.test", "*.host.test", "10.0.0.1"], days=30)
    cert = server.cert
    say("cert", cert.subject, cert.issuer, cert.names)
    say("chain", len(cert), cert[1].subject, [each.subject for each in cert][2:] or None)
    say("facts", cert.is_ca, cert.key_algorithm, cert.path_length, cert[1].path_length)
    now, day = datetime.now(timezone.utc), timedelta(days=1)
    say("dates", cert.not_before <= now, cert.not_after > now + 29 * day, cert.not_after <= now + 30 * day)
    say("matches", cert.matches("www.test"), cert.matches("other.example"), cert.matches("10.0.0.1"))
    trust = tlsshim.Trust(cert=root.cert)
    say("trust", len(trust), done(trust.verify(cert, name="a.host.test", purpose="server", flags="strict")))
    refused("wrong name", trust.verify, cert, name="other.example")
    error = error_of(trust.verify, cert, name="other.example")
    assert isinstance(error, tlsshim.PeerError)
    say("parts", error.part("wanted_name"), error.part("names"), error.number("depth"))
    say("too late", error_of(trust.verify, cert, at=now + 60 * day).code)
    say("wrong purpose", error_of(trust.verify, cert, purpose="client").code)
    template = tlsshim.Template(subject="CN=asker", names="asker.test")
    asked = tlsshim.Template.from_request(template.request(server.key))
    say("request", asked.issue(None, root).names)
    stapled = root.issue(names=["x.test"], must_staple=True, crl_url="http://ca.test/crl", digest="SHA384").cert
    say("must staple", stapled.must_staple, "http://ca.test/crl" in stapled.full)
    trust.add(root.crl([f"{stapled.serial} keyCompromise", "number 7"]))
    say("revoked", error_of(trust.verify, stapled, flags="crl_leaf").code)
    say("crl", "Key Compromise" in tlsshim.crl_text(root.crl([f"{stapled.serial} keyCompromise"])))
    say("ocsp", "Cert Status: revoked" in tlsshim.ocsp_text(root.ocsp(stapled, "revoked")))
    pfx = server.export("secret", "friend")
    say("identity", len(tlsshim.Identity.load(pfx, "secret").cert))
    refused("wrong passphrase", tlsshim.Identity.load, pfx, "guess")
    refused("no certificate", tlsshim.Cert.load, b"")


def contexts(root, server, client):
    trust = tlsshim.Trust(cert=root.cert)
    protocols = ["h2", "http/1.1"]
    return (tlsshim.Context("client", identity=client, trust=trust, alpn_protocols=protocols),
            tlsshim.Context("server", identities={"*.host.test": server, "": server}, trust=trust,
                            require_client_cert=True, alpn_protocols=protocols, min_version="TLSv1.3", verify_depth=3))


def pump(one, other):
    moved = True
    while moved:
        moved = False
        for here, there in ((one, other), (other, one)):
            error_of(here.handshake)
            if data := here.drain():
                there.feed(data)
                moved = True


def engines(client, server):
    exported = None
    for _ in range(2):
        one, other = client.conn("www.test"), server.conn()
        if exported:
            one.set_session(tlsshim.Session(exported))
        refused("first step", one.handshake)
        pump(one, other)
        say("done", done(one.handshake()), done(other.handshake()), one.state.handshake_done, other.state.failed)
        say("agreed", one.version, one.alpn, other.alpn, other.server_name, one.verify_name)
        say("peers", one.peer_name, other.peer_name, one.verified, one.resumed, other.resumed)
        say("no session yet", one.session())
        say("write", other.write(b"hello"), other.pending_out > 5)
        say("fed", one.feed(other.drain()) > 5)
        want = one.peek(2), one.read(), error_of(one.read)
        say("read", *want[:2], f"{want[2].code}: {want[2]}")
        exported = one.session().export()
        say("session", tlsshim.Session(exported).usable, tlsshim.Session(exported).peer_name)
        sealed, taken = one.seal(b"ping")
        plain, used = other.open(sealed)
        say("sealed", taken, len(sealed) > 4, plain, used == len(sealed))
        say("same keys", one.export_keying("label", 16) == other.export_keying("label", 16))
        refused("goodbye", one.shutdown)
        say("peer", other.feed(one.drain()) > 0, other.read(), other.state.peer_closed)
        refused("after goodbye", one.write, b"more")
    say("counters", client.handshakes, client.resumptions, client.frozen)
    refused("no session", tlsshim.Session, b"nonsense")
    refused("no role for it", tlsshim.Context, "client", require_client_cert=True)
    refused("no such cipher", tlsshim.Context, "client", ciphers="NONSENSE")
    refused("no such anchors", tlsshim.Context, "client", ca_file="/nonexistent/ca")
    raised("no such option", tlsshim.Context, "client", nonsense=1)
    raised("no such version", tlsshim.Context, "client", min_version="TLSv9")


def sockets(client, server):
    listener = tlsshim.listen("127.0.0.1")
    refused("nobody comes", listener.accept, timeout=0.05)
    assert isinstance(error_of(listener.accept, timeout=0.05), TimeoutError)
    refused("not now", listener.accept, timeout=0)
    one = tlsshim.connect("127.0.0.1", listener.port, timeout=10)
    other = listener.accept(timeout=10)
    say("plain", one.tls, one.conn, one.peer_port == listener.port, one.peer_address)
    say("greeting", done(one.write(b"STARTTLS")), other.read())
    refused("silence", other.read, 100, 0.05)
    one.start_tls(client, "www.test")
    other.start_tls(server)
    refused("not yet", one.handshake, 0)
    while any([error_of(each.handshake, 0) for each in (one, other)]):
        pass
    say("upgraded", one.tls, one.conn.version, one.conn.alpn, one.conn.peer_name, other.conn.peer_name)
    say("over TLS", done(one.write(b"x" * 10000)), len(other.read()), done(other.write(b"")), done(one.flush()))
    say("file", one.sendfile(sys.stdin, 10, 20), other.read(), one.sendfile(0, 99990), other.read(),
        one.sendfile(0, 100000))
    refused("no file", one.sendfile, -1)
    say("end", done(one.shutdown()), other.read(), done(other.shutdown()), one.read())
    refused("after the end", one.write, b"more")
    say("closed", done(one.close()), done(one.close()), done(other.close()))
    refused("used after", one.read)
    port = listener.port
    quick = tlsshim.connect("127.0.0.1", port, timeout=0)
    say("at once", done(quick.handshake(10)), quick.peer_port == port)
    refused("never waits", quick.read)
    say("close", done(quick.close()))
    listener.close()
    error = error_of(tlsshim.connect, "127.0.0.1", port, timeout=5)
    assert isinstance(error, ConnectionError)
    say("refused", error.code)


def everything():
    keys()
    certificates()
    root = tlsshim.ca("CN=Root")
    server = root.issue(names=["www.test", "*.host.test"])
    client = root.issue(subject="CN=client", usage="client")
    one, other = contexts(root, server, client)
    engines(one, other)
    sockets(one, other)
    circle = [tlsshim.Trust() for _ in range(1000)]
    circle.append(circle)


everything()
gc.collect()
say("at last", tlsshim.live())
