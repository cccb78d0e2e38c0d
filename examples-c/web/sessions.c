#define _DEFAULT_SOURCE /* explicit_bzero, clock_gettime */

#include "sessions.h"

#include <string.h>
#include <sys/random.h>

#include "text.h"

static time_t now(void)
{
    struct timespec time;

    return clock_gettime(CLOCK_MONOTONIC, &time) == 0 ? time.tv_sec : 0;
}

static int make_token(char token[TOKEN_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char random[TOKEN_SIZE / 2];
    size_t i;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return 0;
    for (i = 0; i < sizeof random; i++) {
        token[2 * i] = hex[random[i] >> 4];
        token[2 * i + 1] = hex[random[i] & 15];
    }
    token[2 * i] = '\0';
    return 1;
}

void session_end(struct session *session)
{
    explicit_bzero(session, sizeof *session);
}

int session_move(struct session *session, enum stage stage)
{
    session_end(session);
    if (!make_token(session->id) || !make_token(session->csrf)) {
        session_end(session);
        return 0;
    }
    session->stage = stage;
    session->last_used = now();
    return 1;
}

struct session *sessions_find(struct sessions *sessions, const char *id)
{
    struct session *found = NULL;
    time_t time = now();
    int i;

    for (i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->list[i];
        if (session->stage == SESSION_FREE)
            continue;
        if (time - session->last_used > SESSION_IDLE_S)
            session_end(session);
        else if (id != NULL && text_equal_secretly(session->id, id))
            found = session;
    }
    if (found != NULL)
        found->last_used = time;
    return found;
}

struct session *sessions_new(struct sessions *sessions)
{
    struct session *place = NULL;
    int i;

    for (i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->list[i];
        if (session->stage == SESSION_FREE) {
            place = session;
            break;
        }
        if (session->stage != SESSION_LOGGED_IN &&
            (place == NULL || session->last_used < place->last_used))
            place = session;
    }
    return place != NULL && session_move(place, SESSION_ANONYMOUS) ? place : NULL;
}
