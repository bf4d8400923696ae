-- What a host decides while connections are made, told as every host's layer tells it; layer_test.py compares them.
local tlsshim = require "tlsshim"
local telling = dofile(arg[0]:match "^(.*/)" .. "telling.lua")
local named, raised, refused, say = telling.named, telling.raised, telling.refused, telling.say

say("at first", tlsshim.live())

local function holds(list, wanted)
    for _, each in ipairs(list) do
        if each == wanted then return true end
    end
    return false
end

local function sorted(list)
    table.sort(list)
    return list
end

-- An identity and its private key; with external the identity holds the public half alone.
local function issued(ca, template, external)
    local whole = assert(ca:issue(template))
    return external and assert(tlsshim.identity.external(whole:cert())) or whole, whole:key()
end

-- Shakes hands in memory as far as it goes; what each end failed with at last.
local function meet(one, other, handlers, other_handlers)
    local last = {}
    repeat
        local moved = false
        for _, way in ipairs { { one, other, handlers }, { other, one, other_handlers } } do
            local _, err = way[1]:handshake(way[3])
            last[way[1]] = err
            local data = way[1]:drain()
            if data and #data > 0 then
                way[2]:feed(data)
                moved = true
            end
        end
    until not moved
    return last[one], last[other]
end

local function end_of(title, one, other)
    say(title .. ", client", one, one and one:number "alert")
    say(title .. ", server", other, other and other:number "alert")
end

-- An authority, a server's and a client's identity.
local town = { ca = assert(tlsshim.ca "CN=Root") }
town.trust = assert(tlsshim.trust { cert = town.ca:cert() })
town.server = issued(town.ca, { names = "www.test", subject = "CN=server" })
town.client = issued(town.ca, { subject = "CN=client", usage = "client" })

local function at_server(options)
    options.role = "server"
    options.identity = options.identity or town.server
    return assert(tlsshim.context(options))
end

local function at_client(options)
    options.role = "client"
    options.trust = options.trust or town.trust
    return assert(tlsshim.context(options))
end

-- Without handlers the host looks for itself.
local function steps()
    local one, other = at_client {} :conn "www.test", at_server { events = "hello" } :conn()
    say("nothing asked", other:event())
    one:handshake()
    other:feed(one:drain())
    refused("asked", other:handshake())
    local event = other:event()
    say("event", event.kind, event.answered, other:state().event_pending)
    say("hello", event.server_name, event.alpn, event.verify_code, event.scheme)
    say("lists", holds(event.versions, 0x0304), holds(event.ciphers, 0x1301), holds(event.groups, 29),
        holds(event.signatures, 0x0403))
    refused("wrong answer", event:accept())
    say("answer", event:done(), event.answered, event.ca_names, event.server_name)
    refused("second answer", event:done())
    local err, other_err = meet(one, other, {}, {})
    say("met", err, other_err, other:server_name())
end

local function hello()
    local chosen = at_server { identity = issued(town.ca, { names = "other.test", subject = "CN=chosen" }),
        alpn_protocols = { "h2" } }
    local contexts = { ["other.test"] = chosen }
    local other = at_server { events = { "hello" } } :conn()
    local one = at_client { alpn_protocols = { "h2" } } :conn "other.test"
    say("another context", meet(one, other, {}, { hello = function(event) return contexts[event.server_name] end }))
    say("it serves", one:peer().common_name, other:alpn(), chosen:handshakes())
    one, other = at_client {} :conn "www.test", at_server { events = "hello" } :conn()
    end_of("refused hello", meet(one, other, {}, { hello = function(event) event:refuse(40) end }))
end

