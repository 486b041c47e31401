#pragma once

/*
 * Functions that lwbuild never calls, as compile errors. The build includes
 * this file in front of every source; system headers come first so that their
 * own declarations stay legal.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LWB_BANNED(name) lwb_##name##_is_a_banned_function

#undef strcpy
#define strcpy LWB_BANNED(strcpy)
#undef strcat
#define strcat LWB_BANNED(strcat)
#undef strncpy
#define strncpy LWB_BANNED(strncpy)
#undef strncat
#define strncat LWB_BANNED(strncat)
#undef strtok
#define strtok LWB_BANNED(strtok)
#undef sprintf
#define sprintf LWB_BANNED(sprintf)
#undef vsprintf
#define vsprintf LWB_BANNED(vsprintf)
#undef atoi
#define atoi LWB_BANNED(atoi)
#undef atol
#define atol LWB_BANNED(atol)
#undef gmtime
#define gmtime LWB_BANNED(gmtime)
#undef localtime
#define localtime LWB_BANNED(localtime)
#undef ctime
#define ctime LWB_BANNED(ctime)
#undef asctime
#define asctime LWB_BANNED(asctime)
