#include "keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/error.h"
#include "conn.h"
#include "event.h"

enum { LINE_MOST = 512 };

struct keylog {
    struct refs refs;
    int fd;
};

/* Nothing but a file: a pipe would wait for its reader, and raise a signal once that is gone. */
static int32_t open_file(struct bytes path, int *fd)
{
    char name[PATH_LIMIT + 1];
    struct stat about;

    memcpy(name, path.data, path.len);
    name[path.len] = 0;
    *fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (*fd < 0)
        return error_system(errno, "the key log \"%s\" cannot be opened", name);
    if (fstat(*fd, &about) == 0 && S_ISREG(about.st_mode))
        return TLSSHIM_OK;
    close(*fd);
    return error_new(TLSSHIM_E_ARGUMENT, "the key log \"%s\" is no regular file", name);
}

int32_t keylog_open(struct bytes path, struct keylog **keylog)
{
    struct keylog *made = malloc(sizeof *made);
    int32_t result;

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&made->refs);
    result = open_file(path, &made->fd);
    if (result < 0)
        free(made);
    else
        *keylog = made;
    return result;
}

struct keylog *keylog_ref(struct keylog *keylog)
{
    if (keylog != NULL)
        refs_take(&keylog->refs);
    return keylog;
}

void keylog_drop(struct keylog *keylog)
{
    if (keylog == NULL || !refs_drop(&keylog->refs))
        return;
    close(keylog->fd);
    free(keylog);
}

/* In one write, so that lines of other threads and processes stay whole. What the disk does not take is lost: the
 * connection goes on. */
static void append(const struct keylog *keylog, const char *line, size_t len)
{
    char whole[LINE_MOST];

    if (len >= sizeof whole)
        return;
    memcpy(whole, line, len);
    whole[len] = '\n';
    while (write(keylog->fd, whole, len + 1) < 0 && errno == EINTR)
        continue;
    bytes_wipe(whole, sizeof whole);
}

/* A line as NSS writes them, without its end. */
static void on_line(const SSL *ssl, const char *line)
{
    struct conn *conn = conn_of(ssl);

    if (conn->setup->settings.keylog != NULL)
        append(conn->setup->settings.keylog, line, strlen(line));
    event_note(conn, TLSSHIM_EVENT_KEYLOG, line);
}

void keylog_install(const struct setup *setup)
{
    if (setup->settings.keylog != NULL || (setup->settings.events & TLSSHIM_EVENT_KEYLOG) != 0)
        SSL_CTX_set_keylog_callback(setup->ctx, on_line);
}

/* --- public --- */

int32_t tlsshim_context_set_keylog_file(int64_t context, const void *path, int32_t path_len)
{
    struct change change;
    struct bytes in = {0};
    struct keylog *keylog = NULL;
    int32_t result = change_begin(context, "context_set_keylog_file", &change);

    if (result < 0)
        return result;
    if (path_len != 0)
        result = path_in(path, path_len, "path", &in);
    if (result == TLSSHIM_OK && in.len > 0)
        result = keylog_open(in, &keylog);
    if (result == TLSSHIM_OK) {
        keylog_drop(change.settings->keylog);
        change.settings->keylog = keylog;
    }
    return change_end(&change, result);
}
