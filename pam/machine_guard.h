/*
 * An authenticator whose guard is a file that all programs of the machine share.
 */
#ifndef MACHINE_GUARD_H
#define MACHINE_GUARD_H

#include <stdio.h>

#include "factor2.h"

#define GUARD_FILE "/var/lib/factor2/guard.db"

/*
 * Makes one as factor2_authenticator_new() does, and the guard's file if it is missing. A text that is
 * too long or not UTF-8 leaves nothing, and such settings are refused.
 */
static factor2_status machine_guard_new(const char *issuer, const char *guard_path,
                                        factor2_authenticator **authenticator,
                                        factor2_response **response) {
    char issuer_json[2048], path_json[8192], config[sizeof issuer_json + sizeof path_json + 128];

    factor2_json_quote(issuer, FACTOR2_NUL_TERMINATED, issuer_json, sizeof issuer_json);
    factor2_json_quote(guard_path, FACTOR2_NUL_TERMINATED, path_json, sizeof path_json);
    sprintf(config, "{\"issuer\":%s,\"guard\":{\"store\":\"sqlite\",\"path\":%s,\"create\":true}}",
            issuer_json, path_json);
    return factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, authenticator, response);
}

#endif
