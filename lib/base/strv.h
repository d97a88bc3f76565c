/* Lists of texts that end with NULL, as argv does. Internal to lib. */
#ifndef KUBE_BASE_STRV_H
#define KUBE_BASE_STRV_H

#include <stddef.h>

/* How many there are; NULL: none. */
size_t kube_strv_count(const char *const *list);
/* A copy of all; NULL gives an empty list. NULL when out of memory. */
char **kube_strv_copy(const char *const *list);
/* Overwrites and frees; NULL is fine. */
void kube_strv_free(char **list);

#endif
