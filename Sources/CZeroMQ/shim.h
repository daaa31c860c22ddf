#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <zmq.h>

#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

/// Bytes that have come over a TCP connection; 0 when the descriptor is none.
///
/// `tcpi_bytes_received` of `struct tcp_info` in linux/tcp.h, which glibc's own header of that name does not have yet: byte 128
/// on every machine, and since Linux 4.1.
static inline uint64_t tcp_bytes_received(int descriptor) {
    unsigned char info[136];
    socklen_t length = sizeof info;
    uint64_t count;
    if (getsockopt(descriptor, IPPROTO_TCP, 11 /* TCP_INFO */, info, &length) != 0 || length < sizeof info) return 0;
    memcpy(&count, info + 128, sizeof count);
    return count;
}

/// A number that no other socket of this machine has (SO_COOKIE, since Linux 4.12); 0 when the descriptor is no socket.
static inline uint64_t socket_cookie(int descriptor) {
    uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (getsockopt(descriptor, SOL_SOCKET, 57 /* SO_COOKIE */, &cookie, &length) != 0) return 0;
    return cookie;
}

/// Bytes that were written into a connection and that the other side has not taken; 0 when the descriptor is none.
static inline int untaken_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : 0;
}
