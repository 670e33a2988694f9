#define _GNU_SOURCE // for accept4
#include "CSupport.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int local_address(const char *path, struct sockaddr_un *address) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address->sun_path) return -ENAMETOOLONG;
  strcpy(address->sun_path, path);
  return 0;
}

int csupport_listen(const char *path) {
  struct sockaddr_un address;
  int answer = local_address(path, &address);
  if (answer < 0) return answer;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  // The file gets the permissions that the socket has: it is never open to others, not even for a moment.
  if (fchmod(descriptor, 0600) < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0 ||
      listen(descriptor, 8) < 0) {
    answer = -errno;
    close(descriptor);
    return answer;
  }
  return descriptor;
}

int csupport_is_heard(const char *path) {
  struct sockaddr_un address;
  struct stat status;
  int answer = local_address(path, &address);
  if (answer < 0) return answer;
  if (lstat(path, &status) < 0) return -errno;
  if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -errno;
  answer = connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0 ? 1 : errno == ECONNREFUSED ? 0 : -errno;
  close(descriptor);
  // Its queue is full: it is there.
  return answer == -EAGAIN ? 1 : answer;
}

int csupport_file_id(const char *path, unsigned long long id[2]) {
  struct stat status;
  if (lstat(path, &status) < 0) return -errno;
  id[0] = status.st_dev;
  id[1] = status.st_ino;
  return 0;
}

int csupport_accept(int descriptor) {
  int connection = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return connection < 0 ? -errno : connection;
}

long csupport_send(int descriptor, const void *bytes, size_t count) {
  ssize_t sent = send(descriptor, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}
