import type { Process } from '../process.ts';
import type { Service } from '../service.ts';
import type { World } from '../world.ts';

const patienceMs = 10_000;
const triesMax = 2_000;

/** Errors that mean «perhaps; ask again with the same key». */
const isUnsure = (error: unknown): boolean => error instanceof Error && (error.name === 'Unavailable' || error.name === 'Overloaded');

/** Waits, in time that passes by itself. */
export const sleep = (world: World, ms: number): Promise<void> => new Promise((resolve) => world.loop.after(ms, resolve));
/** Waits, in business time. */
export const wait = (world: World, ms: number): Promise<void> => new Promise((resolve) => world.appoint(ms, resolve));

/** What a client can be left with instead of an answer. */
class NoAnswer extends Error {}

/** One request to a service: it may not arrive, the service may die over it, the answer may not arrive. */
export function request<T>(service: Service, ask: (process: Process) => Promise<T>): Promise<T> {
  const { world } = service;
  const { loop, dice } = world;
  return new Promise<T>((resolve, reject) => {
    const giveUp = loop.after(patienceMs, () => reject(new NoAnswer('no answer')));
    if (dice.chance(world.mix.requestLost)) return world.strike('request lost', () => service.name);
    loop.after(world.latency(), () => {
      const process = service.door();
      if (!process) {
        giveUp();
        return reject(new NoAnswer('nobody listens'));
      }
      const answered = (settle: () => void): void => {
        if (process.dies('answer, before')) return;
        if (dice.chance(world.mix.answerLost)) return world.strike('answer to a request lost', () => service.name);
        loop.after(world.latency(), () => {
          giveUp();
          settle();
        });
      };
      ask(process).then(
        (value) => answered(() => resolve(value)),
        (error: unknown) => answered(() => reject(error as Error)),
      );
    });
  });
}

/** Asks until there is a clear answer, as the documentation asks clients to: the same request, with the same key. */
export async function surely<T>(service: Service, ask: (process: Process) => Promise<T>): Promise<T> {
  const { world } = service;
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      return await request(service, ask);
    } catch (error) {
      if (!isUnsure(error) && !(error instanceof NoAnswer)) throw error;
      await sleep(world, 100 + world.dice.next() * 400);
    }
  }
  throw new Error('no clear answer');
}
