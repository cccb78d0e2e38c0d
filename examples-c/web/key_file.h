/*
 * The key that seals the secrets, in a file that nobody else can read. Whoever gets at the users' data
 * alone has no codes. POSIX.
 */
#ifndef WEB_KEY_FILE_H
#define WEB_KEY_FILE_H

enum { KEY_SIZE = 45 }; /* 32 bytes in base64, with a NUL */

/*
 * Reads the key, and makes the file with a new one if it is missing. Gives 0 and why not. Yours to
 * wipe.
 */
int key_file_read(const char *path, char key[KEY_SIZE], const char **why);

#endif
