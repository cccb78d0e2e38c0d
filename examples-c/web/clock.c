#define _DEFAULT_SOURCE /* clock_gettime */

#include "clock.h"

#include <time.h>

milliseconds clock_now(void) {
    struct timespec now;

    return clock_gettime(CLOCK_MONOTONIC, &now) == 0
               ? (milliseconds)now.tv_sec * 1000 + now.tv_nsec / 1000000
               : 0;
}
