#include "crl_reason.h"

#include <string.h>

static const char *const names[] = {"unspecified",   "keyCompromise",        "CACompromise",    "affiliationChanged",
                                    "superseded",    "cessationOfOperation", "certificateHold", NULL,
                                    "removeFromCRL", "privilegeWithdrawn",   "AACompromise"};
enum { REASONS = sizeof names / sizeof names[0] };

const char *crl_reason_name(long reason)
{
    return reason >= 0 && reason < REASONS && names[reason] != NULL ? names[reason] : "reason unknown";
}

int crl_reason_number(struct bytes name)
{
    for (int i = 0; i < REASONS; i++)
        if (names[i] != NULL && bytes_equal_text(name, names[i]))
            return i;
    return CRL_REASON_UNKNOWN;
}
