"""What a host decides while connections are made, told as every host's layer tells it; layer_test.py compares them."""
import gc
import os
import tempfile

import tlsshim
from telling import done, error_of, named, raised, refused, say

say("at first", tlsshim.live())


def issued(ca, *, external=False, **template):
    """An identity and its private key; with external the identity holds the public half alone."""
    whole = ca.issue(**template)
    return (tlsshim.Identity.external(whole.cert) if external else whole), whole.key


def meet(one, other, handlers, other_handlers):
    """Shakes hands in memory as far as it goes; what each end failed with at last."""
    last, moved = {one: None, other: None}, True
    while moved:
        moved = False
        for here, there, mine in ((one, other, handlers), (other, one, other_handlers)):
            last[here] = error_of(here.handshake, mine)
            if data := here.drain():
                there.feed(data)
                moved = True
    return last[one], last[other]


def end_of(title, *ends):
    for name, error in zip(("client", "server"), ends):
        say(f"{title}, {name}", f"{error.code}: {error}" if error else None, error.number("alert") if error else None)


class Town:
    """An authority, a server's and a client's identity."""

    def __init__(self):
        self.ca = tlsshim.ca("CN=Root")
        self.trust = tlsshim.Trust(cert=self.ca.cert)
        self.server, _ = issued(self.ca, names=["www.test"], subject="CN=server")
        self.client, _ = issued(self.ca, subject="CN=client", usage="client")

    def at_server(self, **options):
        return tlsshim.Context("server", **{"identity": self.server, **options})

    def at_client(self, **options):
        return tlsshim.Context("client", trust=self.trust, **options)


def steps(town):
    """Without handlers the host looks for itself."""
    one, other = town.at_client().conn("www.test"), town.at_server(events="hello").conn()
    say("nothing asked", other.event)
    error_of(one.handshake)
    other.feed(one.drain())
    refused("asked", other.handshake)
    event = other.event
    say("event", event.kind, event.answered, other.state.event_pending)
    say("hello", event.server_name, event.alpn, event.verify_code, event.scheme)
    say("lists", 0x0304 in event.versions, 0x1301 in event.ciphers, 29 in event.groups, 0x0403 in event.signatures)
    refused("wrong answer", event.accept)
    say("answer", done(event.done()), event.answered, event.ca_names, event.server_name)
    refused("second answer", event.done)
    say("met", *meet(one, other, {}, {}), other.server_name)


def hello(town):
    chosen = tlsshim.Context("server", identity=issued(town.ca, names=["other.test"], subject="CN=chosen")[0],
                             alpn_protocols=["h2"])
    other = town.at_server(events=["hello"]).conn()
    one = town.at_client(alpn_protocols=["h2"]).conn("other.test")
    say("another context", *meet(one, other, {}, {"hello": lambda event: {"other.test": chosen}[event.server_name]}))
    say("it serves", one.peer.common_name, other.alpn, chosen.handshakes)
    one, other = town.at_client().conn("www.test"), town.at_server(events="hello").conn()
    end_of("refused hello", *meet(one, other, {}, {"hello": lambda event: event.refuse(40)}))


def verify(town):
    seen = []

    def judge(event):
        peer = event.conn.peer
        seen.append(f"{peer.common_name} {event.verify_code} {event.verify_text}")
        return peer.common_name == "client"
    handlers = {"verify": judge}
    server = town.at_server(trust=town.trust, require_client_cert=True, events="verify")
    one, other = town.at_client(identity=town.client).conn("www.test"), server.conn()
    say("welcome", *meet(one, other, {}, handlers), other.verified, *seen)
    one, other = town.at_client(events="verify").conn("www.test"), town.at_server().conn()
    end_of("not welcome", *meet(one, other, handlers, {}))
    one = tlsshim.Context("client", trust=tlsshim.Trust(cert=tlsshim.ca("CN=Else").cert), events="verify")
    one, other = one.conn("www.test"), town.at_server().conn()
    end_of("bad judgement", *meet(one, other, {"verify": lambda event: say("depth", event.depth) or True}, {}))
    peer = other.peer
    say("no peer", peer)


