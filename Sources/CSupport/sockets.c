// fchmod before bind, accept4 and ppoll are Linux's own.
#define _GNU_SOURCE
#include "CSupport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int failed(int descriptor) {
  int error = errno;
  if (descriptor >= 0)
    close(descriptor);
  return -error;
}

int csupport_listen_loopback(uint16_t port, uint16_t *bound) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0)
    return -errno;
  const int yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
      bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 4) < 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) < 0)
    return failed(listener);
  *bound = ntohs(address.sin_port);
  return listener;
}

// Whether a socket at the path is this user's and nobody listens to it any more; 0, or a negative errno that says what
// else is there.
static int is_left_over(const struct sockaddr_un *address) {
  struct stat status;
  if (lstat(address->sun_path, &status) < 0)
    return -errno;
  if (!S_ISSOCK(status.st_mode))
    return -EEXIST;
  if (status.st_uid != geteuid())
    return -EPERM;
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0)
    return -errno;
  int answer = connect(probe, (const struct sockaddr *)address, sizeof *address);
  int error = errno;
  close(probe);
  if (answer < 0 && error == ECONNREFUSED)
    return 0;
  // A socket of another type is not a stream's to connect to.
  return answer < 0 && error != EAGAIN ? -EEXIST : -EADDRINUSE;
}

int csupport_listen_local(const char *path, struct csupport_file *made) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0)
    return -errno;
  // The file that bind makes gets the socket's mode, so that there is no moment in which others may open it.
  if (fchmod(listener, S_IRUSR | S_IWUSR) < 0)
    return failed(listener);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) {
    if (errno != EADDRINUSE)
      return failed(listener);
    int answer = is_left_over(&address);
    if (answer < 0) {
      close(listener);
      return answer;
    }
    if (unlink(path) < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0)
      return failed(listener);
  }
  struct stat status;
  if (lstat(path, &status) < 0)
    return failed(listener);
  made->device = status.st_dev;
  made->inode = status.st_ino;
  if (listen(listener, 4) < 0) {
    int error = errno;
    csupport_remove_local(path, made);
    close(listener);
    return -error;
  }
  return listener;
}

void csupport_remove_local(const char *path, const struct csupport_file *made) {
  struct stat status;
  if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == made->device &&
      status.st_ino == made->inode)
    unlink(path);
}

int csupport_accept(int listener) {
  int connection = accept4(listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0)
    return -errno;
  // Small packets are answered one by one. A UNIX socket knows no such option, and needs none.
  const int yes = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return connection;
}

int csupport_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ? -errno : 0;
}

long csupport_send(int connection, const void *bytes, size_t count) {
  ssize_t sent = send(connection, bytes, count, MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

long csupport_receive(int connection, void *bytes, size_t count) {
  ssize_t received = recv(connection, bytes, count, 0);
  return received < 0 ? -errno : received;
}

int csupport_wait_readable(const int *descriptors, int count, int milliseconds, uint64_t *ready) {
  struct pollfd polled[64];
  if (count > 64)
    return -EINVAL;
  for (int i = 0; i < count; i++)
    polled[i] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
  *ready = 0;
  int answer = poll(polled, count, milliseconds);
  if (answer < 0)
    return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++)
    if (polled[i].revents)
      *ready |= UINT64_C(1) << i;
  return 0;
}

int csupport_wait_writable(int connection, int other, int milliseconds) {
  struct pollfd polled[] = {{.fd = connection, .events = POLLOUT}, {.fd = other, .events = POLLIN}};
  int answer = poll(polled, 2, milliseconds);
  if (answer < 0)
    return errno == EINTR ? 0 : -errno;
  return polled[1].revents ? -ECANCELED : 0;
}
