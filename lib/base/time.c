#include <kube/time.h>
#include <string.h>
#include <time.h>

#define MS_A_SECOND INT64_C(1000)
/* The years 0000 to 9999 are all that RFC 3339 can write. */
#define FIRST_TIME_MS INT64_C(-62167219200000)
#define LAST_TIME_MS INT64_C(253402300799999)

/* Reads exactly n digits and moves *text behind them; -1 when there are not so many. */
static int take_digits(const char **text, int n)
{
	int value = 0;

	for (; n > 0; n--, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* "11:22:38" */
static bool take_clock(const char **text, int last_second, struct tm *ret_tm)
{
	ret_tm->tm_hour = take_digits(text, 2);
	if (ret_tm->tm_hour < 0 || ret_tm->tm_hour > 23 || !take_char(text, ':'))
		return false;
	ret_tm->tm_min = take_digits(text, 2);
	if (ret_tm->tm_min < 0 || ret_tm->tm_min > 59 || !take_char(text, ':'))
		return false;
	ret_tm->tm_sec = take_digits(text, 2);
	return ret_tm->tm_sec >= 0 && ret_tm->tm_sec <= last_second;
}

static bool is_date(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (year < 0 || month < 1 || month > 12)
		return false;
	return day >= 1 && day <= days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* "2026-11-21" */
static bool take_date(const char **text, struct tm *ret_tm)
{
	int year = take_digits(text, 4);
	if (year < 0 || !take_char(text, '-'))
		return false;
	int month = take_digits(text, 2);
	if (month < 0 || !take_char(text, '-'))
		return false;
	int day = take_digits(text, 2);
	ret_tm->tm_year = year - 1900;
	ret_tm->tm_mon = month - 1;
	ret_tm->tm_mday = day;
	return is_date(year, month, day);
}

/* ".123456789": what is finer than a millisecond is cut. */
static bool take_fraction(const char **text, int *ret_ms)
{
	int ms = 0, unit = 100;

	if (!take_char(text, '.'))
		return true;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		ms += (**text - '0') * unit;
	*ret_ms = ms;
	return true;
}

/* "Z", "+02:00" */
static bool take_offset(const char **text, int *ret_minutes)
{
	if (take_char(text, 'Z') || take_char(text, 'z'))
		return true;
	int sign = **text == '-' ? -1 : 1;
	if (!take_char(text, '+') && !take_char(text, '-'))
		return false;
	int hours = take_digits(text, 2);
	if (hours < 0 || hours > 23 || !take_char(text, ':'))
		return false;
	int minutes = take_digits(text, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*ret_minutes = sign * (hours * 60 + minutes);
	return true;
}

int kube_time_parse(const char *text, int64_t *ret_ms, struct kube_err *err)
{
	struct tm tm = {0};
	int fraction_ms = 0, offset_minutes = 0;
	const char *rest = text;

	/* No leap second: Go's time, which the API is made of, has none. */
	if (!take_date(&rest, &tm) || (!take_char(&rest, 'T') && !take_char(&rest, 't')) || !take_clock(&rest, 59, &tm) ||
	    !take_fraction(&rest, &fraction_ms) || !take_offset(&rest, &offset_minutes) || *rest)
		return kube_fail(err, KUBE_E_PARSE, "expected a time such as \"2026-11-21T11:22:38Z\", got \"%s\"", text);
	*ret_ms = ((int64_t)timegm(&tm) - offset_minutes * 60) * MS_A_SECOND + fraction_ms;
	return 0;
}

static void split(int64_t ms, struct tm *ret_tm, int *ret_ms)
{
	if (ms < FIRST_TIME_MS)
		ms = FIRST_TIME_MS;
	if (ms > LAST_TIME_MS)
		ms = LAST_TIME_MS;
	int64_t rest = ms % MS_A_SECOND;
	if (rest < 0)
		rest += MS_A_SECOND;
	time_t seconds = (ms - rest) / MS_A_SECOND;
	gmtime_r(&seconds, ret_tm);
	*ret_ms = (int)rest;
}

static void put_digits(char *out, int count, int value)
{
	for (; count > 0; value /= 10)
		out[--count] = (char)('0' + value % 10);
}

/* Written by hand: statuses are full of times. */
static const char *format(int64_t ms, bool micro, char out[KUBE_TIME_TEXT_SIZE])
{
	static const char shape[] = "0000-00-00T00:00:00.000000Z";
	struct tm tm;
	int rest_ms;

	out[0] = '\0';
	if (ms == KUBE_TIME_NONE)
		return out;
	split(ms, &tm, &rest_ms);
	memcpy(out, shape, sizeof(shape));
	put_digits(out, 4, tm.tm_year + 1900);
	put_digits(out + 5, 2, tm.tm_mon + 1);
	put_digits(out + 8, 2, tm.tm_mday);
	put_digits(out + 11, 2, tm.tm_hour);
	put_digits(out + 14, 2, tm.tm_min);
	put_digits(out + 17, 2, tm.tm_sec);
	if (micro)
		put_digits(out + 20, 3, rest_ms);
	else
		memcpy(out + 19, "Z", 2);
	return out;
}

const char *kube_time_format(int64_t ms, char out[KUBE_TIME_TEXT_SIZE])
{
	return format(ms, false, out);
}

const char *kube_time_format_micro(int64_t ms, char out[KUBE_TIME_TEXT_SIZE])
{
	return format(ms, true, out);
}

/* The index of the three letters at *text in names ("SunMon…"), -1 when they are not there. */
static int take_name(const char **text, const char *names)
{
	for (int i = 0; names[3 * i]; i++) {
		if (strncmp(*text, names + (ptrdiff_t)3 * i, 3) == 0) {
			*text += 3;
			return i;
		}
	}
	return -1;
}

/* "Sat, 21 Nov 2026 " */
static bool take_http_date(const char **text, struct tm *ret_tm)
{
	if (take_name(text, "SunMonTueWedThuFriSat") < 0 || !take_char(text, ',') || !take_char(text, ' '))
		return false;
	ret_tm->tm_mday = take_digits(text, 2);
	if (!take_char(text, ' '))
		return false;
	ret_tm->tm_mon = take_name(text, "JanFebMarAprMayJunJulAugSepOctNovDec");
	if (!take_char(text, ' '))
		return false;
	int year = take_digits(text, 4);
	ret_tm->tm_year = year - 1900;
	return is_date(year, ret_tm->tm_mon + 1, ret_tm->tm_mday) && take_char(text, ' ');
}

int kube_time_parse_http(const char *text, int64_t *ret_ms, struct kube_err *err)
{
	struct tm tm = {0};
	const char *rest = text;

	if (!take_http_date(&rest, &tm) || !take_clock(&rest, 60, &tm) || strcmp(rest, " GMT") != 0)
		return kube_fail(err, KUBE_E_PARSE,
		                 "expected an HTTP date such as \"Sat, 21 Nov 2026 11:22:38 GMT\", got \"%s\"", text);
	*ret_ms = (int64_t)timegm(&tm) * MS_A_SECOND;
	return 0;
}
