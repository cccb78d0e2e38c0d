/* Whether time tells a user who does not exist from a wrong code: Welch's t of 200,000 calls and, in the column of
   peers, by how much the median of nobody's calls is later. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "calls.h"
#include "facts.h"

enum { CALLS = 200000, KINDS = 2, ROUND = 20 };

static const char *const WRONG = "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}";
static const char *const NOBODY = "{\"totpsecret\":null,\"otp\":\"000000\"}";

typedef struct {
    double values[CALLS];
    size_t count;
} sample;

static sample samples[KINDS];

static double time_of(const factor2_authenticator *authenticator, const char *request) {
    struct timespec begin, end;
    factor2_response *response;
    size_t length = strlen(request);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    factor2_status status = factor2_verify(authenticator, request, length, &response);
    clock_gettime(CLOCK_MONOTONIC, &end);
    CHECK(status == FACTOR2_INVALID_TOKEN);
    factor2_response_free(response);
    return (double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void mean_and_variance(const sample *sample, double *mean, double *variance) {
    *mean = *variance = 0;
    for (size_t i = 0; i < sample->count; i++)
        *mean += sample->values[i] / (double)sample->count;
    for (size_t i = 0; i < sample->count; i++)
        *variance += pow(sample->values[i] - *mean, 2) / (double)(sample->count - 1);
    *variance /= (double)sample->count;
}

static double median(sample *sample) {
    qsort(sample->values, sample->count, sizeof(double), by_size);
    return sample->values[sample->count / 2];
}

static double welch_t(const char *guard, double *medians_apart) {
    factor2_authenticator *verifier = authenticator(guard);
    const char *forget = "{\"totpsecret\":\"" SECRET "\"}";
    uint64_t random = 0;
    memset(samples, 0, sizeof samples);
    for (int i = 0; i < CALLS; i++) {
        int kind = (int)(scrambled(random++) & 1);
        /* Before it is locked; the answer is an error where nothing is counted. */
        if (i % ROUND == 0)
            call(factor2_reset, verifier, forget, strlen(forget));
        sample *sample = &samples[kind];
        sample->values[sample->count++] = time_of(verifier, kind ? NOBODY : WRONG);
    }
    double means[KINDS], variances[KINDS];
    for (int kind = 0; kind < KINDS; kind++)
        mean_and_variance(&samples[kind], &means[kind], &variances[kind]);
    factor2_authenticator_free(verifier);
    *medians_apart = median(&samples[1]) - median(&samples[0]);
    return (means[0] - means[1]) / sqrt(variances[0] + variances[1]);
}

static void print_t(const char *what, const char *guard) {
    char t[16], apart[16];
    double medians_apart, value = welch_t(guard, &medians_apart);
    snprintf(t, sizeof t, "t = %.1f", value);
    snprintf(apart, sizeof apart, "%+.0f ns", medians_apart);
    print_fact(what, t, apart, "t within 4.5", fabs(value) < 4.5);
}

int main(void) {
    print_t("nobody or a wrong code, guard none, 200,000 calls", "{\"store\":\"none\"}");
    print_t("nobody or a wrong code, memory guard, 200,000 calls",
            "{\"store\":\"memory\",\"soft\":100,\"hard\":100}");
    return EXIT_SUCCESS;
}
