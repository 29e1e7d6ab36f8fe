import { defineConfig } from 'drizzle-kit';

// The played treasury stands apart as well.
export default defineConfig({ dialect: 'postgresql', schema: './src/treasury/tables.ts', out: './migrations/treasury' });
