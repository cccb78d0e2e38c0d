/*
 * The sessions, in memory and bounded. What a session knows stays on the server; the browser has only
 * the id, 256 random bits.
 */
#ifndef WEB_SESSIONS_H
#define WEB_SESSIONS_H

#include <netinet/in.h>

#include "clock.h"
#include "factor.h"
#include "users.h"

enum {
    SESSIONS_PER_ADDRESS = 100, /* at one stage before the password was given */
    SESSIONS_PER_USER = 5,      /* at one stage after it */
    SESSIONS_MAX = 2000, /* more than all users can have, so that strangers have places, too */
    SESSION_IDLE_S = 900,
    TOKEN_SIZE = 65
};

enum stage {
    SESSION_FREE,
    SESSION_ANONYMOUS, /* has seen a form */
    SESSION_ENROLLING, /* `pending` has signed up and not yet confirmed the secret */
    SESSION_SAVING,    /* `user` has confirmed the secret, and is to save the recovery codes */
    SESSION_PASSWORD,  /* `user` gave the password, and not yet a code */
    SESSION_LOGGED_IN
};

struct session {
    enum stage stage;
    char id[TOKEN_SIZE];
    char csrf[TOKEN_SIZE]; /* what this session's forms carry, and other sites cannot know */
    milliseconds last_used;
    in_addr_t from; /* the address that it was made for */
    struct user pending;
    const struct user *user;     /* NULL until the password was given */
    const char *notice;          /* shown once, on the next page */
    struct recovery_codes codes; /* shown until the user says that they are saved */
};

struct sessions {
    struct session list[SESSIONS_MAX];
};

/* The live session of that id, or NULL; `id` may be NULL. An id that a client made up is never taken. */
struct session *sessions_find(struct sessions *sessions, const char *id);

/*
 * A new session. At each stage there is a limit of sessions for an address, or, once the password was
 * given, for a user; beyond it, the one that was idle longest makes way. So strangers can only push out
 * each other, and nobody who has given a password. NULL if there is no randomness.
 */
struct session *sessions_new(struct sessions *sessions, enum stage stage, const struct user *user,
                             in_addr_t from);

/* Ends a session and wipes what it knew. */
void session_end(struct session *session);

#endif
