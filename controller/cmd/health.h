/* /healthz, /readyz and /metrics. */
#ifndef CMD_HEALTH_H
#define CMD_HEALTH_H

#include "controller/cmd/controller.h"
#include <kube/httpd.h>

/* kube_httpd_options.handle; arg is the struct controller. */
int health_handle(void *arg, const char *path, const char *query, struct kube_httpd_reply *reply);

#endif
