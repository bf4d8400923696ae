#include "tls/policy.h"

#include <string.h>

#include "base/handle.h"
#include "support/certs.h"
#include "support/pair.h"
#include "tls/context.h"

struct rules {
    uint8_t digest[DIGEST_SIZE];
};

static struct rules rules_of(int64_t context)
{
    struct rules rules;
    struct context *c = NULL;
    struct setup *setup = NULL;
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(context_pin(context, &c));
    ck_assert_ok(context_setup(c, &setup));
    ck_assert_ok(policy_rules(setup, rules.digest));
    ck_assert_mem_eq(rules.digest, setup->rules, DIGEST_SIZE);
    setup_drop(setup);
    handle_unpin(context);
    visit_leave(&visit);
    return rules;
}

static bool equal(int64_t a, int64_t b)
{
    struct rules first = rules_of(a), second = rules_of(b);

    return memcmp(first.digest, second.digest, DIGEST_SIZE) == 0;
}

static int64_t plain(bool server)
{
    return server ? server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST)
                  : client_context(0, certs()->trust, certs()->client);
}

/* No pointer and no handle is in the digest: everything is made anew, the trust in another order. */
START_TEST(equal_rules_have_equal_digests)
{
    int64_t turned = keep(tlsshim_trust_new());

    ck_assert(equal(plain(_i), plain(_i)));
    ck_assert_ok(tlsshim_trust_add_cert(turned, keep(tlsshim_identity_cert(certs()->other_ca))));
    ck_assert_ok(tlsshim_trust_add_cert(turned, keep(tlsshim_identity_cert(certs()->ca))));
    ck_assert(equal(client_context(0, turned, 0), client_context(0, certs()->both_trust, 0)));
    ck_assert(!equal(plain(0), plain(1)));
}
END_TEST

static int32_t pin(int64_t context, int32_t mode)
{
    static const uint8_t spki[32] = {1, 2, 3};

    return tlsshim_context_add_pin(context, spki, sizeof spki, mode);
}

static int32_t change(int64_t context, int which)
{
    switch (which) {
    case 0:
        return tlsshim_context_set_trust(context, certs()->both_trust);
    case 1:
        return tlsshim_context_set_verify_depth(context, 99);
    case 2:
        return tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_STRICT);
    case 3:
        return tlsshim_context_set_verify_flags(context, TLSSHIM_VERIFY_PARTIAL_CHAIN);
    case 4:
        return tlsshim_context_insecure_skip_chain(context, 1);
    case 5:
        return tlsshim_context_insecure_skip_name(context, 1);
    case 6:
        return tlsshim_context_insecure_skip_time(context, 1);
    case 7:
        return tlsshim_context_insecure_skip_purpose(context, 1);
    case 8:
        return pin(context, TLSSHIM_PIN_AND);
    case 9:
        return tlsshim_context_insecure_legacy(context, 1);
    case 10:
        return tlsshim_context_set_security_level(context, 3);
    case 11:
        return tlsshim_context_set_profile(context, "modern", 6);
    case 12:
        return tlsshim_context_set_signature_algorithms(context, "ECDSA+SHA256", 12, "", 0);
    case 13:
        return tlsshim_context_add_psk(context, "alice", 5, "0123456789abcdef", 16);
    case 14:
        return tlsshim_context_add_psk(context, "alice", 5, "0123456789abcdeX", 16);
    case 15:
        return tlsshim_context_add_psk(context, "alic", 4, "e0123456789abcdef", 17);
    default:
        return pin(context, TLSSHIM_PIN_INSTEAD);
    }
}
enum { CHANGES = 17 };

START_TEST(each_demand_is_in_the_digest_and_no_two_look_alike)
{
    struct rules seen[CHANGES + 1];

    seen[CHANGES] = rules_of(plain(_i));
    for (int i = 0; i < CHANGES; i++) {
        int64_t context = plain(_i);

        ck_assert_ok(change(context, i));
        seen[i] = rules_of(context);
        for (int j = 0; j <= CHANGES; j++)
            if (j != i && (j < i || j == CHANGES))
                ck_assert_msg(memcmp(seen[i].digest, seen[j].digest, DIGEST_SIZE) != 0, "changes %d and %d", i, j);
    }
}
END_TEST

START_TEST(what_is_no_demand_is_not_in_the_digest)
{
    int64_t context = plain(_i);

    set_alpn(context, "h2", TLSSHIM_ALPN_FAIL);
    ck_assert_ok(tlsshim_context_set_session_lifetime(context, 77));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(context, "", 0, "ed25519", 7));
    ck_assert_ok(tlsshim_context_set_memory(context, TLSSHIM_POLICY_BUSY_FAST));
    ck_assert_ok(tlsshim_context_set_handshake_timeout(context, 77));
    ck_assert(equal(context, plain(_i)));
}
END_TEST

START_TEST(a_clients_own_identity_and_a_servers_mode_are_in_the_digest)
{
    ck_assert(!equal(client_context(0, certs()->trust, 0), client_context(0, certs()->trust, certs()->client)));
    ck_assert(!equal(client_context(0, certs()->trust, certs()->client_rsa),
                     client_context(0, certs()->trust, certs()->client)));
    ck_assert(!equal(plain(1), server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE)));
    ck_assert(!equal(plain(1), server_context(0, certs()->server, 0, 0)));
}
END_TEST

START_TEST(staples_asked_for_and_certificates_asked_for_late_are_in_the_digest)
{
    int64_t asks = plain(0), requires = plain(0), late = plain(1), offers = plain(0);

    ck_assert_ok(tlsshim_context_set_staple_mode(asks, TLSSHIM_STAPLE_ASK));
    ck_assert_ok(tlsshim_context_set_staple_mode(requires, TLSSHIM_STAPLE_REQUIRE));
    ck_assert_ok(tlsshim_context_set_post_handshake(late, 1));
    ck_assert_ok(tlsshim_context_set_post_handshake(offers, 1));
    ck_assert(!equal(plain(0), asks));
    ck_assert(!equal(plain(0), requires));
    ck_assert(!equal(asks, requires));
    ck_assert(!equal(plain(1), late));
    ck_assert(equal(plain(0), offers)); /* what a client would show is no demand */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tests = tcase_create("policy");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, equal_rules_have_equal_digests, 0, 2);
    tcase_add_loop_test(tests, each_demand_is_in_the_digest_and_no_two_look_alike, 0, 2);
    tcase_add_loop_test(tests, what_is_no_demand_is_not_in_the_digest, 0, 2);
    tcase_add_test(tests, a_clients_own_identity_and_a_servers_mode_are_in_the_digest);
    tcase_add_test(tests, staples_asked_for_and_certificates_asked_for_late_are_in_the_digest);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
