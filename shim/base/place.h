/* Where this machine keeps its trust anchors. */
#ifndef SHIM_BASE_PLACE_H
#define SHIM_BASE_PLACE_H

#include <stdbool.h>

#include "bytes.h"

/* Empty = none. */
struct place_of_anchors {
    char file[PATH_LIMIT + 1];
    char folder[PATH_LIMIT + 1];
};

/* SSL_CERT_FILE and SSL_CERT_DIR if either is set, else the first usual location that is there. False if none is. */
bool place_of_anchors(struct place_of_anchors *place);

#endif
