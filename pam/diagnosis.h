/*
 * What factor2_diagnose() has found, in plain words for an administrator. C99.
 */
#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factor2.h"

/* A member of the n-th finding, or NULL. */
static const char *diagnosis_text(const factor2_response *response, int n, const char *member) {
    char path[64];

    snprintf(path, sizeof path, "findings.%d.%s", n, member);
    return factor2_response_text(response, path, NULL);
}

static long diagnosis_number(const factor2_response *response, int n, const char *member) {
    const char *text = diagnosis_text(response, n, member);

    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* "7 minutes", "1 hour and 30 seconds", and so on. */
static void diagnosis_print_time(long seconds) {
    static const struct {
        long seconds;
        const char *name;
    } units[] = {{3600, "hour"}, {60, "minute"}, {1, "second"}};
    const char *between = "";
    size_t i;

    for (i = 0; i < sizeof units / sizeof units[0]; i++) {
        long count = seconds / units[i].seconds;
        seconds %= units[i].seconds;
        if (count > 0) {
            printf("%s%ld %s%s", between, count, units[i].name, count == 1 ? "" : "s");
            between = " and ";
        }
    }
}

static void diagnosis_print_clock(long seconds) {
    printf("The authenticator's clock is ");
    diagnosis_print_time(labs(seconds));
    printf(" %s this machine's, or the code is that old. Set the clock that is wrong.",
           seconds < 0 ? "behind" : "ahead of");
}

static void diagnosis_print_scheme(const char *what, const char *its) {
    printf(
        "The authenticator has another %s than the secret: %s. The app has ignored what the QR "
        "code says of it;\nanother app may not, or enroll the user anew with what all apps take.",
        what, its != NULL ? its : "");
}

static void diagnosis_print_finding(const factor2_response *response, int n, const char *what) {
    if (strcmp(what, "used") == 0)
        printf("The code was used already, or a later one was. Wait for the next one.");
    else if (strcmp(what, "clock") == 0)
        diagnosis_print_clock(diagnosis_number(response, n, "drift_s"));
    else if (strcmp(what, "counter") == 0)
        printf("The token is %ld codes ahead of this machine: its button was pressed in vain so "
               "often.",
               diagnosis_number(response, n, "ahead"));
    else if (strcmp(what, "disabled") == 0)
        printf("Too many wrong codes: no code is looked at. --reset ends that.");
    else if (strcmp(what, "locked") == 0) {
        printf("Wrong codes: no code is looked at for ");
        diagnosis_print_time(diagnosis_number(response, n, "retry_after_s"));
        printf(". --reset ends that.");
    } else
        diagnosis_print_scheme(what, diagnosis_text(response, n, what));
    printf("\n");
}

/* Whether a wrong code gives the finding too often to rely on it. */
static int diagnosis_may_be_chance(const factor2_response *response, int n) {
    const char *chance = diagnosis_text(response, n, "chance");

    return chance != NULL && strtod(chance, NULL) > 0.001;
}

/* Prints what a response says. */
static void diagnosis_print(const factor2_response *response) {
    const char *right = factor2_response_text(response, "right", NULL);
    int is_right = right != NULL && strcmp(right, "true") == 0;
    const char *what;
    int n;

    if (is_right)
        printf("The code is right, and was not used.\n");
    for (n = 0; (what = diagnosis_text(response, n, "what")) != NULL; n++) {
        diagnosis_print_finding(response, n, what);
        if (diagnosis_may_be_chance(response, n))
            printf("A wrong code looks like this once in %.0f times: ask for two codes in a row.\n",
                   1 / strtod(diagnosis_text(response, n, "chance"), NULL));
    }
    if (n == 0 && !is_right)
        printf("This is no code of this secret, not even with a clock that is a day wrong: the "
               "authenticator has another\nsecret, or the code was mistyped.\n");
}

#endif
