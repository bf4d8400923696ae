#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/pki.h"

static struct authority root;
static struct authority below;

static void make_chain(void)
{
    root = an_authority("CN=Root", -1, NULL);
    below = an_authority("CN=Below", 0, &root);
}

static bool same_chain(int64_t identity, int64_t wanted)
{
    int64_t cert = a_handle(tlsshim_identity_cert(identity));
    struct blob a;
    struct blob b;

    blob_fill(&a, tlsshim_cert_export, cert, TLSSHIM_FORMAT_PEM);
    blob_fill(&b, tlsshim_cert_export, wanted, TLSSHIM_FORMAT_PEM);
    ck_assert_ok(tlsshim_close(cert));
    return a.len == b.len && memcmp(a.data, b.data, (size_t)a.len) == 0;
}

START_TEST(only_what_belongs_together_is_an_identity)
{
    int64_t stranger = a_key("P-256");
    int64_t public_key = a_handle(tlsshim_cert_public_key(root.cert));
    int64_t result = tlsshim_identity_new(root.cert, stranger);

    ck_assert_result(result, TLSSHIM_E_MISMATCH);
    ck_assert(error_says(result, "CN=Root"));
    ck_assert_result(tlsshim_identity_new(root.cert, public_key), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_identity_new(root.key, root.key), TLSSHIM_E_HANDLE);
    ck_assert_ok(tlsshim_close(stranger));
    ck_assert_ok(tlsshim_close(public_key));
}
END_TEST

START_TEST(an_identity_outlives_the_handles_it_was_made_of)
{
    int64_t key = a_handle(tlsshim_identity_key(below.identity));

    ck_assert_ok(tlsshim_close(below.cert));
    ck_assert_ok(tlsshim_close(below.key));
    ck_assert_int_eq(tlsshim_key_bits(key), 256);
    ck_assert_ok(tlsshim_close(a_leaf(&below, "a.test")));
}
END_TEST

START_TEST(pem_with_certificates_and_key_is_an_identity)
{
    struct blob data;
    struct blob key;
    int64_t loaded;

    blob_fill(&data, tlsshim_cert_export, below.cert, TLSSHIM_FORMAT_PEM);
    ck_assert_result(tlsshim_identity_load(of_blob(&data), NULL, 0), TLSSHIM_E_EMPTY);
    blob_fill(&key, tlsshim_key_export, below.key, TLSSHIM_FORMAT_PEM, str("secret"));
    ck_assert_result(tlsshim_identity_load(of_blob(&key), str("secret")), TLSSHIM_E_EMPTY);
    memcpy(data.data + data.len, key.data, (size_t)key.len);
    data.len += key.len;
    loaded = a_handle(tlsshim_identity_load(of_blob(&data), str("secret")));
    ck_assert(same_chain(loaded, below.cert));
    ck_assert_result(tlsshim_identity_load(of_blob(&data), NULL, 0), TLSSHIM_E_PASSPHRASE);
    ck_assert_result(tlsshim_identity_load(of_blob(&data), str("Secret")), TLSSHIM_E_PASSPHRASE);
    ck_assert_ok(tlsshim_close(loaded));
}
END_TEST

START_TEST(pkcs12_goes_out_and_comes_back_with_its_chain)
{
    static const char *const passphrases[] = {"secret", "", "p\xc3\xa4ss"};
    int64_t key = a_key("RSA-2048");
    int64_t tmpl = a_template("a.test");
    int64_t cert = a_handle(tlsshim_template_issue(tmpl, key, below.identity));
    int64_t identity = a_handle(tlsshim_identity_new(cert, key));
    struct blob data;

    for (size_t i = 0; i < sizeof passphrases / sizeof passphrases[0]; i++) {
        int32_t bound = tlsshim_identity_export_pkcs12(identity, str(passphrases[i]), str("mine"), NULL, 0);
        int64_t loaded;

        ck_assert_ok(bound);
        ck_assert_int_eq(
            tlsshim_identity_export_pkcs12(identity, str(passphrases[i]), str("mine"), data.data, bound - 1), bound);
        data.len = tlsshim_identity_export_pkcs12(identity, str(passphrases[i]), str("mine"), data.data, bound);
        ck_assert_int_gt(data.len, 0);
        ck_assert_int_le(data.len, bound);
        loaded = a_handle(tlsshim_identity_load(of_blob(&data), str(passphrases[i])));
        ck_assert(same_chain(loaded, cert));
        ck_assert_result(tlsshim_identity_load(of_blob(&data), str("wrong")), TLSSHIM_E_PASSPHRASE);
        ck_assert_ok(tlsshim_close(loaded));
    }
    data.data[data.len / 2] ^= 1;
    ck_assert_int_lt(tlsshim_identity_load(of_blob(&data), str("p\xc3\xa4ss")), 0);
    ck_assert_result(tlsshim_identity_load("0", 1, NULL, 0), TLSSHIM_E_FORMAT);
}
END_TEST

/* What `openssl pkcs12 -legacy` seals: RC2 and 3DES. */
START_TEST(weak_pkcs12_is_read_only_by_the_function_that_says_so)
{
    char path[] = "/tmp/tlsshim-identity-XXXXXX";
    int fd = mkstemp(path);
    char command[300];
    struct blob data;
    FILE *pipe;
    int64_t result;

    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    ck_assert_int_eq(write(fd, data.data, (size_t)data.len), data.len);
    blob_fill(&data, tlsshim_key_export, root.key, TLSSHIM_FORMAT_PEM, NULL, 0);
    ck_assert_int_eq(write(fd, data.data, (size_t)data.len), data.len);
    snprintf(command, sizeof command, "openssl pkcs12 -export -legacy -in %s -passout pass:old", path);
    pipe = popen(command, "r");
    data.len = (int32_t)fread(data.data, 1, sizeof data.data, pipe);
    ck_assert_int_eq(pclose(pipe), 0);
    unlink(path);
    close(fd);
    result = tlsshim_identity_load(of_blob(&data), str("old"));
    ck_assert_result(result, TLSSHIM_E_UNSUPPORTED);
    ck_assert_msg(error_says(result, "identity_insecure_load_legacy"), "%s", support_text(result));
    if (tlsshim_has(str("legacy")) == 0) {
        ck_assert_result(tlsshim_identity_insecure_load_legacy(of_blob(&data), str("old")), TLSSHIM_E_UNSUPPORTED);
        return;
    }
    ck_assert_result(tlsshim_identity_insecure_load_legacy(of_blob(&data), str("new")), TLSSHIM_E_PASSPHRASE);
    result = a_handle(tlsshim_identity_insecure_load_legacy(of_blob(&data), str("old")));
    ck_assert(same_chain(result, root.cert));
    ck_assert_ok(tlsshim_close(a_leaf(&(struct authority){0, 0, result}, "works.test")));
    ck_assert_ok(tlsshim_close(result));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tcase = tcase_create("identity");

    tcase_add_checked_fixture(tcase, make_chain, NULL);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, only_what_belongs_together_is_an_identity);
    tcase_add_test(tcase, an_identity_outlives_the_handles_it_was_made_of);
    tcase_add_test(tcase, pem_with_certificates_and_key_is_an_identity);
    tcase_add_test(tcase, pkcs12_goes_out_and_comes_back_with_its_chain);
    tcase_add_test(tcase, weak_pkcs12_is_read_only_by_the_function_that_says_so);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
