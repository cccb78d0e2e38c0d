/*
 * What the server asks of factor2: a secret, its QR code, whether a code is right.
 */
#ifndef WEB_FACTOR_H
#define WEB_FACTOR_H

#include "factor2.h"
#include "users.h"

enum { QR_SIZE = 32768 };

/* What came of a code. */
struct verdict {
    int http;      /* 200 only if the code was accepted */
    long wait_s;   /* when it was not: after how many seconds another one can be; -1 is never */
    int locked;    /* until then no code at all is looked at */
    int malformed; /* it was no code: such a try is not counted */
};

/* NULL, and a word on standard error, if it fails. */
factor2_authenticator *factor_new(void);

/* Makes a new secret for user->name into user->secret. Gives 0 if factor2 does not take the name. */
int factor_create(const factor2_authenticator *authenticator, struct user *user);

/* The QR code of the user's secret as a data: URI, or 0. */
int factor_qr(const factor2_authenticator *authenticator, const struct user *user,
              char qr[QR_SIZE]);

/* Checks what the user typed. An accepted code is used up. */
struct verdict factor_verify(const factor2_authenticator *authenticator, const char *secret,
                             const char *typed);

#endif
