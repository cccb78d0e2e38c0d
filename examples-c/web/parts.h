/*
 * What pages are made of.
 */
#ifndef WEB_PARTS_H
#define WEB_PARTS_H

#include "sessions.h"
#include "text.h"

/* `failed` if the page tells an error. */
struct text part_begin(const char *title, int failed);
struct text part_end(struct text page);

/* A form with the session's token; to be ended by </form>. */
void part_form(struct text *page, const struct session *session, const char *action);

/* A form that is one button. `class` is the button's, or NULL. */
void part_button(struct text *page, const struct session *session, const char *action,
                 const char *label, const char *class);

/* Nothing, if there is none. */
void part_notice(struct text *page, const struct session *session);
void part_error(struct text *page, const char *error);

/* Ties a field to the error above it, and to its hint. */
void part_described_by(struct text *page, int failed, const char *hint);

/* That no code is looked at for now, and for how long. */
void part_locked(struct text *page, const struct verdict *verdict);

/* A duration as people say it. */
enum { DURATION_SIZE = 48 };
const char *part_duration(long seconds, char out[DURATION_SIZE]);

#endif
