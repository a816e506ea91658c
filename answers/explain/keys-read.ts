/** Which keys of messages a member reads: by the lines of its scripts that speak of the cache file, and what its shell ran of them. */
import type { Member } from './facts.ts';
import type { Situation } from './situation.ts';

const CACHE = /lava_multi_node_cache|LAVA_MULTI_NODE_CACHE/;
/** `^ip=`, `"panda01:ip="`, `/ip=/`, `$1 == "ip"`. */
const KEY = /(?:^|[\s'"^/:|(\\])([A-Za-z_][\w.-]*)=(?=['"/\\\s.(*[]|$)/g;
const AWK_KEY = /\$1\s*==\s*["']([\w.-]+)["']|\/\^([\w.-]+)=?\/|\/([\w.-]+)=\//g;
const GREP_WORD =
  /\bgrep\s+(?:-[A-Za-z]+\s+)*["']?\^?([A-Za-z_][\w.-]*)["']?\s+\S*(?:cache|CACHE)/g;

export function keysRead(situation: Situation, member: Member): string[] {
  const keys = new Set<string>();
  const add = (words: string) => {
    // What is set on the line is a variable, and no key.
    const line = words.replace(/^\s*(?:(?:export|local|readonly)\s+)?\w+=/, '');
    for (const pattern of [KEY, AWK_KEY, GREP_WORD])
      for (const [, one, two, three] of line.matchAll(pattern)) keys.add(one ?? two ?? three ?? '');
  };
  for (const { text } of situation.said.get(member.device) ?? [])
    if (/^\+/.test(text) && CACHE.test(text)) add(text.replace(/^\++ /, ''));
  if (keys.size === 0)
    for (const source of situation.places.suitesOf(member.device))
      for (const script of situation.places.scripts(source))
        for (const line of cacheLines(script.text)) add(line);
  keys.delete('');
  return [...keys];
}

/** Lines with the name of the cache file, or of a variable that holds it. */
function cacheLines(text: string): string[] {
  const names = [
    ...text.matchAll(
      /^\s*(?:export\s+|local\s+)?(\w+)=["']?\S*(?:lava_multi_node_cache|LAVA_MULTI_NODE_CACHE)/gm,
    ),
  ].map(([, name = '']) => name);
  const variables = names.map((name) => new RegExp(`\\$\\{?${name}\\b`));
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .filter((line) => CACHE.test(line) || variables.some((one) => one.test(line)));
}
