/* token.c - see token.h. */
#include "daemon/http/token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/log.h"

static void derive_cookie(struct token *token)
{
    unsigned char hash[32];
    static const unsigned char purpose[] = "tributary console cookie 1";
    crypto_generichash(hash, sizeof(hash), (const unsigned char *)token->text, strlen(token->text), purpose,
                       sizeof(purpose) - 1);
    sodium_bin2hex(token->cookie, sizeof(token->cookie), hash, sizeof(hash));
}

static bool is_token(struct slice text)
{
    if (text.len < TOKEN_LEAST_BYTES || text.len > TOKEN_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    }
    return true;
}

static bool take_text(struct token *token, struct slice text)
{
    text = slice_trim(text);
    if (!is_token(text))
        return false;
    memcpy(token->text, text.ptr, text.len);
    token->text[text.len] = '\0';
    derive_cookie(token);
    return true;
}

static bool read_file(const char *path, struct token *token)
{
    char text[TOKEN_MAX_BYTES + 16];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, text, sizeof(text));
    if (fstat(fd, &info) == 0 && (info.st_mode & 077) != 0) {
        log_warn("http.token_mode", "%s could be read by others; it cannot any more", path);
        (void)fchmod(fd, 0600);
    }
    close(fd);
    return len > 0 && take_text(token, slice_of(text, (size_t)len));
}

/* Written beside and renamed: a crash leaves the whole file or none. */
static enum status write_file(const char *path, struct token *token, struct err *err)
{
    char fresh[PATH_MAX + 8], line[80];
    unsigned char secret[32];
    randombytes_buf(secret, sizeof(secret));
    sodium_bin2hex(line, sizeof(line), secret, sizeof(secret));
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    (void)unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, errno, "http.token", "cannot make %s", fresh);
    (void)take_text(token, slice_str(line));
    strcat(line, "\n");
    bool written = write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;
    int number = errno;
    close(fd);
    if (!written || rename(fresh, path) != 0) {
        number = written ? errno : number;
        (void)unlink(fresh);
        return err_set_errno(err, number, "http.token", "cannot write %s", path);
    }
    return STATUS_OK;
}

enum status token_load(const char *state_dir, struct slice configured, struct token *token, struct err *err)
{
    char path[PATH_MAX];
    if (sodium_init() < 0)
        return err_set(err, RETRY_FATAL, "http.token", "no randomness for the token");
    if (configured.len > 0) {
        if (take_text(token, configured))
            return STATUS_OK;
        return err_set(err, RETRY_REJECT_CONFIG, "http.token",
                       "http.token: too short or not printable; hint: at least %d characters without spaces",
                       TOKEN_LEAST_BYTES);
    }
    if (snprintf(path, sizeof(path), "%s/token", state_dir) >= (int)sizeof(path) - 8)
        return err_set(err, RETRY_REJECT_CONFIG, "http.token", "state_dir: the path is too long");
    if (read_file(path, token))
        return STATUS_OK;
    if (access(path, F_OK) == 0)
        log_warn("http.token_renewed", "%s held no token; a new one is made", path);
    return write_file(path, token, err);
}

static bool same(const char *secret, struct slice given)
{
    unsigned char wanted[32], got[32];
    crypto_generichash(wanted, sizeof(wanted), (const unsigned char *)secret, strlen(secret), NULL, 0);
    crypto_generichash(got, sizeof(got), (const unsigned char *)given.ptr, given.len, NULL, 0);
    return sodium_memcmp(wanted, got, sizeof(wanted)) == 0;
}

bool token_is(const struct token *token, struct slice given)
{
    return given.len <= TOKEN_MAX_BYTES && same(token->text, given);
}

bool token_cookie_is(const struct token *token, struct slice given)
{
    return given.len <= TOKEN_MAX_BYTES && same(token->cookie, given);
}
