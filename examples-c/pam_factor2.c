/*
 * A PAM module: asks for the code of a second factor, for sshd and other daemons that know PAM.
 *
 *     make pam && sudo make install-pam
 *     auth required pam_factor2.so [secrets=DIR] [guard=FILE] [nullok] [echo]
 *
 *     secrets=DIR   the folder with one file per user, written by factor2-enroll
 *                   (/var/lib/factor2/users)
 *     guard=FILE    where accepted and wrong codes are remembered (/var/lib/factor2/guard.db)
 *     nullok        a user without a file is not asked: the module then says PAM_IGNORE
 *     echo          the code can be seen while it is typed
 *
 * A wrong option refuses everybody. So does all else that goes wrong, with PAM_AUTH_ERR: a user
 * without a secret looks like one with a wrong code, and no stack of modules can take "could not
 * tell" for a yes. PAM_MAXTRIES, which tells the program to stop asking, comes once the guard has
 * locked the secret; the user is told for how long.
 *
 * The log has the user's name and the reason, and never a secret or a code.
 *
 * It is linked to the shared libfactor2, so that an update of the library reaches it, and stays
 * mapped (-z nodelete), as the library's fork handlers do.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "factor2.h"
#include "json_escape.h"
#include "json_member.h"
#include "json_number.h"
#include "machine_guard.h"
#include "secret_file.h"

/* The one thing that other files may call. */
#define EXPORTED __attribute__((visibility("default")))

struct options {
    const char *secrets;
    const char *guard;
    int nullok;
    int echo;
};

static int read_options(pam_handle_t *pamh, int argc, const char **argv, struct options *options)
{
    int i;

    options->secrets = SECRET_FOLDER;
    options->guard = GUARD_FILE;
    options->nullok = options->echo = 0;
    for (i = 0; i < argc; i++) {
        if (strncmp(argv[i], "secrets=/", 9) == 0)
            options->secrets = argv[i] + 8;
        else if (strncmp(argv[i], "guard=/", 7) == 0)
            options->guard = argv[i] + 6;
        else if (strcmp(argv[i], "nullok") == 0)
            options->nullok = 1;
        else if (strcmp(argv[i], "echo") == 0)
            options->echo = 1;
        else {
            pam_syslog(pamh, LOG_ERR, "wrong option '%s': everybody is refused", argv[i]);
            return 0;
        }
    }
    return 1;
}

static void wipe_and_free(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* Tells the user how long to wait; gives 1 if no further code will be looked at now. */
static int locked(pam_handle_t *pamh, int silent, factor2_status status, long retry_after)
{
    if (!silent && retry_after > 0)
        pam_error(pamh, "Too many wrong codes. Try again in %ld seconds.", retry_after);
    else if (!silent && status == FACTOR2_DISABLED)
        pam_error(pamh, "Too many wrong codes. Ask your administrator.");
    return retry_after > 0 || status == FACTOR2_DISABLED;
}

static int verify(pam_handle_t *pamh, int silent, const char *guard, const char *user,
                  const char *secret, const char *code)
{
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    char secret_json[SECRET_SIZE * 6], code_json[512], request[2048], message[256];
    long retry_after;
    int verdict = PAM_SUCCESS;

    status = machine_guard_new("pam_factor2", guard, &authenticator, &response);
    if (status == FACTOR2_OK) {
        factor2_response_free(response);
        response = NULL;
        status = FACTOR2_REQUEST_TOO_LARGE;
        if (json_escape(secret, secret_json, sizeof secret_json) &&
            json_escape(code, code_json, sizeof code_json)) {
            sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":\"%s\"}", secret_json, code_json);
            status = factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
        }
        explicit_bzero(secret_json, sizeof secret_json);
        explicit_bzero(code_json, sizeof code_json);
        explicit_bzero(request, sizeof request);
    }
    if (status == FACTOR2_OK) {
        pam_syslog(pamh, LOG_INFO, "user '%s': accepted", user);
    } else {
        const char *json = factor2_response_json(response, NULL);
        if (!json_member(json, "message", message, sizeof message))
            strcpy(message, "no further details");
        retry_after = json_number(json, "retry_after_s", 0);
        pam_syslog(pamh, LOG_NOTICE, "user '%s': %s: %s (retry_after_s=%ld)", user,
                   factor2_status_name(status), message, retry_after);
        verdict = locked(pamh, silent, status, retry_after) ? PAM_MAXTRIES : PAM_AUTH_ERR;
    }
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
    return verdict;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct options options;
    const char *user = NULL, *why = NULL;
    char secret[SECRET_SIZE], *code = NULL;
    int silent = ((unsigned int)flags & PAM_SILENT) != 0;
    int found, absent, verdict = PAM_AUTH_ERR;

    /* Longer than the guard takes, so that time does not tell who has a secret. */
    pam_fail_delay(pamh, 1000000);
    if (!read_options(pamh, argc, argv, &options))
        return PAM_AUTH_ERR;
    if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
        return PAM_AUTH_ERR;
    if (!secret_file_name(user)) {
        pam_syslog(pamh, LOG_NOTICE, "refused: the user's name cannot be a file's name");
        return PAM_AUTH_ERR;
    }
    found = secret_file_read(options.secrets, user, secret, &why, &absent);
    if (absent && options.nullok)
        return PAM_IGNORE;
    if (pam_prompt(pamh, options.echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &code,
                   "Verification code: ") != PAM_SUCCESS || code == NULL)
        pam_syslog(pamh, LOG_NOTICE, "user '%s': no code was given", user);
    else if (!found)
        pam_syslog(pamh, absent ? LOG_NOTICE : LOG_ERR, "user '%s': %s in %s", user, why,
                   options.secrets);
    else
        verdict = verify(pamh, silent, options.guard, user, secret, code);
    explicit_bzero(secret, sizeof secret);
    wipe_and_free(code);
    return verdict;
}

EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
