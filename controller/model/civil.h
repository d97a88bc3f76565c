/* Days of the proleptic Gregorian calendar, counted from 1970-01-01. Pure; for years that an API time can have. */
#ifndef MODEL_CIVIL_H
#define MODEL_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_S INT64_C(86400)

struct civil {
	int64_t year;
	int month, day; /* from 1 */
};

int64_t civil_days(int64_t year, int month, int day); /* month from 1 to 12; day may lie outside the month */
struct civil civil_date(int64_t days);
int civil_weekday(int64_t days); /* 0: Sunday */
bool civil_leap_year(int64_t year);
int civil_month_days(int64_t year, int month);

/* a / b, rounded down; b > 0. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

#endif
