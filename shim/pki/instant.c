#include "instant.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct civil {
    int64_t year;
    int month;
    int day;
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that the leap day is
 * the last of its year. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct civil civil_of(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct civil civil;

    civil.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    civil.month = (int)(month < 10 ? month + 3 : month - 9);
    civil.year = year_of_era + era * 400 + (civil.month <= 2);
    return civil;
}

int64_t instant_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec;
}

bool instant_from_asn1(const ASN1_TIME *time, int64_t *instant)
{
    struct tm tm;

    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1)
        return false;
    *instant = days_of((int64_t)tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 + tm.tm_hour * 3600 +
               tm.tm_min * 60 + tm.tm_sec;
    return true;
}

static struct civil split(int64_t instant, int *second_of_day)
{
    int64_t days = (instant >= 0 ? instant : instant - 86399) / 86400;

    *second_of_day = (int)(instant - days * 86400);
    return civil_of(days);
}

ASN1_TIME *instant_to_asn1(int64_t instant)
{
    int second;
    struct civil civil = split(instant, &second);
    ASN1_TIME *time = ASN1_TIME_new();
    char text[INSTANT_TEXT_CAP];
    int hour = second / 3600;
    int minute = second / 60 % 60;

    /* RFC 5280: two-digit years from 1950 to 2049, four digits outside. */
    if (civil.year >= 1950 && civil.year < 2050)
        snprintf(text, sizeof text, "%02d%02d%02d%02d%02d%02dZ", (int)(civil.year % 100), civil.month, civil.day, hour,
                 minute, second % 60);
    else
        snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02dZ", (int)civil.year, civil.month, civil.day, hour, minute,
                 second % 60);
    if (time == NULL || ASN1_TIME_set_string(time, text) != 1) {
        ASN1_TIME_free(time);
        return NULL;
    }
    return time;
}

void instant_text(int64_t instant, char text[INSTANT_TEXT_CAP])
{
    int second;
    struct civil civil;

    if (instant < INSTANT_MIN || instant > INSTANT_MAX) {
        strcpy(text, "unreadable");
        return;
    }
    civil = split(instant, &second);
    snprintf(text, INSTANT_TEXT_CAP, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)civil.year, civil.month, civil.day,
             second / 3600, second / 60 % 60, second % 60);
}
