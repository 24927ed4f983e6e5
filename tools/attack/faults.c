/* A library to be loaded before a program, which counts its calls that change files, and at the one that
 * FAULT_AT names does what FAULT says: it kills the process there (`kill`), cuts a write in half and kills
 * it (`tear`), or lets this call and all after it fail as on a full disk (`ENOSPC`), a disk that is broken
 * (`EIO`) or past the limit on a file's size (`EFBIG`). With `threads`, no more than FAULT_AT threads can be
 * started. With FAULT_LOG, the number of calls goes there when
 * the process ends. Processes that the program starts count by themselves, unless FAULT_ONLY names the one
 * program that is meant. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long at = -1;
static int fault;
static int tears, kills, threads;
static atomic_long started;
static int counts;

__attribute__((constructor)) static void begin(void) {
    const char *word = getenv("FAULT"), *number = getenv("FAULT_AT"), *only = getenv("FAULT_ONLY");
    counts = !only || strcmp(only, program_invocation_short_name) == 0;
    if (number) at = atol(number);
    if (!word) return;
    kills = !strcmp(word, "kill");
    tears = !strcmp(word, "tear");
    threads = !strcmp(word, "threads");
    fault = !strcmp(word, "ENOSPC") ? ENOSPC : !strcmp(word, "EIO") ? EIO : EFBIG;
}

__attribute__((destructor)) static void end(void) {
    const char *log = getenv("FAULT_LOG");
    if (!log || !counts) return;
    FILE *file = fopen(log, "w");
    if (file) fprintf(file, "%ld\n", atomic_load(&calls)), fclose(file);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call; 1 if it is to fail. */
static int strike(void) {
    if (!counts) return 0;
    long now = atomic_fetch_add(&calls, 1);
    if (at < 0 || now < at || threads) return 0;
    if (kills || (tears && now == at)) die();
    return !tears;
}

/* Counts a write of `left` bytes; how many of them are to be written, -1 for a failure. */
static ssize_t strike_write(int file, size_t left) {
    struct stat there;
    if (fstat(file, &there) || !S_ISREG(there.st_mode)) return left;
    if (tears && counts && at >= 0 && atomic_load(&calls) == at) return left / 2;
    return strike() ? -1 : (ssize_t)left;
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define FAILS(call) if (strike()) { errno = fault; return -1; } return call

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(write);
    ssize_t some = strike_write(file, count);
    if (some < 0) { errno = fault; return -1; }
    ssize_t written = real(file, bytes, some);
    if ((size_t)some < count) die();
    return written;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev);
    if (strike_write(file, 2) < 0) { errno = fault; return -1; }
    return real(file, parts, count);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    REAL(pwrite64);
    if (strike_write(file, count) < 0) { errno = fault; return -1; }
    return real(file, bytes, count, offset);
}

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t count, unsigned flags) {
    REAL(copy_file_range);
    FAILS(real(from, a, to, b, count, flags));
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) {
    static ssize_t (*real)(int, int, off64_t *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "sendfile64");
    FAILS(real(to, from, offset, count));
}

int fsync(int file) { REAL(fsync); FAILS(real(file)); }
int fdatasync(int file) { REAL(fdatasync); FAILS(real(file)); }
int ftruncate64(int file, off64_t length) { REAL(ftruncate64); FAILS(real(file, length)); }
int rename(const char *a, const char *b) { REAL(rename); FAILS(real(a, b)); }
int renameat(int x, const char *a, int y, const char *b) { REAL(renameat); FAILS(real(x, a, y, b)); }
int renameat2(int x, const char *a, int y, const char *b, unsigned flags) {
    REAL(renameat2);
    FAILS(real(x, a, y, b, flags));
}
int link(const char *a, const char *b) { REAL(link); FAILS(real(a, b)); }
int linkat(int x, const char *a, int y, const char *b, int flags) {
    REAL(linkat);
    FAILS(real(x, a, y, b, flags));
}
int mkdir(const char *name, mode_t mode) { REAL(mkdir); FAILS(real(name, mode)); }

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*what)(void *), void *with) {
    REAL(pthread_create);
    if (counts && threads && atomic_fetch_add(&started, 1) >= at) return EAGAIN;
    return real(thread, how, what, with);
}

/* What makes room may be a place to die, but works on a full disk. */
int unlink(const char *name) { REAL(unlink); if (kills) strike(); return real(name); }
int unlinkat(int folder, const char *name, int flags) {
    REAL(unlinkat);
    if (kills) strike();
    return real(folder, name, flags);
}
int rmdir(const char *name) { REAL(rmdir); if (kills) strike(); return real(name); }

/* Only files that are made anew count. */
int open64(const char *name, int flags, ...) {
    REAL(open64);
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
        FAILS(real(name, flags, mode));
    }
    return real(name, flags);
}
