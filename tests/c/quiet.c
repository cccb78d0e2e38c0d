/* The library leaves the process as it was: it prints nothing, reads nothing and changes nothing. */
#include "calls.h"

#include <dirent.h>
#include <locale.h>
#include <signal.h>
#include <sys/stat.h>

/* These stand in for libc's own in the whole process, the library included. */
static int environment_reads, file_opens;

char *getenv(const char *name) {
    char **entry;
    size_t length = strlen(name);
    environment_reads++;
    for (entry = environ; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

char *secure_getenv(const char *name) { return getenv(name); }

int open(const char *path, int flags, ...) {
    (void)path, (void)flags;
    file_opens++;
    return -1;
}

int open64(const char *path, int flags, ...) {
    (void)path, (void)flags;
    file_opens++;
    return -1;
}

int openat(int directory, const char *path, int flags, ...) {
    (void)directory, (void)path, (void)flags;
    file_opens++;
    return -1;
}

/* Good calls, bad calls and good ones again, in every operation. */
static void call_everything(void) {
    factor2_authenticator *auth = authenticator(CONFIG), *none = NULL;
    char secret[MADE_SECRET_LENGTH + 1];
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        check_call(&CALLS[i], auth);
        CHECK(outcome_of_text(CALLS[i].run, auth, "{\"x\":1") == FACTOR2_BAD_REQUEST);
        CHECK(outcome_of_text(CALLS[i].run, auth, "\xff") == FACTOR2_BAD_REQUEST);
        CHECK(outcome_of_text(CALLS[i].run, NULL, "{}") == FACTOR2_NULL_POINTER);
    }
    make_secret(auth, secret);
    CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
    CHECK(outcome_of_text(factor2_generate, auth, "{\"totpsecret\":\"!\"}") ==
          FACTOR2_INVALID_SECRET);
    CHECK(factor2_authenticator_new("{}", 2, &none, NULL) == FACTOR2_CONFIGURATION);
    CHECK(factor2_authenticator_new("{", 1, &none, NULL) == FACTOR2_BAD_REQUEST);
    factor2_authenticator_free(auth);

    auth = authenticator(GUARDED_CONFIG);
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_OK);
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_TOKEN_REUSED);
    factor2_authenticator_free(auth);

    /* with the real clock, too */
    auth = authenticator("{\"issuer\":\"Example\",\"guard\":{\"store\":\"none\"}}");
    CHECK(verify_code(auth, "00000") == FACTOR2_INVALID_TOKEN);
    factor2_authenticator_free(auth);
}

TEST test_nothing_is_printed(void) {
    FILE *caught = tmpfile();
    int out = dup(1), err = dup(2);
    struct stat written;
    CHECK(caught != NULL && out >= 0 && err >= 0);
    fflush(stdout);
    CHECK(dup2(fileno(caught), 1) == 1 && dup2(fileno(caught), 2) == 2);
    call_everything();
    CHECK(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    close(out);
    close(err);
    CHECK(fstat(fileno(caught), &written) == 0);
    CHECK(written.st_size == 0);
    fclose(caught);
}

TEST test_no_environment_and_no_file_is_read(void) {
    int reads, opens;
    CHECK(getenv("FACTOR2_NOT_THERE") == NULL && environment_reads > 0);
    reads = environment_reads;
    opens = file_opens;
    call_everything();
    CHECK(environment_reads == reads);
    CHECK(file_opens == opens);
}

struct surroundings {
    struct sigaction actions[NSIG];
    sigset_t mask;
    stack_t signal_stack;
    mode_t umask;
    char directory[4096];
    char locale[256];
    char environment[65536];
    char descriptors[4096];
    char threads[4096];
};

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void list(const char *directory, char *names, size_t size) {
    char found[256][32];
    size_t count = 0, used = 0, i;
    struct dirent *entry;
    DIR *open_directory = opendir(directory);
    CHECK(open_directory != NULL);
    while ((entry = readdir(open_directory)) != NULL) {
        CHECK(count < 256);
        snprintf(found[count++], sizeof found[0], "%.31s", entry->d_name);
    }
    closedir(open_directory);
    qsort(found, count, sizeof found[0], by_name);
    for (i = 0; i < count; i++) {
        used += (size_t)snprintf(names + used, size - used, "%s ", found[i]);
        CHECK(used < size);
    }
}

static void look_around(struct surroundings *seen) {
    char **entry;
    size_t used = 0;
    int number;
    memset(seen, 0, sizeof *seen);
    for (number = 1; number < NSIG; number++)
        sigaction(number, NULL, &seen->actions[number]); /* the reserved ones stay zero */
    CHECK(sigprocmask(SIG_BLOCK, NULL, &seen->mask) == 0);
    CHECK(sigaltstack(NULL, &seen->signal_stack) == 0);
    seen->umask = umask(0);
    umask(seen->umask);
    CHECK(getcwd(seen->directory, sizeof seen->directory) != NULL);
    snprintf(seen->locale, sizeof seen->locale, "%s", setlocale(LC_ALL, NULL));
    for (entry = environ; *entry != NULL; entry++) {
        used += (size_t)snprintf(seen->environment + used, sizeof seen->environment - used, "%s\n",
                                 *entry);
        CHECK(used < sizeof seen->environment);
    }
    list("/proc/self/fd", seen->descriptors, sizeof seen->descriptors);
    list("/proc/self/task", seen->threads, sizeof seen->threads);
}

TEST test_the_surroundings_stay_the_same(void) {
    static struct surroundings before, after;
    int number;
    look_around(&before);
    call_everything();
    look_around(&after);
    for (number = 1; number < NSIG; number++) {
        CHECK(before.actions[number].sa_handler == after.actions[number].sa_handler);
        CHECK(before.actions[number].sa_flags == after.actions[number].sa_flags);
    }
    CHECK(memcmp(&before.mask, &after.mask, sizeof before.mask) == 0);
    CHECK(before.signal_stack.ss_sp == after.signal_stack.ss_sp);
    CHECK(before.signal_stack.ss_flags == after.signal_stack.ss_flags);
    CHECK(before.umask == after.umask);
    CHECK(strcmp(before.directory, after.directory) == 0);
    CHECK(strcmp(before.locale, after.locale) == 0);
    CHECK(strcmp(before.environment, after.environment) == 0);
    CHECK(strcmp(before.descriptors, after.descriptors) == 0);
    CHECK(strcmp(before.threads, after.threads) == 0);
}

int main(void) {
    RUN(test_the_surroundings_stay_the_same); /* first: before any call has changed anything */
    RUN(test_nothing_is_printed);
    RUN(test_no_environment_and_no_file_is_read);
    return 0;
}
