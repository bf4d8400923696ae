/* For those who make wrong chains. What they get and keep is closed when the test ends. */
#ifndef TESTS_FLOW_WRONG_CHAINS_H
#define TESTS_FLOW_WRONG_CHAINS_H

#include "wrong.h"

/* An authority below certs()->ca, and the keys of all leaves. */
extern int64_t wrong_intermediate, wrong_leaf_key, wrong_rsa_key;

X509 *x509_of(int64_t cert);
EVP_PKEY *pkey_of(int64_t key);
/* A template for a client's or a server's certificate; names with commas between. */
int64_t a_leaf_template(bool client, const char *names);
/* Shows a certificate by this authority; gives it, too. */
int64_t issue_for(struct shown *shown, int64_t tmpl, int64_t key, int64_t ca);
int64_t issue(struct shown *shown, int64_t tmpl, int64_t ca);
/* One for "www.test". */
int64_t issue_from(struct shown *shown, bool client, int64_t ca);
void good_rsa(struct shown *shown, bool client);
void show(struct shown *shown, int64_t cert, int64_t key);

/* Spoiling what is shown. */
X509 *the_intermediate(const struct shown *shown);
/* In place of the one it has, if it has one. */
void put_extension(X509 *cert, const char *oid, int critical, const void *data, size_t len);
void sign_with(X509 *cert, EVP_PKEY *key, const EVP_MD *digest);
void sign_again(X509 *cert, int64_t ca);

#endif
