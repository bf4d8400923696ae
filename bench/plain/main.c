/* Raw OpenSSL, the base that the other programs are measured against. */
#include "../meter.h"
#include "plain.h"

static const struct command commands[] = {
    {.name = "bulk", .prepare = bulk_prepare, .work = bulk_work},
    {.name = "threads", .prepare = handshake_prepare, .work = bulk_threads_work},
    {.name = "echo", .prepare = echo_prepare, .work = echo_work},
    {.name = "sockets", .prepare = sockets_prepare, .work = sockets_work},
    {.name = "handshake", .prepare = handshake_prepare, .work = handshake_work},
    {.name = "handshake_threads", .prepare = handshake_prepare, .work = handshake_threads_work},
    {.name = "open", .prepare = handshake_prepare, .work = open_work},
    {.name = "memory", .prepare = handshake_prepare, .value = memory_value},
    {.name = "key", .work = key_work},
    {.name = "self_signed", .prepare = self_signed_prepare, .work = self_signed_work},
    {.name = "parse", .prepare = parse_prepare, .work = parse_work},
    {.name = "bundle", .work = bundle_work},
    {.name = "system_context", .work = system_context_work},
    {.name = "cipher", .prepare = cipher_prepare, .work = cipher_work},
    {.name = "curve", .prepare = curve_prepare, .work = curve_work},
    {0},
};

int main(int argc, char **argv)
{
    return meter_main(argc, argv, commands);
}
