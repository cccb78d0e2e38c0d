/*
 * A user's new recovery codes on paper or on a screen. C99.
 */
#ifndef RECOVERY_PRINT_H
#define RECOVERY_PRINT_H

#include <stdio.h>

#include "factor2.h"

/* Prints the codes of a response of factor2_create_recovery_codes(). Gives 0 if that fails. */
static int recovery_print(const char *user, const factor2_response *made) {
    char path[32];
    const char *code;
    int count = 0;

    printf("Recovery codes of %s. Each lets in once, in the place of a code of the app:\n\n", user);
    while (sprintf(path, "codes.%d", count),
           (code = factor2_response_text(made, path, NULL)) != NULL) {
        printf("    %s\n", code);
        count++;
    }
    printf("\n%d codes. They are not shown again, and older ones are void.\n", count);
    return fflush(stdout) == 0 && !ferror(stdout);
}

#endif
