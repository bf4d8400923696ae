-- Keys, certificates, identities, templates, trust.

local raw = require "tlsshim.raw"
local object = require "tlsshim.object"

local check_options, class, constant, count = object.check_options, object.class, object.constant, object.count
local fields, flag, list, mask = object.fields, object.flag, object.list, object.mask
local steps, try, value, wrap = object.steps, object.try, object.value, object.wrap
local yes = object.yes

local Key, Cert, Identity = class "key", class "cert", class "identity"
local Template, Trust = class "template", class "trust"

function Key.new(algorithm) return wrap(Key, raw.key_generate(algorithm or "P-256")) end
function Key.load(data, passphrase) return wrap(Key, raw.key_load(data, passphrase or "")) end
function Key.load_file(path, passphrase) return wrap(Key, raw.key_load_file(path, passphrase or "")) end
-- The public half of a key that is elsewhere.
function Key.external(public_key) return wrap(Key, raw.key_external(public_key.handle)) end
function Key:export(format, passphrase)
    return value(raw.key_export(self.handle, constant("FORMAT", format or "pem"), passphrase or ""))
end
function Key:algorithm() return value(raw.key_algorithm(self.handle)) end
function Key:bits() return count(raw.key_bits(self.handle)) end
function Key:sign(data, digest) return value(raw.key_sign(self.handle, digest or "", data)) end
function Key:verify(data, signature, digest)
    return flag(raw.key_verify(self.handle, digest or "", data, signature))
end
function Key.__eq(one, other) return raw.key_equal(one.handle, other.handle) == 1 end

function Cert.load(data) return wrap(Cert, raw.cert_load(data)) end
function Cert.load_file(path) return wrap(Cert, raw.cert_load_file(path)) end
function Cert:count() return count(raw.cert_count(self.handle)) end
function Cert:at(index) return wrap(Cert, raw.cert_at(self.handle, index)) end
function Cert:join(rest) return wrap(Cert, raw.cert_join(self.handle, rest.handle)) end
function Cert:export(format) return value(raw.cert_export(self.handle, constant("FORMAT", format or "pem"))) end
function Cert:digest(name) return value(raw.cert_digest(self.handle, name or "")) end
function Cert:matches(name) return flag(raw.cert_matches_name(self.handle, name)) end
function Cert:public_key() return wrap(Key, raw.cert_public_key(self.handle)) end

-- The names that it is for: { "DNS:localhost", "IP:127.0.0.1" }
function Cert:names()
    local total, err = count(raw.cert_list_count(self.handle, raw.CERT_LIST_NAMES))
    if not total then return nil, err end
    local names = {}
    for index = 0, total - 1 do
        local _, kind = raw.cert_list_at(self.handle, raw.CERT_LIST_NAMES, index, raw.PART_KIND)
        local _, name = raw.cert_list_at(self.handle, raw.CERT_LIST_NAMES, index, raw.PART_VALUE)
        names[index + 1] = kind .. ":" .. name
    end
    return names
end

-- Dates are seconds since 1970, as os.time and os.date have them.
fields(Cert, "CERT", raw.cert_text, "subject issuer common_name serial fingerprint spki_sha256 key_algorithm full")
fields(Cert, "CERT", raw.cert_number, "not_before not_after path_length key_bits")
fields(Cert, "CERT", raw.cert_number, "is_ca self_signed must_staple", yes)

function Identity.new(cert, key) return wrap(Identity, raw.identity_new(cert.handle, key.handle)) end
function Identity.load(data, passphrase) return wrap(Identity, raw.identity_load(data, passphrase or "")) end
function Identity.load_file(path, passphrase) return wrap(Identity, raw.identity_load_file(path, passphrase or "")) end
local function joined(cert, key)
    local identity = try(Identity.new(cert, key))
    cert:close()
    key:close()
    return identity
end
Identity.load_files = steps(function(cert_file, key_file, passphrase)
    return joined(try(Cert.load_file(cert_file)), try(Key.load_file(key_file, passphrase)))
end)
Identity.load_parts = steps(function(cert, key, passphrase)
    return joined(try(Cert.load(cert)), try(Key.load(key, passphrase)))
end)
-- Of a certificate whose private key is elsewhere: its signatures are asked for by "sign" events.
Identity.external = steps(function(cert)
    local public_key = try(cert:public_key())
    local key = try(Key.external(public_key))
    public_key:close()
    local identity = try(Identity.new(cert, key))
    key:close()
    return identity
end)
function Identity:cert() return wrap(Cert, raw.identity_cert(self.handle)) end
function Identity:key() return wrap(Key, raw.identity_key(self.handle)) end
function Identity:export(passphrase, friendly_name)
    return value(raw.identity_export_pkcs12(self.handle, passphrase, friendly_name or ""))
end

-- Templates: template { subject = "CN=x", names = { "x.test" }, days = 90, ca = true, usage = { "server", "client" } }
local template_options = { subject = true, names = true, days = true, not_before = true, not_after = true, ca = true,
    path_length = true, usage = true, key = true, usage_oids = true, serial = true, digest = true, must_staple = true,
    crl_url = true, ocsp_url = true, permitted = true, excluded = true }
