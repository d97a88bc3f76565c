#include "lib/base/strv.h"

#include <kube/mem.h>
#include <stdlib.h>
#include <string.h>

size_t kube_strv_count(const char *const *list)
{
	size_t count = 0;
	while (list && list[count])
		count++;
	return count;
}

char **kube_strv_copy(const char *const *list)
{
	size_t count = kube_strv_count(list);
	char **copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			kube_strv_free(copy);
			return NULL;
		}
	}
	return copy;
}

void kube_strv_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		kube_wipe_str(&list[i]);
	free(list);
}
