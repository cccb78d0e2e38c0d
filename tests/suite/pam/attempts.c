/*
 * A program that lets users in by PAM, as su and sshd do, but without libpam's delays.
 *
 *     attempts [RHOST]
 *
 * Each line of its input is one attempt: service, user, password and code, with tabs between them.
 * It answers with one line when the code is asked for, "asked", and with one at the end:
 *
 *     done RESULT MICROSECONDS REAL:EFFECTIVE:SAVED TEXTS
 *
 * the result of pam_authenticate(), or of pam_acct_mgmt() if that succeeded; the time since the code was
 * asked for; the uids afterwards; and what the user was told.
 */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

struct user {
    const char *password, *code;
    struct timespec asked;
    char told[4096];
};

static void no_delay(int result, unsigned int microseconds, void *user) {
    (void)result;
    (void)microseconds;
    (void)user;
}

static int answer(int count, const struct pam_message **messages, struct pam_response **responses,
                  void *data) {
    struct user *user = data;
    int i;

    *responses = calloc((size_t)count, sizeof **responses);
    if (*responses == NULL)
        return PAM_BUF_ERR;
    for (i = 0; i < count; i++) {
        int style = messages[i]->msg_style;
        if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG) {
            strncat(user->told, messages[i]->msg, sizeof user->told - strlen(user->told) - 1);
        } else if (strcmp(messages[i]->msg, "Verification code: ") == 0) {
            (*responses)[i].resp = strdup(user->code);
            puts("asked");
            fflush(stdout);
            clock_gettime(CLOCK_MONOTONIC, &user->asked);
        } else {
            (*responses)[i].resp = strdup(user->password);
        }
    }
    return PAM_SUCCESS;
}

static long microseconds_since(const struct timespec *start) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000000 + (now.tv_nsec - start->tv_nsec) / 1000;
}

int main(int argc, char **argv) {
    static char line[65536];

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = line, *service = strsep(&rest, "\t"), *name = strsep(&rest, "\t");
        struct user user = {strsep(&rest, "\t"), strsep(&rest, "\n"), {0, 0}, ""};
        struct pam_conv conversation = {answer, &user};
        union {
            void (*function)(int, unsigned int, void *);
            const void *item;
        } delay = {no_delay};
        pam_handle_t *pamh = NULL;
        uid_t real, effective, saved;
        long took;
        int result;

        clock_gettime(CLOCK_MONOTONIC, &user.asked);
        if (pam_start(service, name, &conversation, &pamh) != PAM_SUCCESS ||
            pam_set_item(pamh, PAM_FAIL_DELAY, delay.item) != PAM_SUCCESS ||
            (argc > 1 && pam_set_item(pamh, PAM_RHOST, argv[1]) != PAM_SUCCESS))
            return 1;
        result = pam_authenticate(pamh, 0);
        took = microseconds_since(&user.asked);
        if (result == PAM_SUCCESS)
            result = pam_acct_mgmt(pamh, 0);
        pam_end(pamh, result);
        if (getresuid(&real, &effective, &saved) != 0)
            return 1;
        printf("done %d %ld %d:%d:%d %s\n", result, took, (int)real, (int)effective, (int)saved,
               user.told);
        fflush(stdout);
    }
    return 0;
}
