/* Every file of the corpus goes to every reader, and whatever is read is asked everything. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/corpus.h"

/* What a reader may say of a file that it does not take. */
static const int32_t refusals[] = {TLSSHIM_E_FORMAT,   TLSSHIM_E_EMPTY,       TLSSHIM_E_PASSPHRASE,
                                   TLSSHIM_E_MISMATCH, TLSSHIM_E_UNSUPPORTED, TLSSHIM_E_LIMIT};

struct tally {
    int certificates;
    int keys;
    int requests;
    int identities;
};

static bool taken(int64_t result, const char *reader, const char *path)
{
    if (result >= 0)
        return true;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (tlsshim_error_code(result) == refusals[i])
            return false;
    ck_abort_msg("%s: %s: %s", path, reader, support_text(result));
}

static void ask_text(int32_t len, const char *path)
{
    ck_assert_msg(len >= 0 || len == TLSSHIM_NONE, "%s: %s", path, support_text(len));
}

static void ask_certificate(int64_t cert, const char *path)
{
    int64_t n;

    for (int32_t field = TLSSHIM_CERT_SUBJECT; field <= TLSSHIM_CERT_NOT_AFTER; field++)
        ask_text(tlsshim_cert_text(cert, field, NULL, 0), path);
    for (int32_t field = TLSSHIM_CERT_NOT_BEFORE; field <= TLSSHIM_CERT_MUST_STAPLE; field++)
        ask_text(tlsshim_cert_number(cert, field, &n), path);
    for (int32_t list = TLSSHIM_CERT_LIST_SUBJECT; list <= TLSSHIM_CERT_LIST_EXTENSIONS; list++) {
        int32_t count = tlsshim_cert_list_count(cert, list);

        ck_assert_ok(count);
        for (int32_t i = 0; i <= count; i++)
            for (int32_t part = TLSSHIM_PART_VALUE; part <= TLSSHIM_PART_SET; part++)
                ask_text(tlsshim_cert_list_at(cert, list, i, part, NULL, 0), path);
    }
    ck_assert_int_ge(tlsshim_cert_matches_name(cert, str("www.test")), 0);
    ck_assert_int_ge(tlsshim_cert_matches_name(cert, str("10.0.0.1")), 0);
}

static void ask_key(int64_t key, const char *path)
{
    ask_text(tlsshim_key_algorithm(key, NULL, 0), path);
    ck_assert_int_gt(tlsshim_key_bits(key), 0);
    ck_assert_int_eq(tlsshim_key_equal(key, key), 1);
    ck_assert_int_gt(tlsshim_key_export(key, TLSSHIM_FORMAT_PUBLIC_DER, NULL, 0, NULL, 0), 0);
}

/* True if plain OpenSSL reads a certificate there, by PEM or DER. */
static bool openssl_reads(const uint8_t *data, int32_t len)
{
    BIO *bio = BIO_new_mem_buf(data, len);
    X509 *cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    const unsigned char *at = data;

    if (cert == NULL)
        cert = d2i_X509(NULL, &at, len);
    ERR_clear_error();
    BIO_free(bio);
    X509_free(cert);
    return cert != NULL;
}

static void read_certificates(const uint8_t *data, int32_t len, const char *path, struct tally *tally)
{
    int64_t trust = a_handle(tlsshim_trust_new());
    int64_t cert = tlsshim_cert_load(data, len);

    if (taken(cert, "cert_load", path)) {
        int64_t public_key = tlsshim_cert_public_key(cert);

        ck_assert_msg(openssl_reads(data, len), "%s is read here, but not by OpenSSL", path);
        tally->certificates++;
        ask_certificate(cert, path);
        ck_assert(public_key >= 0 || tlsshim_error_code(public_key) == TLSSHIM_E_FORMAT);
        ck_assert_ok(tlsshim_trust_add_cert(trust, cert));
        for (int32_t flags = 0; flags < 16; flags += 5)
            tlsshim_trust_verify(trust, cert, 0, NULL, 0, NOW, flags);
        if (public_key >= 0)
            tlsshim_close(public_key);
        tlsshim_close(cert);
    }
    taken(tlsshim_trust_add(trust, data, len), "trust_add", path);
    tlsshim_close(trust);
}

