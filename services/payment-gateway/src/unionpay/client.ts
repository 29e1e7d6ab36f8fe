import type { Clock } from '@yunshi/kernel/clock';
import { parseMessage, writeForm, type Fields } from '@yunshi/protocols/unionpay/message';
import { signRequest, verifyAnswer } from '@yunshi/protocols/unionpay/signature';
import type { Log } from '@yunshi/telemetry/log';
import { Agent, request } from 'undici';
import { bytesOf } from '../answers.ts';
import type { UnionpayKeys } from './keys.ts';

/** `answered`: UnionPay's own word, whatever it says. `unknown`: carried out or not; ask, or repeat it with the same number. */
export type Exchange = { readonly kind: 'answered'; readonly fields: Fields } | { readonly kind: 'unknown'; readonly why: string };

type Ask = { readonly url: string; readonly fields: Fields; readonly answerBytesMax?: number; readonly signal?: AbortSignal | undefined };
export type UnionpayClient = { readonly ask: (ask: Ask) => Promise<Exchange>; readonly close: () => Promise<void> };

type Options = { readonly keys: UnionpayKeys; readonly wall: Clock; readonly log: Log };

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 256 * 1_024;
const CONNECTIONS_MAX = 16;

export function unionpayClient(options: Options): UnionpayClient {
  const agent = new Agent({ connections: CONNECTIONS_MAX, connect: { timeout: 3_000 } });
  return {
    ask: async (ask) => {
      try {
        return await asked(ask, options, agent);
      } catch (error) {
        options.log.warn({ url: ask.url, err: error }, 'UnionPay gave no answer');
        return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => agent.close(),
  };
}

async function asked(
  { url, fields, answerBytesMax, signal: given }: Ask,
  { keys, wall, log }: Options,
  dispatcher: Agent,
): Promise<Exchange> {
  const limit = AbortSignal.timeout(ANSWER_MS_MAX);
  const signal = given ? AbortSignal.any([given, limit]) : limit;
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8', 'user-agent': 'yunshi-payment-gateway' };
  const body = writeForm(signRequest(fields, keys.signing()));
  const answer = await request(url, { dispatcher, method: 'POST', headers, body, signal });
  const bytes = await bytesOf(answer.body, answerBytesMax ?? ANSWER_BYTES_MAX);
  if (answer.statusCode !== 200) return { kind: 'unknown', why: `HTTP ${answer.statusCode}` };
  const read = parseMessage(bytes.toString('utf8'));
  const trusted = read.ok ? verifyAnswer(read.value, keys.trust(), wall.now().getTime()) : read;
  if (read.ok && trusted.ok) return { kind: 'answered', fields: read.value };
  const refusal = trusted.ok ? 'malformed' : trusted.error;
  log.error({ url, refusal }, 'an answer of UnionPay cannot be trusted');
  return { kind: 'unknown', why: `answer ${refusal}` };
}
