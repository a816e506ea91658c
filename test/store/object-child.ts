/** Keeps a file of which half has come, says so, and waits to be killed. */
import { Objects } from '../../store/objects.ts';

const objects = await Objects.open(process.argv[2] ?? '');
async function* halfOfIt() {
  yield Buffer.alloc(100_000, 'half');
  process.send?.('half');
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}
await objects.put(halfOfIt(), 1_000_000);
