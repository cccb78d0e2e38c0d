/* Secrets, codes and names that the caller passes never come back in an error's text. */
#include "calls.h"

#include <strings.h>

/* A good secret, a code and a name that can be told from every other text. */
#define CANARY "CANARYSECRETCANARYSECRETCANARY23"
#define CODE "918273"

#define GOOD "\"totpsecret\":\"" CANARY "\""

struct provocation {
    factor2_operation run;
    const char *request;
};

static const struct provocation PROVOCATIONS[] = {
    {factor2_describe, "{\"CANARY\":1}"},
    {factor2_describe, "{" GOOD "}"},
    {factor2_describe, "[\"" CANARY "\"]"},
    {factor2_describe, "\"" CANARY "\""},
    {factor2_describe, CANARY},
    {factor2_describe, CODE},

    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"last_step\":918273918273}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "1\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"CANARY\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":" CODE "}"},
    {factor2_verify, "{" GOOD ",\"otp\":-" CODE "}"},
    {factor2_verify, "{" GOOD ",\"otp\":" CODE ".5}"},
    {factor2_verify, "{" GOOD ",\"otp\":[\"" CODE "\"]}"},
    {factor2_verify, "{" GOOD ",\"otp\":{\"CANARY\":\"" CODE "\"}}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{" GOOD "," GOOD ",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"" CANARY "\":1}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"canary: " CODE "\":1}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"" CODE "\":\"" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"last_step\":\"" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"last_step\":-" CODE "}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"last_step\":" CODE ".0}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"last_step\":" CODE "e999}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"username\":{\"CANARY\":1}}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"username\":\"canary\\ncanary\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\",\"username\":\"canary:" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\"} " CANARY},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\""},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE},
    {factor2_verify, "{" GOOD ",\"otp\":" CANARY "}"},
    {factor2_verify, "{" GOOD " " CODE "}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"\\u" CODE "\\q\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"\\ud800" CODE "\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\x01\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":\"" CODE "\xff\"}"},
    {factor2_verify, "{" GOOD ",\"otp\":[[[[[[[[[[\"" CODE "\"]]]]]]]]]]}"},
    {factor2_verify, "{" GOOD "}"},
    {factor2_verify, "{\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"CANARY!" CANARY "\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"CANARY\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"" CANARY "A\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"" CANARY "AB\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"" CANARY "=\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"" CANARY " " CANARY "\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":\"" CANARY CANARY CANARY CANARY "\",\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":[\"" CANARY "\"],\"otp\":\"" CODE "\"}"},
    {factor2_verify, "{\"totpsecret\":{\"" CANARY "\":1},\"otp\":\"" CODE "\"}"},

    {factor2_read_uri, "{\"uri\":\"otpauth://totp/canary?secret=" CANARY "1\"}"},
    {factor2_read_uri, "{\"uri\":\"otpauth://totp/canary?secret=" CANARY "&secret=" CANARY "\"}"},
    {factor2_read_uri, "{\"uri\":\"otpauth://" CANARY "/canary?secret=" CANARY "\"}"},
    {factor2_read_uri, "{\"uri\":\"" CANARY "\"}"},
    {factor2_resync,
     "{\"totpsecret\":\"" CANARY "1\",\"otp\":\"" CODE "\",\"next_otp\":\"" CODE "\"}"},
    {factor2_resync, "{" GOOD ",\"otp\":\"" CODE "\",\"next_otp\":\"" CODE "\"}"},
    {factor2_resync, "{" GOOD ",\"otp\":\"" CODE "\",\"next_otp\":\"" CODE "0\"}"},
    {factor2_resync, "{" GOOD ",\"otp\":\"CANARY\",\"next_otp\":\"" CODE "\"}"},
    {factor2_diagnose, "{\"totpsecret\":\"" CANARY "1\",\"otp\":\"" CODE "\"}"},
    {factor2_diagnose, "{" GOOD ",\"otp\":\"" CODE CODE "\"}"},
    {factor2_diagnose, "{" GOOD ",\"otp\":\"" CODE "\",\"next_otp\":\"CANARY\"}"},

    {factor2_generate, "{\"totpsecret\":\"" CANARY "1\"}"},
    {factor2_generate, "{\"totpsecret\":\"canary\"}"},
    {factor2_generate, "{\"totpsecret\":918273}"},
    {factor2_generate, "{" GOOD ",\"otp\":\"" CODE "\"}"},
    {factor2_generate, "{" GOOD ",\"" CANARY "\":0}"},
    {factor2_generate, "{" GOOD "," CANARY "}"},

    {factor2_seal, "{" GOOD "}"},
    {factor2_seal, "{" GOOD ",\"username\":\" \"}"},
    {factor2_seal, "{" GOOD ",\"bind\":\"\"}"},
    {factor2_seal, "{" GOOD ",\"bind\":918273}"},
    {factor2_seal, "{\"totpsecret\":\"f2s1.k1.CANARY\",\"username\":\"canary\"}"},
    {factor2_seal, "{\"totpsecret\":\"f2s1.canary.CANARY\",\"username\":\"canary\"}"},
    {factor2_seal, "{\"totpsecret\":\"otpauth://totp/canary?secret=" CANARY "1\",\"bind\":\"a\"}"},
    {factor2_seal,
     "{\"totpsecret\":\"otpauth://totp/x?secret=" CANARY "&algorithm=CANARY\",\"bind\":\"a\"}"},
    {factor2_seal,
     "{\"totpsecret\":\"otpauth://totp/x?secret=" CANARY "&digits=918273\",\"bind\":\"a\"}"},
    {factor2_seal, "{\"totpsecret\":\"canary://totp/x?secret=" CANARY "\",\"bind\":\"a\"}"},
    {factor2_verify, "{\"totpsecret\":[\"" CANARY "\",\"f2s1.k1.CANARY\"],\"otp\":\"" CODE "\"}"},
    {factor2_import, "{\"format\":\"canary\",\"text\":\"" CANARY "\"}"},
    {factor2_import, "{\"format\":\"keycloak\",\"text\":\"" CANARY "\"}"},
    {factor2_import, "{\"format\":\"keycloak\",\"text\":\"{\\\"users\\\":[" CANARY "]}\"}"},
    {factor2_import, "{\"format\":\"keycloak\",\"text\":\"\\\"" CANARY "\\\"\"}"},
    {factor2_import, "{\"format\":\"keycloak\",\"text\":918273}"},
    {factor2_import, "{\"format\":\"entra-csv\",\"text\":\"" CANARY "," CODE "\"}"},
    {factor2_import, "{\"format\":\"otpauth-migration\",\"text\":\"" CANARY "\"}"},
    {factor2_import,
     "{\"format\":\"otpauth-migration\",\"text\":\"otpauth-migration://x?data=" CANARY "\"}"},
    {factor2_import, "{\"format\":\"otpauth\",\"text\":\"" CANARY "\",\"username\":\"canary\"}"},
    {factor2_create_recovery_codes, "{\"count\":918273}"},
    {factor2_create_recovery_codes, "{\"count\":\"CANARY\"}"},
    {factor2_verify_recovery_code, "{\"recovery\":\"f2r1.CANARY\",\"code\":\"" CODE "\"}"},
    {factor2_verify_recovery_code, "{\"recovery\":\"" RECOVERY "\",\"code\":\"CANARY\"}"},
    {factor2_verify_recovery_code,
     "{\"recovery\":\"" RECOVERY "\",\"code\":\"CANA-RYCA-NARY-CANA-RYCA-NARY\"}"},
    {factor2_verify_recovery_code,
     "{\"recovery\":\"" RECOVERY "\",\"code\":\"" CODE "\",\"used\":[918273]}"},

    {factor2_create_secret, "{" GOOD "}"},
    {factor2_create_secret, "{\"username\":\"canary\\u200bx\"}"},
    {factor2_create_secret, "{\"username\":\"canary\\u0000\"}"},
    {factor2_create_secret, "{\"username\":\"canary\",\"username\":\"canary\"," GOOD "}"},
    {factor2_create_secret, "{\"username\":\"canary\",\"totpsecret\":\"" CANARY "0\"}"},
    {factor2_create_secret, "{\"username\":\"canary\",\"totpsecret\":918273}"},
    {factor2_create_secret, "{\"username\":[\"canary\"]," GOOD "}"},
    {factor2_qr, "{\"username\":\"canary\"}"},
    {factor2_qr, "{\"username\":\"canary\",\"totpsecret\":\"" CANARY "8\"}"},
    {factor2_qr, "{\"username\":\"canary\",\"totpsecret\":\"" CANARY "=A\"}"},
    {factor2_qr, "{\"username\":\"canary\"," GOOD ",\"format\":\"" CODE "\"}"},

    {factor2_prepare_configuration, "{\"user\":\"canary\"}"},
    {factor2_prepare_configuration, "{\"user\":{\"name\":\"canary\"}}"},
    {factor2_prepare_configuration, "{\"user\":{\"username\":\"canary\\u202e.\"}}"},
    {factor2_prepare_configuration, "{\"user\":{\"username\":918273}}"},
    {factor2_prepare_configuration, "{\"user\":{\"username\":\"a\",\"username\":\"canary\"}}"},
    {factor2_prepare_configuration, "{\"user\":{\"username\":\"a\"}," GOOD "}"},

#define SESSION(data) "{\"username\":\"canary\",\"sessionKey\":{\"data\":" data "}}"
    {factor2_reprepare_configuration, "{\"username\":\"canary\"}"},
    {factor2_reprepare_configuration, "{\"username\":\"canary\",\"sessionKey\":\"" CANARY "\"}"},
    {factor2_reprepare_configuration, "{\"username\":\"canary\",\"sessionKey\":{}}"},
    {factor2_reprepare_configuration, SESSION("918273")},
    {factor2_reprepare_configuration, SESSION("\"" CANARY "\"")},
    {factor2_reprepare_configuration, SESSION("\"{\\\"totpsecret\\\":\\\"" CANARY "\"")},
    {factor2_reprepare_configuration, SESSION("\"{\\\"" CANARY "\\\":1,\\\"" CANARY "\\\":1}\"")},
    {factor2_reprepare_configuration, SESSION("\"{\\\"totpsecret\\\":\\\"" CANARY "\\\"}\"")},
    {factor2_reprepare_configuration,
     SESSION("\"{\\\"2fa\\\":{\\\"factor2\\\":\\\"CANARY\\\"}}\"")},
    {factor2_reprepare_configuration, SESSION("{" GOOD "}")},
    {factor2_reprepare_configuration, SESSION("{\"totpsecret\":918273,\"factor2\":\"CANARY\"}")},
    {factor2_reprepare_configuration,
     SESSION("{\"totpsecret\":\"" CANARY "1\",\"factor2\":\"CANARY\"}")},
    {factor2_reprepare_configuration, SESSION("{\"2fa\":\"" CANARY "\"}")},
};

