#include "algorithm.h"

#include <string.h>
#include <strings.h>

bool algorithm_named(const OSSL_ALGORITHM *algorithm, const char *name)
{
    size_t len = strlen(name);
    const char *names = algorithm->algorithm_names;

    for (; names != NULL; names = strchr(names, ':')) {
        names += *names == ':';
        if (strncasecmp(names, name, len) == 0 && (names[len] == ':' || names[len] == '\0'))
            return true;
    }
    return false;
}