Template.new = steps(function(options)
    options = options or {}
    check_options(options, template_options)
    local template = try(wrap(Template, raw.template_new()))
    local handle = template.handle
    if options.subject then try(raw.template_set_subject(handle, options.subject)) end
    for _, name in ipairs(list(options.names)) do try(raw.template_add_name(handle, name)) end
    if options.days or options.not_after then
        local from = options.not_before or os.time() - 3600
        try(raw.template_set_validity(handle, from, options.not_after or from + options.days * 86400))
    end
    if options.ca then try(raw.template_set_ca(handle, options.path_length or -1)) end
    if options.usage then try(raw.template_set_usage(handle, mask("USAGE", options.usage))) end
    for _, oid in ipairs(list(options.usage_oids)) do try(raw.template_add_usage(handle, oid)) end
    if options.serial then try(raw.template_set_serial(handle, options.serial)) end
    if options.digest then try(raw.template_set_digest(handle, options.digest)) end
    if options.must_staple then try(raw.template_set_must_staple(handle, 1)) end
    if options.crl_url or options.ocsp_url then
        try(raw.template_set_urls(handle, options.crl_url or "", options.ocsp_url or ""))
    end
    for _, name in ipairs(list(options.permitted)) do try(raw.template_add_constraint(handle, 1, name)) end
    for _, name in ipairs(list(options.excluded)) do try(raw.template_add_constraint(handle, 0, name)) end
    return template
end)
function Template.from_request(csr) return wrap(Template, raw.template_from_request(csr)) end
function Template:key() return wrap(Key, raw.template_key(self.handle)) end
function Template:request(key, format)
    return value(raw.template_request(self.handle, key.handle, constant("FORMAT", format or "pem")))
end
function Template:self_sign(key) return wrap(Cert, raw.template_self_sign(self.handle, key.handle)) end
-- Without a key: that of the request which the template came from.
function Template:issue(key, ca)
    return wrap(Cert, raw.template_issue(self.handle, key and key.handle or 0, ca.handle))
end

-- The identity that `sign` makes of a key (a new one unless options.key) and a template.
local function sealed(options, sign)
    local key = options.key or try(Key.new())
    local template = try(Template.new(options))
    local cert = try(sign(template, key))
    local identity = try(Identity.new(cert, key))
    template:close()
    cert:close()
    if key ~= options.key then key:close() end
    return identity
end

-- self_signed("localhost", "127.0.0.1") makes a key and a server certificate for these names.
local self_signed = steps(function(...)
    return sealed({ names = { ... } }, function(template, key) return template:self_sign(key) end)
end)
-- ca "CN=My CA" or ca { subject = ..., ... } makes a root; identity:issue { names = ... } what it vouches for.
local new_ca = steps(function(options)
    if type(options) ~= "table" then options = { subject = options } end
    options.ca = true
    return sealed(options, function(template, key) return template:self_sign(key) end)
end)
Identity.issue = steps(function(ca, options)
    return sealed(options, function(template, key) return template:issue(key, ca) end)
end)

local function span(options)
    local from = options.at or os.time()
    return from, from + (options.days or 7) * 86400
end

-- As a CA lists what it has revoked: crl { "SERIAL [reason] [seconds since 1970]", "number 7", days = 7 }.
Identity.crl = steps(function(ca, entries)
    entries = entries or {}
    local from, till = span(entries)
    local format = constant("FORMAT", entries.format or "pem")
    return try(value(raw.crl_issue(ca.handle, table.concat(entries, "\n"), from, till, format)))
end)

-- As a CA answers for a certificate: "good", "revoked" or "unknown"; { days = 7, at = time, revoked_at = time }.
Identity.ocsp = steps(function(ca, cert, status, options)
    options = options or {}
    local from, till = span(options)
    return try(value(raw.ocsp_issue(cert.handle, ca.handle, constant("OCSP", status or "good"),
        options.revoked_at or from, from, till)))
end)
local function crl_text(crl) return value(raw.crl_text(crl)) end
local function ocsp_text(response) return value(raw.ocsp_text(response)) end
local function request_text(csr) return value(raw.request_text(csr)) end

-- trust { file = "ca.pem", data = pem, cert = cert, system = true }; files, certs as lists
Trust.new = steps(function(options)
    options = options or {}
    check_options(options, { file = true, data = true, cert = true, system = true })
    local trust = try(wrap(Trust, raw.trust_new()))
    for _, file in ipairs(list(options.file)) do try(trust:add_file(file)) end
    for _, data in ipairs(list(options.data)) do try(trust:add(data)) end
    for _, cert in ipairs(list(options.cert)) do try(trust:add_cert(cert)) end
    if options.system then try(trust:add_system()) end
    return trust
end)
function Trust:add(data) return count(raw.trust_add(self.handle, data)) end
function Trust:add_file(path) return count(raw.trust_add_file(self.handle, path)) end
function Trust:add_cert(cert) return count(raw.trust_add_cert(self.handle, cert.handle)) end
function Trust:add_system() return count(raw.trust_add_system(self.handle)) end
function Trust:count() return count(raw.trust_count(self.handle, raw.TRUST_ANCHORS)) end
function Trust:at(index) return wrap(Cert, raw.trust_at(self.handle, index)) end
-- trust:verify(cert, { name = "www.test", purpose = "server", at = time, flags = { "strict" } })
Trust.verify = steps(function(trust, cert, how)
    how = how or {}
    check_options(how, { name = true, purpose = true, at = true, flags = true })
    local now = math.mininteger or require("ffi").new("int64_t", -2 ^ 63)
    try(raw.trust_verify(trust.handle, cert.handle, mask("USAGE", how.purpose), how.name or "", how.at or now,
        mask("VERIFY", how.flags)))
    return true
end)

return {
    key = Key, cert = Cert, identity = Identity, template = Template, trust = Trust, self_signed = self_signed,
    ca = new_ca, crl_text = crl_text, ocsp_text = ocsp_text, request_text = request_text,
}
