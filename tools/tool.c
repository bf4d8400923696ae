#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void fail(const char *format, ...)
{
    va_list args;

    fputs("tlsshim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_BAD);
}

void misuse(const char *format, ...)
{
    va_list args;

    fputs("tlsshim: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nTry tlsshim --help.\n", stderr);
    exit(EXIT_USAGE);
}

static void *room(size_t size)
{
    void *made = calloc(1, size);

    if (made == NULL)
        fail("out of memory");
    return made;
}

char *text_of_error(int64_t result)
{
    int32_t len = tlsshim_error_text(result, NULL, 0);
    char *text = room((size_t)(len > 0 ? len : 0) + 1);

    if (len > 0)
        tlsshim_error_text(result, text, len);
    return text;
}

int64_t good(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    if (what == NULL)
        fail("%s", text_of_error(result));
    fail("%s: %s", what, text_of_error(result));
}

/* --- arguments --- */

static void take(struct args *args, int at, int count)
{
    memmove(args->at + at, args->at + at + count, (size_t)(args->count - at - count) * sizeof *args->at);
    args->count -= count;
}

bool args_flag(struct args *args, const char *name)
{
    for (int i = 0; i < args->count && strcmp(args->at[i], "--") != 0; i++)
        if (strcmp(args->at[i], name) == 0) {
            take(args, i, 1);
            return true;
        }
    return false;
}

const char *args_value(struct args *args, const char *name)
{
    size_t len = strlen(name);

    for (int i = 0; i < args->count && strcmp(args->at[i], "--") != 0; i++) {
        char *arg = args->at[i];

        if (strncmp(arg, name, len) != 0 || (arg[len] != 0 && arg[len] != '='))
            continue;
        if (arg[len] == '=') {
            take(args, i, 1);
            return arg + len + 1;
        }
        if (i + 1 == args->count)
            misuse("%s wants a value", name);
        arg = args->at[i + 1];
        take(args, i, 2);
        return arg;
    }
    return NULL;
}

const char *args_word(struct args *args)
{
    bool only_words = false;

    for (int i = 0; i < args->count; i++) {
        char *arg = args->at[i];

        if (!only_words && strcmp(arg, "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || strncmp(arg, "--", 2) != 0) {
            take(args, i, 1);
            return arg;
        }
    }
    return NULL;
}

void args_end(const struct args *args, const char *command)
{
    if (args->count > 0 && strcmp(args->at[0], "--") != 0)
        misuse("%s does not know %s", command, args->at[0]);
}

/* --- data --- */

void data_room(struct data *data, int32_t len)
{
    data->bytes = room((size_t)len + 1);
    data->len = len;
}

void data_end(struct data *data)
{
    if (data->bytes != NULL)
        explicit_bzero(data->bytes, (size_t)data->len);
    free(data->bytes);
    *data = (struct data){NULL, 0};
}

static char *text_or_none(int32_t len, struct data *data)
{
    if (len == TLSSHIM_NONE)
        return NULL;
    good(len, NULL);
    data_room(data, len);
    return data->bytes;
}

char *cert_field(int64_t cert, int32_t field)
{
    struct data data;
    char *text = text_or_none(tlsshim_cert_text(cert, field, NULL, 0), &data);

    if (text != NULL)
        good(tlsshim_cert_text(cert, field, text, data.len), NULL);
    return text;
}

char *cert_part(int64_t cert, int32_t list, int32_t index, int32_t part)
{
    struct data data;
    char *text = text_or_none(tlsshim_cert_list_at(cert, list, index, part, NULL, 0), &data);

    if (text != NULL)
        good(tlsshim_cert_list_at(cert, list, index, part, text, data.len), NULL);
    return text;
}

/* --- files --- */

struct data read_file(const char *path)
{
    struct data data = {NULL, 0};
    FILE *file = fopen(path, "rb");
    struct stat about;

    if (file == NULL || fstat(fileno(file), &about) != 0)
        fail("%s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode))
        fail("%s: it is a directory", path);
    if (about.st_size > 64 * 1024 * 1024)
        fail("%s: it is larger than 64 MiB", path);
    data_room(&data, (int32_t)about.st_size);
    data.len = (int32_t)fread(data.bytes, 1, (size_t)about.st_size, file);
    if (ferror(file) != 0)
        fail("%s: %s", path, strerror(errno));
    fclose(file);
    return data;
}

void write_file(const char *path, const struct data *data, bool secret, bool force)
{
    int fd;
    ssize_t written = 0;

    if (force && unlink(path) != 0 && errno != ENOENT)
        fail("%s: %s", path, strerror(errno));
    /* Always a fresh file, so that the mode is right from its first byte. */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0644);
    if (fd < 0 && errno == EEXIST)
        fail("%s is there already: choose another place with --out, or overwrite with --force", path);
    if (fd < 0)
        fail("%s: %s", path, strerror(errno));
    for (int32_t at = 0; at < data->len; at += (int32_t)written) {
        written = write(fd, data->bytes + at, (size_t)(data->len - at));
        if (written < 0)
            fail("%s: %s", path, strerror(errno));
    }
    if (close(fd) != 0)
        fail("%s: %s", path, strerror(errno));
}

char *read_line(const char *path)
{
    struct data data = read_file(path);

    data.bytes[strcspn(data.bytes, "\r\n")] = 0;
    return data.bytes;
}

char *with_ending(const char *base, const char *ending)
{
    char *path = room(strlen(base) + strlen(ending) + 1);

    strcpy(path, base);
    return strcat(path, ending);
}

char *without_ending(const char *path)
{
    char *base = strdup(path);
    char *dot = strrchr(base, '.');
    char *slash = strrchr(base, '/');

    if (dot != NULL && dot != base && (slash == NULL || dot > slash + 1))
        *dot = 0;
    return base;
}

/* --- words --- */

int64_t moment(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

    if (end == NULL || *end != 0) {
        memset(&tm, 0, sizeof tm);
        end = strptime(text, "%Y-%m-%d", &tm);
    }
    if (end == NULL || *end != 0)
        misuse("\"%s\" is no time; write 2026-11-21 or 2026-11-21T22:30:00Z", text);
    return (int64_t)timegm(&tm);
}

int32_t usage_mask(const char *text)
{
    static const struct {
        const char *name;
        int32_t bit;
    } usages[] = {
        {"server", TLSSHIM_USAGE_SERVER},
        {"client", TLSSHIM_USAGE_CLIENT},
        {"code-signing", TLSSHIM_USAGE_CODE_SIGNING},
        {"email", TLSSHIM_USAGE_EMAIL},
        {"ocsp", TLSSHIM_USAGE_OCSP},
        {"timestamp", TLSSHIM_USAGE_TIMESTAMP},
    };
    int32_t mask = 0;

    while (*text != 0) {
        size_t len = strcspn(text, ",");
        int32_t bit = 0;

        for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++)
            if (strlen(usages[i].name) == len && strncmp(usages[i].name, text, len) == 0)
                bit = usages[i].bit;
        if (bit == 0)
            misuse("\"%.*s\" is no usage; there are server, client, code-signing, email, ocsp, timestamp", (int)len,
                   text);
        mask |= bit;
        text += len + (text[len] == ',');
    }
    return mask;
}
