#include "pbe.h"

#include <openssl/x509.h>

#include "../base/backend.h"
#include "../base/error.h"

static bool is_modern_cipher(const X509_ALGOR *cipher)
{
    const ASN1_OBJECT *object;

    X509_ALGOR_get0(&object, NULL, NULL, cipher);
    switch (OBJ_obj2nid(object)) {
    case NID_aes_128_cbc:
    case NID_aes_192_cbc:
    case NID_aes_256_cbc:
    case NID_aes_128_gcm:
    case NID_aes_256_gcm:
        return true;
    default:
        return false;
    }
}

int32_t pbe_rounds(const ASN1_INTEGER *rounds, const char *label)
{
    int64_t n = 1;

    if (rounds == NULL || (ASN1_INTEGER_get_int64(&n, rounds) == 1 && n <= PBE_ROUNDS_MOST))
        return TLSSHIM_OK;
    error_forget_backend();
    return error_new(TLSSHIM_E_LIMIT, "%s: opening it would take more than %d rounds of work", label, PBE_ROUNDS_MOST);
}

/* The rounds of PBKDF2; other derivations have bounds of their own in the backend. */
static int32_t check_derivation(const X509_ALGOR *derivation, const char *label)
{
    PBKDF2PARAM *param = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), derivation->parameter);
    int32_t result = param == NULL ? TLSSHIM_OK : pbe_rounds(param->iter, label);

    PBKDF2PARAM_free(param);
    return result;
}

int32_t pbe_of(const X509_ALGOR *algorithm, const char *label, struct pbe *pbe)
{
    const ASN1_OBJECT *object;
    PBE2PARAM *pbes2 = NULL;
    PBEPARAM *pbes1 = NULL;
    int32_t result = TLSSHIM_OK;

    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    pbe->modern = false;
    if (OBJ_obj2nid(object) == NID_pbes2)
        pbes2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    else
        pbes1 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), algorithm->parameter);
    if (pbes2 != NULL) {
        pbe->modern = is_modern_cipher(pbes2->encryption);
        X509_ALGOR_get0(&object, NULL, NULL, pbes2->encryption);
        result = check_derivation(pbes2->keyfunc, label);
    } else if (pbes1 != NULL) {
        result = pbe_rounds(pbes1->iter, label);
    }
    OBJ_obj2txt(pbe->name, sizeof pbe->name, object, 0);
    PBE2PARAM_free(pbes2);
    PBEPARAM_free(pbes1);
    error_forget_backend();
    return result;
}
