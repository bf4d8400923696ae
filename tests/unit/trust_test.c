#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/pki.h"

#include "base/backend.h"
#include "base/handle.h"
#include "pki/trust.h"

static void write_file(const char *path, const void *data, int32_t len)
{
    FILE *file = fopen(path, "w");

    ck_assert(file != NULL);
    ck_assert_uint_eq(fwrite(data, 1, (size_t)len, file), (size_t)len);
    fclose(file);
}

static void digest_of(int64_t handle, uint8_t out[32])
{
    struct trust *trust;
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(trust_pin(handle, &trust));
    ck_assert_ok(trust_digest(trust, out));
    handle_unpin(handle);
    visit_leave(&visit);
}

static bool same_digest(int64_t a, int64_t b)
{
    uint8_t left[32];
    uint8_t right[32];

    digest_of(a, left);
    digest_of(b, right);
    return memcmp(left, right, 32) == 0;
}

START_TEST(anchors_are_added_once_and_counted)
{
    struct authority root = an_authority("CN=Root", -1, NULL);
    int64_t plain = a_handle(tlsshim_cert_self_signed(root.key, str("a.test"), 1));
    int64_t trust = a_handle(tlsshim_trust_new());
    int64_t first;
    struct blob data;

    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    ck_assert_int_eq(tlsshim_trust_add(trust, of_blob(&data)), 1);
    ck_assert_int_eq(tlsshim_trust_add(trust, of_blob(&data)), 0);
    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_DER);
    ck_assert_int_eq(tlsshim_trust_add(trust, of_blob(&data)), 0);
    ck_assert_int_eq(tlsshim_trust_add_cert(trust, plain), 1);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 2);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_CAS), 1);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_CRLS), 0);
    ck_assert_result(tlsshim_trust_count(trust, 0), TLSSHIM_E_ARGUMENT);
    first = a_handle(tlsshim_trust_at(trust, 0));
    blob_fill(&data, tlsshim_cert_text, first, TLSSHIM_CERT_SUBJECT);
    ck_assert(blob_is(&data, "CN=Root"));
    ck_assert_result(tlsshim_trust_at(trust, 2), TLSSHIM_NONE);
    ck_assert_result(tlsshim_trust_at(trust, -1), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(bad_input_adds_nothing)
{
    struct authority root = an_authority("CN=Root", -1, NULL);
    int64_t trust = a_handle(tlsshim_trust_new());
    struct blob data;

    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    memcpy(data.data + data.len, data.data, (size_t)data.len);
    memcpy(data.data + data.len + 40, "????", 4);
    ck_assert_result(tlsshim_trust_add(trust, data.data, 2 * data.len), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_trust_add(trust, str("hello")), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_trust_add(trust, NULL, 0), TLSSHIM_E_EMPTY);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 0);
}
END_TEST

START_TEST(files_and_directories_are_read)
{
    struct authority root = an_authority("CN=Root", -1, NULL);
    struct authority other = an_authority("CN=Other", -1, NULL);
    int64_t trust = a_handle(tlsshim_trust_new());
    char folder[] = "/tmp/tlsshim-trust-XXXXXX";
    char path[64];
    struct blob data;
    int64_t result;

    ck_assert(mkdtemp(folder) != NULL);
    ck_assert_result(tlsshim_trust_add_file(trust, str(folder)), TLSSHIM_E_EMPTY);
    snprintf(path, sizeof path, "%s/a.pem", folder);
    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    write_file(path, of_blob(&data));
    ck_assert_int_eq(tlsshim_trust_add_file(trust, str(path)), 1);
    snprintf(path, sizeof path, "%s/b.crt", folder);
    blob_fill(&data, tlsshim_cert_export, other.cert, TLSSHIM_FORMAT_DER);
    write_file(path, of_blob(&data));
    snprintf(path, sizeof path, "%s/README", folder);
    write_file(path, str("nothing here"));
    ck_assert_int_eq(tlsshim_trust_add_file(trust, str(folder)), 1);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 2);
    result = tlsshim_trust_add_file(trust, str(path));
    ck_assert_result(result, TLSSHIM_E_FORMAT);
    ck_assert(error_says(result, "README"));
    ck_assert_result(tlsshim_trust_add_file(trust, str("/no/such/file")), TLSSHIM_E_SYSTEM);
    snprintf(path, sizeof path, "rm -r %s", folder);
    ck_assert_int_eq(system(path), 0);
}
END_TEST

START_TEST(the_systems_anchors_are_shared_and_told)
{
    int64_t trust = a_handle(tlsshim_trust_new());
    int64_t again = a_handle(tlsshim_trust_new());
    struct authority root = an_authority("CN=Root", -1, NULL);
    char path[] = "/tmp/tlsshim-trust-XXXXXX";
    int fd = mkstemp(path);
    struct blob data;

    blob_fill(&data, tlsshim_cert_export, root.cert, TLSSHIM_FORMAT_PEM);
    ck_assert_int_eq(write(fd, data.data, (size_t)data.len), data.len);
    close(fd);
    unsetenv("SSL_CERT_DIR");
    setenv("SSL_CERT_FILE", path, 1);
    ck_assert_int_eq(tlsshim_trust_add_system(trust), 1);
    unlink(path);
    ck_assert_int_eq(tlsshim_trust_add_system(again), 1);
    ck_assert_int_eq(tlsshim_trust_add_system(again), 1);
    ck_assert_int_eq(tlsshim_trust_count(again, TLSSHIM_TRUST_ANCHORS), 1);
    ck_assert(same_digest(trust, again));
    ck_assert_ok(tlsshim_trust_verify(again, a_leaf(&root, "a.test"), 0, str("a.test"), NOW, 0));
    ck_assert_int_eq(tlsshim_trust_add_cert(again, an_authority("CN=More", -1, NULL).cert), 1);
    ck_assert_int_eq(tlsshim_trust_add_system(again), 1);
    ck_assert_int_eq(tlsshim_trust_count(again, TLSSHIM_TRUST_ANCHORS), 2);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 1);
    ck_assert(!same_digest(trust, again));
    ck_assert_ok(tlsshim_trust_verify(again, a_leaf(&root, "a.test"), 0, str("a.test"), NOW, 0));
}
END_TEST

