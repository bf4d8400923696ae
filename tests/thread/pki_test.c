#include <pthread.h>
#include <stdio.h>

#include "support/pki.h"

enum { THREADS = 4, ROUNDS = 40 };

static struct authority root;
static int64_t leaf;
static int64_t trust;
static int64_t tmpl;

/* Failures are counted, since only the test's own thread may fail it. */
static void *use_everything(void *user)
{
    int thread = (int)(intptr_t)user;
    intptr_t wrong = 0;
    struct blob out;

    for (int i = 0; i < ROUNDS; i++) {
        char name[64];
        int64_t copy = tlsshim_copy(trust);
        int64_t own;

        snprintf(name, sizeof name, "host-%d-%d.test", thread, i);
        wrong += tlsshim_trust_verify(trust, leaf, TLSSHIM_USAGE_SERVER, str("www.test"), NOW, 0) != TLSSHIM_OK;
        wrong += tlsshim_template_add_name(tmpl, str(name)) != TLSSHIM_OK;
        own = tlsshim_template_self_sign(tmpl, root.key);
        wrong += tlsshim_cert_matches_name(own, str(name)) != 1;
        wrong += tlsshim_trust_add_cert(trust, own) != 1;
        wrong += tlsshim_trust_verify(trust, own, 0, str(name), NOW, 0) != TLSSHIM_OK;
        wrong += tlsshim_trust_verify(copy, leaf, 0, NULL, 0, NOW, TLSSHIM_VERIFY_PARTIAL_CHAIN) != TLSSHIM_OK;
        wrong += blob_fill(&out, tlsshim_cert_text, leaf, TLSSHIM_CERT_FULL) <= 0;
        wrong += blob_fill(&out, tlsshim_key_sign, root.key, NULL, 0, "x", 1) <= 0;
        wrong += tlsshim_key_verify(root.key, NULL, 0, "x", 1, of_blob(&out)) != 1;
        tlsshim_close(own);
        tlsshim_close(copy);
    }
    return (void *)wrong;
}

START_TEST(handles_of_pki_are_shared_by_threads)
{
    pthread_t threads[THREADS];

    root = an_authority("CN=Root", -1, NULL);
    leaf = a_leaf(&root, "www.test");
    trust = a_trust(root.cert);
    tmpl = a_template("first.test");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_everything, (void *)(intptr_t)i), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;

        ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
        ck_assert_msg(wrong == NULL, "thread %d: %d answers were wrong", i, (int)(intptr_t)wrong);
    }
    ck_assert_int_eq(tlsshim_trust_count(trust, TLSSHIM_TRUST_ANCHORS), 1 + THREADS * ROUNDS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pki threads");
    TCase *tcase = tcase_create("pki threads");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, handles_of_pki_are_shared_by_threads);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
