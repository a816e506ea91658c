import type { Cause } from '../situation.ts';
import { lackedKeys, tellLack } from './message-values.ts';

export const messageWithoutTheValueThatItsReaderNeeded: Cause = {
  kind: 'message-without-the-value-that-its-reader-needed',
  title: 'A message came without the value that its reader needed',
  page: `A member was released by a message, read a key from the cache file, and found nothing: the message was sent without that key,
or with an empty value. The barrier was passed as it should be; what failed is what was to be done with the value.

An empty value mostly comes of a command that printed nothing: \`lava-send address ip=$(lava-echo-ipv4 eth1)\` on a board without
eth1. Check the value before it is sent.`,
  example: `server: lava-send address
client: lava-wait address; ip=$(grep '^ip=' /tmp/lava_multi_node_cache.txt | cut -d= -f2); ping -c 1 "$ip"`,
  find: (situation) =>
    lackedKeys(situation)
      .filter(
        ({ instead, isBehindName, other }) =>
          instead === undefined && !isBehindName && other === undefined,
      )
      .map((lack) => tellLack(situation, lack, 'message-without-the-value-that-its-reader-needed')),
};
