/** What a lab's boards need of each other and of their drivers: read from the tree, so that it is said beside all else. */
import { DRIVERS } from './lab-drivers.ts';
import { list, quote } from './quoting.ts';
import { entryOf, type Finding, type ObjectTree, type Path, type Tree, textOf } from './tree.ts';

/** Which drivers read a section. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  login: ['qemu', 'console'],
  qemu: ['qemu'],
  console: ['console'],
  ssh: ['ssh'],
};
/** What boards of a kind cannot do without, and why. */
const NEEDED: Readonly<
  Record<string, readonly (readonly [section: string, field: string, why: string])[]>
> = {
  console: [
    ['console', 'connect', 'the command with its serial line'],
    ['console', 'power_on', 'the command that powers it on'],
    [
      'console',
      'power_off',
      'the command that powers it off: a board that cannot be switched off is never clean',
    ],
  ],
  ssh: [
    ['ssh', 'host', 'the machine that it is'],
    [
      'commands',
      'cleanup',
      'the command that cleans it: a machine that is always on is never clean by itself',
    ],
  ],
};

/** A board of the file, and the type that it names. */
interface Board {
  name: string;
  tree: Tree;
  keyOffset: number;
  type: Tree | undefined;
  driver: string;
}

export function driverRules(lab: ObjectTree): Finding[] {
  const boards = boardsOf(lab);
  return [...sectionRules(lab, boards), ...boards.flatMap(needRules), ...sharedRules(boards)];
}

/** The kind of each board, by its name: those that a bridge has a place for are told from the others. */
export const driversOf = (lab: ObjectTree): ReadonlyMap<string, string> =>
  new Map(boardsOf(lab).map(({ name, driver }) => [name, driver]));

function entriesOf(
  lab: ObjectTree,
  field: string,
): { name: string; tree: Tree; keyOffset: number }[] {
  const tree = entryOf(lab, field)?.value;
  if (tree?.kind !== 'object') return [];
  return [...tree.entries].map(([name, { value, keyOffset }]) => ({
    name,
    tree: value,
    keyOffset,
  }));
}

function boardsOf(lab: ObjectTree): Board[] {
  const types = new Map(entriesOf(lab, 'device_types').map(({ name, tree }) => [name, tree]));
  return entriesOf(lab, 'devices').map((entry) => {
    const type = types.get(textOf(entry.tree, 'type') ?? '');
    return { ...entry, type, driver: driverOf(type) };
  });
}

const driverOf = (type: Tree | undefined): string =>
  (type === undefined ? undefined : textOf(type, 'driver')) ?? DRIVERS[0];

function sectionRules(lab: ObjectTree, boards: readonly Board[]): Finding[] {
  const places = [
    ...entriesOf(lab, 'device_types').map(({ name, tree }) => ({
      ...{ tree, driver: driverOf(tree), path: ['device_types', name] },
    })),
    ...boards.map(({ name, tree, driver }) => ({ tree, driver, path: ['devices', name] })),
  ];
  return places.flatMap(({ tree, driver, path }) =>
    Object.entries(SECTIONS).flatMap(([section, drivers]) => {
      const entry = entryOf(tree, section);
      if (entry === undefined || drivers.includes(driver)) return [];
      const message = `${quote(section)} is for boards of the driver ${list(drivers)}; this one's is ${quote(driver)}`;
      return [{ offset: entry.keyOffset, path: [...path, section], message }];
    }),
  );
}

/** A field of a board, or of its type. */
function fieldOf({ tree, type, name }: Board, section: string, field: string) {
  for (const [place, path] of [
    [tree, ['devices', name]],
    [type, []],
  ] as const) {
    const entry = place === undefined ? undefined : entryOf(entryOf(place, section)?.value, field);
    if (entry !== undefined) return { entry, isOwn: path.length > 0 };
  }
  return undefined;
}

function needRules(board: Board): Finding[] {
  return (NEEDED[board.driver] ?? []).flatMap(([section, field, why]) => {
    if (fieldOf(board, section, field) !== undefined) return [];
    const message = `a board of the driver ${quote(board.driver)} needs "${section}: { ${field}: ... }": ${why}`;
    const path: Path = ['devices', board.name];
    return [{ offset: board.keyOffset, path, message }];
  });
}

/** Two boards at one line would type into each other's console. */
function sharedRules(boards: readonly Board[]): Finding[] {
  const owners = new Map<string, string>();
  return boards.flatMap((board) =>
    linesOf(board).flatMap(({ line, what, offset }) => {
      const owner = owners.get(line);
      if (owner === undefined) {
        owners.set(line, board.name);
        return [];
      }
      const message = `${what} is already that of ${quote(owner)}: a line has one board`;
      return [{ offset, path: ['devices', board.name] as Path, message }];
    }),
  );
}

/** A command with the board's name in it is another one for each board. */
const NAMES_ITSELF = /\$\{?(?:MUSTER_DEVICE)\b/;

function linesOf(board: Board): { line: string; what: string; offset: number }[] {
  if (board.driver === 'console') {
    const own = fieldOf(board, 'console', 'connect');
    const more = fieldOf(board, 'console', 'consoles')?.entry.value;
    const consoles = more?.kind === 'object' ? [...more.entries.values()] : [];
    return [...(own === undefined ? [] : [own.entry]), ...consoles].flatMap(({ value }) => {
      if (value.kind !== 'scalar' || typeof value.value !== 'string') return [];
      if (NAMES_ITSELF.test(value.value)) return [];
      const line = value.value.trim().replace(/\s+/g, ' ');
      return [
        { line: `console ${line}`, what: `the console ${quote(line)}`, offset: board.keyOffset },
      ];
    });
  }
  if (board.driver !== 'ssh') return [];
  const word = (field: string) => {
    const value = fieldOf(board, 'ssh', field)?.entry.value;
    return value?.kind === 'scalar' && value.value !== null ? String(value.value) : undefined;
  };
  const host = word('host');
  if (host === undefined) return [];
  const port = word('port') ?? '22';
  return [{ line: `ssh ${host} ${port}`, what: `the machine ${host}`, offset: board.keyOffset }];
}
