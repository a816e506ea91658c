/** How the page is built: into `dist/web`, each file packed beside itself, and never larger than was promised. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** All that a first view loads, gzipped. */
const BUNDLE_BYTES_MAX = 90 * 1024;

const outDir = fileURLToPath(new URL('../dist/web', import.meta.url));

/** Writes `FILE.gz` and `FILE.br` for the server to send, and ends the build when the page has grown too large. */
const packed: Plugin = {
  name: 'packed',
  apply: 'build',
  closeBundle() {
    const assets = join(outDir, 'assets');
    const files = [join(outDir, 'index.html'), ...readdirSync(assets).map((f) => join(assets, f))];
    let bytes = 0;
    for (const file of files) {
      const content = readFileSync(file);
      const zipped = gzipSync(content, { level: 9 });
      bytes += zipped.length;
      writeFileSync(`${file}.gz`, zipped);
      const quality = { [constants.BROTLI_PARAM_QUALITY]: 9 };
      writeFileSync(`${file}.br`, brotliCompressSync(content, { params: quality }));
    }
    if (bytes > BUNDLE_BYTES_MAX)
      throw new Error(`the page has ${bytes} bytes, gzipped: ${BUNDLE_BYTES_MAX} are allowed`);
  },
};

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    // What is inlined as data: would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  plugins: [packed],
});
