#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/pki.h"

static const char *const algorithms[] = {"P-256", "P-384", "P-521", "ED25519", "ED448", "RSA-2048"};
static const int32_t bits[] = {256, 384, 521, 256, 456, 2048};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0] };

START_TEST(every_algorithm_is_made_and_tells_its_name_and_size)
{
    int64_t key = a_key(algorithms[_i]);
    struct blob name;

    blob_fill(&name, tlsshim_key_algorithm, key);
    ck_assert(blob_is(&name, algorithms[_i]));
    ck_assert_int_eq(tlsshim_key_bits(key), bits[_i]);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(other_algorithms_are_refused_with_the_list)
{
    static const char *const wrong[] = {"", "P-255", "RSA", "RSA-1024", "RSA-2049", "RSA-9000", "DSA", "P-2566"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t result = tlsshim_key_generate(str(wrong[i]));

        ck_assert_result(result, TLSSHIM_E_ARGUMENT);
        ck_assert(error_says(result, "RSA-8192"));
    }
}
END_TEST

START_TEST(a_key_survives_every_format_with_and_without_passphrase)
{
    int64_t key = a_key(algorithms[_i]);

    for (int32_t format = TLSSHIM_FORMAT_PEM; format <= TLSSHIM_FORMAT_DER; format++)
        for (int sealed = 0; sealed < 2; sealed++) {
            const char *passphrase = sealed ? "correct horse" : "";
            struct blob data;
            int64_t back;

            ck_assert_ok(blob_fill(&data, tlsshim_key_export, key, format, str(passphrase)));
            back = a_handle(tlsshim_key_load(of_blob(&data), str(passphrase)));
            ck_assert_int_eq(tlsshim_key_equal(key, back), 1);
            ck_assert_ok(tlsshim_close(back));
        }
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_missing_or_wrong_passphrase_is_told_at_once)
{
    int64_t key = a_key("P-256");
    struct blob data;

    for (int32_t format = TLSSHIM_FORMAT_PEM; format <= TLSSHIM_FORMAT_DER; format++) {
        blob_fill(&data, tlsshim_key_export, key, format, str("right"));
        ck_assert_result(tlsshim_key_load(of_blob(&data), NULL, 0), TLSSHIM_E_PASSPHRASE);
        ck_assert_result(tlsshim_key_load(of_blob(&data), str("wrong")), TLSSHIM_E_PASSPHRASE);
    }
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_passphrase_may_be_any_bytes)
{
    static const char passphrase[] = "\xff\x00\x80 x";
    int64_t key = a_key("P-256");
    struct blob data;

    blob_fill(&data, tlsshim_key_export, key, TLSSHIM_FORMAT_PEM, passphrase, 5);
    ck_assert_result(tlsshim_key_load(of_blob(&data), passphrase, 4), TLSSHIM_E_PASSPHRASE);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_key_load(of_blob(&data), passphrase, 5))));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

