#define _DEFAULT_SOURCE /* explicit_bzero, strncasecmp */

#include "http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow.h"
#include "pages.h"

enum { CONNECTION_MEMORY = 16384 };

static const char *header(const struct request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/*
 * Browsers keep a cookie named __Host-... to one host and to TLS. On the loopback interface there is
 * no TLS, and not every browser takes a Secure cookie there.
 */
static const char *cookie_name(const struct site *site) {
    return site->public_host != NULL ? "__Host-session" : "session";
}

static const char *cookie(const struct request *request) {
    return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND,
                                       cookie_name(request->site));
}

/* ---- Answers */

/* Tells the browser the session's id when it does not know it, and to forget that of an ended one. */
static int add_cookie(const struct request *request, struct MHD_Response *response) {
    const char *known = cookie(request), *id = request->session != NULL ? request->session->id : "";
    char line[256];

    if (strcmp(known != NULL ? known : "", id) == 0)
        return 1;
    /* Lax and not Strict: or a link from another site would come without it, and end the session. */
    snprintf(line, sizeof line, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s",
             cookie_name(request->site), id, request->site->public_host != NULL ? "; Secure" : "",
             id[0] == '\0' ? "; Max-Age=0" : "");
    return MHD_add_response_header(response, "Set-Cookie", line) == MHD_YES;
}

static enum MHD_Result answer(struct request *request, unsigned status,
                              struct MHD_Response *response, const char *type) {
    static const char *const headers[][2] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; "
                                    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        /* Not no-referrer: with it, browsers send `Origin: null` with the forms of this very site. */
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    enum MHD_Result result = MHD_NO;
    size_t i;
    int added = response != NULL && add_cookie(request, response) &&
                MHD_add_response_header(response, "Content-Type", type) == MHD_YES;

    for (i = 0; added && i < sizeof headers / sizeof headers[0]; i++)
        added = MHD_add_response_header(response, headers[i][0], headers[i][1]) == MHD_YES;
    if (added && request->site->public_host != NULL)
        added = MHD_add_response_header(response, "Strict-Transport-Security",
                                        "max-age=31536000") == MHD_YES;
    if (added && request->is_last)
        added = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (added)
        result = MHD_queue_response(request->connection, status, response);
    if (response != NULL)
        MHD_destroy_response(response);
    return result;
}

/* Answers by a text, with one more header unless `name` is NULL. */
static enum MHD_Result answer_text(struct request *request, unsigned status, struct text *text,
                                   const char *type, const char *name, const char *value) {
    struct MHD_Response *response;

    if (text->failed) {
        text_free(text);
        return MHD_NO;
    }
    response =
        MHD_create_response_from_buffer_with_free_callback(text->length, text->bytes, text_wipe);
    if (response == NULL)
        text_free(text);
    else if (name != NULL)
        MHD_add_response_header(response, name, value);
    return answer(request, status, response, type);
}

/* What http_page() does, with one more header. */
static enum MHD_Result page_with(struct request *request, unsigned status, struct text *page,
                                 const char *name, const char *value) {
    return answer_text(request, status, page, "text/html; charset=utf-8", name, value);
}

enum MHD_Result http_file(struct request *request, struct text *file, const char *name) {
    char disposition[128];

    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", name);
    return answer_text(request, MHD_HTTP_OK, file, "text/plain; charset=utf-8",
                       "Content-Disposition", disposition);
}

enum MHD_Result http_page(struct request *request, unsigned status, struct text *page,
                          long wait_s) {
    char seconds[32];

    snprintf(seconds, sizeof seconds, "%ld", wait_s);
    return page_with(request, status, page, wait_s > 0 ? "Retry-After" : NULL, seconds);
}

enum MHD_Result http_style(struct request *request, const char *style) {
    return answer(
        request, MHD_HTTP_OK,
        MHD_create_response_from_buffer(strlen(style), (void *)style, MHD_RESPMEM_MUST_COPY),
        "text/css; charset=utf-8");
}

enum MHD_Result http_redirect(struct request *request, const char *path) {
    struct text nothing = text_new();

    /* 303: the browser follows by GET, so reloading the next page repeats no form. */
    return page_with(request, MHD_HTTP_SEE_OTHER, &nothing, "Location", path);
}

static enum MHD_Result refuse(struct request *request, unsigned status, const char *title,
                              const char *why) {
    struct text page = page_message(title, why);

    return http_page(request, status, &page, 0);
}

/* ---- Requests */