local function verify()
    local seen = {}
    local handlers = { verify = function(event)
        local peer = event.conn:peer()
        seen[#seen + 1] = ("%s %d %s"):format(peer.common_name, event.verify_code, event.verify_text)
        return peer.common_name == "client"
    end }
    local server = at_server { trust = town.trust, require_client_cert = true, events = "verify" }
    local one, other = at_client { identity = town.client } :conn "www.test", server:conn()
    local err, other_err = meet(one, other, {}, handlers)
    say("welcome", err, other_err, other:verified(), seen[1])
    one, other = at_client { events = "verify" } :conn "www.test", at_server {} :conn()
    end_of("not welcome", meet(one, other, handlers, {}))
    one = at_client { trust = assert(tlsshim.trust { cert = tlsshim.ca "CN=Else":cert() }), events = "verify" }
    one, other = one:conn "www.test", at_server {} :conn()
    end_of("bad judgement", meet(one, other, { verify = function(event)
        say("depth", event.depth)
        return true
    end }, {}))
    say("no peer", (other:peer()))
end

local function certificate()
    local server = at_server { trust = town.trust, require_client_cert = true }
    local one, other = at_client { events = "certificate" } :conn "www.test", server:conn()
    local err, other_err = meet(one, other, { certificate = function(event)
        say("who may vouch", event.ca_names, holds(event.signatures, 0x0403))
        return town.client
    end }, {})
    say("shown", err, other_err, other:peer().subject)
    local peer = one:peer()
    say("peer", peer.common_name, peer.names, peer.fingerprint == town.server:cert():fingerprint(), peer.verified)
    say("chain", peer.cert:count(), peer.chain:count())
    one, other = at_client { events = "certificate" } :conn "www.test", server:conn()
    end_of("not shown", meet(one, other, { certificate = function() end }, {}))
    one, other = at_client {} :conn "www.test", server:conn()
    assert(one:use_identity(town.client))
    err, other_err = meet(one, other, {}, {})
    say("chosen before", err, other_err, other:peer_name())
end

local function session_and_keylog()
    local lines, sessions = {}, {}
    local handlers = { keylog = function(event) lines[event.keylog_line:match "%S+"] = true end,
        session = function(event) sessions[#sessions + 1] = event.session end }
    local one = at_client { events = { "session", "keylog" } } :conn "www.test"
    local other = at_server {} :conn()
    say("told", meet(one, other, handlers, {}))
    assert(other:write "hello")
    assert(one:feed(other:drain()))
    say("read", one:read())
    refused("read on", one:read())
    say("sessions", #sessions, sessions[#sessions]:usable())
    local labels = {}
    for label in pairs(lines) do labels[#labels + 1] = label end
    say("lines", sorted(labels))
end

local function sign()
    local server, server_key = issued(town.ca, { names = "www.test" }, true)
    local client, client_key = issued(town.ca, { subject = "CN=client", usage = "client" }, true)
    say("public half", server_key:algorithm(), tlsshim.key.external(server:cert():public_key()):algorithm())
    local server_context = at_server { identity = server, trust = town.trust, require_client_cert = true,
        events = "sign" }
    local client_context = at_client { identity = client, events = "sign" }
    local function signer(key)
        return { sign = function(event)
            say("sign", event.scheme, event.digest, #event.input, #event.message)
            return assert(key:sign(event.message, event.scheme))
        end }
    end
    local one, other = client_context:conn "www.test", server_context:conn()
    local err, other_err = meet(one, other, signer(client_key), signer(server_key))
    say("signed", err, other_err, one:verified(), other:verified())
    one, other = client_context:conn "www.test", server_context:conn()
    _, other_err = meet(one, other, {}, signer(client_key))
    say("another's", other_err.code, other:event().kind)
    end_of("then the right one", meet(one, other, signer(client_key), signer(server_key)))
    one, other = client_context:conn "www.test", server_context:conn()
    end_of("no signature", meet(one, other, {}, { sign = function() end }))
end

local function handlers_are_ordinary_code()
    local function leave() error "leave" end
    local one, other = at_client {} :conn "www.test", at_server { events = "hello" } :conn()
    if not pcall(meet, one, other, {}, { hello = leave }) then say("left", other:event().kind) end
    say("other handlers", meet(one, other, {}, { hello = function() end }))
    named("no such kind", "helo", one.handshake, one, { helo = leave })
    named("no such event", "helo", tlsshim.context, { role = "server", events = "helo" })
    refused("not a client's", tlsshim.context { role = "client", events = "hello" })
    say("once set", other.handlers ~= nil)
end

-- open and seal make the handshake too, and use each byte once.
local function sealed()
    local heard = {}
    local function hear(event)
        heard[#heard + 1] = event.kind
        return event.kind == "verify" or nil
    end
    local one = at_client { events = "verify" } :conn "www.test"
    local other = at_server { events = "hello" } :conn()
    one:handshake { verify = hear }
    other:feed(one:drain())
    other:handshake { hello = hear }
    refused("opened", one:open(other:drain()))
    local answer = assert(one:seal "ping")
    local plain, _, used = other:open(answer)
    say("sealed", plain, used == #answer, heard)
end

local function streams()
    local server = at_server { trust = town.trust, request_client_cert = true, events = { "hello", "verify" } }
    local client = at_client { identity = town.client, events = { "verify", "session" } }
    local heard = {}
    local function hear(event)
        heard[#heard + 1] = event.kind
        return event.kind == "verify" or nil
    end
    local listener = assert(tlsshim.listen "127.0.0.1")
    local one = assert(tlsshim.connect("127.0.0.1", listener:port(), { context = client, timeout = 0,
        server_name = "www.test", verify_name = "www.test", handlers = { verify = hear, session = hear } }))
    local other = assert(listener:accept(server, 10))
    local finished
    repeat
        local ready = one:handshake(0)
        finished = other:handshake(0, { hello = hear, verify = hear }) and ready
    until finished
    say("over sockets", sorted(heard), other:conn():peer_name())
    assert(other:write("hello", 10))
    say("read", one:read(100, 10))
    refused("read on", one:read(100, 0))
    say("heard", sorted(heard))
    one:close()
    other:close()
    one = assert(tlsshim.connect("127.0.0.1", listener:port(), { context = client, timeout = 0,
        server_name = "www.test", verify_name = "www.test" }))
    other = assert(listener:accept(server, 10))
    local _, err
    repeat
        one:handshake(0)
        _, err = other:handshake(0)
    until err.code == "WANT_EVENT"
    say("without handlers", err.code, other:conn():event().kind)
    one:close()
    other:close()
    listener:close()
end

local function options()
    local whole = assert(town.ca:issue { names = "www.test" })
    local pem, key = whole:cert():export(), whole:key():export("pem", "secret")
    local ed25519 = assert(town.ca:issue { names = "www.test", key = tlsshim.key "ED25519" })
    for _, way in ipairs {
        { "cert_data", { cert_data = pem, key_data = key, passphrase = "secret" } },
        { "one text", { cert_data = pem .. whole:key():export() } },
        { "der", { cert_data = whole:cert():export "der", key_data = whole:key():export "der" } },
        { "identity_data", { identity_data = whole:export "secret", passphrase = "secret" } },
        { "two", { identity = { whole, ed25519 } } },
    } do
        local own = way[2]
        own.role, own.profile = "server", "modern"
        local one = assert(tlsshim.context { role = "client", ca_data = town.ca:cert():export() }):conn "www.test"
        local other = assert(tlsshim.context(own)):conn()
        local err, other_err = meet(one, other, {}, {})
        say(way[1], err, other_err, one:version(), one:insecure())
    end
    local path = os.tmpname()
    local one = at_client { insecure_skip_name = true, keylog_file = path, limits = { send_fragment = 512 } }
        :conn "else.test"
    local other = at_server { security_level = 3, server_preference = false } :conn()
    local err, other_err = meet(one, other, {}, {})
    local file = io.open(path)
    say("name not asked", err, other_err, one:insecure(), one:verified(), #file:read "*a" > 100)
    file:close()
    os.remove(path)
    local secret = ""
    for byte = 0, 31 do secret = secret .. string.char(byte) end
    local psks = { ["device 7"] = secret }
    one = at_client { psks = psks } :conn "www.test"
    other = assert(tlsshim.context { role = "server", psks = psks }):conn()
    err, other_err = meet(one, other, {}, {})
    say("pre-shared", err, other_err, other:psk_identity(), (other:peer()))
    local context = assert(tlsshim.context { role = "server", security_level = 3, groups = "P-384",
        signature_algorithms = "ed25519", verify_depth = 2, handshake_timeout = 5 })
    say("settings", context:security_level(), context:groups(), context:signatures(), context:verify_depth(),
        context:copy():handshake_timeout())
    say("legacy", assert(tlsshim.context { role = "client", insecure_legacy = true, min_version = "TLSv1.0",
        security_level = 0 }):frozen())
    refused("legacy alone", tlsshim.context { role = "client", min_version = "TLSv1.0" })
    refused("no such profile", tlsshim.context { role = "client", profile = "nonsense" })
    refused("no such scheme", tlsshim.context { role = "client", own_signature_algorithms = "nonsense" })
    named("no such option", "nonsense", tlsshim.context, { role = "client", nonsense = 1 })
    named("no such limit", "nonsense", tlsshim.context, { role = "client", limits = { nonsense = 1 } })
    raised("trust twice", tlsshim.context, { role = "client", trust = town.trust, ca_data = pem })
    say("cipher", tlsshim.cipher_text "0xc02f", tlsshim.cipher_text "NONSENSE")
end

local function staples()
    local answer = assert(town.ca:ocsp(town.server:cert()))
    local server = at_server { staple = answer }
    local one, other = at_client { staple_mode = "require" } :conn "www.test", server:conn()
    local err, other_err = meet(one, other, {}, {})
    say("stapled", err, other_err, one:staple() == answer)
    say("no answer", server:set_staple(town.server, ""))
    end_of("nothing stapled", meet(at_client { staple_mode = "require" } :conn "www.test", server:conn(), {}, {}))
    local _, revoked = server:set_staple(town.server, assert(town.ca:ocsp(town.server:cert(), "revoked")))
    say("revoked", revoked.code)
    raised("whose staple", tlsshim.context, { role = "server", staple = answer })
    raised("no such mode", tlsshim.context, { role = "client", staple_mode = "nonsense" })
end

local function asked_late()
    local one = at_client { identity = town.client, post_handshake = true } :conn "www.test"
    local other = at_server { trust = town.trust, post_handshake = true } :conn()
    local err, other_err = meet(one, other, {}, {})
    say("at first", err, other_err, (other:peer()))
    say("asked", other:request_certificate(), other:certificate_requested())
    assert(one:feed(other:drain()))
    refused("reads on", one:read())
    assert(other:feed(one:drain()))
    refused("reads on", other:read())
    say("then", other:peer_name(), other:verified(), other:certificate_requested())
    refused("not by clients", one:request_certificate())
end

-- On a stack of its own, which leaves no dead slot behind that would keep a handle alive.
coroutine.wrap(function()
    for _, part in ipairs { steps, hello, verify, certificate, session_and_keylog, sign, handlers_are_ordinary_code,
        sealed, streams, options, staples, asked_late } do part() end
end)()
town = nil
if jit then jit.flush() end -- a trace holds what it took for a constant: handles in upvalues
for _ = 1, 10 do collectgarbage() end -- what one finalizer lets go of is found by the next
say("at last", tlsshim.live())
