import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { responseHeaders } from './headers.ts';

export type Forwarding = {
  readonly upstream: Dispatcher;
  readonly options: Dispatcher.DispatchOptions;
  readonly requestId: string;
  /** Called right before the first byte goes out, on a connection that is there. If it throws, nothing goes out. */
  readonly onBegin: () => void;
};

/** `broken`: the answer, or its end, did not come. `isBegun`: the upstream may have the call. */
export type Outcome =
  { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'broken'; readonly isBegun: boolean; readonly error: Error };

class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** Passes one call on and its answer back, piece by piece, no faster than the caller reads. Never asks twice. */
export function forward({ upstream, options, requestId, onBegin }: Forwarding, response: ServerResponse): Promise<Outcome> {
  let controller: Dispatcher.DispatchController | undefined;
  let isBegun = false;
  let isOver = false;
  let status = 0;
  response.once('close', () => !isOver && controller?.abort(new CallerGone()));
  return new Promise((resolve) => {
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (begun) => {
        controller = begun;
        if (response.destroyed) return begun.abort(new CallerGone());
        try {
          onBegin();
          isBegun = true;
        } catch (error) {
          begun.abort(error as Error);
        }
      },
      onResponseStart: (_, code, headers) => {
        if (code < 200) return;
        status = code;
        const shown = responseHeaders(headers);
        shown['x-request-id'] = requestId;
        response.writeHead(code, shown);
        response.on('drain', () => controller?.resume());
        // A stream of events has a head long before it has an event.
        if (String(headers['content-type']).startsWith('text/event-stream')) response.flushHeaders();
      },
      onResponseData: (_, chunk) => {
        if (!response.write(chunk)) controller?.pause();
      },
      onResponseEnd: () => {
        isOver = true;
        response.end();
        resolve({ kind: 'answered', status });
      },
      onResponseError: (_, error) => {
        isOver = true;
        if (response.headersSent) response.destroy();
        resolve({ kind: 'broken', isBegun, error });
      },
    };
    upstream.dispatch(options, handler);
  });
}
