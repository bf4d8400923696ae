#include "meter.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int option_count;
static char **options;

void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

const char *option(const char *key, const char *otherwise)
{
    size_t len = strlen(key);

    for (int i = 0; i < option_count; i++)
        if (strncmp(options[i], key, len) == 0 && options[i][len] == '=')
            return options[i] + len + 1;
    return otherwise;
}

long option_number(const char *key, long otherwise)
{
    const char *text = option(key, NULL);

    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

const char *certs_file(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    const char *dir = getenv("BENCH_CERTS");

    snprintf(path, sizeof paths[0], "%s/%s", dir != NULL ? dir : ".", name);
    return path;
}

int32_t read_file(const char *path, void *data, int32_t cap)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL)
        die("%s cannot be opened", path);
    len = fread(data, 1, (size_t)cap, file);
    if (len == 0 || !feof(file))
        die("%s is empty or longer than %d bytes", path, cap);
    fclose(file);
    return (int32_t)len;
}

double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long all, here;

    if (file == NULL || fscanf(file, "%ld %ld", &all, &here) != 2)
        die("/proc/self/statm cannot be read");
    fclose(file);
    return (double)here * (double)sysconf(_SC_PAGESIZE) / 1024;
}

double now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct share {
    pthread_t thread;
    void (*work)(long);
    long amount;
};

static void *share_do(void *data)
{
    const struct share *share = data;

    share->work(share->amount);
    return NULL;
}

void in_threads(int count, void (*work)(long), long amount)
{
    struct share shares[16];

    if (count < 1 || count > 16)
        die("threads is 1 to 16");
    for (int i = 0; i < count; i++) {
        shares[i] = (struct share){.work = work, .amount = amount};
        if (pthread_create(&shares[i].thread, NULL, share_do, &shares[i]) != 0)
            die("no thread");
    }
    for (int i = 0; i < count; i++)
        pthread_join(shares[i].thread, NULL);
}

static const struct command *find(const struct command *commands, const char *name)
{
    for (; commands->name != NULL; commands++)
        if (strcmp(commands->name, name) == 0)
            return commands;
    die("there is no command \"%s\"", name);
}

int meter_main(int argc, char **argv, const struct command *commands)
{
    const struct command *command;
    char line[64];

    if (argc < 2)
        die("usage: %s COMMAND key=value... (amounts of work come as lines)", argv[0]);
    options = argv + 2;
    option_count = argc - 2;
    command = find(commands, argv[1]);
    if (command->prepare != NULL)
        command->prepare();
    while (fgets(line, sizeof line, stdin) != NULL) {
        long amount = strtol(line, NULL, 10);
        double cpu, wall;

        if (command->value != NULL) {
            cpu = wall = command->value(amount);
        } else {
            wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
            command->work(amount);
            cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu, wall = now(CLOCK_MONOTONIC) - wall;
        }
        printf("%.9f %.9f\n", cpu, wall);
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}
