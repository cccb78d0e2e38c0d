/*
 * factor2-enroll: gives a user of this machine a second factor, which pam_factor2 then asks for.
 * It shows the QR code, and writes the user's file once a first code has confirmed it.
 *
 *     make pam && sudo make install-pam
 *     sudo factor2-enroll alice
 *
 * Run it as the user that the daemon runs as: root for most. When somebody is enrolled, DIR and FILE's
 * folder are made if they are missing, and the folder that they are in, for that user alone.
 *
 * The user's file has the name that the passwd database gives, and the program says so if that is
 * not the name that was typed.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "factor2.h"
#include "folder_make.h"
#include "machine_guard.h"
#include "printable.h"
#include "secret_file.h"
#include "secret_list.h"

static const char usage[] =
    "Usage: factor2-enroll [OPTION]... USER | --list\n"
    "Gives USER a second factor, which pam_factor2 asks for: shows a QR code for an\n"
    "authenticator app, and stores the secret once a first code has confirmed it.\n"
    "\n"
    "  -i, --issuer NAME   the machine's name as apps show it (the host's name)\n"
    "  -s, --secrets DIR   the folder with one file per user (" SECRET_FOLDER ")\n"
    "  -g, --guard FILE    where accepted and wrong codes are remembered\n"
    "                      (" GUARD_FILE ")\n"
    "  -f, --replace       enroll anew a user who has a secret; the old one is lost\n"
    "      --force         enroll a USER whom the passwd database does not know\n"
    "      --reset         forget USER's wrong codes: ends a lock; no new secret\n"
    "      --remove        remove USER's secret; no new one\n"
    "      --list          show who has a secret, when a code was last used, and who\n"
    "                      is locked\n"
    "  -h, --help          this text\n"
    "\n"
    "DIR and FILE belong to root or to the user that the daemon runs as, and nobody\n"
    "else may write there. Exits 0 if it was done, 1 if not (then no secret has\n"
    "changed), 2 if it was called wrongly.\n";

enum action { ENROLL, REPLACE, RESET, REMOVE, LIST };

struct options {
    enum action action;
    int actions; /* how many were named */
    int force;
    const char *issuer;
    const char *secrets;
    const char *guard;
    const char *user;
};

static const char has_none[] = "has no second factor";

static int failed(const char *what, const char *why) {
    fprintf(stderr, "factor2-enroll: %s: %s\n", what, why);
    return 0;
}

/* Says why a call did not succeed. */
static int succeeded(const char *what, factor2_status status, const factor2_response *response) {
    const char *why = factor2_response_text(response, "error.message", NULL);

    if (status == FACTOR2_OK)
        return 1;
    fprintf(stderr, "factor2-enroll: %s: %s: %s\n", what, factor2_status_name(status),
            why != NULL ? why : "no further details");
    return 0;
}

/* Calls an operation with a request that holds a secret, and wipes that. Gives the response, or NULL. */
static factor2_response *ask(factor2_operation operation, const char *what,
                             const factor2_authenticator *authenticator, char *request) {
    factor2_response *response = NULL;
    factor2_status status = operation(authenticator, request, FACTOR2_NUL_TERMINATED, &response);

    explicit_bzero(request, strlen(request));
    if (succeeded(what, status, response))
        return response;
    factor2_response_free(response);
    return NULL;
}

/* The same, when only the verdict matters. */
static int succeeds(factor2_operation operation, const char *what,
                    const factor2_authenticator *authenticator, char *request) {
    factor2_response *response = ask(operation, what, authenticator, request);

    factor2_response_free(response);
    return response != NULL;
}

/* Writes the file under another name first: nobody ever sees a half one. */
static int store(int folder, const struct options *options, const char *secret) {
    char line[SECRET_SIZE + 1], name[32];
    size_t length = (size_t)sprintf(line, "%s\n", secret);
    unsigned int flags = options->action == REPLACE ? 0 : RENAME_NOREPLACE;
    int file, written;

    sprintf(name, ".new.%ld", (long)getpid());
    unlinkat(folder, name, 0); /* what is left of a killed process that had our number */
    file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    written = file >= 0 && fchmod(file, 0600) == 0 &&
              write(file, line, length) == (ssize_t)length && fsync(file) == 0;
    explicit_bzero(line, sizeof line);
    if (file >= 0 && close(file) != 0)
        written = 0;
    if (written && renameat2(folder, name, folder, options->user, flags) == 0 && fsync(folder) == 0)
        return 1;
    failed(options->user, strerror(errno));
    if (file >= 0)
        unlinkat(folder, name, 0);
    return 0;
}

