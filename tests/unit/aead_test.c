#include "base/aead.h"

#include <string.h>

#include "base/backend.h"
#include "support/support.h"

static struct visit visit;

static void begin(void)
{
    ck_assert_ok(visit_enter(&visit));
}

static void end(void)
{
    visit_leave(&visit);
}

static struct bytes some(const void *data, size_t len)
{
    return (struct bytes){data, len};
}

/* AES-GCM: test case 16 of its specification by McGrew and Viega, with a key of 256 bits. */
START_TEST(aes_gcm_seals_as_its_specification_says)
{
    static const uint8_t key[32] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f,
                                    0x94, 0x67, 0x30, 0x83, 0x08, 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65,
                                    0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
    static const uint8_t nonce[AEAD_NONCE] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
    static const uint8_t also[] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
                                   0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
    static const uint8_t plain[] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5,
                                    0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53, 0x15, 0x34, 0xf7, 0xda,
                                    0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95,
                                    0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49, 0xa6, 0xb5, 0x25,
                                    0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
    static const uint8_t wanted[] = {0x52, 0x2d, 0xc1, 0xf0, 0x99, 0x56, 0x7d, 0x07, 0xf4, 0x7f, 0x37, 0xa3,
                                     0x2a, 0x84, 0x42, 0x7d, 0x64, 0x3a, 0x8c, 0xdc, 0xbf, 0xe5, 0xc0, 0xc9,
                                     0x75, 0x98, 0xa2, 0xbd, 0x25, 0x55, 0xd1, 0xaa, 0x8c, 0xb0, 0x8e, 0x48,
                                     0x59, 0x0d, 0xbb, 0x3d, 0xa7, 0xb0, 0x8b, 0x10, 0x56, 0x82, 0x88, 0x38,
                                     0xc5, 0xf6, 0x1e, 0x63, 0x93, 0xba, 0x7a, 0x0a, 0xbc, 0xc9, 0xf6, 0x62};
    static const uint8_t wanted_tag[AEAD_TAG] = {0x76, 0xfc, 0x6e, 0xce, 0x0f, 0x4e, 0x17, 0x68,
                                                 0xcd, 0xdf, 0x88, 0x53, 0xbb, 0x2d, 0x55, 0x1b};
    struct aead *aead = aead_find("AES-256-GCM", sizeof key);
    struct aead_key *keyed;
    uint8_t sealed[sizeof plain], tag[AEAD_TAG];

    ck_assert_ptr_nonnull(aead);
    keyed = aead_key_new(aead, key);
    ck_assert_ptr_nonnull(keyed);
    for (size_t cut = 0; cut <= sizeof plain; cut++) { /* pieces of any length, in place or elsewhere */
        memcpy(sealed, plain, sizeof plain);
        ck_assert(aead_begin(aead, keyed, nonce, some(also, sizeof also)));
        ck_assert(aead_piece(aead, keyed, some(sealed, cut), sealed));
        ck_assert(aead_piece(aead, keyed, some(plain + cut, sizeof plain - cut), sealed + cut));
        ck_assert(aead_end(aead, keyed, tag));
        ck_assert_mem_eq(sealed, wanted, sizeof wanted);
        ck_assert_mem_eq(tag, wanted_tag, sizeof tag);
    }
    aead_key_free(aead, keyed);
    aead_forget(aead);
}
END_TEST

START_TEST(what_is_no_aead_or_takes_another_key_is_not_found)
{
    struct aead *aead = aead_find("aes-128-gcm", 16); /* a name's case does not matter */

    ck_assert_ptr_nonnull(aead);
    aead_forget(aead);
    ck_assert_ptr_null(aead_find("AES-128-GCM", 32));
    ck_assert_ptr_null(aead_find("AES-128-CTR", 16));
    ck_assert_ptr_null(aead_find("ChaCha20", 32));
    ck_assert_ptr_null(aead_find("AES-128-OCB", 16));
    ck_assert_ptr_null(aead_find("AES-128-CCM", 16));
    ck_assert_ptr_null(aead_find("AES-128", 16));
    ck_assert_ptr_null(aead_find("", 16));
    aead_key_free(NULL, NULL);
    aead_forget(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("aead");
    TCase *tcase = tcase_create("aead");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, aes_gcm_seals_as_its_specification_says);
    tcase_add_test(tcase, what_is_no_aead_or_takes_another_key_is_not_found);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
