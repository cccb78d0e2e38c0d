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
 * Where the phone is lost, a recovery code (see factor2-enroll) lets in, typed in the place of the code.
 * The user is told how many are left. They have wrong codes and a lock of their own.
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

#include <ctype.h>
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

/* How many symbols a recovery code has. No other code has as many. */
enum { RECOVERY_SYMBOLS = 24 };

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
    long remaining; /* how many recovery codes are left, if it was one that let in; otherwise -1 */
    char why[256];
};

/* Whether what was typed is to be taken for a recovery code, by its length alone. */
static int is_recovery_code(const char *typed) {
    int symbols = 0;

    for (; *typed != '\0'; typed++)
        symbols += isascii((unsigned char)*typed) && isalnum((unsigned char)*typed);
    return symbols == RECOVERY_SYMBOLS;
}

/* Writes a text as a JSON string, NULL as JSON's null. Gives 0 if it does not fit, or is not UTF-8. */
static int quote(const char *text, char *json, size_t size) {
    if (text == NULL) {
        strcpy(json, "null");
        return 1;
    }
    return factor2_json_quote(text, FACTOR2_NUL_TERMINATED, json, size) < size;
}

/* Verifies a code, or a recovery code. Gives 0 if no request can be made of it. */
static int verify(const factor2_authenticator *authenticator, const struct secret_file *stored,
                  const char *code, factor2_status *status, factor2_response **response) {
    char stored_json[SECRET_SIZE * 6], code_json[512];
    char request[sizeof stored_json + sizeof code_json + 64];
    int recovers = is_recovery_code(code), asked;
    const char *text = stored == NULL ? NULL : recovers ? stored->recovery : stored->secret;

    /* Who has no recovery codes is nobody to them. */
    if (recovers && text != NULL && text[0] == '\0')
        text = NULL;
    asked =
        quote(text, stored_json, sizeof stored_json) && quote(code, code_json, sizeof code_json);
    if (asked) {
        sprintf(request,
                recovers ? "{\"recovery\":%s,\"code\":%s}" : "{\"totpsecret\":%s,\"otp\":%s}",
                stored_json, code_json);
        *status = (recovers ? factor2_verify_recovery_code : factor2_verify)(
            authenticator, request, FACTOR2_NUL_TERMINATED, response);
    }
    explicit_bzero(stored_json, sizeof stored_json);
    explicit_bzero(code_json, sizeof code_json);
    explicit_bzero(request, sizeof request);
    return asked;
}

/* A number of a response, or `otherwise`. */
static long number(const factor2_response *response, const char *path, long otherwise) {
    const char *text = factor2_response_text(response, path, NULL);

    return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

/* Asks the guard. Without what is stored of a user, NULL, it does the same work for nobody. */
static void ask_guard(const char *guard, const struct secret_file *stored, const char *code,
                      struct verdict *verdict) {
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    const char *why = "no further details", *text;

    verdict->status = machine_guard_new("pam_factor2", guard, &authenticator, &response);
    if (verdict->status == FACTOR2_OK) {
        factor2_response_free(response);
        response = NULL;
        if (!verify(authenticator, stored, code, &verdict->status, &response)) {
            verdict->status = FACTOR2_BAD_REQUEST;
            why = "code or secret are too long, or not UTF-8";
        }
    }
    verdict->retry_after = number(response, "error.retry_after_s", 0);
    verdict->remaining = number(response, "remaining", -1);
    text = factor2_response_text(response, "error.message", NULL);
    snprintf(verdict->why, sizeof verdict->why, "%s", text != NULL ? text : why);
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
}

static void log_verdict(pam_handle_t *pamh, const char *user, const struct verdict *verdict) {
    if (verdict->status != FACTOR2_OK)
        log_line(pamh, LOG_NOTICE, user, "%s: %s (retry_after_s=%ld)",
                 factor2_status_name(verdict->status), verdict->why, verdict->retry_after);
    else if (verdict->remaining >= 0)
        log_line(pamh, LOG_NOTICE, user, "accepted by a recovery code (%ld left)",
                 verdict->remaining);
    else
        log_line(pamh, LOG_INFO, user, "accepted");
}

/* Whether the code is the user's; the log is told why not. */
static int is_right(pam_handle_t *pamh, const struct options *options, const char *user,
                    const char *code, struct verdict *verdict) {
    struct undisturbed before;
    struct verdict nobodys;
    struct secret_file stored;
    char name[ACCOUNT_SIZE], shown[PRINTABLE_SIZE];
    const char *why = "the user's name cannot be a file's name";
    int found = 0, absent = 1;

    account_name(user, name);
    if (secret_file_name(name))
        found = secret_file_read(options->secrets, name, &stored, &why, &absent);
    if (!undisturbed_begin(&before)) {
        log_line(pamh, LOG_ERR, user, "the caller cannot be kept from stopping this program: %s",
                 strerror(errno));
        explicit_bzero(&stored, sizeof stored);
        return 0;
    }
    ask_guard(options->guard, found ? &stored : NULL, code, verdict);
    if (verdict->status == FACTOR2_INVALID_SECRET || verdict->status == FACTOR2_DATA_FORMAT)
        ask_guard(options->guard, NULL, code, &nobodys);
    undisturbed_end(&before);
    explicit_bzero(&stored, sizeof stored);
    if (found)
        log_verdict(pamh, user, verdict);
    else
        log_line(pamh, absent ? LOG_NOTICE : LOG_ERR, user, "%s in %s", why,
                 printable(options->secrets, shown));
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

/* Who is in by a recovery code should know that it is used up. */
static void tell_remaining(pam_handle_t *pamh, const struct verdict *verdict) {
    if (verdict->remaining >= 0)
        pam_info(pamh, "This recovery code is used up. %ld %s left.", verdict->remaining,
                 verdict->remaining == 1 ? "is" : "are");
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
    char name[ACCOUNT_SIZE];
    struct secret_file stored;
    const char *why;
    int absent = 0;

    if (account_name(user, name) && secret_file_name(name))
        secret_file_read(options->secrets, name, &stored, &why, &absent);
    explicit_bzero(&stored, sizeof stored);
    return absent;
}

EXPORTED int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct options options;
    struct verdict verdict = {FACTOR2_UNKNOWN_ERROR, 0, -1, ""};
    struct timespec start;
    const char *user = NULL;
    char *code = NULL;
    int right, silent = ((unsigned int)flags & PAM_SILENT) != 0;

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
    if (right && !silent)
        tell_remaining(pamh, &verdict);
    if (right)
        return PAM_SUCCESS;
    /* From here on nothing depends on who the user is. */
    wait_since(&start);
    if (!silent)
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
