import { trace } from '@opentelemetry/api';
import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

/** Names of fields whose values must not be kept, in the spellings that the protocols we speak use. */
const secret = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'secretKey',
  'secret_key',
  'apiKey',
  'api_key',
  'privateKey',
  'private_key',
  'token',
  'accessToken',
  'access_token',
  'signature',
  'sign',
  'openid',
  'payer_openid',
  'accountNumber',
  'account_number',
  'account_no',
  'bank_account',
];
/** Fields at the top and one or two levels down (`headers.authorization`, `request.headers.authorization`). */
const redacted = secret
  .flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  .concat('*.headers["wechatpay-signature"]', 'headers["wechatpay-signature"]');

export type LogOptions = {
  readonly service: string;
  readonly level?: string;
  /** Standard output if not said otherwise. */
  readonly to?: DestinationStream;
};

/** One JSON object a line, with the trace it belongs to. `LOG_LEVEL` is trace, debug, info, warn, error or silent. */
export function createLog({ service, level = process.env['LOG_LEVEL'] || 'info', to }: LogOptions): Log {
  const options = {
    level,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redacted, censor: '[redacted]' },
    mixin: () => {
      const of = trace.getActiveSpan()?.spanContext();
      return of && trace.isSpanContextValid(of) ? { trace_id: of.traceId, span_id: of.spanId } : {};
    },
  };
  return to ? pino(options, to) : pino(options);
}
