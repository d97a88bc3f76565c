/* Continue tokens: base64url of {"v","rv","start"}, as the real server's (apiserver pkg/storage/continue.go). */
#include "lib/sim/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "meta.k8s.io/v1"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *api_print_token(int64_t version, const char *after)
{
	_cleanup_buf_ struct kube_buf text = {0};
	struct kube_buf out;

	kube_buf_init(&text, 1024);
	kube_buf_init(&out, 2048);
	/* It begins behind that key: the first text that is greater. */
	kube_buf_addf(&text, "{\"v\":\"" VERSION "\",\"rv\":%lld,\"start\":\"%s\\u0000\"}", (long long)version, after);
	api_must(text.data);
	for (size_t i = 0; i < text.len; i += 3) {
		unsigned long bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < text.len ? (unsigned char)text.data[i + k] : 0);
		for (size_t k = 0; k < 4 && i + k <= text.len; k++)
			kube_buf_add(&out, &alphabet[bits >> (18 - 6 * k) & 63], 1);
	}
	return api_must(kube_buf_take(&out));
}

static char *decode(const char *token)
{
	struct kube_buf out;
	unsigned long bits = 0;
	int have = 0;

	kube_buf_init(&out, 2048);
	for (; *token && *token != '='; token++) {
		const char *place = strchr(alphabet, *token);
		if (!place)
			break;
		bits = bits << 6 | (unsigned long)(place - alphabet);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		char byte = (char)(bits >> have & 255);
		kube_buf_add(&out, &byte, 1);
	}
	return api_must(kube_buf_take(&out));
}

bool api_read_token(const char *token, int64_t *ret_version, char *after, size_t size)
{
	_cleanup_free_ char *text = decode(token);
	char *zero = strstr(text, "\\u0000");

	if (zero)
		memmove(zero, zero + 6, strlen(zero + 6) + 1);
	_cleanup_json_ cJSON *json = api_parse_json(text, strlen(text));
	const cJSON *version = kube_json_get(json, "rv");
	if (strcmp(api_text(json, "v"), VERSION) != 0 || !cJSON_IsNumber(version) || !zero)
		return false;
	*ret_version = (int64_t)version->valuedouble;
	snprintf(after, size, "%s", api_text(json, "start") + (api_text(json, "start")[0] == '/'));
	return true;
}
