/** `node services/sandbox/src/wechat/make-keys.ts <folder>`: makes the key folder unless it is there, prints payment-gateway's environment. */
import { resolve } from 'node:path';
import { ensureKeys, merchantEnvironment } from './keys.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: make-keys.ts <folder>\n');
  process.exit(2);
}
await ensureKeys(resolve(folder), new Date());
for (const [name, value] of Object.entries(await merchantEnvironment(resolve(folder)))) process.stdout.write(`${name}=${value}\n`);
