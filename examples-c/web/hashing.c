#define _DEFAULT_SOURCE /* explicit_bzero */

#include "hashing.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

/* yescrypt by libcrypt, the system's own password hash. */
int password_hash(const char *password, const char *like, char hash[HASH_SIZE]) {
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof *data);
    const char *result = NULL;
    int hashed;

    if (like[0] == '\0')
        like = crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof salt);
    if (data != NULL && like != NULL)
        result = crypt_r(password, like, data);
    hashed = result != NULL && result[0] != '*' && strlen(result) < HASH_SIZE;
    strcpy(hash, hashed ? result : "");
    if (data != NULL)
        explicit_bzero(data, sizeof *data);
    free(data);
    return hashed;
}

/* A hasher's thread: one job after the other, until all are made and the end was called. */
static void *make_hashes(void *of) {
    struct hashers *hashers = of;
    struct hash_job *job;

    pthread_mutex_lock(&hashers->lock);
    for (;;) {
        while (hashers->first == NULL && !hashers->is_ending)
            pthread_cond_wait(&hashers->changed, &hashers->lock);
        job = hashers->first;
        if (job == NULL)
            break;
        hashers->first = job->next;
        pthread_mutex_unlock(&hashers->lock);
        password_hash(job->password, job->like, job->hash);
        explicit_bzero(job->password, sizeof job->password);
        job->go_on(job->context);
        pthread_mutex_lock(&hashers->lock);
    }
    pthread_mutex_unlock(&hashers->lock);
    return NULL;
}

int hashers_start(struct hashers *hashers) {
    memset(hashers, 0, sizeof *hashers);
    pthread_mutex_init(&hashers->lock, NULL);
    pthread_cond_init(&hashers->changed, NULL);
    while (hashers->started < HASHERS &&
           pthread_create(&hashers->threads[hashers->started], NULL, make_hashes, hashers) == 0)
        hashers->started++;
    return hashers->started > 0;
}

int hashers_take(struct hashers *hashers, struct hash_job *job) {
    struct hash_job **last;
    int all = 0, theirs = 0, is_taken;

    pthread_mutex_lock(&hashers->lock);
    for (last = &hashers->first; *last != NULL; last = &(*last)->next) {
        all++;
        theirs += (*last)->from == job->from;
    }
    is_taken = all < HASHES_WAITING && theirs < HASHES_PER_ADDRESS && !hashers->is_ending;
    if (is_taken) {
        job->wait(job->context);
        job->next = NULL;
        *last = job;
        pthread_cond_signal(&hashers->changed);
    }
    pthread_mutex_unlock(&hashers->lock);
    return is_taken;
}

void hashers_end(struct hashers *hashers) {
    pthread_mutex_lock(&hashers->lock);
    hashers->is_ending = 1;
    pthread_cond_broadcast(&hashers->changed);
    pthread_mutex_unlock(&hashers->lock);
    while (hashers->started > 0)
        pthread_join(hashers->threads[--hashers->started], NULL);
}
