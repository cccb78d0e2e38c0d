/*
 * Milliseconds since some point in time, by the clock that nobody sets.
 */
#ifndef WEB_CLOCK_H
#define WEB_CLOCK_H

typedef long long milliseconds;

milliseconds clock_now(void);

#endif