def certificate(town):
    server = town.at_server(trust=town.trust, require_client_cert=True)
    one, other = town.at_client(events="certificate").conn("www.test"), server.conn()

    def show(event):
        say("who may vouch", event.ca_names, 0x0403 in event.signatures)
        return town.client
    say("shown", *meet(one, other, {"certificate": show}, {}), other.peer.subject)
    peer = one.peer
    say("peer", peer.common_name, peer.names, peer.fingerprint == town.server.cert.fingerprint, peer.verified)
    say("chain", len(peer.cert), len(peer.chain))
    one, other = town.at_client(events="certificate").conn("www.test"), server.conn()
    end_of("not shown", *meet(one, other, {"certificate": lambda event: None}, {}))
    one, other = town.at_client().conn("www.test"), server.conn()
    one.use_identity(town.client)
    say("chosen before", *meet(one, other, {}, {}), other.peer_name)


def session_and_keylog(town):
    lines, sessions = [], []
    handlers = {"keylog": lambda event: lines.append(event.keylog_line.split(" ")[0]),
                "session": lambda event: sessions.append(event.session)}
    one = town.at_client(events=["session", "keylog"]).conn("www.test")
    other = town.at_server().conn()
    say("told", *meet(one, other, handlers, {}))
    other.write(b"hello")
    one.feed(other.drain())
    say("read", one.read())
    refused("read on", one.read)
    say("sessions", len(sessions), sessions[-1].usable)
    say("lines", sorted(set(lines)))


def sign(town):
    server, server_key = issued(town.ca, external=True, names=["www.test"])
    client, client_key = issued(town.ca, external=True, subject="CN=client", usage="client")
    say("public half", server_key.algorithm, tlsshim.Key.external(server.cert.public_key).algorithm)
    at_server = tlsshim.Context("server", identity=server, trust=town.trust, require_client_cert=True, events="sign")
    at_client = town.at_client(identity=client, events="sign")

    def signer(key):
        def handler(event):
            say("sign", event.scheme, event.digest, len(event.input), len(event.message))
            return key.sign(event.message, event.scheme)
        return {"sign": handler}
    one, other = at_client.conn("www.test"), at_server.conn()
    say("signed", *meet(one, other, signer(client_key), signer(server_key)), one.verified, other.verified)
    one, other = at_client.conn("www.test"), at_server.conn()
    _, error = meet(one, other, {}, signer(client_key))
    say("another's", error.code, other.event.kind)
    end_of("then the right one", *meet(one, other, signer(client_key), signer(server_key)))
    one, other = at_client.conn("www.test"), at_server.conn()
    end_of("no signature", *meet(one, other, {}, {"sign": lambda event: None}))


class Leave(Exception):
    pass


def handlers_are_ordinary_code(town):
    def leave(event):
        raise Leave
    one, other = town.at_client().conn("www.test"), town.at_server(events="hello").conn()
    try:
        meet(one, other, {}, {"hello": leave})
    except Leave:
        say("left", other.event.kind)
    say("other handlers", *meet(one, other, {}, {"hello": lambda event: None}))
    named("no such kind", "helo", one.handshake, {"helo": leave})
    named("no such event", "helo", tlsshim.Context, "server", events="helo")
    refused("not a client's", tlsshim.Context, "client", events="hello")
    say("once set", other.handlers is not None)


def sealed(town):
    """open and seal make the handshake too, and use each byte once."""
    heard = []
    one = town.at_client(events="verify").conn("www.test")
    other = town.at_server(events="hello").conn()
    error_of(one.handshake, {"verify": lambda event: heard.append(event.kind) or True})
    other.feed(one.drain())
    error_of(other.handshake, {"hello": lambda event: heard.append(event.kind)})
    flight = other.drain()
    refused("opened", one.open, flight)
    answer, _ = one.seal(b"ping")
    plain, used = other.open(answer)
    say("sealed", plain, used == len(answer), heard)


def streams(town):
    server = town.at_server(trust=town.trust, request_client_cert=True, events=["hello", "verify"])
    client = town.at_client(identity=town.client, events=["verify", "session"])
    heard = []

    def hear(event):
        heard.append(event.kind)
        return event.kind == "verify" or None
    with tlsshim.listen("127.0.0.1") as listener:
        one = tlsshim.connect("127.0.0.1", listener.port, client, timeout=0, server_name="www.test",
                              verify_name="www.test", handlers={"verify": hear, "session": hear})
        other = listener.accept(server, 10)
        while any([error_of(one.handshake, 0), error_of(other.handshake, 0, {"hello": hear, "verify": hear})]):
            pass
        say("over sockets", sorted(heard), other.conn.peer_name)
        other.write(b"hello", 10)
        say("read", one.read(100, 10))
        refused("read on", one.read, 100, 0)
        say("heard", sorted(heard))
        one.close()
        other.close()
        one = tlsshim.connect("127.0.0.1", listener.port, client, timeout=0, server_name="www.test",
                              verify_name="www.test")
        other = listener.accept(server, 10)
        while (error := error_of(other.handshake, 0)).code != "WANT_EVENT":
            error_of(one.handshake, 0)
        say("without handlers", error.code, other.conn.event.kind)
        one.close()
        other.close()


