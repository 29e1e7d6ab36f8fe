import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { forwardPolicy } from '../policy.ts';
import { isCall, type Plane } from './plane.ts';

/**
 * Takes the calls out of what a server gets, before its framework sees them: a call is forwarded byte by byte, and what a framework does
 * for a route (parsing, validation, hooks) would cost more than all else about it.
 */
export function callsBeside(server: Server, calls: Pick<Plane, 'handle'>): void {
  const others = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isCall(request.url)) void calls.handle(request, response);
    else for (const other of others) other.call(server, request, response);
  });
  // The framework's own routes end long before, by a limit of their own.
  server.requestTimeout = forwardPolicy.bodyMsMax * 4;
}
