#include "config.h"

#include <errno.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "error.h"

/* The modules that act on a library context alone. The others (ssl_conf, oid_section, engines...) act on the whole
 * process, and so on the host. */
static bool keeps_to_the_context(const char *module)
{
    static const char *const modules[] = {"providers", "alg_section", "random"};
    size_t len = strcspn(module, ".");

    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        if (strlen(modules[i]) == len && memcmp(modules[i], module, len) == 0)
            return true;
    return false;
}

static int32_t judge_modules(const CONF *conf, const char *path)
{
    char *section = NCONF_get_string(conf, NULL, "openssl_conf");
    STACK_OF(CONF_VALUE) *modules = section == NULL ? NULL : NCONF_get_section(conf, section);

    if (modules == NULL)
        return error_new(TLSSHIM_E_FORMAT, "%s has no openssl_conf section", path);
    for (int i = 0; i < sk_CONF_VALUE_num(modules); i++) {
        const char *name = sk_CONF_VALUE_value(modules, i)->name;

        if (!keeps_to_the_context(name))
            return error_new(TLSSHIM_E_FORMAT,
                             "\"%s\" in %s would change the host's OpenSSL too: only providers, "
                             "alg_section and random can be used",
                             name, path);
    }
    return TLSSHIM_OK;
}

/* The backend is silent about a provider that does not load. */
static int32_t judge_outcome(OSSL_LIB_CTX *context, const char *path)
{
    EVP_MD *digest = EVP_MD_fetch(context, "SHA2-256", NULL);

    if (digest == NULL)
        return error_backend(TLSSHIM_E_FORMAT, "no provider that %s names can be used", path);
    EVP_MD_free(digest);
    return TLSSHIM_OK;
}

int32_t config_load(OSSL_LIB_CTX *context, const char *path)
{
    CONF *conf;
    int32_t result;

    if (access(path, R_OK) != 0)
        return error_system(errno, "configuration file %s cannot be read", path);
    conf = NCONF_new_ex(context, NULL);
    if (conf == NULL)
        return TLSSHIM_E_MEMORY;
    OPENSSL_load_builtin_modules(); /* a host that wanted no configuration has not loaded them */
    if (NCONF_load(conf, path, NULL) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "%s is no configuration file", path);
    else
        result = judge_modules(conf, path);
    if (result == TLSSHIM_OK && CONF_modules_load(conf, NULL, 0) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "configuration file %s cannot be used", path);
    if (result == TLSSHIM_OK)
        result = judge_outcome(context, path);
    NCONF_free(conf);
    return result;
}
