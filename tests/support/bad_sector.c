/* Preloaded into a process, makes bytes BAD_FIRST up to but without BAD_STOP of the file BAD_FILE unreadable,
   as a bad sector does: what lies before them is read, then read() fails with EIO, each time. Only processes
   whose command lines hold the text BAD_FOR are hit; all processes, where that is empty. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_meant;

__attribute__((constructor)) static void decide(void) {
    const char *text = getenv("BAD_FOR");
    char words[4096];
    FILE *file = fopen("/proc/self/cmdline", "r");
    size_t size = file != NULL ? fread(words, 1, sizeof words, file) : 0;
    if (file != NULL)
        fclose(file);
    is_meant = text != NULL && memmem(words, size, text, strlen(text)) != NULL;
}

static int is_bad(int file) {
    const char *path = getenv("BAD_FILE");
    struct stat bad, given;
    return is_meant && path != NULL && stat(path, &bad) == 0 && fstat(file, &given) == 0 &&
           bad.st_dev == given.st_dev && bad.st_ino == given.st_ino;
}

ssize_t read(int file, void *buffer, size_t size) {
    ssize_t (*next)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (is_bad(file)) {
        off_t at = lseek(file, 0, SEEK_CUR);
        off_t first = atoll(getenv("BAD_FIRST")), stop = atoll(getenv("BAD_STOP"));
        if (at >= first && at < stop) {
            errno = EIO;
            return -1;
        }
        if (at < first && at + (off_t)size > first)
            size = (size_t)(first - at);
    }
    return next(file, buffer, size);
}
