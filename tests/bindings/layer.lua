-- What the Lua module does, told as every host's layer tells it; layer_test.py compares them.
local tlsshim = require "tlsshim"
local telling = dofile(arg[0]:match "^(.*/)" .. "telling.lua")
local raised, refused, say = telling.raised, telling.refused, telling.say

say("at first", tlsshim.live())
say("library", tlsshim.version():match "^%d" ~= nil, tlsshim.has "tls", tlsshim.has "nonsense")

local function keys()
    local key = assert(tlsshim.key "P-256")
    local signature = assert(key:sign "message")
    say("key", key:algorithm(), key:bits(), key:verify("message", signature), key:verify("another", signature))
    local locked = assert(key:export("pem", "open sesame"))
    say("equal", assert(tlsshim.key.load(locked, "open sesame")) == key, tlsshim.key "P-256" == key)
    refused("no passphrase", tlsshim.key.load(locked))
    refused("no key", tlsshim.key.load "nonsense")
    refused("no file", tlsshim.key.load_file "/nonexistent/key")
    local _, err = tlsshim.key.load_file "/nonexistent/key"
    say("parts", err:number "errno", err:number "depth", err:part "subject")
    refused("no algorithm", tlsshim.key "P-257")
    raised("no format", key.export, key, "xml")
end

local function certificates()
    local root = assert(tlsshim.ca "CN=Root")
    local middle = assert(root:issue { subject = "CN=Middle", ca = true, path_length = 0 })
    local server = assert(middle:issue { names = { "www.test", "*.host.test", "10.0.0.1" }, days = 30 })
    local cert = assert(server:cert())
    say("cert", cert:subject(), cert:issuer(), cert:names())
    say("chain", cert:count(), cert:at(1):subject(), cert:at(2))
    say("facts", cert:is_ca(), cert:key_algorithm(), cert:path_length(), cert:at(1):path_length())
    local now, day = os.time(), 86400
    say("dates", cert:not_before() <= now, cert:not_after() > now + 29 * day, cert:not_after() <= now + 30 * day)
    say("matches", cert:matches "www.test", cert:matches "other.example", cert:matches "10.0.0.1")
    local trust = assert(tlsshim.trust { cert = root:cert() })
    say("trust", trust:count(), trust:verify(cert, { name = "a.host.test", purpose = "server", flags = "strict" }))
    refused("wrong name", trust:verify(cert, { name = "other.example" }))
    local _, err = trust:verify(cert, { name = "other.example" })
    say("parts", err:part "wanted_name", err:part "names", err:number "depth")
    _, err = trust:verify(cert, { at = now + 60 * day })
    say("too late", err.code)
    _, err = trust:verify(cert, { purpose = "client" })
    say("wrong purpose", err.code)
    local template = assert(tlsshim.template { subject = "CN=asker", names = "asker.test" })
    local asked = assert(tlsshim.template.from_request(assert(template:request(server:key()))))
    say("request", assert(asked:issue(nil, root)):names())
    local stapled = assert(root:issue { names = "x.test", must_staple = true, crl_url = "http://ca.test/crl",
        digest = "SHA384" }):cert()
    say("must staple", stapled:must_staple(), stapled:full():find("http://ca.test/crl", 1, true) ~= nil)
    assert(trust:add(assert(root:crl { stapled:serial() .. " keyCompromise", "number 7" })))
    _, err = trust:verify(stapled, { flags = "crl_leaf" })
    say("revoked", err.code)
    local crl = assert(root:crl { stapled:serial() .. " keyCompromise" })
    say("crl", assert(tlsshim.crl_text(crl)):find("Key Compromise", 1, true) ~= nil)
    local answer = assert(root:ocsp(stapled, "revoked"))
    say("ocsp", assert(tlsshim.ocsp_text(answer)):find("Cert Status: revoked", 1, true) ~= nil)
    local pfx = assert(server:export("secret", "friend"))
    say("identity", assert(tlsshim.identity.load(pfx, "secret")):cert():count())
    refused("wrong passphrase", tlsshim.identity.load(pfx, "guess"))
    refused("no certificate", tlsshim.cert.load "")
end

local function contexts(root, server, client)
    local trust = assert(tlsshim.trust { cert = root:cert() })
    local protocols = { "h2", "http/1.1" }
    local identities = { ["*.host.test"] = server, [""] = server }
    return assert(tlsshim.context { role = "client", identity = client, trust = trust, alpn_protocols = protocols }),
        assert(tlsshim.context { role = "server", identities = identities, trust = trust, require_client_cert = true,
            alpn_protocols = protocols, min_version = "TLSv1.3", verify_depth = 3 })
