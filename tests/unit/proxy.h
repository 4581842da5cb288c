/*
 * proxy.h - a tiny proxy before PostgreSQL, on a unix socket, that loses the answer to COMMIT.
 *
 * It forwards both ways until the client sends COMMIT while `armed`; that it still forwards, waits until the
 * server has answered, and then closes both sides without passing the answer on.
 */
#ifndef TRIBUTARY_TESTS_PROXY_H
#define TRIBUTARY_TESTS_PROXY_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct proxy {
    char dir[64];
    char server_path[108];
    int listener;
    pthread_t thread;
    atomic_bool armed;
    atomic_int dropped;
};

static inline void proxy_address(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

static inline bool proxy_pass(int from, int to, char *bytes, ssize_t *len)
{
    *len = read(from, bytes, 65536);
    return *len > 0 && write(to, bytes, (size_t)*len) == *len;
}

static inline void proxy_serve(struct proxy *proxy, int client, int server)
{
    static char bytes[65536];
    for (;;) {
        struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        ssize_t len = 0;
        if (poll(fds, 2, -1) < 0)
            return;
        if (fds[0].revents) {
            if (!proxy_pass(client, server, bytes, &len))
                return;
            if (memmem(bytes, (size_t)len, "COMMIT", 7) && atomic_exchange(&proxy->armed, false)) {
                (void)!read(server, bytes, sizeof(bytes)); /* it has committed; nobody hears */
                atomic_fetch_add(&proxy->dropped, 1);
                return;
            }
        }
        if (fds[1].revents && !proxy_pass(server, client, bytes, &len))
            return;
    }
}

static inline void *proxy_run(void *data)
{
    struct proxy *proxy = data;
    for (int client; (client = accept(proxy->listener, NULL, NULL)) >= 0;) {
        int server = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un address;
        proxy_address(&address, proxy->server_path);
        if (connect(server, (struct sockaddr *)&address, sizeof(address)) == 0)
            proxy_serve(proxy, client, server);
        close(server);
        close(client);
    }
    return NULL;
}

/* `conninfo` is "host=DIR ..." of a unix socket; the proxied one is written to out. */
static inline void proxy_start(struct proxy *proxy, const char *conninfo, char *out, size_t size)
{
    char dir[64] = "";
    assert_int_equal(sscanf(conninfo, "host=%63s", dir), 1);
    snprintf(proxy->server_path, sizeof(proxy->server_path), "%s/.s.PGSQL.5432", dir);
    snprintf(proxy->dir, sizeof(proxy->dir), "/tmp/tributary-proxy.XXXXXX");
    assert_non_null(mkdtemp(proxy->dir));
    char path[108];
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", proxy->dir);
    struct sockaddr_un address;
    proxy_address(&address, path);
    proxy->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(proxy->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(proxy->listener, 8), 0);
    atomic_init(&proxy->armed, false);
    atomic_init(&proxy->dropped, 0);
    assert_int_equal(pthread_create(&proxy->thread, NULL, proxy_run, proxy), 0);
    snprintf(out, size, "host=%s %s", proxy->dir, strchr(conninfo, ' ') + 1);
}

static inline void proxy_stop(struct proxy *proxy)
{
    char path[108];
    shutdown(proxy->listener, SHUT_RDWR); /* wakes accept */
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", proxy->dir);
    unlink(path);
    rmdir(proxy->dir);
}

#endif
