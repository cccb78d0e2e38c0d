/*
 * The pages. They need no script, no image but the QR code, and nothing from elsewhere.
 */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include "factor.h"
#include "sessions.h"
#include "text.h"

extern const char style_css[];

/* `error` and `verdict` are NULL when the page is shown for the first time. */
struct text page_signup(const struct session *session, const char *name, const char *error);
struct text page_enroll(const struct session *session, const struct enrollment *enrollment,
                        const struct verdict *verdict);
struct text page_login(const struct session *session, const char *name, const char *error);
struct text page_code(const struct session *session, const struct verdict *verdict);

/* `remaining` is how many recovery codes are left. */
struct text page_home(const struct session *session, long remaining);

/* One sentence and a way back. */
struct text page_message(const char *title, const char *message);

#endif
