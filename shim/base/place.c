#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const usual_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo, Alpine */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/var/lib/ca-certificates/ca-bundle.pem",            /* openSUSE, newer */
    "/usr/local/share/certs/ca-root-nss.crt",            /* FreeBSD */
    "/etc/ssl/cert.pem",                                 /* OpenBSD, macOS, Alpine */
};

static const char *const usual_folders[] = {"/etc/ssl/certs", "/etc/pki/tls/certs"};

static bool put(char *place, const char *path)
{
    int len = snprintf(place, PATH_LIMIT + 1, "%s", path);

    return len > 0 && len <= PATH_LIMIT;
}

bool place_of_anchors(struct place_of_anchors *place)
{
    const char *file = secure_getenv("SSL_CERT_FILE");
    const char *folder = secure_getenv("SSL_CERT_DIR");

    place->file[0] = place->folder[0] = 0;
    if (file != NULL || folder != NULL) {
        bool have_file = file != NULL && put(place->file, file);
        bool have_folder = folder != NULL && put(place->folder, folder);

        return have_file || have_folder;
    }
    for (size_t i = 0; i < sizeof usual_files / sizeof usual_files[0]; i++)
        if (access(usual_files[i], R_OK) == 0)
            return put(place->file, usual_files[i]);
    for (size_t i = 0; i < sizeof usual_folders / sizeof usual_folders[0]; i++)
        if (access(usual_folders[i], R_OK | X_OK) == 0)
            return put(place->folder, usual_folders[i]);
    return false;
}