static const char *const CONFIGS[] = {
    "{\"issuer\":\"CANARY:\"}",
    "{\"issuer\":\"CANARY\\u0007\"}",
    "{\"issuer\":\"CANARY\",\"issuer\":\"CANARY\"}",
    "{\"issuer\":918273}",
    "{\"issuer\":\"\",\"CANARY\":1}",
    "{\"issuer\":\"CANARY\",\"algorithm\":\"CANARY\"}",
    "{\"issuer\":\"CANARY\",\"digits\":918273}",
    "{\"issuer\":\"CANARY\",\"digits\":\"918273\"}",
    "{\"issuer\":\"CANARY\",\"period\":918273}",
    "{\"issuer\":\"CANARY\",\"window\":{\"past\":918273}}",
    "{\"issuer\":\"CANARY\",\"window\":\"CANARY\"}",
    "{\"issuer\":\"CANARY\",\"secret_bytes\":918273}",
    "{\"issuer\":\"CANARY\",\"qr\":{\"error_correction\":\"CANARY\"}}",
    "{\"issuer\":\"CANARY\",\"guard\":\"CANARY\"}",
    "{\"issuer\":\"CANARY\",\"guard\":{\"store\":\"CANARY\"}}",
    "{\"issuer\":\"CANARY\",\"guard\":{\"store\":\"none\",\"CANARY\":1}}",
    "{\"issuer\":\"CANARY\",\"factor_name\":918273}",
    "{\"issuer\":\"CANARY\",\"factor_name\":[\"CANARY\"]}",
    "{\"issuer\":\"CANARY\",\"seal\":\"CANARY\"}",
    "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"CANARY KEY\":\"" KEY "\"},\"use\":\"k\"}}",
    "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k\":\"CANARY\"},\"use\":\"k\"}}",
    "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k\":918273},\"use\":\"k\"}}",
    "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k\":\"" KEY "\"},\"use\":\"CANARY\"}}",
    "{\"issuer\":\"X\",\"seal\":{\"keys\":{\"k\":\"" KEY "\"},\"use\":\"k\",\"plain\":\"CANARY\"}}",
    "{\"issuer\":\"CANARY\"} CANARY",
    "\"CANARY\"",
    "CANARY",
};

