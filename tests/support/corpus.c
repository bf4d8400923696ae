#include "support/corpus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char place[] = "/usr/lib/python3/dist-packages/cryptography_vectors";

const char *corpus_path(const char *below)
{
    static char path[CORPUS_PATH];
    const char *root = getenv("CORPUS");

    if (below[0] == '/')
        root = "";
    ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", root == NULL ? place : root, below), (int)sizeof path);
    return path;
}

static int each(const char *folder, void (*look)(const char *path, void *user), void *user)
{
    DIR *open = opendir(folder);
    struct dirent *entry;
    int count = 0;

    ck_assert_msg(open != NULL, "%s is not there: `scripts/need check` installs it", folder);
    while ((entry = readdir(open)) != NULL) {
        char path[CORPUS_PATH];
        struct stat about;

        if (entry->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= CORPUS_PATH ||
            stat(path, &about) != 0)
            continue;
        if (S_ISDIR(about.st_mode))
            count += each(path, look, user);
        else if (S_ISREG(about.st_mode)) {
            look(path, user);
            count++;
        }
    }
    closedir(open);
    return count;
}

int corpus_each(const char *below, void (*look)(const char *path, void *user), void *user)
{
    char folder[CORPUS_PATH];

    strcpy(folder, corpus_path(below));
    return each(folder, look, user);
}

uint8_t *corpus_read(const char *path, int32_t *len)
{
    enum { MOST = 4 * 1024 * 1024 };
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(MOST);
    size_t n;

    ck_assert(file != NULL && data != NULL);
    n = fread(data, 1, MOST, file);
    fclose(file);
    if (n == MOST) {
        free(data);
        return NULL;
    }
    *len = (int32_t)n;
    return data;
}