static struct connection *opened_connection(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void suspend(void *connection) { MHD_suspend_connection(connection); }

static void resume(void *connection) { MHD_resume_connection(connection); }

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *found =
        c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

int http_field(const struct request *request, const char *name, char *out, size_t size) {
    const char *at = request->body;
    size_t name_length = strlen(name), used = 0;

    while (strncmp(at, name, name_length) != 0 || at[name_length] != '=') {
        at = strchr(at, '&');
        if (at == NULL)
            return 0;
        at++;
    }
    for (at += name_length + 1; *at != '\0' && *at != '&'; at++) {
        char byte = *at == '+' ? ' ' : *at;
        if (byte == '%') {
            int high = hex_digit(at[1]), low = high >= 0 ? hex_digit(at[2]) : -1;
            byte = low >= 0 ? (char)(high * 16 + low) : '\0';
            at += low >= 0 ? 2 : 0;
        }
        if (byte == '\0' || used + 1 >= size)
            return 0;
        out[used++] = byte;
    }
    out[used] = '\0';
    return 1;
}

/*
 * Whether this site is what the browser meant. A page elsewhere can give its own name the address
 * 127.0.0.1 (DNS rebinding) and then read what the server says; its Host tells.
 */
static int host_is_ours(const struct request *request) {
    const char *host = header(request, "Host");
    char ours[HOST_SIZE];

    if (host == NULL)
        return 0;
    if (request->site->public_host != NULL)
        return strcasecmp(host, request->site->public_host) == 0;
    snprintf(ours, sizeof ours, "127.0.0.1:%u", (unsigned)request->site->port);
    if (strcmp(host, ours) == 0)
        return 1;
    snprintf(ours, sizeof ours, "localhost:%u", (unsigned)request->site->port);
    return strcasecmp(host, ours) == 0;
}

/* Whether a form was sent by a page of this site. Old browsers don't say; they have the token only. */
static int origin_is_ours(const struct request *request) {
    const char *origin = header(request, "Origin"), *host = header(request, "Host");
    const char *scheme = request->site->public_host != NULL ? "https://" : "http://";
    size_t length = strlen(scheme);

    return origin == NULL ||
           (strncmp(origin, scheme, length) == 0 && strcasecmp(origin + length, host) == 0);
}

struct framing {
    int lengths;   /* how many headers tell the body's length */
    int odd_names; /* how many headers have a name that is none, such as "Content-Length " */
};

static enum MHD_Result note_header(void *of, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct framing *framing = of;

    (void)kind;
    (void)value;
    framing->lengths += strcasecmp(name, "Content-Length") == 0;
    framing->odd_names += name[strspn(name, token)] != '\0';
    return MHD_YES;
}

/*
 * Whether all who read this request find its end at the same place. If a proxy finds another one than
 * this server, a part of somebody's form is taken for a request (request smuggling).
 */
static int end_is_clear(const struct request *request) {
    const char *length = header(request, "Content-Length");
    struct framing framing = {0, 0};

    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, note_header, &framing);
    if (framing.odd_names > 0 || framing.lengths > 1)
        return 0;
    return length == NULL || (length[strspn(length, "0123456789")] == '\0' &&
                              header(request, "Transfer-Encoding") == NULL);
}

/* Refuses by the headers alone what is no form of ours. Gives 1 to go on, with *result unset. */
static int form_may_come(struct request *request, enum MHD_Result *result) {
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = header(request, "Content-Type"), *length = header(request, "Content-Length");

    if (!origin_is_ours(request))
        *result = refuse(request, MHD_HTTP_FORBIDDEN, "Not from here",
                         "This form was sent by another site. Nothing was changed.");
    else if (type == NULL || strncasecmp(type, form, sizeof form - 1) != 0 ||
             (type[sizeof form - 1] != '\0' && strchr("; ", type[sizeof form - 1]) == NULL))
        *result = refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Not a form", "Send a form.");
    else if (length == NULL)
        *result = refuse(request, MHD_HTTP_LENGTH_REQUIRED, "Length missing",
                         "Say how long the form is.");
    else if (strlen(length) > 4 || atoi(length) > BODY_SIZE)
        *result =
            refuse(request, MHD_HTTP_CONTENT_TOO_LARGE, "Too large", "The form is too large.");
    else
        return 1;
    return 0;
}

int http_hash(struct request *request, const char *password, const char *like) {
    struct hash_job *job = &request->job;

    strcpy(job->password, password);
    strcpy(job->like, like);
    job->from = request->from;
    job->wait = suspend;
    job->go_on = resume;
    job->context = request->connection;
    if (!hashers_take(&request->site->hashers, job))
        return 0;
    request->hash = job->hash; /* on_request() is not called before it is made */
    return 1;
}

