/*
 * A PAM module: asks for the code of a second factor, for sshd and other daemons that know PAM.
 *
 *     make pam && sudo make install-pam
 *     auth required pam_factor2.so [secrets=DIR] [guard=FILE] [nullok] [echo] [verbose]
 *
 *     secrets=DIR   the folder with one file per user, written by factor2-enroll
 *                   (/var/lib/factor2/users)
 *     guard=FILE    where accepted and wrong codes are remembered (/var/lib/factor2/guard.db)
 *     nullok        a user without a file is not asked: the module then says PAM_IGNORE
 *     echo          the code can be seen while it is typed
 *     verbose       a user who is locked is told for how long, which shows that they have a secret
 *
 * With a wrong option, everybody is refused. Whatever else goes wrong is a refusal as well, with
 * PAM_AUTH_ERR, so that no stack of modules can take "could not tell" for a yes. All refusals look alike:
 * one text, one result, and no sooner than a twentieth of a second after the code was typed. For a user
 * without a secret the guard does the same work as for a wrong code.
 *
 * A user's file has the name that the passwd database gives, however the name was spelt. A user that
 * the database does not know is asked even under `nullok`, and needs a file of exactly that name.
 *
 * The log has the user's name, where the login came from (PAM_RHOST), the service and the reason, and
 * never a secret or a code. What is not printable ASCII there, quotes and backslashes are written as
 * \xNN.
 *
 * While the guard is open, a user who has started a set-uid program such as su cannot stop it: the
 * program's real uid is root's for that time.
 *
 * It is linked to the shared libfactor2, so that an update of the library reaches it, and stays
 * mapped (-z nodelete), as the library's fork handlers do.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "account.h"
#include "factor2.h"
#include "log_line.h"
#include "machine_guard.h"
#include "secret_file.h"
#include "undisturbed.h"

/* The one thing that other files may call. */
#define EXPORTED __attribute__((visibility("default")))

/* No refusal comes sooner after the code; longer than the guard takes on an idle machine. */
enum { LEAST_TIME_MS = 50 };

struct options {
    const char *secrets;
    const char *guard;
    int nullok;
    int echo;
    int verbose;
};

static int read_options(pam_handle_t *pamh, int argc, const char **argv, struct options *options) {
    char shown[PRINTABLE_SIZE];
    int i;

    memset(options, 0, sizeof *options);
    options->secrets = SECRET_FOLDER;
    options->guard = GUARD_FILE;
    for (i = 0; i < argc; i++) {
        if (strncmp(argv[i], "secrets=/", 9) == 0)
            options->secrets = argv[i] + 8;
        else if (strncmp(argv[i], "guard=/", 7) == 0)
            options->guard = argv[i] + 6;
        else if (strcmp(argv[i], "nullok") == 0)
            options->nullok = 1;
        else if (strcmp(argv[i], "echo") == 0)
            options->echo = 1;
        else if (strcmp(argv[i], "verbose") == 0)
            options->verbose = 1;
        else {
            pam_syslog(pamh, LOG_ERR, "wrong option '%s': everybody is refused",
                       printable(argv[i], shown));
            return 0;
        }
    }
    return 1;
}

