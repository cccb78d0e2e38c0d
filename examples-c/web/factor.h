/*
 * What the server asks of factor2: a secret, its QR code, recovery codes, whether a code is right.
 */
#ifndef WEB_FACTOR_H
#define WEB_FACTOR_H

#include "factor2.h"
#include "users.h"

enum { QR_SIZE = 8192, RECOVERY_CODES = 10, RECOVERY_CODE_SIZE = 32 };

/* What a user sees of a secret. */
struct enrollment {
    char qr[QR_SIZE]; /* the QR code as an SVG element */
    char secret[129]; /* base32 */
};

/* New recovery codes, for the user, and what is stored of them. No codes: the count is 0. */
struct recovery_codes {
    int count;
    char codes[RECOVERY_CODES][RECOVERY_CODE_SIZE];
    char recovery[RECOVERY_SIZE];
};

/* What came of a code. */
struct verdict {
    int http;      /* 200 only if the code was accepted */
    long wait_s;   /* when it was not: after how many seconds another one can be; -1 is never */
    int locked;    /* until then no code at all is looked at */
    int malformed; /* it was no code: such a try is not counted */
};

/* Seals the secrets by the key in this file. NULL, and a word on standard error, if it fails. */
factor2_authenticator *factor_new(const char *key_path);

/* Makes a new secret for user->name into user->secret. Gives 0 if factor2 does not take the name. */
int factor_create(const factor2_authenticator *authenticator, struct user *user);

/* What to show of the user's secret, or 0. Yours to wipe. */
int factor_show(const factor2_authenticator *authenticator, const struct user *user,
                struct enrollment *enrollment);

/* Checks what the user typed. An accepted code is used up. */
struct verdict factor_verify(const factor2_authenticator *authenticator, const struct user *user,
                             const char *typed);

/* Makes new recovery codes, or gives 0. Yours to wipe. */
int factor_make_codes(const factor2_authenticator *authenticator, struct recovery_codes *codes);

/* Checks a recovery code. An accepted one is used up. */
struct verdict factor_recover(const factor2_authenticator *authenticator, const struct user *user,
                              const char *typed);

/* How many of the user's recovery codes are left; 0 if there are none. */
long factor_remaining(const factor2_authenticator *authenticator, const struct user *user);

#endif
