/*
 * A request that has one text, for the operations that need no more. C99.
 */
#ifndef SECRET_REQUEST_H
#define SECRET_REQUEST_H

#include <stdio.h>
#include <string.h>

#include "factor2.h"
#include "secret_file.h"

/* Room for the longest text, however it is escaped. */
enum { SECRET_REQUEST_SIZE = SECRET_SIZE * 6 + 64 };

/* Writes it. A text that is not UTF-8 leaves a request that is refused. Yours to wipe. */
static void secret_request(const char *member, const char *text,
                           char request[SECRET_REQUEST_SIZE]) {
    size_t start = (size_t)sprintf(request, "{\"%s\":", member);

    factor2_json_quote(text, FACTOR2_NUL_TERMINATED, request + start,
                       SECRET_REQUEST_SIZE - start - 1);
    strcat(request, "}");
}

#endif