/* Asks for a first code, three times at most. That code is used up then. */
static int confirm(const factor2_authenticator *authenticator, const char *secret) {
    char code[64], code_json[sizeof code * 6], request[SECRET_SIZE + sizeof code_json + 64];
    int tries, accepted = 0;

    for (tries = 0; tries < 3 && !accepted; tries++) {
        printf("The code that the app shows now: ");
        fflush(stdout);
        if (fgets(code, sizeof code, stdin) == NULL)
            return failed("confirming", "no code was given");
        code[strcspn(code, "\r\n")] = '\0';
        factor2_json_quote(code, FACTOR2_NUL_TERMINATED, code_json, sizeof code_json);
        sprintf(request, "{\"totpsecret\":\"%s\",\"otp\":%s}", secret, code_json);
        accepted = succeeds(factor2_verify, "confirming", authenticator, request);
    }
    return accepted;
}

/* Bright white on black, whatever the terminal's colors are, because scanners want dark on light. */
static int show_qr_code(const factor2_authenticator *authenticator, const char *user_json,
                        const char *secret) {
    char request[2048 + SECRET_SIZE];
    factor2_response *response;
    const char *line;
    size_t size, width;

    sprintf(request, "{\"username\":%s,\"totpsecret\":\"%s\",\"format\":\"text\"}", user_json,
            secret);
    response = ask(factor2_qr, "drawing the QR code", authenticator, request);
    line = (const char *)factor2_response_data(response, &size);
    for (; size > 0; line += width, size -= width) {
        width = strcspn(line, "\n") + 1;
        printf("\033[97;40m%.*s\033[0m\n", (int)width - 1, line);
    }
    factor2_response_free(response);
    return response != NULL;
}

static int enroll(const factor2_authenticator *authenticator, int folder,
                  const struct options *options) {
    char user_json[1600], request[sizeof user_json + 64];
    factor2_response *made;
    const char *secret;
    struct stat stat;
    int done = 0;

    if (options->action == ENROLL &&
        fstatat(folder, options->user, &stat, AT_SYMLINK_NOFOLLOW) == 0)
        return failed(options->user, "has a secret; --replace makes a new one");
    factor2_json_quote(options->user, FACTOR2_NUL_TERMINATED, user_json, sizeof user_json);
    sprintf(request, "{\"username\":%s}", user_json);
    made = ask(factor2_create_secret, "making a secret", authenticator, request);
    secret = factor2_response_text(made, "totpsecret", NULL);
    if (secret != NULL && show_qr_code(authenticator, user_json, secret)) {
        printf("Scan it with an authenticator app, or type in the secret:\n%s\n\n", secret);
        done = confirm(authenticator, secret) && store(folder, options, secret);
    }
    factor2_response_free(made);
    return done;
}

static int reset(const factor2_authenticator *authenticator, const struct options *options) {
    char secret[SECRET_SIZE], secret_json[SECRET_SIZE * 6], request[sizeof secret_json + 64];
    const char *why;
    int absent, done;

    if (!secret_file_read(options->secrets, options->user, secret, &why, &absent))
        return failed(options->user, absent ? has_none : why);
    factor2_json_quote(secret, FACTOR2_NUL_TERMINATED, secret_json, sizeof secret_json);
    sprintf(request, "{\"totpsecret\":%s}", secret_json);
    done = succeeds(factor2_reset, "forgetting the wrong codes", authenticator, request);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(secret_json, sizeof secret_json);
    return done;
}

static int list(const factor2_authenticator *authenticator, int folder,
                const struct options *options) {
    return secret_list(authenticator, folder, options->secrets) ||
           failed(options->secrets, strerror(errno));
}