START_TEST(a_system_without_anchors_says_where_it_looked)
{
    int64_t trust = a_handle(tlsshim_trust_new());
    int32_t result;

    setenv("SSL_CERT_FILE", "/no/such/bundle.pem", 1);
    setenv("SSL_CERT_DIR", "/no/such/folder", 1);
    result = tlsshim_trust_add_system(trust);
    ck_assert_result(result, TLSSHIM_E_EMPTY);
    ck_assert_msg(error_says(result, "/no/such/bundle.pem") && error_says(result, "/no/such/folder"), "%s",
                  support_text(result));
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 0);
}
END_TEST

START_TEST(equal_sets_have_equal_digests_in_any_order)
{
    struct authority one = an_authority("CN=One", -1, NULL);
    struct authority two = an_authority("CN=Two", -1, NULL);
    int64_t a = a_trust(one.cert);
    int64_t b = a_trust(two.cert);
    int64_t empty = a_handle(tlsshim_trust_new());

    ck_assert(!same_digest(a, b));
    ck_assert(!same_digest(a, empty));
    ck_assert_ok(tlsshim_trust_add_cert(a, two.cert));
    ck_assert(!same_digest(a, b));
    ck_assert_ok(tlsshim_trust_add_cert(b, one.cert));
    ck_assert(same_digest(a, b));
}
END_TEST

START_TEST(a_renewed_certificate_stands_beside_its_forerunner)
{
    int64_t key = a_key("P-256");
    int64_t old = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 30));
    int64_t renewed = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 90));
    int64_t stranger = a_handle(tlsshim_cert_self_signed(key, str("a.test"), 60));
    int64_t trust = a_trust(old);

    ck_assert_int_eq(tlsshim_trust_add_cert(trust, renewed), 1);
    ck_assert_ok(tlsshim_trust_verify(trust, old, TLSSHIM_USAGE_SERVER, str("a.test"), NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_ok(tlsshim_trust_verify(trust, renewed, TLSSHIM_USAGE_SERVER, str("a.test"), NOW, TLSSHIM_VERIFY_STRICT));
    ck_assert_result(tlsshim_trust_verify(trust, stranger, 0, NULL, 0, NOW, 0), TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(what_is_in_use_changes_only_as_a_copy)
{
    struct authority one = an_authority("CN=One", -1, NULL);
    struct authority two = an_authority("CN=Two", -1, NULL);
    int64_t trust = a_trust(one.cert);
    int64_t copy;
    struct trust *inside;
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(trust_pin(trust, &inside));
    trust_freeze(inside);
    handle_unpin(trust);
    visit_leave(&visit);
    ck_assert_result(tlsshim_trust_add_cert(trust, two.cert), TLSSHIM_E_FROZEN);
    ck_assert_result(tlsshim_trust_add_system(trust), TLSSHIM_E_FROZEN);
    copy = a_handle(tlsshim_copy(trust));
    ck_assert(same_digest(trust, copy));
    ck_assert_int_eq(tlsshim_trust_add_cert(copy, two.cert), 1);
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 1);
    ck_assert_int_eq(tlsshim_trust_count(copy, TLSSHIM_TRUST_ANCHORS), 2);
    ck_assert_result(tlsshim_trust_verify(trust, two.cert, 0, NULL, 0, NOW, 0), TLSSHIM_E_VERIFY);
    ck_assert_ok(tlsshim_trust_verify(copy, two.cert, 0, NULL, 0, NOW, 0));
}
END_TEST

START_TEST(an_anchor_added_after_a_judgement_counts_in_the_next)
{
    struct authority one = an_authority("CN=One", -1, NULL);
    struct authority two = an_authority("CN=Two", -1, NULL);
    int64_t trust = a_trust(one.cert);

    ck_assert_result(tlsshim_trust_verify(trust, two.cert, 0, NULL, 0, NOW, 0), TLSSHIM_E_VERIFY);
    ck_assert_int_eq(tlsshim_trust_add_cert(trust, two.cert), 1);
    ck_assert_ok(tlsshim_trust_verify(trust, two.cert, 0, NULL, 0, NOW, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trust");
    TCase *tcase = tcase_create("trust");

    tcase_set_timeout(tcase, 30);
    /* First, since the system's set is read once in a process. */
    tcase_add_test(tcase, a_system_without_anchors_says_where_it_looked);
    tcase_add_test(tcase, anchors_are_added_once_and_counted);
    tcase_add_test(tcase, bad_input_adds_nothing);
    tcase_add_test(tcase, files_and_directories_are_read);
    tcase_add_test(tcase, the_systems_anchors_are_shared_and_told);
    tcase_add_test(tcase, equal_sets_have_equal_digests_in_any_order);
    tcase_add_test(tcase, a_renewed_certificate_stands_beside_its_forerunner);
    tcase_add_test(tcase, what_is_in_use_changes_only_as_a_copy);
    tcase_add_test(tcase, an_anchor_added_after_a_judgement_counts_in_the_next);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
