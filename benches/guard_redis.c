/* The redis guard, beside a bare EVALSHA of its script by hiredis: both on one connection to the same
   server's Unix socket, both with credentials that the server does not know yet. */
#include <hiredis/hiredis.h>
#include <string.h>

#include "calls.h"
#include "themes.h"

static factor2_authenticator *guarded;
static verify_request *requests;
static redisContext *bare;
static char script_hash[41];

static void prepare(size_t calls) { requests = fresh_requests(calls); }

static void verify(size_t calls) {
    for (size_t i = 0; i < calls; i++)
        CHECK(call(factor2_verify, guarded, requests[i], VERIFY_LENGTH) == FACTOR2_OK);
}

/* As the library asks: the id of the attempt, the step, the code and no key, the time, the policy. */
static void evalsha(size_t calls) {
    static uint64_t asked;
    char step[32];
    snprintf(step, sizeof step, "step %d", NOW / 30);
    while (calls--) {
        unsigned long long credential = scrambled(asked++), id = scrambled(credential);
        redisReply *reply = redisCommand(
            bare, "EVALSHA %s 1 factor2:%016llx%016llx %llu judge %s %s %d %s", script_hash,
            credential, id, id, step, "123456 -", NOW, "5 33 30 3600 0 0");
        CHECK(reply && reply->type == REDIS_REPLY_STRING && strstr(reply->str, " accepted 0"));
        freeReplyObject(reply);
    }
}

static void load_script(const char *path) {
    static char script[65536];
    FILE *file = fopen(path, "r");
    CHECK(file);
    size_t length = fread(script, 1, sizeof script, file);
    CHECK(length < sizeof script);
    fclose(file);
    redisReply *reply = redisCommand(bare, "SCRIPT LOAD %b", script, length);
    CHECK(reply && reply->type == REDIS_REPLY_STRING);
    snprintf(script_hash, sizeof script_hash, "%s", reply->str);
    freeReplyObject(reply);
}

static bench_case ours = {.prepare = prepare, .run = verify}, theirs = {.run = evalsha};

void compare_redis_guard(const char *socket, const char *script) {
    char guard[512];
    bare = redisConnectUnix(socket);
    CHECK(bare && !bare->err);
    load_script(script);
    snprintf(guard, sizeof guard, "{\"store\":\"redis\",\"url\":\"redis+unix://%s\"}", socket);
    guarded = authenticator(guard);
    compare("verify, redis guard, Unix socket", &ours, "a bare EVALSHA by hiredis", &theirs, TIME,
            1.25);
}