/* What `openssl` wrote: SEC1 and PKCS#1, plain and with the encryption of PEM itself. */
START_TEST(older_formats_of_others_are_read)
{
    static const struct {
        const char *command;
        const char *passphrase;
    } cases[] = {
        {"openssl ecparam -name prime256v1 -genkey", ""},
        {"openssl ecparam -name prime256v1 -genkey -noout -outform DER", ""},
        {"openssl genrsa -traditional 2048 2>/dev/null", ""},
        {"openssl genrsa -traditional -aes256 -passout pass:old 2048 2>/dev/null", "old"},
        {"openssl genpkey -algorithm ed25519 -outform DER 2>/dev/null", ""},
        {"openssl genpkey -algorithm ec -pkeyopt group:P-384 -des3 -pass pass:old 2>/dev/null", "old"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *pipe = popen(cases[i].command, "r");
        struct blob data;

        data.len = (int32_t)fread(data.data, 1, sizeof data.data, pipe);
        ck_assert_int_eq(pclose(pipe), 0);
        ck_assert_ok(tlsshim_close(a_handle(tlsshim_key_load(of_blob(&data), str(cases[i].passphrase)))));
        if (cases[i].passphrase[0] != 0)
            ck_assert_result(tlsshim_key_load(of_blob(&data), NULL, 0), TLSSHIM_E_PASSPHRASE);
    }
}
END_TEST

START_TEST(what_is_no_private_key_is_told_apart)
{
    int64_t key = a_key("P-256");
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 1));
    struct blob data;
    int64_t result;

    for (int32_t format = TLSSHIM_FORMAT_PUBLIC_PEM; format <= TLSSHIM_FORMAT_PUBLIC_DER; format++) {
        blob_fill(&data, tlsshim_key_export, key, format, NULL, 0);
        result = tlsshim_key_load(of_blob(&data), NULL, 0);
        ck_assert_result(result, TLSSHIM_E_FORMAT);
        ck_assert_msg(error_says(result, "public key"), "%s", support_text(result));
    }
    blob_fill(&data, tlsshim_cert_export, cert, TLSSHIM_FORMAT_PEM);
    result = tlsshim_key_load(of_blob(&data), NULL, 0);
    ck_assert_result(result, TLSSHIM_E_EMPTY);
    ck_assert(error_says(result, "1 certificate"));
    ck_assert_result(tlsshim_key_load(str("hello"), NULL, 0), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_key_load("", 0, NULL, 0), TLSSHIM_E_EMPTY);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_damaged_key_is_refused_at_every_cut)
{
    int64_t key = a_key("P-256");
    struct blob data;

    blob_fill(&data, tlsshim_key_export, key, TLSSHIM_FORMAT_DER, NULL, 0);
    for (int32_t len = 0; len < data.len; len++)
        ck_assert_int_lt(tlsshim_key_load(data.data, len, NULL, 0), 0);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(signatures_are_made_and_checked)
{
    static const char data[] = "what is signed";
    int64_t key = a_key(algorithms[_i]);
    int64_t other = a_key(algorithms[_i]);
    struct blob signature;

    ck_assert_int_gt(blob_fill(&signature, tlsshim_key_sign, key, NULL, 0, data, 14), 0);
    ck_assert_int_eq(tlsshim_key_verify(key, NULL, 0, data, 14, of_blob(&signature)), 1);
    ck_assert_int_eq(tlsshim_key_verify(key, NULL, 0, data, 13, of_blob(&signature)), 0);
    ck_assert_int_eq(tlsshim_key_verify(other, NULL, 0, data, 14, of_blob(&signature)), 0);
    ck_assert_int_eq(tlsshim_key_verify(key, NULL, 0, data, 14, signature.data, signature.len - 1), 0);
    ck_assert_int_eq(tlsshim_key_verify(key, NULL, 0, data, 14, NULL, 0), 0);
    ck_assert_ok(tlsshim_close(key));
    ck_assert_ok(tlsshim_close(other));
}
END_TEST

START_TEST(digests_are_chosen_by_name)
{
    int64_t key = a_key("P-256");
    int64_t edwards = a_key("ED25519");
    struct blob signature;

    ck_assert_int_gt(blob_fill(&signature, tlsshim_key_sign, key, str("SHA512"), "x", 1), 0);
    ck_assert_int_eq(tlsshim_key_verify(key, str("SHA512"), "x", 1, of_blob(&signature)), 1);
    ck_assert_int_eq(tlsshim_key_verify(key, str("SHA256"), "x", 1, of_blob(&signature)), 0);
    ck_assert_result(tlsshim_key_sign(key, str("no such"), "x", 1, NULL, 0), TLSSHIM_E_UNSUPPORTED);
    ck_assert_result(tlsshim_key_sign(edwards, str("SHA256"), "x", 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_close(key));
    ck_assert_ok(tlsshim_close(edwards));
}
END_TEST

START_TEST(computed_outputs_ask_for_an_upper_bound_and_fit_into_it)
{
    int64_t key = a_key(algorithms[_i]);
    int32_t bound = tlsshim_key_sign(key, NULL, 0, "x", 1, NULL, 0);
    uint8_t *data = malloc(65536);

    ck_assert_int_gt(bound, 0);
    ck_assert_int_eq(tlsshim_key_sign(key, NULL, 0, "x", 1, data, bound - 1), bound);
    for (int i = 0; i < 10; i++) {
        int32_t len = tlsshim_key_sign(key, NULL, 0, "x", 1, data, bound);

        ck_assert_int_gt(len, 0);
        ck_assert_int_le(len, bound);
    }
    for (int32_t format = TLSSHIM_FORMAT_PEM; format <= TLSSHIM_FORMAT_DER; format++) {
        bound = tlsshim_key_export(key, format, str("pass"), NULL, 0);
        ck_assert_int_gt(bound, 0);
        ck_assert_int_eq(tlsshim_key_export(key, format, str("pass"), data, bound - 1), bound);
        ck_assert_int_le(tlsshim_key_export(key, format, str("pass"), data, bound), bound);
    }
    free(data);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_public_key_neither_signs_nor_writes_a_private_one)
{
    int64_t key = a_key("P-256");
    int64_t cert = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 1));
    int64_t public_key = a_handle(tlsshim_cert_public_key(cert));
    int64_t external = a_handle(tlsshim_key_external(key));
    const int64_t halves[] = {public_key, external};
    struct blob data;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tlsshim_key_equal(key, halves[i]), 1);
        ck_assert_result(tlsshim_key_sign(halves[i], NULL, 0, "x", 1, NULL, 0), TLSSHIM_E_MISMATCH);
        ck_assert_result(tlsshim_key_export(halves[i], TLSSHIM_FORMAT_PEM, NULL, 0, NULL, 0), TLSSHIM_E_MISMATCH);
        ck_assert_ok(blob_fill(&data, tlsshim_key_export, halves[i], TLSSHIM_FORMAT_PUBLIC_PEM, NULL, 0));
        ck_assert(blob_holds(&data, "BEGIN PUBLIC KEY"));
        ck_assert_ok(tlsshim_close(halves[i]));
    }
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

