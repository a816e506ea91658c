/** Whose branch a line of a script stands in, and in which function: by the text round it. */

/** 1: the line stands in a branch for this role; -1: in one for another; 0: nobody knows. */
export function branchOf(
  script: { readonly text: string },
  line: number,
  role: string,
  roles: ReadonlySet<string>,
): number {
  const lines = script.text.split('\n');
  let closed = 0;
  let isElse = false;
  for (let at = line - 1; at >= 0; at--) {
    const text = lines[at] ?? '';
    const isOwn = at === line - 1;
    if (!isOwn && /\b(?:if|case)\b.*\b(?:fi|esac)\b/.test(text)) continue;
    if (!isOwn && /^\s*(?:esac|fi)\b/.test(text)) closed += 1;
    if (closed > 0) {
      if (/^\s*(?:case|if)\b/.test(text)) closed -= 1;
      continue;
    }
    const label = /^\s*\(?\s*(["']?[\w.|*"' -]+)\)(?!\s*\{)/.exec(text)?.[1];
    if (label !== undefined && !isElse) {
      const names = label.split('|').map((name) => name.replace(/["'\s]/g, ''));
      if (names.includes(role)) return 1;
      if (names.some((name) => roles.has(name))) return -1;
      if (names.includes('*')) return hasOwnLabel(lines, at, role, roles);
    }
    if (!isOwn && /^\s*else\b/.test(text)) isElse = true;
    const compared = /\[.*?\s!?=?=\s*["']?([\w.-]+)["']?\s*\]/.exec(text)?.[1];
    const encloses = /\b(?:if|elif)\b/.test(text) || (isOwn && /&&|\|\|/.test(text));
    if (compared === undefined || !encloses || !roles.has(compared)) continue;
    const isNot = /\s!=\s|\]\s*\|\|/.test(text) !== isElse;
    return (compared === role) !== isNot ? 1 : -1;
  }
  return 0;
}

/** Of `*)`: whether the role has a label of its own before it; 0 where the labels are no roles. */
function hasOwnLabel(
  lines: readonly string[],
  end: number,
  role: string,
  roles: ReadonlySet<string>,
): number {
  let areRoles = false;
  for (let at = end - 1; at >= 0 && !/\bcase\b/.test(lines[at] ?? ''); at--) {
    const label = /^\s*\(?\s*(["']?[\w.|"' -]+)\)/.exec(lines[at] ?? '')?.[1] ?? '';
    const names = label.split('|').map((name) => name.replace(/["'\s]/g, ''));
    if (names.includes(role)) return -1;
    areRoles ||= names.some((name) => roles.has(name));
  }
  return areRoles ? 1 : 0;
}

/** The name of the function that a line stands in. */
export function functionAround(
  script: { readonly text: string },
  line: number,
): string | undefined {
  const lines = script.text.split('\n');
  for (let at = line - 1; at >= 0; at--) {
    const name = /^\s*(?:function\s+)?([\w-]+)\s*\(\)/.exec(lines[at] ?? '')?.[1];
    if (name !== undefined) return name;
    if (/^}/.test(lines[at] ?? '') && at < line - 1) return undefined;
  }
  return undefined;
}
