/* The head of a response, line by line. */
#include "lib/http/internal.h"

#include <kube/time.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int http_retry_after_s(const char *retry_after, const char *date, int64_t wall_ms)
{
	size_t digits = strspn(retry_after, "0123456789");
	int64_t then = 0, now = wall_ms;
	if (digits > 0 && !retry_after[digits]) {
		long long seconds = strtoll(retry_after, NULL, 10);
		return seconds > INT_MAX ? INT_MAX : (int)seconds;
	}
	if (kube_time_parse_http(retry_after, &then, NULL) != 0)
		return -1;
	/* The server's own clock, where it tells: ours may differ. */
	if (*date && kube_time_parse_http(date, &now, NULL) != 0)
		now = wall_ms;
	int64_t seconds = then <= now ? 0 : (then - now + 999) / 1000;
	return seconds > INT_MAX ? INT_MAX : (int)seconds;
}

/* The value of line when it is that header: its beginning, and *ret_len; else NULL. */
static const char *value_of(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);
	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return NULL;
	const char *value = line + name_len + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && strchr(" \t\r\n", end[-1]))
		end--;
	*ret_len = (size_t)(end - value);
	return value;
}

/* Copies a header's value when line is that header and it was not seen before. */
static void pick(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = 0;
	const char *value = *out ? NULL : value_of(line, len, name, &n);
	if (!value)
		return;
	if (n >= size)
		n = size - 1;
	memcpy(out, value, n);
	out[n] = '\0';
}

/* Several headers of one name are one list (RFC 9110 5.3). One that does not fit whole is left out. */
static void collect(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = 0, have = strlen(out);
	const char *value = value_of(line, len, name, &n);
	if (value && n > 0 && have + 2 + n < size)
		snprintf(out + have, size - have, "%s%.*s", have > 0 ? ", " : "", (int)n, value);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200 " */
static int parse_status(const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	if (!space || line + len - space < 4)
		return 0;
	int status = 0;
	for (int i = 1; i <= 3; i++) {
		if (space[i] < '0' || space[i] > '9')
			return 0;
		status = status * 10 + (space[i] - '0');
	}
	return status;
}

static void head_ended(struct kube_exchange *exchange)
{
	struct http_head *head = &exchange->head;
	if (head->status < 200) /* 100 Continue and its like come before the answer */
		return;
	head->complete = true;
	if (head->status == 401)
		kube_credentials_refused(exchange->http->credentials, exchange->credential);
	struct kube_response_head answer = {
	    .status = head->status,
	    .retry_after_s = *head->retry_after
	                         ? http_retry_after_s(head->retry_after, head->date, kube_env_wall_ms(exchange->http->env))
	                         : -1,
	    .content_type = head->content_type,
	    .date = head->date,
	    .warning = head->warning,
	    .flow_schema_uid = head->flow_schema,
	    .priority_level_uid = head->priority_level,
	};
	if (exchange->handlers.on_head)
		exchange->handlers.on_head(exchange->arg, &answer);
}

size_t http_on_header(char *line, size_t size, size_t count, void *arg)
{
	struct kube_exchange *exchange = arg;
	struct http_head *head = &exchange->head;
	size_t len = size * count;
	if (exchange->canceled || exchange->done)
		return 0;
	http_touch(exchange);
	exchange->head_bytes += len;
	if (exchange->head_bytes > HTTP_MAX_HEAD_BYTES) {
		exchange->stop_code = KUBE_E_LIMIT;
		return 0;
	}
	if (head->complete) /* trailers */
		return len;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		*head = (struct http_head){.status = parse_status(line, len)};
		return len;
	}
	pick(line, len, "Content-Type", head->content_type, sizeof(head->content_type));
	pick(line, len, "Date", head->date, sizeof(head->date));
	pick(line, len, "Retry-After", head->retry_after, sizeof(head->retry_after));
	pick(line, len, "X-Kubernetes-PF-FlowSchema-UID", head->flow_schema, sizeof(head->flow_schema));
	pick(line, len, "X-Kubernetes-PF-PriorityLevel-UID", head->priority_level, sizeof(head->priority_level));
	collect(line, len, "Warning", head->warning, sizeof(head->warning));
	if (line[0] == '\r' || line[0] == '\n')
		head_ended(exchange);
	return exchange->canceled ? 0 : len;
}
