/*
 * Password hashes, which are slow on purpose: some 20 ms each. Threads make them, so that the server's
 * own thread has time for all other pages. The jobs that wait are limited, in all and per address.
 */
#ifndef WEB_HASHING_H
#define WEB_HASHING_H

#include <netinet/in.h>
#include <pthread.h>

enum {
    PASSWORD_SIZE = 129, /* NUL included, as in all sizes here */
    PASSWORD_MIN = 8,
    HASH_SIZE = 384, /* CRYPT_OUTPUT_SIZE */
    HASHERS = 2,
    HASHES_WAITING = 64,
    HASHES_PER_ADDRESS = 16
};

struct hash_job {
    char password[PASSWORD_SIZE];
    char like[HASH_SIZE]; /* a hash whose salt is to be taken, or "" for a new salt */
    char hash[HASH_SIZE]; /* what came of it, or "" if it failed */
    in_addr_t from;
    void (*wait)(void *context);  /* called before a thread can take the job */
    void (*go_on)(void *context); /* called by the thread that has made it */
    void *context;
    struct hash_job *next;
};

struct hashers {
    pthread_t threads[HASHERS];
    int started;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct hash_job *first; /* of those that no thread has taken yet */
    int is_ending;
};

/* Gives 0 if it failed. */
int hashers_start(struct hashers *hashers);

/* Takes a job over until it is made. Gives 0 if too many wait, of all or of that address. */
int hashers_take(struct hashers *hashers, struct hash_job *job);

/* Makes what still waits, and ends the threads. */
void hashers_end(struct hashers *hashers);

/* Makes a hash at once, as for a job. Gives 0 if it failed. */
int password_hash(const char *password, const char *like, char hash[HASH_SIZE]);

#endif
