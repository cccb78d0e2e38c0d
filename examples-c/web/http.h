/*
 * HTTP over libmicrohttpd: what may come in, what goes with every answer. The pages and their order
 * are flow.c's.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include <microhttpd.h>

#include "connections.h"
#include "factor2.h"
#include "hashing.h"
#include "sessions.h"
#include "text.h"
#include "users.h"

enum { BODY_SIZE = 4096, HOST_SIZE = 256 };

/*
 * All of the server's state. libmicrohttpd serves it from one thread; only what that shares with main()
 * and the hashers, connections and hashers, has locks.
 */
struct site {
    factor2_authenticator *authenticator;
    struct users users;
    struct sessions sessions;
    struct connections connections;
    struct hashers hashers;
    const char *public_host; /* behind a TLS proxy: the name that browsers see; otherwise NULL */
    unsigned short port;
};

struct request {
    struct MHD_Connection *connection;
    struct site *site;
    struct session *session; /* NULL if there is none, or once it has ended */
    const struct route *route;
    in_addr_t from;
    int is_last;         /* on its connection, because what follows may not be a request */
    struct hash_job job; /* see http_hash() */
    const char *hash;    /* NULL until it is made */
    char body[BODY_SIZE + 1];
    size_t length;
};

typedef enum MHD_Result handler(struct request *request);

struct route {
    const char *path;
    handler *get;
    handler *post;
};

/* Starts the server on the loopback interface and sets site->port. NULL if it cannot. */
struct MHD_Daemon *http_start(struct site *site, unsigned short port);

void http_stop(struct site *site, struct MHD_Daemon *daemon);

/* Copies one field of the form. Gives 0 if it is missing, does not fit or is not well encoded. */
int http_field(const struct request *request, const char *name, char *out, size_t size);

/*
 * Lets a password be hashed, with the salt of the hash `like`; then the handler is called once more, with
 * request->hash set. Gives 0 if too many wait already.
 */
int http_hash(struct request *request, const char *password, const char *like);

/* Answers. Each takes the text over. `wait_s` above 0 becomes Retry-After. */
enum MHD_Result http_page(struct request *request, unsigned status, struct text *page, long wait_s);
/* A text to be saved under that name. */
enum MHD_Result http_file(struct request *request, struct text *file, const char *name);
enum MHD_Result http_style(struct request *request, const char *style);
enum MHD_Result http_redirect(struct request *request, const char *path);

#endif
