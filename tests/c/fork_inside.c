/* fork() while this process is inside a call of the guard's store "sqlite": it never waits for itself. */
#include "calls.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

/* Much less than the budget, and much more than a busy machine needs. */
#define SOON 3.0

static char folder[] = "/tmp/factor2-fork-inside-XXXXXX";
static factor2_authenticator *auth;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* An authenticator whose calls hang for their whole budget. */
static void open_hanging_guard(int budget_ms) {
    char text[256];
    int index;
    struct flock lock;
    snprintf(text, sizeof text,
             "{\"issuer\":\"E\",\"fixed_time\":59,\"guard\":{\"store\":\"sqlite\","
             "\"path\":\"%s/guard.db\",\"create\":true,\"budget_ms\":%d}}",
             folder, budget_ms);
    auth = authenticator(text);
    CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
    /* Byte 120 of the -shm file is SQLite's lock for writers. */
    snprintf(text, sizeof text, "%s/guard.db-shm", folder);
    index = open(text, O_RDWR | O_CLOEXEC);
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 120;
    lock.l_len = 1;
    CHECK(index >= 0 && fcntl(index, F_OFD_SETLK, &lock) == 0);
}

static int exit_of(pid_t child) {
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child && WIFEXITED(how));
    return WEXITSTATUS(how);
}

/* A child that was made now is refused at once, and its own forks are as quick as any. */
static void fork_soon(void) {
    double start = seconds();
    pid_t child = fork();
    CHECK(child >= 0);
    CHECK(seconds() - start < SOON);
    if (child == 0) {
        int i;
        start = seconds();
        CHECK(verify_code(auth, "000000") == FACTOR2_STORE_UNAVAILABLE);
        for (i = 0; i < 5; i++) {
            pid_t grandchild = fork();
            CHECK(grandchild >= 0);
            if (grandchild == 0)
                _exit(verify_code(auth, "000000") == FACTOR2_STORE_UNAVAILABLE);
            CHECK(exit_of(grandchild) == 1);
        }
        CHECK(seconds() - start < SOON);
        _exit(7);
    }
    CHECK(exit_of(child) == 7);
}

static void call_handler(void (*handler)(int), int delay_ms) {
    struct sigaction action;
    struct itimerval timer;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    memset(&timer, 0, sizeof timer);
    timer.it_value.tv_usec = delay_ms * 1000;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static volatile sig_atomic_t handled;

static void fork_in_handler(int signal) {
    (void)signal;
    fork_soon();
    handled = 1;
}

TEST test_fork_in_a_signal_handler_inside_a_call(void) {
    open_hanging_guard(5000);
    call_handler(fork_in_handler, 300);
    CHECK(verify_code(auth, "000000") == FACTOR2_STORE_UNAVAILABLE);
    CHECK(handled);
}

static sigjmp_buf before;

static void jump(int signal) {
    (void)signal;
    siglongjmp(before, 1);
}

TEST test_fork_after_a_jump_out_of_a_call(void) {
    open_hanging_guard(5000);
    if (sigsetjmp(before, 1) == 0) {
        call_handler(jump, 300);
        verify_code(auth, "000000");
        CHECK(0);
    }
    fork_soon();
    fork_soon();
}

static void hang(int signal) {
    struct timespec while_others_fork = {2 * (int)SOON, 0};
    (void)signal;
    handled = 1;
    while (nanosleep(&while_others_fork, &while_others_fork) != 0)
        continue;
}

static void *call_and_hang(void *nothing) {
    verify_code(auth, "000000");
    return nothing;
}

/* The bound is the call's budget, even if the call takes no notice of it. */
TEST test_fork_while_another_thread_hangs_in_a_call(void) {
    pthread_t thread;
    struct timespec moment = {0, 10000000};
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    open_hanging_guard(500);
    CHECK(pthread_create(&thread, NULL, call_and_hang, NULL) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &alarm, NULL) == 0);
    call_handler(hang, 200);
    while (!handled)
        nanosleep(&moment, NULL);
    fork_soon();
    fork_soon();
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Each in a process of its own, which it spoils. */
static void run_alone(const char *name, void (*test)(void)) {
    char command[64];
    pid_t child;
    CHECK(mkdtemp(folder) != NULL);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        test();
        _exit(0);
    }
    CHECK(exit_of(child) == 0);
    sprintf(command, "rm -r %s", folder);
    CHECK(system(command) == 0);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    printf("ok %s\n", name);
}

int main(void) {
    if (instrumented()) {
        skipped("fork inside a call", "what a jump leaves behind is lost, and time is another");
        return 0;
    }
    run_alone("test_fork_in_a_signal_handler_inside_a_call",
              test_fork_in_a_signal_handler_inside_a_call);
    run_alone("test_fork_after_a_jump_out_of_a_call", test_fork_after_a_jump_out_of_a_call);
    run_alone("test_fork_while_another_thread_hangs_in_a_call",
              test_fork_while_another_thread_hangs_in_a_call);
    return 0;
}