end

local function pump(one, other)
    repeat
        local moved = false
        for _, way in ipairs { { one, other }, { other, one } } do
            way[1]:handshake()
            local data = way[1]:drain()
            if data and #data > 0 then
                way[2]:feed(data)
                moved = true
            end
        end
    until not moved
end

local function engines(client, server)
    local session
    for round = 1, 2 do
        local one, other = assert(client:conn "www.test"), assert(server:conn())
        if session then assert(one:set_session(assert(tlsshim.session.load(session)))) end
        refused("first step", one:handshake())
        pump(one, other)
        say("done", one:handshake(), other:handshake(), one:state().handshake_done, other:state().failed)
        say("agreed", one:version(), one:alpn(), other:alpn(), other:server_name(), one:verify_name())
        say("peers", one:peer_name(), other:peer_name(), one:verified(), one:resumed(), other:resumed())
        say("no session yet", one:session())
        say("write", other:write "hello", other:pending_out() > 5)
        say("fed", one:feed(other:drain()) > 5)
        say("read", one:peek(2), one:read(), select(2, one:read()))
        session = assert(assert(one:session()):export())
        say("session", tlsshim.session.load(session):usable(), tlsshim.session.load(session):peer_name())
        local sealed, _, taken = one:seal "ping"
        local plain, _, used = other:open(sealed)
        say("sealed", taken, #sealed > 4, plain, used == #sealed)
        say("same keys", one:export_keying("label", 16) == other:export_keying("label", 16))
        refused("goodbye", one:shutdown())
        say("peer", other:feed(one:drain()) > 0, other:read(), other:state().peer_closed)
        refused("after goodbye", one:write "more")
    end
    say("counters", client:handshakes(), client:resumptions(), client:frozen())
    refused("no session", tlsshim.session.load "nonsense")
    refused("no role for it", tlsshim.context { role = "client", require_client_cert = true })
    refused("no such cipher", tlsshim.context { role = "client", ciphers = "NONSENSE" })
    refused("no such anchors", tlsshim.context { role = "client", ca_file = "/nonexistent/ca" })
    raised("no such option", tlsshim.context, { role = "client", nonsense = 1 })
    raised("no such version", tlsshim.context, { role = "client", min_version = "TLSv9" })
end

local function sockets(client, server)
    local listener = assert(tlsshim.listen "127.0.0.1")
    refused("nobody comes", listener:accept(nil, 0.05))
    refused("not now", listener:accept(nil, 0))
    local one = assert(tlsshim.connect("127.0.0.1", listener:port(), { timeout = 10 }))
    local other = assert(listener:accept(nil, 10))
    say("plain", one:tls(), one:conn(), one:peer_port() == listener:port(), one:peer_address())
    say("greeting", one:write "STARTTLS", other:read())
    refused("silence", other:read(100, 0.05))
    assert(one:start_tls(client, "www.test"))
    assert(other:start_tls(server))
    refused("not yet", one:handshake(0))
    local done
    repeat
        local ready = one:handshake(0)
        done = other:handshake(0) and ready
    until done
    local here, there = one:conn(), other:conn()
    say("upgraded", one:tls(), here:version(), here:alpn(), here:peer_name(), there:peer_name())
    say("over TLS", one:write(("x"):rep(10000)), #other:read(), other:write "", one:flush())
    say("file", one:sendfile(0, 10, 20), other:read(), one:sendfile(0, 99990), other:read(), one:sendfile(0, 100000))
    refused("no file", one:sendfile(-1))
    say("end", one:shutdown(), other:read(), other:shutdown(), one:read())
    refused("after the end", one:write "more")
    say("closed", one:close(), one:close(), other:close())
    refused("used after", one:read())
    local port = listener:port()
    local quick = assert(tlsshim.connect("127.0.0.1", port, { timeout = 0 }))
    say("at once", quick:handshake(10), quick:peer_port() == port)
    refused("never waits", quick:read())
    say("close", quick:close())
    listener:close()
    local _, err = tlsshim.connect("127.0.0.1", port, { timeout = 5 })
    say("refused", err.code)
end

local function all()
    keys()
    certificates()
    local root = assert(tlsshim.ca "CN=Root")
    local server = assert(root:issue { names = { "www.test", "*.host.test" } })
    local client = assert(root:issue { subject = "CN=client", usage = "client" })
    local one, other = contexts(root, server, client)
    engines(one, other)
    sockets(one, other)
    for _ = 1, 1000 do tlsshim.trust() end
end

all()
collectgarbage()
collectgarbage()
say("at last", tlsshim.live())
