/*
 * The pages of the recovery codes. They need no script: printing is the browser's.
 */
#ifndef WEB_PAGES_RECOVERY_H
#define WEB_PAGES_RECOVERY_H

#include "sessions.h"
#include "text.h"

/* Asks for a recovery code. `verdict` is NULL when the page is shown for the first time. */
struct text page_recovery(const struct session *session, const struct verdict *verdict);

/* The session's new codes, to be saved; `error` may be NULL. */
struct text page_recovery_codes(const struct session *session, const char *error);

/* The same as a text file. */
struct text page_recovery_file(const struct session *session);

#endif
