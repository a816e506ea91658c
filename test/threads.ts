/**
 * Threads of the product for tests: from the sources each starts with tsx, which takes half a second of a core; here what
 * was made of them once, before all tests, is started.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'vite';

const root = new URL('..', import.meta.url);
const THREADS = ['store/sqlite/log-thread', 'dispatcher/parse-thread'];
/** Within the project, where what they import is found. */
const made = new URL('node_modules/.cache/muster-threads/', root);

const nameOf = (thread: string): string => thread.replace(/.*\//, '');

export async function makeThreads(): Promise<void> {
  const input = THREADS.map((thread) => [
    nameOf(thread),
    fileURLToPath(new URL(`${thread}.ts`, root)),
  ]);
  await build({
    ...{ root: fileURLToPath(root), configFile: false, logLevel: 'error' },
    build: {
      ...{ ssr: true, target: 'node20', minify: false, emptyOutDir: true },
      ...{ outDir: fileURLToPath(made), rolldownOptions: { input: Object.fromEntries(input) } },
    },
  });
}

/** Whoever starts one of them from the sources starts what was made. */
export const threads: Plugin = {
  name: 'threads',
  enforce: 'pre',
  transform(code, id) {
    const thread = THREADS.map(nameOf).find((name) => code.includes(`'./${name}.js'`));
    if (thread === undefined || id.includes('node_modules')) return undefined;
    const url = pathToFileURL(fileURLToPath(new URL(`${thread}.js`, made))).href;
    return code
      .replace("import.meta.url.endsWith('.ts')", 'false')
      .replace(
        /new URL\('[^']*-thread\.js', import\.meta\.url\)/,
        `new URL(${JSON.stringify(url)})`,
      );
  },
};
