import { defineConfig } from 'drizzle-kit';

// The played cloud knows nothing of the rest either.
export default defineConfig({ dialect: 'postgresql', schema: './src/cloud/tables.ts', out: './migrations/cloud' });
