import { defineConfig } from 'drizzle-kit';

// The played providers share a schema with the rest of the sandbox but nothing else, so their migrations stand apart too.
export default defineConfig({ dialect: 'postgresql', schema: './src/provider/tables.ts', out: './migrations/provider' });