static void wipe_and_free(char *text) {
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* What came of a code: the guard's verdict, and why not in its own words. */
struct verdict {
    factor2_status status;
    long retry_after;
    char why[256];
};

/* Writes a text as a JSON string, NULL as JSON's null. Gives 0 if it does not fit, or is not UTF-8. */
static int quote(const char *text, char *json, size_t size) {
    if (text == NULL) {
        strcpy(json, "null");
        return 1;
    }
    return factor2_json_quote(text, FACTOR2_NUL_TERMINATED, json, size) < size;
}

/* Asks the guard. Without a secret, NULL, it does the same work for nobody. */
static void ask_guard(const char *guard, const char *secret, const char *code,
                      struct verdict *verdict) {
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    char secret_json[SECRET_SIZE * 6], code_json[512];
    char request[sizeof secret_json + sizeof code_json + 64];
    const char *why = "no further details", *text;

    verdict->status = machine_guard_new("pam_factor2", guard, &authenticator, &response);
    if (verdict->status == FACTOR2_OK) {
        factor2_response_free(response);
        response = NULL;
        if (quote(secret, secret_json, sizeof secret_json) &&
            quote(code, code_json, sizeof code_json)) {
            sprintf(request, "{\"totpsecret\":%s,\"otp\":%s}", secret_json, code_json);
            verdict->status =
                factor2_verify(authenticator, request, FACTOR2_NUL_TERMINATED, &response);
        } else {
            verdict->status = FACTOR2_BAD_REQUEST;
            why = "code or secret are too long, or not UTF-8";
        }
        explicit_bzero(secret_json, sizeof secret_json);
        explicit_bzero(code_json, sizeof code_json);
        explicit_bzero(request, sizeof request);
    }
    text = factor2_response_text(response, "error.retry_after_s", NULL);
    verdict->retry_after = text != NULL ? strtol(text, NULL, 10) : 0;
    text = factor2_response_text(response, "error.message", NULL);
    snprintf(verdict->why, sizeof verdict->why, "%s", text != NULL ? text : why);
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
}

/* Whether the code is the user's; the log is told why not. */
static int is_right(pam_handle_t *pamh, const struct options *options, const char *user,
                    const char *code, struct verdict *verdict) {
    struct undisturbed before;
    struct verdict nobodys;
    char name[ACCOUNT_SIZE], secret[SECRET_SIZE] = "", shown[PRINTABLE_SIZE];
    const char *why = "the user's name cannot be a file's name";
    int found = 0, absent = 1;

    account_name(user, name);
    if (secret_file_name(name))
        found = secret_file_read(options->secrets, name, secret, &why, &absent);
    if (!undisturbed_begin(&before)) {
        log_line(pamh, LOG_ERR, user, "the caller cannot be kept from stopping this program: %s",
                 strerror(errno));
        explicit_bzero(secret, sizeof secret);
        return 0;
    }
    ask_guard(options->guard, found ? secret : NULL, code, verdict);
    if (verdict->status == FACTOR2_INVALID_SECRET)
        ask_guard(options->guard, NULL, code, &nobodys);
    undisturbed_end(&before);
    explicit_bzero(secret, sizeof secret);
    if (!found)
        log_line(pamh, absent ? LOG_NOTICE : LOG_ERR, user, "%s in %s", why,
                 printable(options->secrets, shown));
    else if (verdict->status == FACTOR2_OK)
        log_line(pamh, LOG_INFO, user, "accepted");
    else
        log_line(pamh, LOG_NOTICE, user, "%s: %s (retry_after_s=%ld)",
                 factor2_status_name(verdict->status), verdict->why, verdict->retry_after);
    return found && verdict->status == FACTOR2_OK;
}

static void wait_since(const struct timespec *start) {
    struct timespec end = *start;

    end.tv_nsec += LEAST_TIME_MS * 1000000L;
    end.tv_sec += end.tv_nsec / 1000000000L;
    end.tv_nsec %= 1000000000L;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
        ;
}

/* The text of a refusal: one for everybody, but under `verbose`. */
static void tell(pam_handle_t *pamh, int verbose, const struct verdict *verdict) {
    if (verbose && verdict->retry_after > 0)
        pam_error(pamh, "Too many wrong codes. Try again in %ld seconds.", verdict->retry_after);
    else if (verbose && verdict->status == FACTOR2_DISABLED)
        pam_error(pamh, "Too many wrong codes. Ask your administrator.");
    else
        pam_error(pamh, "Code not accepted. After several wrong codes, wait before the next try.");
}

/* Whether the machine knows the user, who simply has no file. */
static int has_none(const struct options *options, const char *user) {
    char name[ACCOUNT_SIZE], secret[SECRET_SIZE];
    const char *why;
    int absent = 0;

    if (account_name(user, name) && secret_file_name(name))
        secret_file_read(options->secrets, name, secret, &why, &absent);
    explicit_bzero(secret, sizeof secret);
    return absent;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct options options;
    struct verdict verdict = {FACTOR2_UNKNOWN_ERROR, 0, ""};
    struct timespec start;
    const char *user = NULL;
    char *code = NULL;
    int right;

    /* Slows guessing down. It does not hide how long the module took: libpam adds it to that. */
    pam_fail_delay(pamh, 1000000);
    if (!read_options(pamh, argc, argv, &options))
        return PAM_AUTH_ERR;
    if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
        return PAM_AUTH_ERR;
    if (options.nullok && has_none(&options, user))
        return PAM_IGNORE;
    if (pam_prompt(pamh, options.echo ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF, &code,
                   "Verification code: ") != PAM_SUCCESS ||
        code == NULL) {
        log_line(pamh, LOG_NOTICE, user, "no code was given");
        wipe_and_free(code);
        return PAM_AUTH_ERR;
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    right = is_right(pamh, &options, user, code, &verdict);
    wipe_and_free(code);
    if (right)
        return PAM_SUCCESS;
    /* From here on nothing depends on who the user is. */
    wait_since(&start);
    if (((unsigned int)flags & PAM_SILENT) == 0)
        tell(pamh, options.verbose, &verdict);
    return PAM_AUTH_ERR;
}

EXPORTED int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_SUCCESS;
}
