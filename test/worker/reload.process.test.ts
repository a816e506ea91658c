/** A server that has boards of its own reads the lab's file again; a worker does so in `reload.long.test.ts`. */
import { describeReload, onServer } from './reload.ts';

describeReload('a server', onServer);
