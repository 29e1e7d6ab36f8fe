import type { Routes } from '@yunshi/http/server';
import { auditRoutes } from './audit.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import type { Operated } from './operated.ts';

/** What the operators of every service have: its dead letters, and the record of what operators have done. */
export const operationRoutes =
  (operated: Operated): Routes =>
  async (app) => {
    await app.register(deadLetterRoutes(operated));
    await app.register(auditRoutes(operated));
  };
