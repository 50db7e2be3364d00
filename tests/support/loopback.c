/* Preloaded into a real Kodi: its web server has no setting for the address that it binds.
 * What would be bound to any address is bound to 127.0.0.1, and nothing is sent or connected elsewhere. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static int is_local(const struct sockaddr *address)
{
    if (address && address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(six) || (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == 127);
    }
    return 1;
}

int bind(int socket, const struct sockaddr *address, socklen_t length)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_storage local;
    memset(&local, 0, sizeof local);
    if (address && length <= sizeof local)
        memcpy(&local, address, length);
    if (local.ss_family == AF_INET && ((struct sockaddr_in *)&local)->sin_addr.s_addr == htonl(INADDR_ANY))
        ((struct sockaddr_in *)&local)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (local.ss_family == AF_INET6
             && IN6_IS_ADDR_UNSPECIFIED(&((struct sockaddr_in6 *)&local)->sin6_addr)) {
        struct in6_addr *six = &((struct sockaddr_in6 *)&local)->sin6_addr;
        int only_six = 0;
        socklen_t size = sizeof only_six;
        getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only_six, &size);
        if (only_six)
            *six = in6addr_loopback;
        else
            inet_pton(AF_INET6, "::ffff:127.0.0.1", six);
    } else
        return next(socket, address, length);
    return next(socket, (struct sockaddr *)&local, length);
}

int connect(int socket, const struct sockaddr *address, socklen_t length)
{
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
    if (!is_local(address)) {
        errno = ENETUNREACH;
        return -1;
    }
    return next(socket, address, length);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    next = dlsym(RTLD_NEXT, "sendto");
    if (!is_local(address)) {
        errno = ENETUNREACH;
        return -1;
    }
    return next(socket, data, size, flags, address, length);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    struct in6_addr parsed;
    next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node && strcmp(node, "localhost") && inet_pton(AF_INET, node, &parsed) != 1
        && inet_pton(AF_INET6, node, &parsed) != 1)
        return EAI_NONAME;
    return next(node, service, hints, result);
}
