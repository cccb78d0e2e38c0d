/* FOLDER REDIS-SOCKET REDIS-SCRIPT ROUNDS: prints the first table, and the second up to where the
   other programs add their rows. The folder is empty. */
#include "facts.h"
#include "harness.h"
#include "themes.h"

static void print_picture_sizes(void) {
    char ours[32], theirs[32];
    size_t our_bytes, their_bytes;
    picture_sizes(&our_bytes, &their_bytes);
    snprintf(ours, sizeof ours, "%zu bytes", our_bytes);
    snprintf(theirs, sizeof theirs, "%zu bytes", their_bytes);
    print_fact("the PNG of qr; libpng's", ours, theirs, "at most 900", our_bytes <= 900);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    compare_pictures();
    compare_codes();
    compare_memory_guard();
    compare_life();
    compare_sqlite_guard(argv[1]);
    compare_redis_guard(argv[2], argv[3]);
    time_and_print(atoi(argv[4]));
    print_facts_head();
    print_picture_sizes();
    return EXIT_SUCCESS;
}
