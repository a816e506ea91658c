/** A first job, for the boards that a lab has. Pure. */
import type { DeviceView } from '../api/types.ts';

/** A job that the boards that are there can run: two that meet, of two types where there are two; alone, one that says so. */
export function exampleFor(boards: readonly Pick<DeviceView, 'type' | 'state'>[]): string {
  const counts = new Map<string, number>();
  for (const { type, state } of boards)
    if (state !== 'retired') counts.set(type, (counts.get(type) ?? 0) + 1);
  const types = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b));
  const [first = ['panda', 2], second = first] = types;
  if (types.length === 1 && first[1] === 1) return alone(first[0]);
  return meeting(first[0], second[0]);
}

const meeting = (client: string, server: string): string => `{
  "timeout": 300,
  "job_name": "two boards meet",
  "device_group": [
    { "role": "client", "count": 1, "device_type": ${JSON.stringify(client)} },
    { "role": "server", "count": 1, "device_type": ${JSON.stringify(server)} }
  ],
  "actions": [
    { "command": "lava_command_run",
      "parameters": { "role": "server", "commands": ["lava-send ready port=5001", "lava-sync done"] } },
    { "command": "lava_command_run",
      "parameters": { "role": "client", "commands": ["lava-wait ready", "cat /tmp/lava_multi_node_cache.txt", "lava-sync done"] } }
  ]
}
`;

const alone = (type: string): string => `{
  "timeout": 300,
  "job_name": "one board alone",
  "device_group": [ { "role": "board", "count": 1, "device_type": ${JSON.stringify(type)} } ],
  "actions": [
    { "command": "lava_command_run",
      "parameters": { "commands": ["lava-self", "lava-test-case it-runs --result pass"] } }
  ]
}
`;
