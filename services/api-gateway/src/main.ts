import { untilSignal } from '@yunshi/service/process';
import { start } from './app.ts';
import { readConfig } from './config.ts';

untilSignal(await start(readConfig(process.env)));