static void read_keys(const uint8_t *data, int32_t len, const char *path, struct tally *tally)
{
    static const char *const passphrases[] = {"", "password", "123456", "foobar", "wrong"};
    bool read = false;

    for (size_t i = 0; i < sizeof passphrases / sizeof passphrases[0] && !read; i++) {
        int64_t key = tlsshim_key_load(data, len, str(passphrases[i]));

        read = taken(key, "key_load", path);
        if (read) {
            ask_key(key, path);
            tlsshim_close(key);
        }
    }
    tally->keys += read;
}

static void read_others(const uint8_t *data, int32_t len, const char *path, struct tally *tally)
{
    static const char *const passphrases[] = {"", "cryptography", "password"};
    int64_t tmpl = tlsshim_template_from_request(data, len);

    if (taken(tmpl, "template_from_request", path)) {
        tally->requests++;
        ask_text(tlsshim_template_text(tmpl, TLSSHIM_CERT_FULL, NULL, 0), path);
        tlsshim_close(tmpl);
    }
    taken(tlsshim_request_text(data, len, NULL, 0), "request_text", path);
    taken(tlsshim_crl_text(data, len, NULL, 0), "crl_text", path);
    taken(tlsshim_ocsp_text(data, len, NULL, 0), "ocsp_text", path);
    for (size_t i = 0; i < sizeof passphrases / sizeof passphrases[0]; i++) {
        int64_t identity = tlsshim_identity_load(data, len, str(passphrases[i]));

        if (taken(identity, "identity_load", path)) {
            tally->identities++;
            tlsshim_close(identity);
        }
        identity = tlsshim_identity_insecure_load_legacy(data, len, str(passphrases[i]));
        if (taken(identity, "identity_insecure_load_legacy", path)) {
            tally->identities++;
            tlsshim_close(identity);
        }
    }
}

static void read_file(const char *path, void *user)
{
    int32_t len;
    uint8_t *data;

    /* Tables of test numbers, of which there are many, hold nothing for us. */
    if (strstr(path, ".txt") != NULL || strstr(path, ".rsp") != NULL || strstr(path, ".fax") != NULL)
        return;
    data = corpus_read(path, &len);
    if (data == NULL || len > 1048576) {
        free(data);
        return;
    }
    read_certificates(data, len, path, user);
    read_keys(data, len, path, user);
    read_others(data, len, path, user);
    free(data);
}

START_TEST(every_file_is_read_or_refused_for_a_reason)
{
    static const char *const folders[] = {"x509", "asymmetric", "pkcs12", "pkcs7"};
    struct tally tally = {0};
    int64_t before = tlsshim_live(0);
    int files = 0;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        files += corpus_each(folders[i], read_file, &tally);
    ck_assert_int_gt(files, 1500);
    ck_assert_msg(tally.certificates > 450 && tally.keys > 40 && tally.requests > 8 &&
                      tally.identities > (tlsshim_has(str("legacy")) == 1 ? 50 : 1),
                  "read: %d certificates, %d keys, %d requests, %d identities", tally.certificates, tally.keys,
                  tally.requests, tally.identities);
    ck_assert_int_eq(tlsshim_live(0), before);
}
END_TEST

static void read_pem(const char *path, void *user)
{
    if (strcmp(path + strlen(path) - 4, ".pem") == 0)
        read_file(path, user);
}

START_TEST(cpythons_certificates_are_read_or_refused_for_a_reason)
{
    static const char folder[] = "/usr/lib/python3.11/test"; /* libpython3.11-testsuite */
    struct tally tally = {0};
    int64_t before = tlsshim_live(0);
    int64_t cert;

    corpus_each(folder, read_pem, &tally);
    ck_assert_msg(tally.certificates >= 10 && tally.keys >= 8, "read: %d certificates, %d keys", tally.certificates,
                  tally.keys);
    cert = a_handle(tlsshim_cert_load_file(str("/usr/lib/python3.11/test/allsans.pem")));
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str("www.python.org")), 0);
    ck_assert_int_eq(tlsshim_cert_matches_name(cert, str("127.0.0.1")), 1);
    tlsshim_close(cert);
    ck_assert_int_eq(tlsshim_live(0), before);
}
END_TEST

