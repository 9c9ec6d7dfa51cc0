/* A proxy on the gRPC C core: the usual way to write one. Any unary method, messages as bytes, status and deadline.
     core_proxy <listening socket> <runtime's socket>
   One thread, one completion queue, one channel to the runtime. */

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One call: waiting for a caller, for its message, for the runtime's answer, for the answer to be out. */
struct call {
  enum { CALLER, MESSAGE, ANSWER, DONE } waits_for;
  grpc_call *caller, *runtime;
  grpc_call_details details;
  grpc_metadata_array from_caller, first, last;
  grpc_byte_buffer *request, *answer;
  grpc_status_code status;
  grpc_slice text;
  int cancelled;
};

static grpc_completion_queue *queue;
static grpc_server *server;
static grpc_channel *channel;

static void await_caller(void) {
  struct call *call = calloc(1, sizeof *call);
  grpc_call_details_init(&call->details);
  grpc_server_request_call(server, &call->caller, &call->details, &call->from_caller, queue, queue, call);
}

static void start(grpc_call *on, struct call *call, int waits_for, const grpc_op *operations, size_t count) {
  call->waits_for = waits_for;
  if (grpc_call_start_batch(on, operations, count, call, NULL) != GRPC_CALL_OK) abort();
}

static void ask_runtime(struct call *call) {
  call->runtime = grpc_channel_create_call(channel, call->caller, GRPC_PROPAGATE_DEFAULTS, queue, call->details.method, NULL,
                                           call->details.deadline, NULL);
  grpc_op operations[] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request},
      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
      {.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &call->first},
      {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->answer},
      {.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
       .data.recv_status_on_client = {.trailing_metadata = &call->last, .status = &call->status, .status_details = &call->text}}};
  start(call->runtime, call, ANSWER, operations, 6);
}

static void answer_caller(struct call *call) {
  grpc_op operations[4] = {
      {.op = GRPC_OP_SEND_INITIAL_METADATA},
      {.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &call->cancelled},
      {.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
       .data.send_status_from_server = {.status = call->status, .status_details = &call->text}},
      {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->answer}};
  start(call->caller, call, DONE, operations, call->answer ? 4 : 3);
}

static void forget(struct call *call) {
  grpc_byte_buffer_destroy(call->request), grpc_byte_buffer_destroy(call->answer);
  grpc_metadata_array_destroy(&call->from_caller), grpc_metadata_array_destroy(&call->first);
  grpc_metadata_array_destroy(&call->last), grpc_call_details_destroy(&call->details), grpc_slice_unref(call->text);
  if (call->runtime) grpc_call_unref(call->runtime);
  if (call->caller) grpc_call_unref(call->caller);
  free(call);
}

int main(int count, char **arguments) {
  char own[256], runtime[256];
  if (count != 3) return fprintf(stderr, "core_proxy <listening socket> <runtime's socket>\n"), 64;
  snprintf(own, sizeof own, "unix:%s", arguments[1]), snprintf(runtime, sizeof runtime, "unix:%s", arguments[2]);
  grpc_init();
  grpc_arg unlimited[] = {{.type = GRPC_ARG_INTEGER, .key = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, .value.integer = -1}};
  grpc_channel_args options = {1, unlimited};
  queue = grpc_completion_queue_create_for_next(NULL);
  channel = grpc_channel_create(runtime, grpc_insecure_credentials_create(), &options);
  server = grpc_server_create(&options, NULL);
  grpc_server_register_completion_queue(server, queue, NULL);
  if (!grpc_server_add_http2_port(server, own, grpc_insecure_server_credentials_create())) return 69;
  grpc_server_start(server);
  for (int outstanding = 0; outstanding < 64; outstanding++) await_caller();
  for (;;) {
    grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    struct call *call = event.tag;
    if (event.type != GRPC_OP_COMPLETE) continue;
    if (call->waits_for == CALLER) {
      await_caller();
      grpc_op message = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->request};
      start(call->caller, call, MESSAGE, &message, 1);
    } else if (call->waits_for == MESSAGE && call->request) {
      ask_runtime(call);
    } else if (call->waits_for == ANSWER) {
      answer_caller(call);
    } else {
      forget(call);
    }
  }
}
