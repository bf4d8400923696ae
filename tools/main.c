/* The tlsshim command. */
#include <stdio.h>

#include "tool.h"

static const char help[] =
    "tlsshim COMMAND ...\n"
    "\n"
    "  tlsshim cert     makes keys, certificates, requests, CRLs... (tlsshim cert --help)\n"
    "  tlsshim show     tells what is in a file: certificates, keys, CRLs, PKCS#12... (tlsshim show --help)\n"
    "  tlsshim verify   judges a certificate as a connection would, and says why (tlsshim verify --help)\n"
    "  tlsshim version  tells versions and where the system's trust anchors are\n";

static void print_version(const char *title, int32_t field)
{
    struct data text = {NULL, 0};

    if (tlsshim_version(field, NULL, 0) == TLSSHIM_NONE) {
        printf("%-14s none\n", title);
        return;
    }
    data_of(&text, title, tlsshim_version, field);
    printf("%-14s %s\n", title, text.bytes);
    data_end(&text);
}

static int run_version(struct args *args)
{
    args_end(args, "version");
    print_version("tlsshim", TLSSHIM_VERSION_SHIM);
    print_version("built with", TLSSHIM_VERSION_BUILT_WITH);
    print_version("running with", TLSSHIM_VERSION_LOADED);
    print_version("system trust", TLSSHIM_VERSION_SYSTEM_TRUST);
    return EXIT_GOOD;
}

static const struct {
    const char *name;
    int (*run)(struct args *args);
} commands[] = {
    {"cert", run_cert},
    {"show", run_show},
    {"verify", run_verify},
    {"version", run_version},
};

int main(int argc, char **argv)
{
    struct args args = {argc - 2, argv + 2};

    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&args);
    misuse("there is no command %s", argv[1]);
}
