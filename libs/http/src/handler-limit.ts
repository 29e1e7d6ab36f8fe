import type { FastifyInstance, FastifyReply } from 'fastify';
import { Problem } from './problem.ts';

const lookEveryMsMax = 250;

/**
 * Answers `timed-out` where a handler has not answered in time. fastify has such a limit too: it forgets about requests whose body has been
 * read, and gives every request a timer, a signal and an error of its own. Here all that wait stand in one row, the oldest first.
 */
export function limitHandlers(app: FastifyInstance, msMax: number): void {
  const waiting = new Map<FastifyReply, number>();

  function look(): void {
    const tooOld = performance.now() - msMax;
    for (const [reply, sinceMs] of waiting) {
      if (sinceMs > tooOld) return;
      waiting.delete(reply);
      // What is being sent, or has been handed over to a stream of events, has limits of its own.
      if (!reply.sent) void reply.send(new Problem('timed-out'));
    }
  }

  const timer = setInterval(look, Math.min(lookEveryMsMax, msMax / 4));
  timer.unref();
  app.addHook('onRequest', (_request, reply, done) => {
    waiting.set(reply, performance.now());
    done();
  });
  app.addHook('onResponse', (_request, reply, done) => {
    waiting.delete(reply);
    done();
  });
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer);
    done();
  });
}