def options(town):
    whole = town.ca.issue(names=["www.test"])
    pem, key = whole.cert.export(), whole.key.export("pem", "secret")
    ways = {"cert_data": {"cert_data": pem, "key_data": key, "passphrase": "secret"},
            "one text": {"cert_data": pem + whole.key.export()},
            "der": {"cert_data": whole.cert.export("der"), "key_data": whole.key.export("der")},
            "identity_data": {"identity_data": whole.export("secret"), "passphrase": "secret"},
            "two": {"identity": [whole, town.ca.issue(names=["www.test"], key=tlsshim.Key("ED25519"))]}}
    for name, own in ways.items():
        one = tlsshim.Context("client", ca_data=town.ca.cert.export()).conn("www.test")
        other = tlsshim.Context("server", profile="modern", **own).conn()
        say(name, *meet(one, other, {}, {}), one.version, one.insecure)
    with tempfile.NamedTemporaryFile() as file:
        one = town.at_client(insecure_skip_name=True, keylog_file=file.name, limits={"send_fragment": 512})
        one, other = one.conn("else.test"), town.at_server(security_level=3, server_preference=False).conn()
        say("name not asked", *meet(one, other, {}, {}), one.insecure, one.verified, os.path.getsize(file.name) > 100)
    psks = {"device 7": bytes(range(32))}
    one = town.at_client(psks=psks).conn("www.test")
    other = tlsshim.Context("server", psks=psks).conn()
    say("pre-shared", *meet(one, other, {}, {}), other.psk_identity, other.peer)
    context = tlsshim.Context("server", security_level=3, groups="P-384", signature_algorithms="ed25519",
                              verify_depth=2, handshake_timeout=5)
    say("settings", context.security_level, context.groups, context.signatures, context.verify_depth,
        context.copy().handshake_timeout)
    say("legacy", tlsshim.Context("client", insecure_legacy=True, min_version="TLSv1.0", security_level=0).frozen)
    refused("legacy alone", tlsshim.Context, "client", min_version="TLSv1.0")
    refused("no such profile", tlsshim.Context, "client", profile="nonsense")
    refused("no such scheme", tlsshim.Context, "client", own_signature_algorithms="nonsense")
    named("no such option", "nonsense", tlsshim.Context, "client", nonsense=1)
    named("no such limit", "nonsense", tlsshim.Context, "client", limits={"nonsense": 1})
    raised("trust twice", tlsshim.Context, "client", trust=town.trust, ca_data=pem)
    say("cipher", tlsshim.cipher_text("0xc02f"), tlsshim.cipher_text("NONSENSE"))


def staples(town):
    ca, answer = town.ca, town.ca.ocsp(town.server.cert)
    server = town.at_server(staple=answer)
    one, other = town.at_client(staple_mode="require").conn("www.test"), server.conn()
    say("stapled", *meet(one, other, {}, {}), one.staple == answer)
    say("no answer", done(server.set_staple(town.server, b"")))
    end_of("nothing stapled", *meet(town.at_client(staple_mode="require").conn("www.test"), server.conn(), {}, {}))
    revoked = error_of(server.set_staple, town.server, ca.ocsp(town.server.cert, "revoked"))
    say("revoked", revoked.code)
    raised("whose staple", tlsshim.Context, "server", staple=answer)
    raised("no such mode", tlsshim.Context, "client", staple_mode="nonsense")


def asked_late(town):
    one = town.at_client(identity=town.client, post_handshake=True).conn("www.test")
    other = town.at_server(trust=town.trust, post_handshake=True).conn()
    say("at first", *meet(one, other, {}, {}), other.peer)
    say("asked", done(other.request_certificate()), other.certificate_requested)
    one.feed(other.drain())
    refused("reads on", one.read)
    other.feed(one.drain())
    refused("reads on", other.read)
    say("then", other.peer_name, other.verified, other.certificate_requested)
    refused("not by clients", one.request_certificate)


def everything():
    town = Town()
    for part in (steps, hello, verify, certificate, session_and_keylog, sign, handlers_are_ordinary_code, sealed,
                 streams, options, staples, asked_late):
        part(town)


everything()
gc.collect()
say("at last", tlsshim.live())