static void check_says_nothing(const char *what, factor2_status status,
                               const factor2_response *response) {
    const char *json = json_of(response);
    if (status == FACTOR2_OK || strcasestr(json, "canary") || strstr(json, CODE))
        fprintf(stderr, "%s\n-> %s\n", what, json);
    check_response(status, response);
    CHECK(status != FACTOR2_OK && response != NULL);
    CHECK(strcasestr(json, "canary") == NULL);
    CHECK(strstr(json, CODE) == NULL);
}

TEST test_operations(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t i;
    for (i = 0; i < sizeof PROVOCATIONS / sizeof PROVOCATIONS[0]; i++) {
        factor2_response *response = NULL;
        factor2_status status =
            PROVOCATIONS[i].run(auth, PROVOCATIONS[i].request, FACTOR2_NUL_TERMINATED, &response);
        check_says_nothing(PROVOCATIONS[i].request, status, response);
        factor2_response_free(response);
    }
    factor2_authenticator_free(auth);
}

/* Cut off anywhere, a request is quoted nowhere. */
TEST test_cut_requests(void) {
    static const char *const WHOLE[] = {
        "{" GOOD ",\"otp\":\"" CODE "\",\"username\":\"canary\",\"last_step\":" CODE "}",
        "{\"username\":\"canary\",\"sessionKey\":{\"data\":\"{\\\"totpsecret\\\":\\\"" CANARY
        "\\\"}\"}}",
    };
    factor2_authenticator *auth = authenticator(CONFIG);
    size_t which, i, length;
    for (which = 0; which < 2; which++) {
        for (length = 0; length < strlen(WHOLE[which]); length++) {
            for (i = 0; i < CALL_COUNT; i++) {
                factor2_response *response = NULL;
                factor2_status status = CALLS[i].run(auth, WHOLE[which], length, &response);
                check_says_nothing(WHOLE[which], status, response);
                factor2_response_free(response);
            }
        }
    }
    factor2_authenticator_free(auth);
}

TEST test_settings(void) {
    size_t i;
    for (i = 0; i < sizeof CONFIGS / sizeof CONFIGS[0]; i++) {
        factor2_authenticator *made = NULL;
        factor2_response *response = NULL;
        factor2_status status =
            factor2_authenticator_new(CONFIGS[i], FACTOR2_NUL_TERMINATED, &made, &response);
        check_says_nothing(CONFIGS[i], status, response);
        CHECK(made == NULL);
        factor2_response_free(response);
    }
}

/* An accepted code's response has no need of the secret or the code either. */
TEST test_an_accepted_code(void) {
    factor2_authenticator *auth = authenticator(CONFIG);
    factor2_response *response = NULL;
    CHECK(factor2_verify(auth, "{\"totpsecret\":\"" SECRET "\",\"otp\":\"" CODE_NOW "\"}",
                         FACTOR2_NUL_TERMINATED, &response) == FACTOR2_OK);
    CHECK(!contains(response, SECRET) && !contains(response, CODE_NOW));
    factor2_response_free(response);
    factor2_authenticator_free(auth);
}

int main(void) {
    RUN(test_operations);
    RUN(test_cut_requests);
    RUN(test_settings);
    RUN(test_an_accepted_code);
    return 0;
}
