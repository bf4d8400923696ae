/* One run of tlsshim cert: what the making of certificates, lists and answers has in common. */
#ifndef TOOLS_JOB_H
#define TOOLS_JOB_H

#include "tool.h"

enum { DAY = 86400 };

struct job {
    const char *command;
    const char *out;
    bool force;
    int64_t tmpl;
    int64_t key;      /* 0 = none yet */
    bool key_is_new;  /* and so is to be written */
    int64_t ca;       /* identity, or 0 */
    char *passphrase; /* "" = none */
};

/* Takes what every command knows: --out, --force, --ca, the passphrases. */
struct job job_start(struct args *args, const char *command);
void job_needs_ca(const struct job *job);
void job_has_no_ca(const struct job *job);
/* Take --key and --key-type; validity; subject, usage, digest and the like; names, of which one may be demanded. */
void job_key(struct job *job, struct args *args);
void job_validity(struct job *job, struct args *args);
void job_settings(struct job *job, struct args *args);
void job_names(struct job *job, struct args *args, bool wanted);

/* The identity of BASE.pem and BASE.key. */
int64_t job_load(const char *base, const char *passphrase);
/* The first line of the file that an option names; "" without the option. */
char *job_passphrase(struct args *args, const char *option);
int32_t job_number(const char *text, const char *option);

/* The path without ending that the files begin with, to be freed. */
char *job_base(const struct job *job);
void job_write_key(const struct job *job, const char *base);
/* Writes the certificate, and a new key: the exit code. */
int job_finish(struct job *job, int64_t cert);

/* The makers that live elsewhere. */
int run_crl(struct args *args);
int run_ocsp(struct args *args);
int run_pkcs12(struct args *args);

#endif
