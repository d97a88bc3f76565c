#include "utf8.h"

/* Lead bytes: how long a sequence is and the smallest code point that may be written so (overlong ones are refused). */
static size_t sequence_length(unsigned char lead, uint32_t *ret_bits, uint32_t *ret_smallest)
{
	static const struct {
		unsigned char mask, mark;
		uint32_t smallest;
	} forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((lead & forms[i].mask) == forms[i].mark) {
			*ret_bits = (uint32_t)(lead & ~forms[i].mask & 0xFF);
			*ret_smallest = forms[i].smallest;
			return i + 1;
		}
	}
	return 0;
}

size_t utf8_next(const char *s, size_t len, uint32_t *ret_point)
{
	uint32_t point = 0, smallest = 0;
	size_t need = sequence_length((unsigned char)s[0], &point, &smallest);

	*ret_point = UTF8_REPLACEMENT;
	if (need == 0 || need > len)
		return 1;
	for (size_t i = 1; i < need; i++) {
		unsigned char c = (unsigned char)s[i];
		if ((c & 0xC0) != 0x80)
			return 1;
		point = point << 6 | (c & 0x3FU);
	}
	if (point < smallest || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
		return 1;
	*ret_point = point;
	return need;
}

size_t utf8_floor(const char *s, size_t n)
{
	size_t start = n;
	uint32_t bits = 0, smallest = 0;

	while (start > 0 && n - start < 3 && ((unsigned char)s[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0)
		return n;
	start--;
	return sequence_length((unsigned char)s[start], &bits, &smallest) > n - start ? start : n;
}