/*
 * All is there: runs the route. The session may have ended while the form came, or while its password
 * was hashed, so it is looked up.
 */
static enum MHD_Result dispatch(struct request *request, int is_post) {
    char token[TOKEN_SIZE];

    request->session = sessions_find(&request->site->sessions, cookie(request));
    if (is_post) {
        if (request->session == NULL || !http_field(request, "csrf", token, sizeof token) ||
            !text_equal_secretly(token, request->session->csrf))
            return refuse(request, MHD_HTTP_FORBIDDEN, "This form is out of date",
                          "Nothing was changed. Start again, and allow cookies for this site.");
        return request->route->post(request);
    }
    return request->route->get(request);
}

/* libmicrohttpd calls it once with the headers, then for each part of the body, then at its end. */
static enum MHD_Result on_request(void *site, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *part,
                                  size_t *part_length, void **state) {
    const struct connection *opened = opened_connection(connection);
    struct request *request = *state;
    int is_post = strcmp(method, "POST") == 0;
    int is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    enum MHD_Result result = MHD_YES;

    (void)version;
    if (request != NULL) {
        if (*part_length == 0)
            return dispatch(request, is_post);
        if (!is_post || *part_length > BODY_SIZE - request->length)
            return MHD_NO;
        memcpy(request->body + request->length, part, *part_length);
        request->length += *part_length;
        *part_length = 0;
        return MHD_YES;
    }
    if (opened == NULL)
        return MHD_NO;
    *state = request = calloc(1, sizeof *request);
    if (request == NULL)
        return MHD_NO;
    request->connection = connection;
    request->site = site;
    request->from = opened->from;
    request->route = flow_route(path);
    request->session = sessions_find(&request->site->sessions, cookie(request));
    if (!end_is_clear(request)) {
        request->is_last = 1;
        return refuse(request, MHD_HTTP_BAD_REQUEST, "Not clear",
                      "Say how long the form is, once and in digits.");
    }
    if (!host_is_ours(request))
        return refuse(request, MHD_HTTP_MISDIRECTED_REQUEST, "Not this server",
                      "This server does not go by that name.");
    if (request->route == NULL)
        return refuse(request, MHD_HTTP_NOT_FOUND, "Not found", "There is no such page.");
    if (!(is_post && request->route->post != NULL) && !(is_get && request->route->get != NULL)) {
        struct text page = page_message("Not so", "This page does not take that method.");
        const char *allowed = request->route->post == NULL  ? "GET, HEAD"
                              : request->route->get == NULL ? "POST"
                                                            : "GET, HEAD, POST";
        return page_with(request, MHD_HTTP_METHOD_NOT_ALLOWED, &page, "Allow", allowed);
    }
    if (is_post)
        form_may_come(request, &result);
    return result;
}

/* Called when a connection is opened, and when it is about to be closed. */
static void on_connection(void *of, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code) {
    struct site *site = of;
    const union MHD_ConnectionInfo *info;
    in_addr_t from;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        connections_remove(&site->connections, *place);
        return;
    }
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    from = ((const struct sockaddr_in *)info->client_addr)->sin_addr.s_addr;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *place = connections_add(&site->connections, info->connect_fd, from);
}

static void on_completed(void *of, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    struct site *site = of;

    (void)code;
    connections_answered(&site->connections, opened_connection(connection));
    if (*state != NULL)
        explicit_bzero(*state, sizeof(struct request));
    free(*state);
    *state = NULL;
}

/* A socket that listens on the loopback interface; the port is known before the first request comes. */
static int listen_on(unsigned short port, unsigned short *bound) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0)
        return -1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        close(listener);
        return -1;
    }
    *bound = ntohs(address.sin_port);
    return listener;
}

struct MHD_Daemon *http_start(struct site *site, unsigned short port) {
    int listener = listen_on(port, &site->port);
    struct MHD_Daemon *daemon;

    if (listener < 0)
        return NULL;
    connections_init(&site->connections);
    if (!hashers_start(&site->hashers)) {
        close(listener);
        return NULL;
    }
    daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, site,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, site,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, site, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_PLACES, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_END);
    if (daemon == NULL) {
        hashers_end(&site->hashers);
        close(listener);
    }
    return daemon;
}

void http_stop(struct site *site, struct MHD_Daemon *daemon) {
    hashers_end(&site->hashers); /* first, so that no request waits for a hash any more */
    MHD_stop_daemon(daemon);
}
