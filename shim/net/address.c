#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool address_parse(const char *text, int32_t port, struct address *address)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct in_addr strict;
    struct addrinfo *found;
    char service[16];

    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(text, service, &hints, &found) != 0)
        return false;
    /* The library reads "1" and "010.1" as addresses too: surprises of inet_aton that nobody means. */
    if (found->ai_family == AF_INET && inet_pton(AF_INET, text, &strict) != 1) {
        freeaddrinfo(found);
        return false;
    }
    address->len = found->ai_addrlen;
    memcpy(&address->at, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

bool address_text(const struct address *address, char text[ADDRESS_TEXT_CAP])
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->at;

    if (address->at.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], text, ADDRESS_TEXT_CAP) != NULL;
    if (address->at.ss_family != AF_INET && address->at.ss_family != AF_INET6)
        return false;
    return getnameinfo((const struct sockaddr *)&address->at, address->len, text, ADDRESS_TEXT_CAP, NULL, 0,
                       NI_NUMERICHOST) == 0;
}

int32_t address_port(const struct address *address)
{
    if (address->at.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address->at)->sin_port);
    if (address->at.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address->at)->sin6_port);
    return 0;
}
