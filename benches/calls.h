/* factor2 as the benchmarks call it: JSON in, JSON out. */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <stdint.h>

#include "factor2.h"
#include "harness.h"

#define ISSUER "Test"
#define ACCOUNT "bob@example.com"
#define SECRET "GUTCCIS2GHGBRKVLPSQV2ZTZNSHSXG3Q"
#define NOW 1800000000

/* A request for factor2_verify(), and its length without the NUL. */
#define VERIFY_REQUEST "{\"totpsecret\":\"" SECRET "\",\"otp\":\"000000\"}"
enum {
    SECRET_AT = sizeof "{\"totpsecret\":\"" - 1,
    CODE_AT = SECRET_AT + sizeof SECRET "\",\"otp\":\"" - 1,
    VERIFY_LENGTH = sizeof VERIFY_REQUEST - 1,
    SECRET_LENGTH = sizeof "{\"totpsecret\":\"" SECRET "\"}" - 1
};

typedef char verify_request[VERIFY_LENGTH + 1];

/* One with these settings of the guard, for ever at NOW. */
factor2_authenticator *authenticator(const char *guard);

/* Calls, looks at the response, frees it. */
factor2_status call(factor2_operation operation, const factor2_authenticator *authenticator,
                    const char *request, size_t length);

/* A random number; the same for the same number. splitmix64. */
uint64_t scrambled(uint64_t number);

/* Writes the request of a made-up credential; the same for the same number, its code 000000. */
void write_request(verify_request request, uint64_t credential);

/* Writes a request, of SECRET_LENGTH, with the same secret and no code. */
void write_secret_request(verify_request secret, const verify_request request);

/* Replaces the code by the right one. */
void write_right_code(verify_request request);

/* As many requests of credentials that were never used, with their right codes. Valid until the next
   call. */
verify_request *fresh_requests(size_t count);

#endif
