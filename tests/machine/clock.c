/* Another clock for the systemd of a machine, which can't have one of its own:
 * a library that is loaded before libc (clock.ts). The file /etc/clock, or the one
 * that TEST_CLOCK names, holds the seconds by which it is ahead of the computer's. Once a second the kernel seems
 * to say that the clock was set, as it does after clock_settime(2). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static long ahead(void)
{
	char text[32] = { 0 };
	const char *named = getenv("TEST_CLOCK");
	int file = syscall(SYS_openat, AT_FDCWD, named ? named : "/etc/clock", O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return 0;
	long size = syscall(SYS_read, file, text, sizeof(text) - 1);
	syscall(SYS_close, file);
	return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
	int result = syscall(SYS_clock_gettime, id, time);

	if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		time->tv_sec += ahead();
	return result;
}

int timerfd_settime(int file, int flags, const struct itimerspec *time, struct itimerspec *old)
{
	struct itimerspec other = *time;

	if (flags & TFD_TIMER_CANCEL_ON_SET) {
		other = (struct itimerspec){ .it_value.tv_sec = 1 };
		flags = 0;
	} else if (flags & TFD_TIMER_ABSTIME && other.it_value.tv_sec > 1000000000) {
		/* A date, and not a time since the boot. */
		other.it_value.tv_sec -= ahead();
		if (other.it_value.tv_sec < 1)
			other.it_value.tv_sec = 1;
	}
	return syscall(SYS_timerfd_settime, file, flags, &other, old);
}
