#include "calls.h"

#include <string.h>

factor2_authenticator *authenticator(const char *guard) {
    factor2_authenticator *made;
    factor2_response *response;
    char config[1024];
    snprintf(config, sizeof config, "{\"issuer\":\"" ISSUER "\",\"fixed_time\":%d,\"guard\":%s}",
             NOW, guard);
    if (factor2_authenticator_new(config, FACTOR2_NUL_TERMINATED, &made, &response) != FACTOR2_OK) {
        fprintf(stderr, "%s\n%s\n", config, factor2_response_json(response, NULL));
        exit(EXIT_FAILURE);
    }
    factor2_response_free(response);
    return made;
}

factor2_status call(factor2_operation operation, const factor2_authenticator *authenticator,
                    const char *request, size_t length) {
    factor2_response *response;
    factor2_status status = operation(authenticator, request, length, &response);
    size_t written;
    CHECK(factor2_response_json(response, &written)[written - 1] == '}');
    factor2_response_free(response);
    return status;
}

uint64_t scrambled(uint64_t number) {
    number += 0x9e3779b97f4a7c15;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return number ^ number >> 31;
}

void write_request(verify_request request, uint64_t credential) {
    memcpy(request, VERIFY_REQUEST, sizeof VERIFY_REQUEST);
    /* 12 letters for each of the random numbers. */
    for (int i = 0; i < 32; i++) {
        uint64_t random = scrambled(3 * credential + (uint64_t)i / 12);
        request[SECRET_AT + i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[random >> i % 12 * 5 & 31];
    }
}

void write_secret_request(verify_request secret, const verify_request request) {
    memcpy(secret, request, SECRET_LENGTH);
    secret[SECRET_LENGTH - 1] = '}';
}

void write_right_code(verify_request request) {
    static factor2_authenticator *phone;
    factor2_response *response;
    verify_request secret;
    if (!phone)
        phone = authenticator("{\"store\":\"none\"}");
    write_secret_request(secret, request);
    CHECK(factor2_generate(phone, secret, SECRET_LENGTH, &response) == FACTOR2_OK);
    size_t length;
    const char *code = factor2_response_text(response, "otp", &length);
    CHECK(code && length == 6);
    memcpy(request + CODE_AT, code, length);
    factor2_response_free(response);
}

verify_request *fresh_requests(size_t count) {
    static uint64_t used = UINT64_C(1) << 40;
    static verify_request *requests;
    requests = realloc(requests, count * sizeof *requests);
    CHECK(requests);
    for (size_t i = 0; i < count; i++) {
        write_request(requests[i], used++);
        write_right_code(requests[i]);
    }
    return requests;
}
