/**
 * What jobs of the seed's time say beside what is needed here. Known fields that change nothing are taken, each with a
 * warning at its place; commands that no driver here can do are known by name.
 */
import { entryOf, type Finding, itemsOf, type Path, type Tree, textOf } from './tree.ts';

const NOTHING = 'has no effect here';

/** Fields of the job itself, and why nothing comes of them. */
const OF_JOB: Readonly<Record<string, string>> = {
  metadata: NOTHING,
  health_check: `${NOTHING}: a health check is named in the lab's file`,
  target_type: `${NOTHING}: the board is named`,
  image_type: NOTHING,
  device_version: NOTHING,
  context: NOTHING,
};
const OF_ACTION: Readonly<Record<string, string>> = { metadata: NOTHING };
const BOOT = `${NOTHING}: how a board boots is the lab's`;
const LOGIN = `${NOTHING}: how a board is logged in to is the lab's`;
const OF_PARAMETERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  deploy_linaro_image: {
    rootfstype: NOTHING,
    bootfstype: NOTHING,
    bootloadertype: NOTHING,
    use_cache: NOTHING,
    login_prompt: LOGIN,
    password_prompt: LOGIN,
    username: LOGIN,
    password: LOGIN,
    login_commands: LOGIN,
  },
  boot_linaro_image: {
    options: BOOT,
    boot_cmds: BOOT,
    sim_options: BOOT,
    test_image_prompt: LOGIN,
    interrupt_boot_prompt: BOOT,
    repeat_count: `${NOTHING}: the board boots once`,
  },
  lava_test_shell: {
    lava_test_dir: NOTHING,
    lava_test_results_dir: NOTHING,
    repeat: `${NOTHING}: the tests run once`,
    repeat_count: `${NOTHING}: the tests run once`,
  },
  submit_results: { token: NOTHING, result_disk: NOTHING },
  submit_results_on_host: { token: NOTHING, result_disk: NOTHING },
};

/** LAVA's own of those days; here there are others, or none. */
const COMMANDS = new Set([
  ...[
    'android_install_binaries',
    'android_install_cts_medias',
    'boot_image',
    'boot_linaro_android_image',
  ],
  ...[
    'deploy_image',
    'deploy_linaro_android_image',
    'deploy_linaro_kernel',
    'deploy_linaro_image_from_url',
  ],
  ...[
    'dummy_deploy',
    'lava_android_monkey_run',
    'lava_android_monkeyrunner',
    'lava_android_test_install',
  ],
  ...[
    'lava_android_test_run',
    'lava_android_test_run_custom',
    'lava_test_install',
    'lava_test_run',
  ],
  ...['remote_command', 'wait_guest_start', 'prepare_vmhost', 'sleep', 'shell'],
]);

/** Other ways to fetch definitions that LAVA had. */
const FETCHES = new Set(['bzr-repo', 'tar-repo']);
export const isForeignFetch = (field: string): boolean => FETCHES.has(field);

/** What LAVA made an image of. */
const PARTS = new Set(['hwpack', 'rootfs', 'kernel', 'ramdisk', 'dtb']);
export const isForeignImage = (field: string): boolean => PARTS.has(field);

/** Whether it is a command that LAVA had, and that no driver here can do. */
export const isForeignCommand = (word: string): boolean => COMMANDS.has(word);

/**
 * The job without its old fields, and a warning for each of them. `target_type` alone says which board: then it is the
 * `device_type` of today.
 */
export function withoutOldFields(job: Tree): { tree: Tree; warnings: Finding[] } {
  const warnings: Finding[] = [];
  const actions = itemsOf(job, 'actions').map((action, index) => {
    const command = textOf(action, 'command') ?? '';
    const path = ['actions', index];
    const parameters = entryOf(action, 'parameters')?.value;
    const known = Object.hasOwn(OF_PARAMETERS, command) ? OF_PARAMETERS[command] : undefined;
    if (parameters === undefined || known === undefined)
      return drop(action, path, OF_ACTION, warnings);
    const at = [...path, 'parameters'];
    const cleaned = drop(parameters, at, known, warnings);
    return withValue(drop(action, path, OF_ACTION, warnings), 'parameters', cleaned);
  });
  const tree = withItems(dropOfJob(job, warnings), 'actions', actions);
  return { tree, warnings };
}

function dropOfJob(job: Tree, warnings: Finding[]): Tree {
  const type = entryOf(job, 'target_type');
  const isNamed = ['device_type', 'device', 'target', 'device_group'].some(
    (field) => entryOf(job, field) !== undefined,
  );
  if (type === undefined || isNamed || job.kind !== 'object')
    return drop(job, [], OF_JOB, warnings);
  const entries = new Map([...job.entries].filter(([key]) => key !== 'target_type'));
  entries.set('device_type', type);
  warnings.push({
    offset: type.keyOffset,
    path: ['target_type'],
    message: 'is called "device_type" today, and taken for it',
  });
  return drop({ ...job, entries }, [], OF_JOB, warnings);
}

function drop(
  tree: Tree,
  path: Path,
  known: Readonly<Record<string, string>>,
  warnings: Finding[],
): Tree {
  if (tree.kind !== 'object') return tree;
  const entries = new Map(
    [...tree.entries].filter(([key, entry]) => {
      const why = Object.hasOwn(known, key) ? known[key] : undefined;
      if (why === undefined) return true;
      warnings.push({ offset: entry.keyOffset, path: [...path, key], message: why });
      return false;
    }),
  );
  return { ...tree, entries };
}

function withValue(tree: Tree, key: string, value: Tree): Tree {
  const entry = entryOf(tree, key);
  if (entry === undefined || tree.kind !== 'object') return tree;
  return { ...tree, entries: new Map([...tree.entries, [key, { ...entry, value }]]) };
}

function withItems(tree: Tree, key: string, items: Tree[]): Tree {
  const list = entryOf(tree, key)?.value;
  return list?.kind === 'list' ? withValue(tree, key, { ...list, items }) : tree;
}
