import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that answers one question after the other. */
export type Worker<Ask, Told> = {
  readonly pid: number;
  readonly ask: (ask: Ask) => Promise<Told>;
  readonly stop: () => Promise<void>;
};

/** Starts a module as a process of its own; it gets questions by `process.on('message')`, and ends when we let go of it. */
export function startWorker<Ask extends object, Told>(
  module: URL,
  { execArgv = [], env = {} }: { readonly execArgv?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Worker<Ask, Told> {
  const child = fork(fileURLToPath(module), {
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...execArgv],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${module.pathname} ended (${code})`);
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    async ask(ask) {
      child.send(ask);
      const [told] = await Promise.race([once(child, 'message'), ended]);
      return told as Told;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended.catch(() => undefined);
    },
  };
}
