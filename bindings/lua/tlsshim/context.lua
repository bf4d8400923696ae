-- Contexts: what an endpoint is and demands.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"
local pki = require "tlsshim.pki"
local tls = require "tlsshim.tls"

local check_options, class, constant, done = object.check_options, object.class, object.constant, object.done
local fields, list, mask, milliseconds = object.fields, object.list, object.mask, object.milliseconds
local steps, try, wire, wrap, yes = object.steps, object.try, object.wire, object.wrap, object.yes

local SESSIONS = 1024
local Context = class "context"

local function version(name) return name and constant("TLS", (name:gsub("^TLSv", ""))) or 0 end
local function switch(call) return function(handle, on) return call(handle, on and 1 or 0) end end
local function named(call, group) return function(handle, name) return call(handle, constant(group, name)) end end
local function masked(call, group) return function(handle, names) return call(handle, mask(group, names)) end end

local function set_trust(handle, _, options)
    if options.trust and (options.ca_file or options.ca_data) then
        error("give 'trust', or 'ca_file' and 'ca_data', not both", 0)
    end
    local trust = options.trust or try(pki.trust.new { file = options.ca_file, data = options.ca_data })
    local result = raw.context_set_trust(handle, trust.handle)
    if not options.trust then trust:close() end
    return result
end

-- Made for this context alone. A key that is not named is beside its certificate.
local function load_identity(options)
    local passphrase = options.passphrase or ""
    if options.identity_file then return try(pki.identity.load_file(options.identity_file, passphrase)) end
    if options.identity_data then return try(pki.identity.load(options.identity_data, passphrase)) end
    if options.cert_file then
        return try(pki.identity.load_files(options.cert_file, options.key_file or options.cert_file, passphrase))
    end
    if options.cert_data then
        return try(pki.identity.load_parts(options.cert_data, options.key_data or options.cert_data, passphrase))
    end
end

local function add_identities(handle, _, options)
    local loaded = load_identity(options)
    local first = loaded or list(options.identity)[1]
    for _, identity in ipairs(list(options.identity)) do try(raw.context_add_identity(handle, identity.handle, "")) end
    if loaded then try(raw.context_add_identity(handle, loaded.handle, "")) end
    if options.staple then
        if not first then error("'staple' needs the identity that it speaks for", 0) end
        try(raw.context_set_staple(handle, first.handle, options.staple))
    end
    if loaded then loaded:close() end
    return raw.OK
end

local function each(call) return function(handle, values, options)
    for key, given in pairs(values) do try(call(handle, key, given, options)) end
    return raw.OK
end end

