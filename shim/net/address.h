/* Internet addresses as text and back. */
#ifndef SHIM_NET_ADDRESS_H
#define SHIM_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_CAP = 80, HOST_LIMIT = 255 };

struct address {
    struct sockaddr_storage at;
    socklen_t len;
};

/* "10.0.0.1" or "fe80::1%eth0" and a port; false if the text is no address. */
bool address_parse(const char *text, int32_t port, struct address *address);
/* Without the port; an IPv4 address inside an IPv6 one as IPv4. False for addresses of other families. */
bool address_text(const struct address *address, char text[ADDRESS_TEXT_CAP]);
/* 0 for addresses of other families. */
int32_t address_port(const struct address *address);

#endif
