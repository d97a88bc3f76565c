/* Reading of small files, and wiping of what they held. */
#include "lib/auth/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int cannot_open(const char *what, const char *path, struct kube_err *err)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return kube_fail(err, KUBE_E_NOTFOUND, "the %s %s does not exist", what, path);
	return kube_fail(err, KUBE_E_IO, "cannot open the %s %s: %m", what, path);
}

static int read_all(int fd, const char *what, const char *path, struct kube_buf *buf, struct kube_err *err)
{
	char chunk[8192];
	int rc = 0;
	while (rc == 0) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = kube_fail(err, KUBE_E_IO, "cannot read the %s %s: %m", what, path);
		} else if ((rc = kube_buf_add(buf, chunk, (size_t)n)) == KUBE_E_LIMIT) {
			kube_fail(err, rc, "the %s %s is larger than %zu bytes", what, path, buf->max);
		} else if (rc != 0) {
			kube_fail(err, rc, "out of memory for the %s %s", what, path);
		}
	}
	explicit_bzero(chunk, sizeof(chunk));
	return rc;
}

int kube_file_read(const char *what, const char *path, struct kube_buf *ret_buf, struct kube_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cannot_open(what, path, err);
	int rc = read_all(fd, what, path, ret_buf, err);
	close(fd);
	if (rc != 0)
		kube_file_wipe_buf(ret_buf);
	return rc;
}

char *kube_file_trim(char *text)
{
	text += strspn(text, " \t\r\n");
	for (size_t len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

void kube_file_wipe_buf(struct kube_buf *buf)
{
	if (buf && buf->data)
		explicit_bzero(buf->data, buf->len);
	kube_buf_finish(buf);
}