-- In the order in which one builds on another: what is allowed, what is offered, who this end is, what it demands.
local settings = {
    { "insecure_legacy", switch(raw.context_insecure_legacy) },
    { "profile", raw.context_set_profile },
    { "security_level", raw.context_set_security_level },
    { "min_version max_version", function(handle, _, options)
        return raw.context_set_versions(handle, version(options.min_version), version(options.max_version))
    end },
    { "ciphers", raw.context_set_ciphers },
    { "ciphersuites", raw.context_set_ciphersuites },
    { "groups", raw.context_set_groups },
    { "signature_algorithms own_signature_algorithms", function(handle, _, options)
        return raw.context_set_signature_algorithms(handle, options.signature_algorithms or "",
            options.own_signature_algorithms or "")
    end },
    { "server_preference", switch(raw.context_set_server_preference) },
    { "alpn_protocols", function(handle, protocols, options)
        return raw.context_set_alpn(handle, wire(protocols), constant("ALPN", options.alpn_mode or "fail"))
    end },
    { "identities", each(function(handle, pattern, identity)
        for _, one in ipairs(list(identity)) do try(raw.context_add_identity(handle, one.handle, pattern)) end
        return raw.OK
    end) },
    { "identity identity_file identity_data cert_file cert_data staple", add_identities },
    { "psks", each(function(handle, identity, key) return raw.context_add_psk(handle, identity, key) end) },
    { "trust ca_file ca_data", set_trust },
    { "require_client_cert request_client_cert", function(handle, _, options)
        local mode = options.require_client_cert and "require" or options.request_client_cert and "request"
        if not mode then return raw.OK end
        return raw.context_set_client_certificate(handle, constant("CLIENT_CERTIFICATE", mode))
    end },
    { "post_handshake", switch(raw.context_set_post_handshake) },
    { "verify_depth", raw.context_set_verify_depth },
    { "verify_flags", masked(raw.context_set_verify_flags, "VERIFY") },
    { "pins", each(function(handle, _, pin, options)
        return raw.context_add_pin(handle, pin, constant("PIN", options.pin_mode or "and"))
    end) },
    { "staple_mode", named(raw.context_set_staple_mode, "STAPLE") },
    { "chain_cache", raw.context_set_chain_cache },
    { "insecure_skip_chain", switch(raw.context_insecure_skip_chain) },
    { "insecure_skip_name", switch(raw.context_insecure_skip_name) },
    { "insecure_skip_time", switch(raw.context_insecure_skip_time) },
    { "insecure_skip_purpose", switch(raw.context_insecure_skip_purpose) },
    { "session_cache", function(handle, entries)
        return raw.context_set_session_cache(handle, entries == true and SESSIONS or entries or 0)
    end },
    { "session_lifetime", raw.context_set_session_lifetime },
    { "tickets", raw.context_set_tickets },
    { "ticket_keys", raw.context_set_ticket_keys },
    { "ticket_rotation", raw.context_set_ticket_rotation },
    { "handshake_timeout", function(handle, s) return raw.context_set_handshake_timeout(handle, milliseconds(s)) end },
    { "limits", each(function(handle, name, bytes)
        return raw.context_set_limit(handle, constant("LIMIT", name), bytes)
    end) },
    { "memory", named(raw.context_set_memory, "POLICY") },
    { "keylog_file", raw.context_set_keylog_file },
    { "events", masked(raw.context_set_events, "EVENT") },
}
local known = { role = true, key_file = true, key_data = true, passphrase = true, alpn_mode = true, pin_mode = true }
for _, setting in ipairs(settings) do
    for name in setting[1]:gmatch "%S+" do known[name] = true end
end

-- context { role = "server", cert_file = ..., key_file = ..., ca_file = ..., require_client_cert = true,
--           alpn_protocols = { "h2", "http/1.1" } }
Context.new = steps(function(options)
    check_options(options, known)
    local context = try(wrap(Context, raw.context_new(constant("ROLE", options.role))))
    for _, setting in ipairs(settings) do
        local given
        for name in setting[1]:gmatch "%S+" do
            if given == nil then given = options[name] end
        end
        if given ~= nil then try(setting[2](context.handle, given, options)) end
    end
    return context
end)

function Context:conn(peer_name) return tls.conn.new(self, peer_name) end
-- An unfrozen twin, which shares the session cache and the ticket keys.
function Context:copy() return wrap(Context, raw.copy(self.handle)) end
-- Of a live server context: the first key seals, all open.
function Context:set_ticket_keys(keys) return done(raw.context_set_ticket_keys(self.handle, keys)) end
-- Of a live server context: the OCSP answer for one of its identities; "" for none.
function Context:set_staple(identity, ocsp)
    return done(raw.context_set_staple(self.handle, identity.handle, ocsp))
end
-- Later connections take the successor's configuration; sessions and ticket keys stay.
function Context:replace(successor) return done(raw.context_replace(self.handle, successor.handle)) end
fields(Context, "CONTEXT", raw.context_number, "cache_hits cache_misses cache_entries")
fields(Context, "CONTEXT", raw.context_number, "handshakes resumptions verify_depth handshake_timeout security_level")
fields(Context, "CONTEXT", raw.context_number, "frozen", yes)
fields(Context, "CONTEXT", raw.context_text, "ciphers ciphersuites groups signatures")

-- What a cipher is, in a line, by its IANA name, OpenSSL's or its number; nil where nobody knows it.
local function cipher_text(name) return object.value(raw.cipher_text(name)) end

return { context = Context, cipher_text = cipher_text }
