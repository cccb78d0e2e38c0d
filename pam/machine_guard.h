/*
 * An authenticator whose guard is a file that all programs of the machine share.
 */
#ifndef MACHINE_GUARD_H
#define MACHINE_GUARD_H

#include <stdio.h>

#include "../examples-c/json_escape.h"

#include "factor2.h"

#define GUARD_FILE "/var/lib/factor2/guard.db"

/* Makes one as factor2_authenticator_new() does, and the guard's file if it is missing. */
static factor2_status machine_guard_new(const char *issuer, const char *guard_path,
                                        factor2_authenticator **authenticator,
                                        factor2_response **response) {
    char issuer_json[2048], path_json[8192], config[sizeof issuer_json + sizeof path_json + 128];

    *authenticator = NULL;
    *response = NULL;
    if (!json_escape(issuer, issuer_json, sizeof issuer_json) ||
        !json_escape(guard_path, path_json, sizeof path_json))
        return FACTOR2_REQUEST_TOO_LARGE;
    sprintf(config,
            "{\"issuer\":\"%s\",\"guard\":{\"store\":\"sqlite\",\"path\":\"%s\",\"create\":true}}",
            issuer_json, path_json);
    return factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, authenticator, response);
}

#endif