START_TEST(known_files_get_their_known_answers)
{
    static const struct {
        const char *path;
        const char *passphrase;
        int32_t code; /* of key_load */
    } keys[] = {
        {"asymmetric/PKCS8/unenc-rsa-pkcs8.pem", "", 0},
        {"asymmetric/PKCS8/enc-rsa-pkcs8.pem", "foobar", 0},
        {"asymmetric/PKCS8/enc-rsa-pkcs8.pem", "", TLSSHIM_E_PASSPHRASE},
        {"asymmetric/PKCS8/enc-rsa-pkcs8.pem", "wrong", TLSSHIM_E_PASSPHRASE},
        {"asymmetric/PKCS8/enc2-rsa-pkcs8.pem", "baz", 0},
        {"asymmetric/PKCS8/ec_private_key_encrypted.pem", "123456", 0},
        {"asymmetric/PKCS8/bad-encryption-oid.pem", "password", TLSSHIM_E_UNSUPPORTED},
        {"asymmetric/PKCS8/unenc-rsa-pkcs8.pub.pem", "", TLSSHIM_E_FORMAT},
        {"asymmetric/DER_Serialization/ec_private_key.der", "", 0},
        {"asymmetric/DER_Serialization/testrsa.der", "", 0},
        {"asymmetric/DER_Serialization/enc-rsa-pkcs8.der", "foobar", 0},
        {"asymmetric/DER_Serialization/rsa_public_key.der", "", TLSSHIM_E_FORMAT},
        {"asymmetric/PEM_Serialization/ec_private_key_encrypted.pem", "123456", 0},
        {"asymmetric/PEM_Serialization/rsa_private_key.pem", "123456", 0},
        {"asymmetric/Traditional_OpenSSL_Serialization/testrsa-encrypted.pem", "password", 0},
        {"asymmetric/Traditional_OpenSSL_Serialization/testrsa-encrypted.pem", "nope", TLSSHIM_E_PASSPHRASE},
        {"asymmetric/Ed25519/ed25519-pkcs8-enc.der", "password", 0},
        {"asymmetric/Ed448/ed448-pkcs8.pem", "", 0},
        {"asymmetric/OpenSSH/rsa-nopsw.key", "", TLSSHIM_E_FORMAT},
        {"x509/letsencryptx3.pem", "", TLSSHIM_E_EMPTY},
    };
    int64_t result;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *path = corpus_path(keys[i].path);

        result = tlsshim_key_load_file(str(path), str(keys[i].passphrase));
        ck_assert_msg(keys[i].code == 0 ? result >= 0 : support_has_code(result, keys[i].code), "%s: %s", keys[i].path,
                      support_text(result));
    }
    result = tlsshim_key_load_file(str(corpus_path("asymmetric/OpenSSH/rsa-nopsw.key")), NULL, 0);
    ck_assert(error_says(result, "ssh-keygen"));
    result = tlsshim_cert_load_file(str(corpus_path("x509/badasn1time.pem")));
    ck_assert(result >= 0 || support_has_code(result, TLSSHIM_E_FORMAT));
    result = a_handle(tlsshim_cert_load_file(str(corpus_path("x509/cryptography.io.with_garbage.pem"))));
    ck_assert_int_eq(tlsshim_cert_matches_name(result, str("www.cryptography.io")), 1);
    result = a_handle(tlsshim_cert_load_file(str(corpus_path("x509/cryptography.io.chain.pem"))));
    ck_assert_int_eq(tlsshim_cert_count(result), 2);
    result = tlsshim_identity_load_file(str(corpus_path("pkcs12/cert-rc2-key-3des.p12")), str("cryptography"));
    ck_assert_result(result, TLSSHIM_E_UNSUPPORTED);
    a_handle(tlsshim_identity_load_file(str(corpus_path("pkcs12/cert-key-aes256cbc.p12")), str("cryptography")));
    ck_assert_result(tlsshim_identity_load_file(str(corpus_path("pkcs12/cert-key-aes256cbc.p12")), str("wrong")),
                     TLSSHIM_E_PASSPHRASE);
    ck_assert_result(
        tlsshim_identity_load_file(str(corpus_path("pkcs12/cert-aes256cbc-no-key.p12")), str("cryptography")),
        TLSSHIM_E_EMPTY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tcase = tcase_create("files");

    tcase_set_timeout(tcase, 110);
    tcase_add_test(tcase, every_file_is_read_or_refused_for_a_reason);
    tcase_add_test(tcase, cpythons_certificates_are_read_or_refused_for_a_reason);
    tcase_add_test(tcase, known_files_get_their_known_answers);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
