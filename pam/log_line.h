/*
 * The lines that the PAM module writes to the log, all in one form:
 *
 *     pam_factor2(sshd:auth): user 'alice' rhost '192.0.2.7' service 'sshd': accepted
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include <stdarg.h>
#include <stdio.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>

#include "printable.h"

/* Writes such a line. `user` may be NULL; what happened comes as for printf(). */
__attribute__((format(printf, 4, 5))) static void
log_line(pam_handle_t *pamh, int priority, const char *user, const char *format, ...) {
    char who[PRINTABLE_SIZE], where[PRINTABLE_SIZE], what[PRINTABLE_SIZE], happened[2048];
    const void *rhost = NULL, *service = NULL;
    va_list arguments;

    if (pam_get_item(pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
        rhost = NULL;
    if (pam_get_item(pamh, PAM_SERVICE, &service) != PAM_SUCCESS)
        service = NULL;
    va_start(arguments, format);
    vsnprintf(happened, sizeof happened, format, arguments);
    va_end(arguments);
    pam_syslog(pamh, priority, "user '%s' rhost '%s' service '%s': %s", printable(user, who),
               printable(rhost, where), printable(service, what), happened);
}

#endif
