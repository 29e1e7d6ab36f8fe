import { defineConfig } from 'drizzle-kit';

export default defineConfig({ dialect: 'postgresql', schema: './src/unionpay/tables.ts', out: './migrations/unionpay' });
