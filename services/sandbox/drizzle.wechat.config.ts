import { defineConfig } from 'drizzle-kit';

export default defineConfig({ dialect: 'postgresql', schema: './src/wechat/tables.ts', out: './migrations/wechat' });
