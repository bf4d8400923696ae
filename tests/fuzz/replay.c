/* replay FILE...: runs a target over files without a fuzzer; each is counted once it has passed. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void replay(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    len = fread(data, 1, sizeof data, file);
    fclose(file);
    LLVMFuzzerTestOneInput(data, len);
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        fprintf(stderr, "%s\n", paths[i]); /* the last line names the file that broke it */
        replay(paths[i]);
    }
    printf("%d replayed\n", count - 1);
    return 0;
}
