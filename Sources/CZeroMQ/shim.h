#include <sys/eventfd.h>
#include <sys/timex.h>
#include <zmq.h>
