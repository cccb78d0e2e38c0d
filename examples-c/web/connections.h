/*
 * Bounds what slow clients can hold. A connection has REQUEST_S seconds for a whole request and its
 * answer, however the bytes trickle: libmicrohttpd's own timeout starts anew with each of them. When
 * there are too many, of one address or of all, the one that has waited longest is ended.
 *
 * The bounds per address, here and in sessions.h and hashing.h, are for a server that faces its
 * clients. Behind a proxy all of them come from one address, and bounding them is the proxy's to do
 * (nginx: limit_conn, limit_req, client_header_timeout). X-Forwarded-For is not read, because it says
 * what the client likes unless the proxy overwrites it. With IPv6, count by /64: clients have whole ones.
 */
#ifndef WEB_CONNECTIONS_H
#define WEB_CONNECTIONS_H

#include <netinet/in.h>
#include <pthread.h>

#include "clock.h"

enum {
    CONNECTIONS_MAX = 400,
    CONNECTIONS_PER_ADDRESS = 100,
    CONNECTIONS_PLACES = 500, /* one that was ended keeps its place until it is closed */
    REQUEST_S = 15
};

struct connection {
    enum { CONNECTION_FREE, CONNECTION_OPEN, CONNECTION_ENDED } state;
    int socket;
    in_addr_t from;
    milliseconds waits_since;
};

struct connections {
    pthread_mutex_t lock;
    struct connection list[CONNECTIONS_PLACES];
};

void connections_init(struct connections *connections);

/* A new connection. NULL, which the next two take as well, if there is no place for it. */
struct connection *connections_add(struct connections *connections, int socket, in_addr_t from);

/* Its request was answered: the time for the next one begins. */
void connections_answered(struct connections *connections, struct connection *connection);

/* Its socket is about to be closed. */
void connections_remove(struct connections *connections, struct connection *connection);

/* Ends those that have waited for too long. To be called every second. */
void connections_expire(struct connections *connections);

#endif
