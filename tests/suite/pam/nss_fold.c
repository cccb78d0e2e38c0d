/*
 * A directory of one user, tuser, whom it knows by other spellings, too: in capitals, with a domain
 * before or behind the name, with blanks around it. A module of the C library's name service switch.
 */
#define _GNU_SOURCE

#include <ctype.h>
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>

#define NAME "tuser"

enum nss_status _nss_fold_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                                     size_t size, int *error);

enum nss_status _nss_fold_getpwnam_r(const char *name, struct passwd *result, char *buffer,
                                     size_t size, int *error) {
    const char *domain = strrchr(name, '\\');
    const char *start = domain != NULL ? domain + 1 : name;
    size_t length;

    while (isspace((unsigned char)*start))
        start++;
    length = strcspn(start, "@ \t");
    if (length != strlen(NAME) || strncasecmp(start, NAME, length) != 0)
        return NSS_STATUS_NOTFOUND;
    if (size < sizeof NAME) {
        *error = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    memset(result, 0, sizeof *result);
    result->pw_name = strcpy(buffer, NAME);
    result->pw_uid = result->pw_gid = 54999;
    result->pw_passwd = result->pw_gecos = result->pw_dir = result->pw_shell =
        buffer + strlen(NAME);
    return NSS_STATUS_SUCCESS;
}
