#include "origin.h"

#include "error.h"

#ifdef TLSSHIM_BACKEND_STATIC

int32_t origin_check(void)
{
    return TLSSHIM_OK; /* linked in: there is no other */
}

#else

#include <dlfcn.h>
#include <link.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <string.h>

/* A program that was not built position-independent lends its own addresses to functions that it does not define. */
static bool merely_named_there(const ElfW(Sym) * symbol)
{
    return symbol != NULL && symbol->st_shndx == SHN_UNDEF;
}

/* A sample of each library's functions: a host that exports some of its own captures them by name. */
static int32_t one_file(void *const *symbols, size_t count, const char *library, Dl_info *origin)
{
    origin->dli_fbase = NULL;
    for (size_t i = 0; i < count; i++) {
        Dl_info info;
        const char *name;
        void *symbol = NULL;

        if (dladdr1(symbols[i], &info, &symbol, RTLD_DL_SYMENT) == 0 || info.dli_fname == NULL)
            return error_new(TLSSHIM_E_UNSUPPORTED, "the origin of %s cannot be found out", library);
        if (merely_named_there(symbol))
            continue;
        name = strrchr(info.dli_fname, '/');
        name = name == NULL ? info.dli_fname : name + 1;
        if (strncmp(name, library, strlen(library)) != 0)
            return error_new(TLSSHIM_E_UNSUPPORTED,
                             "this program exports an OpenSSL of its own (%s), which captures the calls meant for %s; "
                             "use the flavour of tlsshim that was built with BACKEND=static",
                             name, library);
        if (origin->dli_fbase != NULL && info.dli_fbase != origin->dli_fbase)
            return error_new(TLSSHIM_E_UNSUPPORTED, "two different copies of %s are loaded: %s and %s", library,
                             origin->dli_fname, info.dli_fname);
        *origin = info;
    }
    if (origin->dli_fbase == NULL)
        return error_new(TLSSHIM_E_UNSUPPORTED, "the origin of %s cannot be found out", library);
    return TLSSHIM_OK;
}

/* The libcrypto that libssl itself resolves to must be the one that we resolve to. */
static int32_t one_pair(const Dl_info *ssl, const Dl_info *crypto)
{
    void *library = dlopen(ssl->dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    void *version;
    Dl_info other;

    if (library == NULL)
        return TLSSHIM_OK;
    version = dlsym(library, "OpenSSL_version_num");
    dlclose(library);
    if (version != NULL && dladdr(version, &other) != 0 && other.dli_fbase != crypto->dli_fbase)
        return error_new(TLSSHIM_E_UNSUPPORTED, "%s belongs to another libcrypto than the one in use", ssl->dli_fname);
    return TLSSHIM_OK;
}

int32_t origin_check(void)
{
    void *const ssl_symbols[] = {
        (void *)(uintptr_t)SSL_CTX_new_ex,   (void *)(uintptr_t)SSL_new,       (void *)(uintptr_t)SSL_free,
        (void *)(uintptr_t)SSL_do_handshake, (void *)(uintptr_t)SSL_read_ex,   (void *)(uintptr_t)SSL_write_ex,
        (void *)(uintptr_t)SSL_CTX_free,     (void *)(uintptr_t)SSL_get_error, (void *)(uintptr_t)OPENSSL_init_ssl,
    };
    void *const crypto_symbols[] = {
        (void *)(uintptr_t)OpenSSL_version_num, (void *)(uintptr_t)OSSL_LIB_CTX_new, (void *)(uintptr_t)EVP_PKEY_free,
        (void *)(uintptr_t)X509_free,           (void *)(uintptr_t)X509_verify_cert, (void *)(uintptr_t)BIO_new,
        (void *)(uintptr_t)EVP_DigestSign,      (void *)(uintptr_t)CRYPTO_free,
    };
    Dl_info ssl, crypto;
    unsigned long loaded = OpenSSL_version_num();
    unsigned long built = OPENSSL_VERSION_NUMBER;
    int32_t result;

    result = one_file(ssl_symbols, sizeof ssl_symbols / sizeof ssl_symbols[0], "libssl.so", &ssl);
    if (result == TLSSHIM_OK)
        result = one_file(crypto_symbols, sizeof crypto_symbols / sizeof crypto_symbols[0], "libcrypto.so", &crypto);
    if (result == TLSSHIM_OK)
        result = one_pair(&ssl, &crypto);
    if (result == TLSSHIM_OK && (loaded >> 28 != built >> 28 || loaded >> 20 < built >> 20))
        result = error_new(TLSSHIM_E_UNSUPPORTED, "built with %s, but %s is loaded", OPENSSL_VERSION_TEXT,
                           OpenSSL_version(OPENSSL_VERSION));
    return result;
}

#endif
