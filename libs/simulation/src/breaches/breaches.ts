import { decisionBreaches } from './decisions.ts';
import { messageBreaches } from './messages.ts';
import { outsideBreaches } from './outside.ts';
import { transactionBreaches } from './transactions.ts';

export const breaches = [...messageBreaches, ...transactionBreaches, ...outsideBreaches, ...decisionBreaches];
