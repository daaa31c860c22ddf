#include <sys/eventfd.h>
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