static int removed(int folder, const struct options *options) {
    if (unlinkat(folder, options->user, 0) == 0 && fsync(folder) == 0)
        return 1;
    return failed(options->user, errno == ENOENT ? has_none : strerror(errno));
}

static int act(int folder, const struct options *options) {
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    int done;

    if (options->action == REMOVE)
        return removed(folder, options);
    status = machine_guard_new(options->issuer, options->guard, &authenticator, &response);
    done = succeeded("making the authenticator", status, response) &&
           (options->action == LIST    ? list(authenticator, folder, options)
            : options->action == RESET ? reset(authenticator, options)
                                       : enroll(authenticator, folder, options));
    factor2_response_free(response);
    factor2_authenticator_free(authenticator);
    return done;
}

/* The folder of the secrets, and the guard's, which are made for a new secret. */
static int open_folder(const struct options *options) {
    const char *slash = strrchr(options->guard, '/');
    const char *why = "";
    int folder;

    if (options->action == ENROLL || options->action == REPLACE) {
        if (slash != NULL)
            folder_make(options->guard, (size_t)(slash - options->guard), 1);
        folder_make(options->secrets, strlen(options->secrets), 1);
    }
    folder = secret_folder_open(options->secrets, &why);
    if (folder < 0)
        failed(options->secrets, why);
    return folder;
}

static int wrong_call(const char *why) {
    fprintf(stderr, "factor2-enroll: %sTry 'factor2-enroll --help'.\n", why);
    return 2;
}

/* Finds the user's one name. Only a user whom the machine knows is enrolled. Gives an exit status. */
static int find_user(struct options *options, const char *given, char name[ACCOUNT_SIZE]) {
    char shown[PRINTABLE_SIZE];
    int known = account_name(given, name);

    options->user = name;
    if (!secret_file_name(name))
        return wrong_call("this user's name cannot be a file's name. ");
    if (known && strcmp(name, given) != 0)
        printf("%s is another name of %s.\n", printable(given, shown), name);
    if (known || options->force || options->action == RESET || options->action == REMOVE)
        return 0;
    return !failed(name,
                   "warning: this machine has no such account; --force enrolls it all the same");
}

static void choose(struct options *options, enum action action) {
    options->action = action;
    options->actions++;
}

int main(int argc, char **argv) {
    static const struct option names[] = {
        {"issuer", required_argument, NULL, 'i'}, {"secrets", required_argument, NULL, 's'},
        {"guard", required_argument, NULL, 'g'},  {"replace", no_argument, NULL, 'f'},
        {"force", no_argument, NULL, 'F'},        {"reset", no_argument, NULL, 'R'},
        {"remove", no_argument, NULL, 'D'},       {"list", no_argument, NULL, 'L'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    static const char *const said[] = {"enrolled", "enrolled", "reset", "removed"};
    static char host[256];
    struct options options = {ENROLL, 0, 0, host, SECRET_FOLDER, GUARD_FILE, NULL};
    char name[ACCOUNT_SIZE];
    int option, status, folder, done;

    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strcpy(host, "localhost");
    while ((option = getopt_long(argc, argv, "i:s:g:fh", names, NULL)) != -1) {
        switch (option) {
        case 'i': options.issuer = optarg; break;
        case 's': options.secrets = optarg; break;
        case 'g': options.guard = optarg; break;
        case 'F': options.force = 1; break;
        case 'f': choose(&options, REPLACE); break;
        case 'R': choose(&options, RESET); break;
        case 'D': choose(&options, REMOVE); break;
        case 'L': choose(&options, LIST); break;
        case 'h': fputs(usage, stdout); return 0;
        default: return wrong_call("");
        }
    }
    if (options.actions > 1)
        return wrong_call("only one of --replace, --reset, --remove and --list. ");
    if (optind + (options.action != LIST) != argc)
        return wrong_call(options.action == LIST ? "--list takes no USER. "
                                                 : "one USER is needed. ");
    if (options.action != LIST && (status = find_user(&options, argv[optind], name)) != 0)
        return status;

    folder = open_folder(&options);
    if (folder < 0)
        return 1;
    done = act(folder, &options);
    close(folder);
    if (done && options.action != LIST)
        printf("%s: %s\n", options.user, said[options.action]);
    return done ? 0 : 1;
}
