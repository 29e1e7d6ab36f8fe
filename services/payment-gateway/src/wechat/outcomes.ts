import type { Exchange } from './client.ts';

export const unreadable = { kind: 'unknown', why: 'an answer of another shape' } as const;
export const failure = (answer: Exclude<Exchange, { kind: 'done' }>) =>
  answer.kind === 'unknown' ? answer : { kind: 'refused' as const, code: answer.code, message: answer.message };
