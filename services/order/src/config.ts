import { z } from 'zod';
import { admissionLimits } from '@yunshi/messaging/admission';
import { configOf, serviceEnvironment } from '@yunshi/service/environment';

const limit = (byDefault: number) => z.coerce.number().int().min(1).default(byDefault);

/** The variables that this service reads. */
export const Environment = serviceEnvironment({
  ADMISSION_MESSAGES_MAX: limit(admissionLimits.messagesMax).describe(
    'No order is taken while so many commands and replies, of all services, wait to be carried out',
  ),
  ADMISSION_OUTBOX_MAX: limit(admissionLimits.outboxRowsMax).describe(
    'No order is taken while so many messages of this service wait for the bus',
  ),
});

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: NodeJS.ProcessEnv) {
  const read = Environment.parse(env);
  const admission = { ...admissionLimits, messagesMax: read.ADMISSION_MESSAGES_MAX, outboxRowsMax: read.ADMISSION_OUTBOX_MAX };
  return { ...configOf(read), admission };
}
