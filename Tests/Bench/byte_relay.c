/* The floor of any extra hop: bytes from one unix socket to another, in one thread, nothing parsed.
     byte_relay <listening socket> <runtime's socket>
   A call costs it, in each direction, one epoll_wait, one read and one write. */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One end of a connection: what was read from it and is not yet written to its peer. */
struct end {
  int fd, at_end;
  uint32_t watched;
  size_t first, last;
  struct end *peer, *next_dead;
  char bytes[256 << 10];
};

static int poller;
static struct end *dead;

static void stop(const char *what) { perror(what); exit(1); }

static int unix_socket(const char *path, struct sockaddr_un *address) {
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  strncpy(address->sun_path, path, sizeof address->sun_path - 1);
  return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static void watch(struct end *end) {
  uint32_t wanted = (end->first == end->last && !end->at_end ? EPOLLIN : 0) |
                    (end->peer->first < end->peer->last ? EPOLLOUT : 0);
  struct epoll_event event = {.events = wanted, .data.ptr = end};
  if (wanted == end->watched) return;
  epoll_ctl(poller, end->watched ? (wanted ? EPOLL_CTL_MOD : EPOLL_CTL_DEL) : EPOLL_CTL_ADD, end->fd, &event);
  end->watched = wanted;
}

static void give_up(struct end *end) {
  if (end->fd < 0) return;
  close(end->fd), close(end->peer->fd);
  end->fd = end->peer->fd = -1;
  end->next_dead = end->peer, end->peer->next_dead = dead, dead = end; /* freed when no event can name it */
}

/* Moves what there is from this end to its peer. */
static void move(struct end *end) {
  struct end *peer = end->peer;
  if (end->first == end->last && !end->at_end) {
    ssize_t count = read(end->fd, end->bytes, sizeof end->bytes);
    if (count < 0) return give_up(end);
    end->first = 0, end->last = count, end->at_end = count == 0;
  }
  if (end->first < end->last) {
    ssize_t count = send(peer->fd, end->bytes + end->first, end->last - end->first, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) end->first += count;
  }
  if (end->at_end && peer->at_end) return give_up(end);
  if (end->at_end && end->first == end->last) shutdown(peer->fd, SHUT_WR);
  watch(end), watch(peer);
}

static void accept_one(int listener, const char *runtime) {
  struct sockaddr_un address;
  struct end *ends[2] = {calloc(1, sizeof(struct end)), calloc(1, sizeof(struct end))};
  ends[0]->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), ends[1]->fd = unix_socket(runtime, &address);
  ends[0]->peer = ends[1], ends[1]->peer = ends[0];
  if (connect(ends[1]->fd, (struct sockaddr *)&address, sizeof address)) return give_up(ends[0]);
  watch(ends[0]), watch(ends[1]);
}

int main(int count, char **arguments) {
  struct sockaddr_un address;
  struct epoll_event events[64], accepting = {.events = EPOLLIN};
  if (count != 3) return fprintf(stderr, "byte_relay <listening socket> <runtime's socket>\n"), 64;
  int listener = unix_socket(arguments[1], &address);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) stop(arguments[1]);
  poller = epoll_create1(0);
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &accepting);
  for (;;) {
    int ready = epoll_wait(poller, events, 64, -1);
    for (int index = 0; index < ready; index++) {
      struct end *end = events[index].data.ptr;
      if (!end) accept_one(listener, arguments[2]);
      if (end && end->fd >= 0 && events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) move(end);
      if (end && end->fd >= 0 && events[index].events & EPOLLOUT) move(end->peer);
    }
    while (dead) {
      struct end *end = dead;
      dead = end->next_dead;
      free(end);
    }
  }
}
