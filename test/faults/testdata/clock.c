// A wall clock that a test can move, for programs that take the time from the C
// library: LD_PRELOAD this, with WALRELAY_CLOCK naming a file that holds the offset
// in seconds, as eight bytes of the machine. Clocks that only go forward are left
// alone, as they are when somebody sets the time of a machine.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const long *offset;

__attribute__((constructor)) static void begin(void) {
	const char *path = getenv("WALRELAY_CLOCK");
	int file = path ? open(path, O_RDONLY) : -1;
	void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
	if (page != MAP_FAILED)
		offset = page;
}

static long moved(void) { return offset ? *offset : 0; }

int clock_gettime(clockid_t id, struct timespec *to) {
	int failed = syscall(SYS_clock_gettime, id, to);
	if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		to->tv_sec += moved();
	return failed;
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
	int failed = syscall(SYS_gettimeofday, to, zone);
	if (!failed)
		to->tv_sec += moved();
	return failed;
}

time_t time(time_t *to) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (to)
		*to = now.tv_sec;
	return now.tv_sec;
}
