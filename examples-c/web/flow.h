/*
 * The way through the pages: sign up, scan, confirm, save recovery codes; log in by password,
 * then by code; log out. What the recovery codes are for is recovery.c's.
 */
#ifndef WEB_FLOW_H
#define WEB_FLOW_H

#include "http.h"

/* The route of a path, or NULL. */
const struct route *flow_route(const char *path);

#endif
