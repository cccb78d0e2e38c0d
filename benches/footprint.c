/* LIBRARY PROGRAM [ARGUMENT...]: prints rows of the second table: how long the library takes to load,
   and the peak of a program's memory. It is small itself, because what a program starts as counts, too. */
#define _GNU_SOURCE /* wait4 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "facts.h"

#define LOADS 21

/* In a process of its own, because a library is loaded once; whatever it needs is bound at once. */
static double load_time(const char *library) {
    double milliseconds = -1;
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        void *loaded = dlopen(library, RTLD_NOW);
        clock_gettime(CLOCK_MONOTONIC, &end);
        milliseconds =
            (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
        _exit(!loaded || write(ends[1], &milliseconds, sizeof milliseconds) < 0);
    }
    close(ends[1]);
    if (read(ends[0], &milliseconds, sizeof milliseconds) != sizeof milliseconds)
        milliseconds = -1;
    close(ends[0]);
    waitpid(child, NULL, 0);
    return milliseconds;
}

/* KiB; -1 if the program failed. */
static long peak_memory(char **command) {
    struct rusage usage;
    int status;
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        execv(command[0], command);
        _exit(127);
    }
    return wait4(child, &status, 0, &usage) == child && status == 0 ? usage.ru_maxrss : -1;
}

int main(int argc, char **argv) {
    char text[32];
    double least = -1;
    if (argc < 3)
        return EXIT_FAILURE;
    for (int i = 0; i < LOADS; i++) {
        double taken = load_time(argv[1]);
        if (taken < 0)
            return EXIT_FAILURE;
        if (least < 0 || taken < least)
            least = taken;
    }
    snprintf(text, sizeof text, "%.2f ms", least);
    print_fact("loading the library: dlopen(), the least of 21", text, "", "under 1 ms", least < 1);
    long peak = peak_memory(argv + 2);
    if (peak < 0)
        return EXIT_FAILURE;
    snprintf(text, sizeof text, "%.1f MiB", (double)peak / 1024);
    print_fact("peak resident memory of examples-c/enroll.c", text, "", "under 8 MiB", peak < 8192);
    return EXIT_SUCCESS;
}
