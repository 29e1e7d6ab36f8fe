import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';

/** What a caller is told instead of the upstream's answer. `message` is what clients of API Gateway read. */
export type Answered = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly retryAfterS?: number;
};

/** A body that is not wanted any more is not waited for longer than this. */
const drainBytesMax = 64 * 1_024;

export function refuse(request: IncomingMessage, response: ServerResponse, answered: Answered, requestId: string): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { status, code, message, remedy, retryAfterS } = answered;
  const title = STATUS_CODES[status];
  const body = JSON.stringify({
    type: 'about:blank',
    status,
    title,
    code,
    detail: message,
    message,
    ...(remedy && { remedy }),
    request_id: requestId,
  });
  // What was not read to its end would be taken for the next request.
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  const isUnread = !request.complete && (coding !== undefined || Number(length ?? 0) > drainBytesMax);
  response.writeHead(status, {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    'cache-control': 'no-store',
    ...(retryAfterS !== undefined && { 'retry-after': String(retryAfterS) }),
    ...(isUnread && { connection: 'close' }),
  });
  response.end(body);
  if (!request.complete) request.resume();
}
