import type { WechatClient } from '@yunshi/payment-gateway/wechat/client';
import type { Egress } from '@yunshi/protocols/egress';
import type { Engine, Ports } from '@yunshi/messaging/engine';
import type { Decision } from '@yunshi/messaging/handle';
import type { Session } from '@yunshi/messaging/lane';
import type { Mix } from '../mix.ts';
import type { Process } from '../process.ts';
import type { MakeBehaviour } from '../service.ts';

export type Behaved = ReturnType<MakeBehaviour>;
/** What a decision is about: its handler's name, what came in, and the row as it was. */
export type About = { readonly name: string; readonly data: unknown; readonly row: unknown };

/** Put around the parts of a run, so that it lacks something. Nothing of this exists in the code that runs in production. */
export type Wrapping = {
  readonly ports?: (ports: Ports, process: Process) => Ports;
  readonly behaviour?: (behaved: Behaved, process: Process) => Behaved;
  readonly decision?: (decided: Decision<unknown>, about: About) => Decision<unknown>;
  readonly engine?: (engine: Engine, process: Process) => Engine;
  readonly wechat?: (client: WechatClient) => WechatClient;
  readonly provider?: (door: Egress) => Egress;
  /** What the database does not see to: `locks`, or the unique keys of a table. */
  readonly unguarded?: readonly string[];
};

/**
 * A part of the protocol that is left out. Each part is there for a reason, and the rules must notice its absence: what nobody misses is
 * either not needed or not tested.
 */
export type Breach = {
  /** What is done wrongly. */
  readonly what: string;
  readonly by: Wrapping;
  /** The faults that show it, and hardly any others. */
  readonly mix: Partial<Mix>;
  /** The rule that is broken for it. */
  readonly breaks: string;
  /** Within how many seeds. */
  readonly seedsMax?: number;
};

/** Changes what the lanes say to the database, and what they hear. */
export const overSessions =
  (change: (session: Session, process: Process) => Partial<Session>): NonNullable<Wrapping['ports']> =>
  (ports, process) => ({
    ...ports,
    sessions: (name) => {
      const sessions = ports.sessions(name);
      return {
        ...sessions,
        get: async () => {
          const session = await sessions.get();
          return { ...session, ...change(session, process) };
        },
      };
    },
  });

export const rest = 'everything comes to rest when nothing goes wrong any more';
