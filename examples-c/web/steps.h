/*
 * What the handlers of all pages share: where a session stands, and how it moves on.
 */
#ifndef WEB_STEPS_H
#define WEB_STEPS_H

#include "http.h"

int step_is_at(const struct request *request, enum stage stage);

/* Whether the session has recovery codes that the user has not saved yet. */
int step_has_codes(const struct request *request);

/* The page that comes next for the session. */
const char *step_next_page(const struct request *request);

/*
 * Moves the session on: new id, new token, nothing kept of the stage before. Whoever knew the old id, or
 * planted it, has nothing. Gives 0 if that cannot be.
 */
int step_move_to(struct request *request, enum stage stage, const struct user *user);

enum MHD_Result step_fail(struct request *request, unsigned status, const char *title,
                          const char *message);

/* Something went wrong that is not the user's fault. */
enum MHD_Result step_not_now(struct request *request);

#endif
