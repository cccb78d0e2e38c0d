/*
 * The sessions, in memory and bounded. What a session knows stays on the server; the browser has only
 * the id, 256 random bits.
 */
#ifndef WEB_SESSIONS_H
#define WEB_SESSIONS_H

#include <time.h>

#include "users.h"

enum { SESSIONS_MAX = 1000, SESSION_IDLE_S = 900, TOKEN_SIZE = 65 };

enum stage {
    SESSION_FREE,
    SESSION_ANONYMOUS, /* has seen a form */
    SESSION_ENROLLING, /* `pending` has signed up and not yet confirmed the secret */
    SESSION_PASSWORD,  /* `user` gave the password, and not yet a code */
    SESSION_LOGGED_IN
};

struct session {
    enum stage stage;
    char id[TOKEN_SIZE];
    char csrf[TOKEN_SIZE]; /* what this session's forms carry, and other sites cannot know */
    time_t last_used;      /* of the monotonic clock */
    struct user pending;
    const struct user *user;
    const char *notice; /* shown once, on the next page */
};

struct sessions {
    struct session list[SESSIONS_MAX];
};

/* The live session of that id, or NULL; `id` may be NULL. An id that a client made up is never taken. */
struct session *sessions_find(struct sessions *sessions, const char *id);

/*
 * A new anonymous session. If there is no room, the longest idle one that is not logged in makes way.
 * NULL if all are logged in, or there is no randomness.
 */
struct session *sessions_new(struct sessions *sessions);

/*
 * Moves a session on: new id, new token, nothing kept of the stage before. Whoever knew the old id,
 * or planted it, has nothing. Gives 0, and ends the session, if there is no randomness.
 */
int session_move(struct session *session, enum stage stage);

/* Ends a session and wipes what it knew. */
void session_end(struct session *session);

#endif
