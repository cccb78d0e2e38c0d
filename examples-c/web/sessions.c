#define _DEFAULT_SOURCE /* explicit_bzero */

#include "sessions.h"

#include <string.h>
#include <sys/random.h>

#include "text.h"

static int make_token(char token[TOKEN_SIZE]) {
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

void session_end(struct session *session) { explicit_bzero(session, sizeof *session); }

struct session *sessions_find(struct sessions *sessions, const char *id) {
    struct session *found = NULL;
    milliseconds now = clock_now();
    int i;

    for (i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->list[i];
        if (session->stage == SESSION_FREE)
            continue;
        if (now - session->last_used > SESSION_IDLE_S * 1000)
            session_end(session);
        else if (id != NULL && text_equal_secretly(session->id, id))
            found = session;
    }
    if (found != NULL)
        found->last_used = now;
    return found;
}

static struct session *longer_idle(struct session *one, struct session *other) {
    return one == NULL || other->last_used < one->last_used ? other : one;
}

/* Where a session that is to be like `made` finds its place: a free one, or an older session's. */
static struct session *place_for(struct sessions *sessions, const struct session *made) {
    struct session *free = NULL, *rival = NULL, *stranger = NULL;
    int i, rivals = 0;

    for (i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &sessions->list[i];
        if (session->stage == SESSION_FREE) {
            free = session;
            continue;
        }
        if (session->user == NULL)
            stranger = longer_idle(stranger, session);
        if (session->stage == made->stage && session->user == made->user &&
            (made->user != NULL || session->from == made->from)) {
            rival = longer_idle(rival, session);
            rivals++;
        }
    }
    if (rivals >= (made->user != NULL ? SESSIONS_PER_USER : SESSIONS_PER_ADDRESS))
        return rival;
    return free != NULL ? free : stranger;
}

struct session *sessions_new(struct sessions *sessions, enum stage stage, const struct user *user,
                             in_addr_t from) {
    struct session made, *place;

    memset(&made, 0, sizeof made);
    made.stage = stage;
    made.user = user;
    made.from = from;
    made.last_used = clock_now();
    if (!make_token(made.id) || !make_token(made.csrf))
        return NULL;
    place = place_for(sessions, &made);
    session_end(place);
    *place = made;
    explicit_bzero(&made, sizeof made);
    return place;
}
