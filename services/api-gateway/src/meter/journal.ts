import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { AccountId, InstanceId } from '@yunshi/kernel/ids';

/** One counted call, as it is written before its first byte goes to the upstream. */
export type Entry = {
  readonly callId: string;
  readonly instanceId: InstanceId;
  readonly accountId: AccountId;
  readonly secretId: string;
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
};

/*
 * What a process has forwarded and not stored yet, in files of its own: `<folder>/<holder>/<number>.log`. A line is written by one system
 * call, so that it is in the kernel when the process is killed at any moment after. It is not synced: losing the whole machine may lose
 * lines, and whoever finds a journal from before a restart of the machine knows by `boot` that it may be incomplete.
 */

export type Journal = {
  readonly holder: string;
  readonly append: (entry: Entry) => void;
  /** Begins a new file and answers the one that is complete. */
  readonly rotate: () => string;
  readonly drop: (file: string) => void;
  /** Once everything in it is stored. */
  readonly remove: () => void;
};

const SOCKET = 'alive.sock';
const BOOT = 'boot';

/** Changes with each start of the machine; where there is none to ask, no journal of an earlier process is believed to be complete. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `unknown ${process.pid} ${performance.timeOrigin}`;
  }
}

export async function openJournal(folder: string, holder: string): Promise<Journal> {
  const dir = join(folder, holder);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(join(dir, BOOT), bootId());
  const alive = await listenOn(join(dir, SOCKET));
  let number = 0;
  const next = () => join(dir, `${String(++number).padStart(8, '0')}.log`);
  let file = next();
  let fd = openSync(file, 'a', 0o600);
  return {
    holder,
    append: ({ callId, instanceId, accountId, secretId, atMs, method, path }) => {
      writeSync(fd, `${JSON.stringify([callId, instanceId, accountId, secretId, atMs, method, path])}\n`);
    },
    rotate: () => {
      const complete = file;
      closeSync(fd);
      file = next();
      fd = openSync(file, 'a', 0o600);
      return complete;
    },
    drop: (complete) => unlinkSync(complete),
    remove: () => {
      closeSync(fd);
      alive.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The kernel closes it with its process, so that whoever can connect to it knows that the process lives. */
function listenOn(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => resolve(server));
    server.unref();
  });
}

const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

export type Orphan = {
  readonly holder: string;
  readonly entries: readonly Entry[];
  readonly isComplete: boolean;
  readonly remove: () => void;
};

/** A process makes its folder before its socket; nobody takes it for dead in between. */
const youngMs = 5_000;

/** The journals whose processes are gone. */
export async function orphansIn(folder: string, own: string, nowMs: number): Promise<Orphan[]> {
  if (!existsSync(folder)) return [];
  const orphans: Orphan[] = [];
  for (const holder of readdirSync(folder)) {
    const dir = join(folder, holder);
    if (holder === own) continue;
    try {
      if (!statSync(dir).isDirectory()) continue;
      const socket = join(dir, SOCKET);
      if (!existsSync(socket) && nowMs - statSync(dir).mtimeMs < youngMs) continue;
      if (await answers(socket)) continue;
      const isComplete = existsSync(join(dir, BOOT)) && readFileSync(join(dir, BOOT), 'utf8') === bootId();
      orphans.push({ holder, entries: read(dir), isComplete, remove: () => rmSync(dir, { recursive: true, force: true }) });
    } catch (error) {
      // Another process has looked after it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return orphans;
}

function read(dir: string): Entry[] {
  const entries: Entry[] = [];
  for (const name of readdirSync(dir)
    .filter((one) => one.endsWith('.log'))
    .sort()) {
    for (const line of readFileSync(join(dir, name), 'utf8').split('\n')) {
      // A line that was not written to its end belongs to a call that was never forwarded.
      if (!line.endsWith(']')) continue;
      const [callId, instanceId, accountId, secretId, atMs, method, path] = JSON.parse(line) as [
        string,
        InstanceId,
        AccountId,
        string,
        number,
        string,
        string,
      ];
      entries.push({ callId, instanceId, accountId, secretId, atMs, method, path });
    }
  }
  return entries;
}