/* What a SIGN event asks for by its scheme, and what an agent beside the private key answers. */
static const struct {
    const char *algorithm, *scheme;
} schemes[] = {
    {"P-256", "ecdsa_secp256r1_sha256"},
    {"P-384", "ecdsa_secp384r1_sha384"},
    {"RSA-2048", "rsa_pss_rsae_sha256"},
    {"RSA-2048", "rsa_pss_rsae_sha512"},
    {"RSA-2048", "rsa_pkcs1_sha256"},
    {"ED25519", "ed25519"},
    {"ED448", "ed448"},
};
enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

START_TEST(a_key_signs_by_the_name_of_a_scheme)
{
    int64_t key = a_key(schemes[_i].algorithm);
    const char *other = schemes[(_i + SCHEMES / 2) % SCHEMES].scheme;
    struct blob signature;

    ck_assert_ok(blob_fill(&signature, tlsshim_key_sign, key, str(schemes[_i].scheme), str("data")));
    ck_assert_int_eq(tlsshim_key_verify(key, str(schemes[_i].scheme), str("data"), of_blob(&signature)), 1);
    ck_assert_int_eq(tlsshim_key_verify(key, str(schemes[_i].scheme), str("Data"), of_blob(&signature)), 0);
    ck_assert_result(tlsshim_key_sign(key, str(other), str("data"), NULL, 0), TLSSHIM_E_MISMATCH);
    if (strncmp(schemes[_i].scheme, "rsa_pss", 7) == 0) /* the padding is another than that of the digest's name */
        ck_assert_int_eq(tlsshim_key_verify(key, str("SHA256"), str("data"), of_blob(&signature)), 0);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(arguments_are_checked)
{
    int64_t key = a_key("P-256");

    ck_assert_result(tlsshim_key_export(key, 0, NULL, 0, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_export(key, 5, NULL, 0, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_export(key, TLSSHIM_FORMAT_PUBLIC_PEM, str("x"), NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, NULL, 0, NULL, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_export(key, TLSSHIM_FORMAT_PEM, NULL, 1025, NULL, 0), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_key_load(NULL, 1, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_equal(key, 0), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_key_bits(-1), TLSSHIM_E_HANDLE);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

START_TEST(a_file_is_read_and_named_when_it_is_wrong)
{
    char path[] = "/tmp/tlsshim-key-XXXXXX";
    int fd = mkstemp(path);
    int64_t key = a_key("ED25519");
    int64_t result;
    struct blob data;

    ck_assert_int_ge(fd, 0);
    blob_fill(&data, tlsshim_key_export, key, TLSSHIM_FORMAT_PEM, NULL, 0);
    ck_assert_int_eq(write(fd, data.data, (size_t)data.len), data.len);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_key_load_file(str(path), NULL, 0))));
    ck_assert_int_eq(ftruncate(fd, 60), 0);
    result = tlsshim_key_load_file(str(path), NULL, 0);
    ck_assert_result(result, TLSSHIM_E_FORMAT);
    ck_assert(error_says(result, path));
    unlink(path);
    close(fd);
    result = tlsshim_key_load_file(str(path), NULL, 0);
    ck_assert_result(result, TLSSHIM_E_SYSTEM);
    ck_assert(error_says(result, path));
    ck_assert_result(tlsshim_key_load_file("", 0, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_load_file("a\0b", 3, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_key_load_file(str("/tmp"), NULL, 0), TLSSHIM_E_SYSTEM);
    ck_assert_ok(tlsshim_close(key));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("key");
    TCase *tcase = tcase_create("key");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_algorithm_is_made_and_tells_its_name_and_size, 0, ALGORITHMS);
    tcase_add_test(tcase, other_algorithms_are_refused_with_the_list);
    tcase_add_loop_test(tcase, a_key_survives_every_format_with_and_without_passphrase, 0, ALGORITHMS);
    tcase_add_test(tcase, a_missing_or_wrong_passphrase_is_told_at_once);
    tcase_add_test(tcase, a_passphrase_may_be_any_bytes);
    tcase_add_test(tcase, older_formats_of_others_are_read);
    tcase_add_test(tcase, what_is_no_private_key_is_told_apart);
    tcase_add_test(tcase, a_damaged_key_is_refused_at_every_cut);
    tcase_add_loop_test(tcase, signatures_are_made_and_checked, 0, ALGORITHMS);
    tcase_add_test(tcase, digests_are_chosen_by_name);
    tcase_add_loop_test(tcase, a_key_signs_by_the_name_of_a_scheme, 0, SCHEMES);
    tcase_add_loop_test(tcase, computed_outputs_ask_for_an_upper_bound_and_fit_into_it, 0, ALGORITHMS);
    tcase_add_test(tcase, a_public_key_neither_signs_nor_writes_a_private_one);
    tcase_add_test(tcase, arguments_are_checked);
    tcase_add_test(tcase, a_file_is_read_and_named_when_it_is_wrong);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
