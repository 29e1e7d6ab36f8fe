import { defineConfig } from 'drizzle-kit';

export default defineConfig({ dialect: 'postgresql', schema: './src/bank/tables.ts', out: './migrations/bank' });
