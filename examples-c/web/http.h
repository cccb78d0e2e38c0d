/*
 * HTTP over libmicrohttpd: what may come in, what goes with every answer. The pages and their order
 * are flow.c's.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include <microhttpd.h>

#include "factor2.h"
#include "sessions.h"
#include "text.h"
#include "users.h"

enum { BODY_SIZE = 4096, HOST_SIZE = 256 };

/* All of the server's state. libmicrohttpd serves it from one thread, so nothing needs a lock. */
struct site {
    factor2_authenticator *authenticator;
    struct users users;
    struct sessions sessions;
    const char *public_host; /* behind a TLS proxy: the name that browsers see; otherwise NULL */
    unsigned short port;
};

struct request {
    struct MHD_Connection *connection;
    struct site *site;
    struct session *session; /* NULL if there is none, or once it has ended */
    const struct route *route;
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

/* Copies one field of the form. Gives 0 if it is missing, does not fit or is not well encoded. */
int http_field(const struct request *request, const char *name, char *out, size_t size);

/* Answers. Each takes the text over. `wait_s` above 0 becomes Retry-After. */
enum MHD_Result http_page(struct request *request, unsigned status, struct text *page, long wait_s);
enum MHD_Result http_style(struct request *request, const char *style);
enum MHD_Result http_redirect(struct request *request, const char *path);

#endif
