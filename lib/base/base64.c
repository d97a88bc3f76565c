#include <kube/base64.h>
#include <kube/mem.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BASE64_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"

static void free_decoder(EVP_ENCODE_CTX **decoder)
{
	EVP_ENCODE_CTX_free(*decoder);
}

int kube_base64_decode(const char *text, char **ret_text, struct kube_err *err)
{
	size_t len = strlen(text);
	if (len > INT32_MAX || strspn(text, BASE64_ALPHABET) != len)
		return kube_fail(err, KUBE_E_PARSE, "it is not base64");
	_cleanup_free_ char *out = malloc(len + 4);
	_cleanup_(free_decoder) EVP_ENCODE_CTX *decoder = EVP_ENCODE_CTX_new();
	if (!out || !decoder) {
		ERR_clear_error();
		return kube_fail(err, KUBE_E_NOMEM, "out of memory for the base64");
	}
	int head = 0, tail = 0;
	EVP_DecodeInit(decoder);
	if (EVP_DecodeUpdate(decoder, (unsigned char *)out, &head, (const unsigned char *)text, (int)len) < 0 ||
	    EVP_DecodeFinal(decoder, (unsigned char *)out + head, &tail) < 0) {
		ERR_clear_error();
		return kube_fail(err, KUBE_E_PARSE, "it is not base64");
	}
	out[head + tail] = '\0';
	if (strlen(out) != (size_t)(head + tail))
		return kube_fail(err, KUBE_E_PARSE, "it contains a NUL byte and so is no text");
	*ret_text = take(out);
	return 0;
}

char *kube_base64_encode(const char *text)
{
	size_t len = strlen(text);
	char *out = len < INT32_MAX / 2 ? malloc((len + 2) / 3 * 4 + 1) : NULL;
	if (out)
		EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len);
	return out;
}
