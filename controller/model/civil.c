#include "controller/model/civil.h"

/* In a year that begins with March the leap day is the last one, and the months' lengths follow one formula. */
#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define DAYS_IN_400_YEARS 146097

int64_t civil_days(int64_t year, int month, int day)
{
	int64_t march_year = month <= 2 ? year - 1 : year;
	int64_t era = floor_div(march_year, 400), year_of_era = march_year - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_IN_400_YEARS + day_of_era - DAYS_TO_1970;
}

struct civil civil_date(int64_t days)
{
	int64_t shifted = days + DAYS_TO_1970, era = floor_div(shifted, DAYS_IN_400_YEARS);
	int64_t day_of_era = shifted - era * DAYS_IN_400_YEARS;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153; /* from March */

	return (struct civil){
	    .year = year_of_era + era * 400 + (month >= 10),
	    .month = (int)(month < 10 ? month + 3 : month - 9),
	    .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

int civil_weekday(int64_t days)
{
	int64_t since_thursday = days - floor_div(days, 7) * 7;
	return (int)((since_thursday + 4) % 7);
}

bool civil_leap_year(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int civil_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && civil_leap_year(year));
}
