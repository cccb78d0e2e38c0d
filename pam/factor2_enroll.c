/*
 * factor2-enroll: gives a user of this machine a second factor, which pam_factor2 then asks for.
 * It shows the QR code, and writes the user's file once a first code has confirmed it.
 *
 *     make pam && sudo make install-pam
 *     sudo factor2-enroll alice
 *
 * Run it as the user that the daemon runs as: root for most. When somebody is enrolled, DIR and the
 * guard's folder are made if they are missing, and the folder that they are in, for that user alone.
 *
 * The user's file has the name that the passwd database gives, and the program says so if that is
 * not the name that was typed.
 *
 * Recovery codes are for a user whose phone is lost: each lets in once, in the place of a code. Only
 * their hashes are kept, beside the secret. They stay when --replace gives the user a new secret, until
 * --recovery-codes makes new ones.
 *
 * --import moves a machine to pam_factor2: who had a secret has the same one afterwards, and the app or
 * token goes on as it is. It says at the end how many were taken over, and who was left out and why; one who
 * is left out hinders no other. Who has a secret here already keeps it, unless there is --replace, and then
 * the recovery codes stay. What the other system has is only read. No code is asked for.
 *
 *     sudo factor2-enroll --import users-file /etc/users.oath
 *     sudo factor2-enroll --import google-authenticator
 *
 * The last one takes what the users whom the passwd database lists have in ~/.google_authenticator. A
 * directory may list nobody: then name the file and its user, one by one, or the folder that the homes are
 * in, or one with a file for each user, named so. A user's file must belong to that user, to root or to who
 * runs the program, nobody else may write it, and it is no symbolic link.
 *
 * Let nobody log in by the other system from then on: what it accepts afterwards is not known here, and
 * neither is what it accepted in the last minute before, of codes by time.
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
#include "foreign_file.h"
#include "google_files.h"
#include "machine_guard.h"
#include "printable.h"
#include "recovery_print.h"
#include "secret_file.h"
#include "secret_import.h"
#include "secret_list.h"
#include "secret_request.h"
#include "secret_store.h"

static const char usage[] =
    "Usage: factor2-enroll [OPTION]... USER | --list | --import FORMAT [FILE [USER]]\n"
    "Gives USER a second factor, which pam_factor2 asks for: shows a QR code for an\n"
    "authenticator app, and stores the secret once a first code has confirmed it.\n"
    "\n"
    "  -i, --issuer NAME   the machine's name as apps show it (the host's name)\n"
    "  -s, --secrets DIR   the folder with one file per user (" SECRET_FOLDER ")\n"
    "  -g, --guard FILE    where accepted and wrong codes are remembered\n"
    "                      (" GUARD_FILE ")\n"
    "  -f, --replace       enroll anew a user who has a secret; the old one is lost\n"
    "      --recovery-codes\n"
    "                      print new recovery codes for USER, who is enrolled first if\n"
    "                      there is no secret or with --replace; the old codes are void\n"
    "      --force         enroll a USER whom the passwd database does not know\n"
    "      --import FORMAT [FILE [USER]]\n"
    "                      take over the secrets that another system has in FILE, which\n"
    "                      stays as it is. FORMAT is users-file (of pam_oath, mod_authn_otp,\n"
    "                      ocserv), google-authenticator (FILE is USER's, or a folder with\n"
    "                      all users' files or homes; without FILE, all users'\n"
    "                      ~/.google_authenticator), or another one of factor2_import()\n"
    "      --reset         forget USER's wrong codes: ends a lock; no new secret\n"
    "      --remove        remove USER's secret; no new one\n"
    "      --list          show who has a secret, when a code was last used, how many\n"
    "                      recovery codes are left, and who is locked\n"
    "  -h, --help          this text\n"
    "\n"
    "DIR and the guard's file belong to root or to the user that the daemon runs as,\n"
    "and nobody else may write there. Exits 0 if it was done, 1 if not (then no\n"
    "secret has changed; of --import: somebody was left out), 2 if it was called\n"
    "wrongly.\n";

enum action { ENROLL, REPLACE, RENEW, RESET, REMOVE, LIST, IMPORT };

/* The longest text that factor2_import() takes. */
enum { IMPORT_LONGEST = 16 * 1024 * 1024 };

