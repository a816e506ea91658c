import type { Cause } from '../situation.ts';
import { lackedKeys, tellLack } from './message-values.ts';

export const keySentUnderAnotherNameThanItIsRead: Cause = {
  kind: 'key-sent-under-another-name-than-it-is-read',
  title: 'A key is sent under another name than it is read',
  page: `The message held the value, but under another name than its reader looks for in the cache file: \`ipaddr\` and \`ip\`,
\`server-ip\` and \`server_ip\`. Keys are compared byte by byte. After \`lava-wait-all\` each line begins with the name of the sender
(\`panda01:ip=...\`), after \`lava-wait\` with the key.`,
  example: `server: lava-send address ipaddr=10.0.0.1
client: lava-wait address; grep '^ip=' /tmp/lava_multi_node_cache.txt`,
  find: (situation) =>
    lackedKeys(situation)
      .filter(({ instead, isBehindName }) => instead !== undefined || isBehindName)
      .map((lack) => tellLack(situation, lack, 'key-sent-under-another-name-than-it-is-read')),
};
