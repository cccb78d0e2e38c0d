/*
 * The pages of the recovery codes: saved after the enrollment, typed when the phone is lost, renewed by
 * who is logged in.
 */
#ifndef WEB_RECOVERY_H
#define WEB_RECOVERY_H

#include "http.h"

/* In the place of a code. */
handler recovery_get, recovery_post;

/* New codes: the page, the file, and "I have saved them". */
handler recovery_get_codes, recovery_get_file, recovery_post_codes, recovery_post_saved;

#endif