struct options {
    enum action action;
    int actions; /* how many were named */
    int wrong;   /* whether it turned out that it was called wrongly */
    int force;
    int replace;
    int recovery; /* whether recovery codes are to be made */
    const char *issuer;
    const char *secrets;
    const char *guard;
    const char *user;
    const char *format; /* of what is imported, and the file, or NULL */
    const char *file;
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

static factor2_response *make_codes(const factor2_authenticator *authenticator) {
    char nothing[] = "{}";

    return ask(factor2_create_recovery_codes, "making recovery codes", authenticator, nothing);
}

/* Stores the secrets, with the recovery codes of `codes`, which are shown then. `codes` may be NULL. */
static int store(int folder, const struct options *options, struct secret_file *secrets,
                 const factor2_response *codes, unsigned int flags) {
    const char *recovery = factor2_response_text(codes, "recovery", NULL);

    if (recovery != NULL)
        snprintf(secrets->recovery, sizeof secrets->recovery, "%s", recovery);
    if (!secret_store(folder, options->user, secrets, flags))
        return failed(options->user, strerror(errno));
    if (codes != NULL && !recovery_print(options->user, codes))
        return failed(options->user, "the recovery codes could not be shown: make new ones");
    return 1;
}

/* Stores a confirmed secret. A user who is enrolled anew keeps the recovery codes, or gets new ones. */
static int store_confirmed(int folder, const struct options *options, const char *secret,
                           const factor2_response *codes) {
    struct secret_file secrets, old;
    const char *why;
    int absent, stored;

    memset(&secrets, 0, sizeof secrets);
    snprintf(secrets.secret, sizeof secrets.secret, "%s", secret);
    if (!secret_store_lock(folder))
        return failed(options->secrets, strerror(errno));
    if (options->action == REPLACE && codes == NULL &&
        secret_file_read(options->secrets, options->user, &old, &why, &absent)) {
        strcpy(secrets.recovery, old.recovery);
        explicit_bzero(&old, sizeof old);
    }
    stored =
        store(folder, options, &secrets, codes, options->action == REPLACE ? 0 : RENAME_NOREPLACE);
    explicit_bzero(&secrets, sizeof secrets);
    return stored;
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

static int has_file(int folder, const char *user) {
    struct stat stat;

    return fstatat(folder, user, &stat, AT_SYMLINK_NOFOLLOW) == 0;
}

static int enroll(const factor2_authenticator *authenticator, int folder,
                  const struct options *options) {
    char user_json[1600], request[sizeof user_json + 64];
    factor2_response *made, *codes = NULL;
    const char *secret;
    int done = 0;

    if (options->action == ENROLL && has_file(folder, options->user))
        return failed(options->user, "has a secret; --replace makes a new one");
    factor2_json_quote(options->user, FACTOR2_NUL_TERMINATED, user_json, sizeof user_json);
    sprintf(request, "{\"username\":%s}", user_json);
    made = ask(factor2_create_secret, "making a secret", authenticator, request);
    secret = factor2_response_text(made, "totpsecret", NULL);
    if (secret != NULL && show_qr_code(authenticator, user_json, secret)) {
        printf("Scan it with an authenticator app, or type in the secret:\n%s\n\n", secret);
        done = confirm(authenticator, secret) &&
               (!options->recovery || (codes = make_codes(authenticator)) != NULL) &&
               store_confirmed(folder, options, secret, codes);
    }
    factor2_response_free(codes);
    factor2_response_free(made);
    return done;
}

/* Reads the file of a user who must have one. */
static int read_file(const struct options *options, struct secret_file *secrets) {
    const char *why;
    int absent;

    return secret_file_read(options->secrets, options->user, secrets, &why, &absent) ||
           failed(options->user, absent ? has_none : why);
}

/* Gives an enrolled user new recovery codes. */
static int renew(const factor2_authenticator *authenticator, int folder,
                 const struct options *options) {
    struct secret_file secrets;
    factor2_response *codes;
    int done;

    if (!secret_store_lock(folder))
        return failed(options->secrets, strerror(errno));
    if (!read_file(options, &secrets))
        return 0;
    codes = make_codes(authenticator);
    done = codes != NULL && store(folder, options, &secrets, codes, 0);
    factor2_response_free(codes);
    explicit_bzero(&secrets, sizeof secrets);
    return done;
}

static int reset(const factor2_authenticator *authenticator, const struct options *options) {
    static const char what[] = "forgetting the wrong codes";
    struct secret_file secrets;
    char request[SECRET_REQUEST_SIZE];
    int done;

    if (!read_file(options, &secrets))
        return 0;
    secret_request("totpsecret", secrets.secret, request);
    done = succeeds(factor2_reset, what, authenticator, request);
    if (secrets.recovery[0] != '\0') {
        secret_request("recovery", secrets.recovery, request);
        done = succeeds(factor2_reset, what, authenticator, request) && done;
    }
    explicit_bzero(&secrets, sizeof secrets);
    return done;
}

static int list(const factor2_authenticator *authenticator, int folder,
                const struct options *options) {
    return secret_list(authenticator, folder, options->secrets) ||
           failed(options->secrets, strerror(errno));
}

static int removed(int folder, const struct options *options) {
    if (secret_store_lock(folder) && unlinkat(folder, options->user, 0) == 0 && fsync(folder) == 0)
        return 1;
    return failed(options->user, errno == ENOENT ? has_none : strerror(errno));
}

static int is_google(const struct options *options) {
    return strcmp(options->format, "google-authenticator") == 0;
}

/* Takes over what a file says of several users. */
static int import_file(struct secret_import *import, const struct options *options) {
    struct foreign_file file;
    const char *why;
    int opened = foreign_file_open(AT_FDCWD, options->file, 0);

    if (opened < 0)
        return failed(options->file, strerror(errno));
    if (!foreign_file_read(opened, FOREIGN_FILE_ANYBODYS, IMPORT_LONGEST, &file, &why))
        return failed(options->file, why);
    if (strcmp(options->format, "users-file") == 0 || strcmp(options->format, "otpauth") == 0)
        secret_import_take_lines(import, file.text, file.length);
    else
        secret_import_take_text(import, NULL, 0, file.text, file.length);
    foreign_file_free(&file);
    return 1;
}

/* Takes over the file of one user, or what a folder has of all. */
static int import_google(struct secret_import *import, const struct options *options) {
    int folder, done;

    if (options->file == NULL)
        return google_files_take_homes(import) || failed("listing the users", strerror(errno));
    if (options->user != NULL) {
        google_files_take_one(import, options->file, options->user);
        return 1;
    }
    folder = open(options->file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return failed(options->file, errno == ENOTDIR ? "whose secret is it? Name FILE and USER"
                                                      : strerror(errno));
    done = google_files_take_folder(import, folder) || failed(options->file, strerror(errno));
    close(folder);
    return done;
}

static int import_secrets(const factor2_authenticator *authenticator, int folder,
                          struct options *options) {
    struct secret_import import;
    int done;

    if (!secret_import_begin(&import, authenticator, options->format, options->secrets, folder))
        return failed(options->secrets, strerror(errno));
    import.force = options->force;
    import.replace = options->replace;
    options->wrong = !secret_import_knows_format(&import, is_google(options) ? "nobody" : NULL);
    done = !options->wrong &&
           (is_google(options) ? import_google(&import, options) : import_file(&import, options));
    return secret_import_end(&import, done);
}

static int act(int folder, struct options *options) {
    factor2_authenticator *authenticator = NULL;
    factor2_response *response = NULL;
    factor2_status status;
    int done;

    if (options->action == REMOVE)
        return removed(folder, options);
    if (options->action == ENROLL && options->recovery && has_file(folder, options->user))
        options->action = RENEW;
    status = machine_guard_new(options->issuer, options->guard, &authenticator, &response);
    done = succeeded("making the authenticator", status, response) &&
           (options->action == LIST     ? list(authenticator, folder, options)
            : options->action == RESET  ? reset(authenticator, options)
            : options->action == RENEW  ? renew(authenticator, folder, options)
            : options->action == IMPORT ? import_secrets(authenticator, folder, options)
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

    if (options->action == ENROLL || options->action == REPLACE || options->action == IMPORT) {
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

/* The arguments of --import. */
static int check_import(struct options *options, int count, char **arguments,
                        char name[ACCOUNT_SIZE]) {
    options->file = count > 0 ? arguments[0] : NULL;
    if (is_google(options) ? count > 2 : count != 1)
        return wrong_call(
            "--import takes FORMAT and one FILE, of google-authenticator also a USER. ");
    return count == 2 ? find_user(options, arguments[1], name) : 0;
}

/* Whether options and arguments go together. Gives an exit status. */
static int check_call(struct options *options, int count, char **arguments,
                      char name[ACCOUNT_SIZE]) {
    if (options->replace && options->action != IMPORT)
        choose(options, REPLACE);
    if (options->actions > 1)
        return wrong_call(
            "only one of --replace, --reset, --remove, --list and --import, but that may --replace. ");
    if (options->recovery && options->actions > 0 && options->action != REPLACE)
        return wrong_call("--recovery-codes goes with --replace alone. ");
    if (options->action == IMPORT)
        return check_import(options, count, arguments, name);
    if (count != (options->action != LIST))
        return wrong_call(options->action == LIST ? "--list takes no USER. "
                                                  : "one USER is needed. ");
    return options->action == LIST ? 0 : find_user(options, arguments[0], name);
}

int main(int argc, char **argv) {
    static const struct option names[] = {
        {"issuer", required_argument, NULL, 'i'}, {"secrets", required_argument, NULL, 's'},
        {"guard", required_argument, NULL, 'g'},  {"replace", no_argument, NULL, 'f'},
        {"force", no_argument, NULL, 'F'},        {"reset", no_argument, NULL, 'R'},
        {"remove", no_argument, NULL, 'D'},       {"list", no_argument, NULL, 'L'},
        {"import", required_argument, NULL, 'I'}, {"recovery-codes", no_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    static const char *const said[] = {"enrolled", "enrolled", "new recovery codes", "reset",
                                       "removed"};
    static char host[256];
    struct options options;
    char name[ACCOUNT_SIZE];
    int option, status, folder, done;

    memset(&options, 0, sizeof options);
    options.action = ENROLL;
    options.issuer = host;
    options.secrets = SECRET_FOLDER;
    options.guard = GUARD_FILE;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strcpy(host, "localhost");
    while ((option = getopt_long(argc, argv, "i:s:g:fh", names, NULL)) != -1) {
        switch (option) {
        case 'i': options.issuer = optarg; break;
        case 's': options.secrets = optarg; break;
        case 'g': options.guard = optarg; break;
        case 'F': options.force = 1; break;
        case 'C': options.recovery = 1; break;
        case 'f': options.replace = 1; break;
        case 'R': choose(&options, RESET); break;
        case 'D': choose(&options, REMOVE); break;
        case 'L': choose(&options, LIST); break;
        case 'I':
            choose(&options, IMPORT);
            options.format = optarg;
            break;
        case 'h': fputs(usage, stdout); return 0;
        default: return wrong_call("");
        }
    }
    status = check_call(&options, argc - optind, argv + optind, name);
    if (status != 0)
        return status;

    folder = open_folder(&options);
    if (folder < 0)
        return 1;
    done = act(folder, &options);
    close(folder);
    if (done && options.action < LIST)
        printf("%s: %s\n", options.user, said[options.action]);
    return done ? 0 : options.wrong ? wrong_call("") : 1;
}
