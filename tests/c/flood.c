/* Guesses for ten million made-up secrets: the guard's memory stays as it is, and its victim safe. */
#include "calls.h"

#include <stdint.h>

#define FLOOD 10000000
#define SMALL_FLOOD 2000
#define ROOM_FOR_RECORDS (64 * 1024L) /* KiB; 100,000 records take a fifth of it */

static long resident_kib(void) {
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    CHECK(status != NULL);
    while (fgets(line, sizeof line, status))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    fclose(status);
    CHECK(kib > 0);
    return kib;
}

/* A number spelled in base32, so that each gives a secret of its own. */
static void put_number(char *request, uint32_t number) {
    char *place = request + strlen("{\"totpsecret\":\"");
    int i;
    for (i = 0; i < 7; i++, number >>= 5)
        place[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[number & 31];
}

TEST test_a_flood_of_guesses(void) {
    char request[] = "{\"totpsecret\":\"AAAAAAAAGEZDGNBVGY3TQOJQGEZDGNBV\",\"otp\":\"000000\"}";
    factor2_authenticator *auth = authenticator(GUARDED_CONFIG);
    uint32_t flood = (uint32_t)rounds(FLOOD, SMALL_FLOOD), n;
    long refused = 0, answered = 0, settled = 0;
    for (n = 0; n < 4; n++)
        CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
    for (n = 0; n < flood; n++) {
        factor2_status status;
        put_number(request, n);
        status = factor2_verify(auth, request, sizeof request - 1, NULL);
        if (status == FACTOR2_STORE_UNAVAILABLE)
            refused++;
        else if (status == FACTOR2_INVALID_TOKEN)
            answered++;
        else
            CHECK(status == FACTOR2_OK); /* right by chance */
        if (n == 200000)
            settled = resident_kib();
    }
    if (instrumented()) {
        skipped("a full flood and its memory", "too slow, and not the library's memory alone");
    } else {
        CHECK(answered >= 99000 && answered <= 100000);
        CHECK(refused >= (long)flood - 100100);
        CHECK(settled < ROOM_FOR_RECORDS);
        CHECK(resident_kib() - settled < 1024);
    }
    /* Its fifth wrong code locks the victim: the four before the flood were not forgotten. */
    CHECK(verify_code(auth, "000000") == FACTOR2_INVALID_TOKEN);
    CHECK(verify_code(auth, CODE_NOW) == FACTOR2_THROTTLED);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_a_flood_of_guesses);
    return 0;
}
