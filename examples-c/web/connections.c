#include "connections.h"

#include <stddef.h>
#include <sys/socket.h>

/* libmicrohttpd reads the end of the stream then, and closes the socket. */
static void end(struct connection *connection) {
    shutdown(connection->socket, SHUT_RDWR);
    connection->state = CONNECTION_ENDED;
}

/* If there are `most` connections from an address, or from all when it is NULL, ends one. */
static void make_way(struct connections *connections, const in_addr_t *from, int most) {
    struct connection *longest = NULL;
    int i, count = 0;

    for (i = 0; i < CONNECTIONS_PLACES; i++) {
        struct connection *connection = &connections->list[i];
        if (connection->state != CONNECTION_OPEN || (from != NULL && connection->from != *from))
            continue;
        count++;
        if (longest == NULL || connection->waits_since < longest->waits_since)
            longest = connection;
    }
    if (count >= most)
        end(longest);
}

static struct connection *add(struct connections *connections, int socket, in_addr_t from) {
    int i;

    for (i = 0; i < CONNECTIONS_PLACES; i++) {
        struct connection *connection = &connections->list[i];
        if (connection->state == CONNECTION_FREE) {
            connection->state = CONNECTION_OPEN;
            connection->socket = socket;
            connection->from = from;
            connection->waits_since = clock_now();
            return connection;
        }
    }
    return NULL;
}

void connections_init(struct connections *connections) {
    pthread_mutex_init(&connections->lock, NULL);
}

struct connection *connections_add(struct connections *connections, int socket, in_addr_t from) {
    struct connection *added;

    pthread_mutex_lock(&connections->lock);
    make_way(connections, &from, CONNECTIONS_PER_ADDRESS);
    make_way(connections, NULL, CONNECTIONS_MAX);
    added = add(connections, socket, from);
    pthread_mutex_unlock(&connections->lock);
    return added;
}

void connections_answered(struct connections *connections, struct connection *connection) {
    pthread_mutex_lock(&connections->lock);
    if (connection != NULL)
        connection->waits_since = clock_now();
    pthread_mutex_unlock(&connections->lock);
}

void connections_remove(struct connections *connections, struct connection *connection) {
    pthread_mutex_lock(&connections->lock);
    if (connection != NULL)
        connection->state = CONNECTION_FREE;
    pthread_mutex_unlock(&connections->lock);
}

void connections_expire(struct connections *connections) {
    milliseconds now = clock_now();
    int i;

    pthread_mutex_lock(&connections->lock);
    for (i = 0; i < CONNECTIONS_PLACES; i++) {
        struct connection *connection = &connections->list[i];
        if (connection->state == CONNECTION_OPEN &&
            now - connection->waits_since > REQUEST_S * 1000)
            end(connection);
    }
    pthread_mutex_unlock(&connections->lock);
}
