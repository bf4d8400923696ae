/* tlsshim from C. */
#include "../meter.h"
#include "shim.h"

static const struct command commands[] = {
    {.name = "certs", .work = certs_work},
    {.name = "bulk", .prepare = bulk_prepare, .work = bulk_work},
    {.name = "gather", .prepare = bulk_prepare, .work = gather_work},
    {.name = "threads", .prepare = handshake_prepare, .work = bulk_threads_work},
    {.name = "echo", .prepare = bulk_prepare, .work = echo_work},
    {.name = "sockets", .prepare = sockets_prepare, .work = sockets_work},
    {.name = "handshake", .prepare = handshake_prepare, .work = handshake_work},
    {.name = "handshake_threads", .prepare = handshake_prepare, .work = handshake_threads_work},
    {.name = "open", .prepare = handshake_prepare, .work = open_work},
    {.name = "memory", .prepare = handshake_prepare, .value = memory_value},
    {.name = "lock", .prepare = lock_prepare, .value = lock_value},
    {.name = "key", .work = key_work},
    {.name = "self_signed", .prepare = self_signed_prepare, .work = self_signed_work},
    {.name = "parse", .prepare = parse_prepare, .work = parse_work},
    {.name = "bundle", .work = bundle_work},
    {.name = "system_context", .prepare = system_context_prepare, .work = system_context_work},
    {.name = "pin", .prepare = pin_prepare, .work = pin_work},
    {.name = "visit", .work = visit_work},
    {0},
};

int main(int argc, char **argv)
{
    return meter_main(argc, argv, commands);
}
