export const write = (to, row) => ({ to: to, row });
export const startSaga = (saga, start) => ({ saga, ...start });
const erased = (handler) => handler;
/** Handles a command: once for each saga step and direction, however often it arrives; repeated ones get the stored reply again. */
export function handle(command, reaction) {
  return erased({
    on: 'command',
    name: `${command.type}.v${command.version}`,
    subject: command.subject,
    parse: (data) => command.data.parse(data),
    replies: command.reply,
    ...reaction,
  });
}
/** Reacts to an event, once for each message id. */
export function on(event, reaction) {
  return erased({
    on: 'event',
    name: `${event.type}.v${event.version}`,
    subject: event.subject,
    parse: (data) => event.data.parse(data),
    ...reaction,
  });
}
/** Reacts to a deadline that has come; `data` is the deadline's key. */
export function due(kind, reaction) {
  return erased({ on: 'deadline', name: kind, parse: (data) => data, key: (key) => key, ...reaction });
}
export function outsideCall(kind, spec) {
  return { kind, ...spec, intent: (key, request, when = {}) => ({ kind, key, request: spec.request.parse(request), ...when }) };
}
export function performs(call, perform) {
  return { kind: call.kind, perform: async (request, context) => call.outcome.parse(await perform(call.request.parse(request), context)) };
}
/** Reacts to the outcome of a call. The intent is closed in the same transaction. */
export function whenCalled(call, reaction) {
  return erased({ on: 'outcome', name: call.kind, parse: (data) => data, key: (called) => called.key, ...reaction });
}
export const httpWrite = (name, reaction) => ({ name, ...reaction });
export function answers(query, answer) {
  return { subject: query.subject, answer: async (data) => query.answer.parse(await answer(query.data.parse(data))) };
}
