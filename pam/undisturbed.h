/*
 * A short time in which nobody but root can stop or end this process, because it holds a lock that
 * others wait for. Linux, with _GNU_SOURCE.
 *
 * The user who started a set-uid program may send it signals, since its real uid is theirs, and a
 * terminal sends its own (^Z), whatever the uids are. So real and saved uid become root's for the
 * time, in all threads, and the calling thread holds all signals back until the end. In a set-uid
 * program with several threads, the others see the real uid change, and ^Z still stops the process
 * unless they block SIGTSTP.
 *
 * It does nothing for a program whose effective uid is not root's, which could not take its real uid
 * back. It leaves the priority that the caller gave, and a user who may freeze a cgroup can still freeze
 * all that is in it.
 */
#ifndef UNDISTURBED_H
#define UNDISTURBED_H

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What is put back at the end. */
struct undisturbed {
    uid_t real, effective, saved;
    sigset_t signals;
};

static int undisturbed_changes(const struct undisturbed *before) {
    return before->effective == 0 && (before->real != 0 || before->saved != 0);
}

/* Gives 1; or 0 with errno set, and then nothing has changed. */
static int undisturbed_begin(struct undisturbed *before) {
    sigset_t all;

    if (getresuid(&before->real, &before->effective, &before->saved) != 0)
        return 0;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before->signals) != 0)
        return 0;
    if (!undisturbed_changes(before) || setresuid(0, 0, 0) == 0)
        return 1;
    pthread_sigmask(SIG_SETMASK, &before->signals, NULL);
    return 0;
}

static void undisturbed_end(const struct undisturbed *before) {
    /* Without the right to change uids there is no way back, and no going on with more rights. */
    if (undisturbed_changes(before) && setresuid(before->real, 0, before->saved) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before->signals, NULL);
}

#endif
