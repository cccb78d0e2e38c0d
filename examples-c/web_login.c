/*
 * A web login with a second factor: sign up, scan the QR code, confirm it by a first code, save
 * recovery codes; log in by password and code, or by a recovery code when the phone is lost; be refused
 * with a used code, and have to wait after wrong ones. Needs
 * libmicrohttpd and libcrypt (Debian: libmicrohttpd-dev, libcrypt-dev).
 *
 *     cargo build --release
 *     cc -o web_login -Iinclude examples-c/web_login.c examples-c/web/[a-z]*.c target/release/libfactor2.a -lmicrohttpd -lcrypt -lpthread -ldl -lm
 *     ./web_login [--key FILE] [PORT [PUBLIC-HOST]]
 *
 * It listens on 127.0.0.1 only and prints its address; without a PORT it takes a free one. PUBLIC-HOST
 * is for use behind a proxy that speaks TLS: the name in the browser's address line. Then, cookies are
 * for TLS only. Users are in memory and gone when it ends, by SIGTERM or ^C. Their secrets are sealed by
 * the key in FILE, web_login.key if it is not given, which is made when it is missing.
 *
 * Where to look: web/flow.c and web/recovery.c are the way through the pages, web/factor.c all that is
 * asked of factor2, web/key_file.c the key;
 * what a crowd can do is bounded in web/sessions.h, web/connections.h and web/hashing.h.
 */
#define _POSIX_C_SOURCE 200809L /* sigtimedwait */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factor2.h"
#include "web/factor.h"
#include "web/http.h"

/* A port's number, or -1. */
static long read_port(const char *typed) {
    char *end;
    long port = strtol(typed, &end, 10);

    return *typed >= '0' && *typed <= '9' && *end == '\0' && port <= 65535 ? port : -1;
}

/* Serves until a signal comes. */
static int serve(struct site *site, unsigned short port, const sigset_t *signals) {
    static const struct timespec second = {1, 0};
    struct MHD_Daemon *daemon = http_start(site, port);

    if (daemon == NULL) {
        fprintf(stderr, "web_login: cannot listen on port %u\n", (unsigned)port);
        return 0;
    }
    printf("http://127.0.0.1:%u/\n", (unsigned)site->port);
    fflush(stdout);
    while (sigtimedwait(signals, NULL, &second) < 0)
        connections_expire(&site->connections);
    http_stop(site, daemon);
    return 1;
}

int main(int argc, char **argv) {
    const char *key_path = "web_login.key";
    struct site *site;
    sigset_t signals;
    long port;
    int i, served;

    if (argc > 2 && strcmp(argv[1], "--key") == 0) {
        key_path = argv[2];
        argc -= 2;
        argv += 2;
    }
    port = argc > 1 ? read_port(argv[1]) : 0;
    if (port < 0 || argc > 3 ||
        (argc > 2 && (argv[2][0] == '\0' || strlen(argv[2]) >= HOST_SIZE))) {
        fprintf(stderr, "usage: web_login [--key FILE] [PORT [PUBLIC-HOST]]\n");
        return EXIT_FAILURE;
    }
    /* Before the other threads are made, which inherit this: main() alone gets the signals. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    site = calloc(1, sizeof *site);
    if (site == NULL)
        return EXIT_FAILURE;
    site->public_host = argc > 2 ? argv[2] : NULL;
    site->authenticator = factor_new(key_path);
    served = site->authenticator != NULL && users_init(&site->users) &&
             serve(site, (unsigned short)port, &signals);

    for (i = 0; i < SESSIONS_MAX; i++)
        session_end(&site->sessions.list[i]);
    users_forget(&site->users);
    factor2_authenticator_free(site->authenticator);
    free(site);
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
