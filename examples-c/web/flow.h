/*
 * The way through the pages: sign up, scan, confirm; log in by password, then by code; log out.
 */
#ifndef WEB_FLOW_H
#define WEB_FLOW_H

#include "http.h"

/* The route of a path, or NULL. */
const struct route *flow_route(const char *path);

#endif
